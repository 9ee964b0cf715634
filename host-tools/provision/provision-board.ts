import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DeviceStatus } from "../../protocols/device-link.ts";
import type { TempIdBatch } from "../bluetrace/temp-ids.ts";
import { Board } from "../device/board.ts";
import type { ContactStore } from "../device/clock-contact.ts";
import { synchronise } from "../device/clock-sync.ts";
import { configure } from "../device/config.ts";
import { type BoardDescription, describeBoard } from "../device/description.ts";
import { type Bundle, type FlashOptions, flash } from "../device/flash.ts";
import { setLock } from "../device/lock.ts";
import { hasBeaconKey, setUpBeacon } from "../device/smartbeacon.ts";
import { loadTempIds } from "../device/temp-ids.ts";
import { ToolError } from "../errors.ts";
import { drawLabel } from "../label/label.ts";
import type { BeaconKey } from "../smartbeacon/key-file.ts";
import { type HeardAround, listenAround } from "./bare-radio.ts";
import type { PlanRow } from "./plan.ts";
import { type SelfTest, selfTest } from "./self-test.ts";
import type { ProvisionState, Step } from "./state.ts";

/** Where provisioned boards are entered. The store fits. */
export interface ProvisionStore extends ContactStore {
  enterBoard(board: BoardDescription & { name: string }): Promise<void>;
}

/** Lock keys, 16 bytes each, one for each name. */
export interface LockKeys {
  /** Undefined where the name has none. */
  read(name: string): Uint8Array | undefined;
  /** A fresh one, kept before it is answered; the one there is, where there is one. Answers it and its file. */
  make(name: string): { key: Uint8Array; file: string };
}

/** SmartBeacons' keys, one for each. */
export interface BeaconKeys {
  /** The one that the plan names, or a fresh one in the batch's folder, on disk before it is answered: the one there is, where there is one. Answers it and its file. */
  take(row: PlanRow): { key: BeaconKey; file: string };
}

export interface BoardJob {
  row: PlanRow;
  bundle: Bundle;
  state: ProvisionState;
  /** Labels and keys go here. */
  folder: string;
  store?: ProvisionStore;
  keys: LockKeys;
  beaconKeys: BeaconKeys;
  /** The batch of TempIDs in a file that the plan names. */
  readBatch(file: string): TempIdBatch;
  flashOptions: Pick<FlashOptions, "erase" | "discard" | "oldInterpreter" | "fast" | "onInterrupt" | "say">;
  say(text: string): void;
}

// What each step leaves in the state.
export interface FlashResult {
  logId: string;
  version: string;
  bytes: number;
  checkedBy: string;
  freshLog: boolean;
  replaced: string | null;
  interpreter: string;
}
export interface ClockResult {
  era: number;
  errorMs: number;
  roundTripMs: number;
}

export interface TempIdsResult {
  file: string;
  /** Last second of the last one, Unix time. */
  until: number;
}

/** Of OpenTrace's services the production one. */
const DEFAULT_SERVICE = 0;

function lastTempId({ te }: DeviceStatus): number {
  return Math.max(0, ...(te?.slice(2) ?? []));
}

/** What decides whether a step that was done holds: the row's own, and the firmware. */
export function planOf(row: PlanRow, bundle: Bundle): string {
  const { board, role, protocols, settings, lock, beacon, token } = row;
  const what = JSON.stringify([board.id, role, protocols, settings, lock, bundle.version, ...(beacon ? [beacon] : []), ...(token ? [token] : [])]);
  return createHash("sha256").update(what).digest("hex").slice(0, 12);
}

/** A step that failed. */
export class StepFailed extends Error {
  constructor(
    readonly step: Step,
    override readonly cause: unknown,
  ) {
    super(`${step} failed`, { cause });
  }
}

/**
 * Makes one board ready, from wherever it stands: what the state says is done for this plan, and the board still shows, is left alone.
 * @throws StepFailed with the step and why
 */
