import type { Bundle } from "../device/flash.ts";
import type { Failure } from "./batch.ts";
import type { PlanRow } from "./plan.ts";
import { type ClockResult, type FlashResult, planOf, type TempIdsResult } from "./provision-board.ts";
import type { SelfTest } from "./self-test.ts";
import type { ProvisionState, Step } from "./state.ts";
import { STEPS } from "./state.ts";

/** What a batch made of one row of its plan. */
export interface RowReport {
  name: string;
  line: number;
  /** `done`; `failed`; `begun`, then aborted; `waiting`: no board came for it. */
  state: "done" | "failed" | "begun" | "waiting";
  port: string;
  board: string;
  role: string;
  protocols: string[];
  settings: Record<string, number>;
  note: string;
  chip?: string;
  logId?: string;
  firmware?: string;
  interpreter?: string;
  /** Board minus hub after it was set, ms. */
  clockErrorMs?: number;
  test?: SelfTest;
  /** File, inside the batch's folder. */
  label?: string;
  /** File with its lock key, inside the batch's folder. */
  keyFile?: string;
  /** File with its SmartBeacon key: inside the batch's folder, or as the plan names it. */
  beaconFile?: string;
  /** Last second of its TempIDs, Unix time. */
  tempIdsUntil?: number;
  /** By step, and in all. */
  seconds: Partial<Record<Step, number>>;
  totalSeconds: number;
  failure?: Failure;
}

export interface BatchReport {
  plan: string;
  folder: string;
  done: number;
  boards: RowReport[];
}

export function reportRow(row: PlanRow, bundle: Bundle, state: ProvisionState, failures: Map<string, Failure>): RowReport {
  const plan = planOf(row, bundle);
  const known = state.board(row.name);
  const result = <T>(step: Step) => state.result(row.name, step, plan) as T | undefined;
  const seconds: RowReport["seconds"] = {};
  for (const step of STEPS) {
    const done = known?.done.get(step);
    if (done?.plan === plan) seconds[step] = done.seconds;
  }
  const failure = failures.get(row.name) ?? known?.failed;
  const finished = state.isFinished(row.name, plan);
  const flashed = result<FlashResult>("flash");
  return {
    name: row.name,
    line: row.line,
    state: finished ? "done" : failure ? "failed" : known ? "begun" : "waiting",
    port: known?.port ?? row.port,
    board: row.board.id,
    role: row.role,
    protocols: row.protocols,
    settings: row.settings,
    note: row.note,
    chip: known?.chip,
    logId: flashed?.logId,
    firmware: flashed?.version,
    interpreter: flashed?.interpreter,
    clockErrorMs: result<ClockResult>("clock")?.errorMs,
    test: result<SelfTest>("test"),
    label: result<{ file: string }>("label")?.file,
    keyFile: result<{ file: string }>("lock")?.file,
    beaconFile: result<{ file: string }>("beacon")?.file,
    tempIdsUntil: result<TempIdsResult>("tempids")?.until,
    seconds,
    totalSeconds: Math.round(Object.values(seconds).reduce((sum, one) => sum + one, 0) * 10) / 10,
    failure: finished ? undefined : failure,
  };
}

const COLUMNS: [string, (row: RowReport) => string][] = [
  ["name", (row) => row.name],
  ["state", (row) => row.state],
  ["board", (row) => row.board],
  ["role", (row) => row.role],
  ["log", (row) => row.logId?.slice(0, 8) ?? ""],
  ["firmware", (row) => row.firmware ?? ""],
  ["clock", (row) => (row.clockErrorMs === undefined ? "" : `${row.clockErrorMs} ms`)],
  ["battery", (row) => (row.test ? `${row.test.battery.millivolts} mV` : "")],
  ["heard", (row) => (row.test?.radio.around ? `${row.test.radio.around.devices} near` : "")],
  ["flash", (row) => (row.test ? `${row.test.flash.records} read, ${row.test.flash.errors} errors` : "")],
  ["lock", (row) => (row.keyFile ? "locked" : "")],
  ["beacon", (row) => row.beaconFile ?? ""],
  ["tempids", (row) => (row.tempIdsUntil === undefined ? "" : `until ${new Date(row.tempIdsUntil * 1000).toISOString().slice(0, 16)}Z`)],
  ["took", (row) => (row.totalSeconds > 0 ? `${row.totalSeconds} s` : "")],
];

/** Columns that are left out where no board has anything in them. */
const OPTIONAL = ["beacon", "tempids"];

/** For a person: a table, then what to know of single boards. */
export function describeReport({ boards, done, folder }: BatchReport): string {
  const columns = COLUMNS.filter(([title, cell]) => !OPTIONAL.includes(title) || boards.some((row) => cell(row) !== ""));
  const table = [columns.map(([title]) => title), ...boards.map((row) => columns.map(([, cell]) => cell(row)))];
  const widths = columns.map((_, i) => Math.max(...table.map((cells) => cells[i].length)));
  const lines = table.map((cells) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]))
      .join("  ")
      .trimEnd(),
  );
  const remarks = boards.flatMap((row) => [
    ...(row.failure ? [`${row.name}: ${row.failure.step} failed: ${row.failure.message}`] : []),
    ...(row.test?.warnings ?? []).map((warning) => `${row.name}: ${warning}`),
  ]);
  const missing = boards.filter((row) => row.state === "waiting");
  if (missing.length > 0) remarks.push(`no board came for ${missing.map((row) => row.name).join(", ")}`);
  const end = `${done} of ${boards.length} boards are done; labels and state are in ${folder}`;
  return [...lines, "", ...remarks, ...(remarks.length > 0 ? [""] : []), end].join("\n");
}