export async function provisionBoard(board: Board, job: BoardJob): Promise<void> {
  const { row, bundle, state } = job;
  const plan = planOf(row, bundle);
  const { clock } = board;
  const step = async <T>(name: Step, work: () => Promise<T>, holds: (before: T) => boolean = () => true): Promise<T> => {
    const before = state.result(row.name, name, plan) as T | undefined;
    if (before !== undefined && holds(before)) return before;
    const begun = clock.now();
    try {
      const result = await work();
      const seconds = Math.round((clock.now() - begun) * 10) / 10;
      state.add({ event: "done", name: row.name, step: name, plan, seconds, result });
      job.say(`${row.name}: ${name}, ${seconds} s`);
      return result;
    } catch (error) {
      throw new StepFailed(name, error);
    }
  };

  // of the board as it came: later our firmware has the radio
  let around = (state.result(row.name, "radio", plan) as HeardAround | undefined) ?? null;
  if (!board.identity.firmware) around = await step("radio", () => listenAround(board.repl));
  const there = board.identity.firmware ? await board.anyStatus() : undefined;
  const flashed = await step<FlashResult>(
    "flash",
    async () => {
      const { logId, version, bytes, checkedBy, freshLog, replaced } = await flash(board, bundle, job.flashOptions);
      return { logId, version, bytes, checkedBy, freshLog, replaced, interpreter: board.identity.version.text };
    },
    ({ version, logId }) => there?.v === version && there.id === logId,
  );
  const running = there?.v === flashed.version ? board : new Board(board.repl, await board.repl.attach());
  const changes = Object.entries(row.settings).map(([name, value]) => ({ name, value }));
  // cheap where nothing differs, and then it is certain
  await step(
    "settings",
    () => configure(running, changes),
    () => false,
  );
  const { e: era, u, lk } = await running.status();
  await step<ClockResult>(
    "clock",
    async () => {
      const { after, roundTripMs, status } = await synchronise(running, job.store);
      return { era: status?.e ?? era, errorMs: after.offsetMs, roundTripMs };
    },
    (before) => u > 0 && before.era === era,
  );
  const { beacon, token } = row;
  if (token) {
    const work = async () => {
      const { status } = await loadTempIds(running, job.readBatch(token.file), { ...token, service: DEFAULT_SERVICE });
      return { file: token.file, until: lastTempId(status) };
    };
    const status = await running.status();
    await step<TempIdsResult>("tempids", work, ({ until }) => lastTempId(status) === until && until > clock.now());
  }
  if (beacon) {
    const work = async () => {
      const { key, file } = job.beaconKeys.take(row);
      try {
        await setUpBeacon(running, { ...key, ...beacon });
      } finally {
        key.sk.fill(0);
      }
      return { file, carrier: beacon.carrier };
    };
    const { pr } = await running.status();
    await step("beacon", work, () => hasBeaconKey(pr));
  }
  await step<SelfTest>("test", () => selfTest(running, around));
  await step("label", async () => ({ file: writeLabel(job.folder, row.name, flashed.logId) }));
  const { store } = job;
  if (store) {
    const status = await running.status();
    await step("record", async () => {
      await store.enterBoard({ ...describeBoard(running, status), name: row.name });
      return {};
    });
  }
  // last: from here on nobody talks to the board without the key
  if (row.lock) {
    const work = async () => {
      const { key, file } = job.keys.make(row.name);
      await setLock(running, key);
      return { file };
    };
    await step("lock", work, () => lk === 1);
  }
  state.add({ event: "finished", name: row.name, plan });
}

/** Answers the file's path inside the folder. */
function writeLabel(folder: string, name: string, logId: string): string {
  const file = `labels/${name}.png`;
  try {
    mkdirSync(join(folder, "labels"), { recursive: true });
    writeFileSync(join(folder, file), drawLabel(logId, name));
  } catch (cause) {
    throw new ToolError(
      "unwritable_file",
      `${join(folder, file)}: can't be written (${(cause as Error).message}); choose another folder with --out`,
      {
        cause,
      },
    );
  }
  return file;
}
