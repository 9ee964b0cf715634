import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { InvalidArgumentError } from "commander";
import { readBatch } from "../bluetrace/batch-file.ts";
import type { Bundle } from "../device/flash.ts";
import { type HostClock, systemClock } from "../device/host-clock.ts";
import { openPort } from "../device/open-board.ts";
import { listPorts } from "../device/ports.ts";
import { checkSetup } from "../device/smartbeacon.ts";
import type { Transport } from "../device/transport.ts";
import { ConfigError, ToolError } from "../errors.ts";
import { type BatchPart, provisionBatch } from "../provision/batch.ts";
import { ANY_PORT, type PlanRow, parsePlan } from "../provision/plan.ts";
import { type BeaconKeys, type LockKeys, planOf } from "../provision/provision-board.ts";
import { type BatchReport, describeReport, reportRow } from "../provision/report.ts";
import { ProvisionState } from "../provision/state.ts";
import { createBeaconKey, readBeaconKey } from "../smartbeacon/key-file.ts";
import { Store } from "../store/store.ts";
import { buildAsAsked } from "./build.ts";
import { toBundle } from "./flash.ts";
import { onInterrupt } from "./interrupt.ts";
import { createKeyFile, readKeyFile } from "./lock-key.ts";
import { createOutput, type RegisterCommand } from "./output.ts";

interface Options {
  batch: string;
  out?: string;
  db?: string;
  port: string[];
  jobs: number;
  wait: number;
  erase?: boolean;
  discard?: boolean;
  oldInterpreter?: boolean;
  fast: boolean;
  release: string[];
  report?: string;
  dryRun?: boolean;
  json?: boolean;
}

/** What the command has from outside; other ports and another clock for tests. */
export interface ProvisionTools {
  clock: HostClock;
  open(port: string): Promise<Transport>;
  /** Ports that `*` stands for where none is named. */
  ports(): Promise<string[]>;
  /** `features`: those beside the usual ones. */
  build(board: string, role: string, protocols: string[], features: string[]): Promise<Bundle>;
}

const TOOLS: ProvisionTools = {
  clock: systemClock,
  open: (port) => openPort(port),
  ports: async () => (await listPorts()).map(({ path }) => path),
  async build(board, role, protocols, features) {
    const { code, manifest } = await buildAsAsked({ board, role, protocol: protocols.join(","), with: features.join(","), set: [] });
    return toBundle(Buffer.from(code, "latin1"), manifest);
  },
};

const STATE_FILE = "state.jsonl";

function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    if (!/^\d+$/.test(text) || Number(text) < least) throw new InvalidArgumentError(`a whole number from ${least} on, got ${text}`);
    return Number(text);
  };
}

const collect = (text: string, before: string[]) => [...before, text];

/** The name is free for another board; a key that the one before may be locked with is kept under its chip. */
function release(name: string, state: ProvisionState, folder: string): void {
  const known = state.board(name);
  if (!known) throw new ConfigError("not_begun", `--release ${name}: no board was begun under this name`);
  const file = join(folder, "keys", `${name}.key`);
  if (existsSync(file)) renameSync(file, join(folder, "keys", `${name}.${known.chip}.key`));
  // its board still sends with it
  const beacon = join(folder, "keys", `${name}.beacon`);
  if (existsSync(beacon)) renameSync(beacon, join(folder, "keys", `${name}.${known.chip}.beacon`));
  state.add({ event: "released", name });
}

function readPlan(file: string): PlanRow[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new ConfigError(
      "no_file",
      `${file} can't be read (${code}); a plan is a table with the columns name, port, board, role: docs/provisioning.md`,
      {
        cause,
      },
    );
  }
  return parsePlan(text, file);
}

/** Keys are files that their owner alone may read. */
function lockKeys(folder: string): LockKeys {
  const fileOf = (name: string) => join("keys", `${name}.key`);
  const read = (name: string) => {
    const path = join(folder, fileOf(name));
    return existsSync(path) ? readKeyFile(path) : undefined;
  };
  return {
    read,
    make(name) {
      mkdirSync(join(folder, "keys"), { recursive: true, mode: 0o700 });
      const file = fileOf(name);
      return { key: read(name) ?? createKeyFile(join(folder, file)), file };
    },
  };
}

/** Keys of SmartBeacons: those that the plan names lie beside it, fresh ones beside the lock keys. */
function beaconKeys(folder: string, plan: string): BeaconKeys {
  return {
    take({ name, beacon }) {
      if (beacon?.file !== undefined) return { key: readBeaconKey(resolve(dirname(plan), beacon.file)), file: beacon.file };
      mkdirSync(join(folder, "keys"), { recursive: true, mode: 0o700 });
      const file = join("keys", `${name}.beacon`);
      const path = join(folder, file);
      return { key: existsSync(path) ? readBeaconKey(path) : createBeaconKey(path, "split"), file };
    },
  };
}

/** Looks into the files that the plan names, before a board is touched. @throws ConfigError with the row's line and column */
function checkFiles(rows: PlanRow[], plan: string): void {
  for (const { line, beacon, token } of rows) {
    try {
      if (token) readBatch(resolve(dirname(plan), token.file));
      if (beacon?.file === undefined) continue;
      const { sk } = readBeaconKey(resolve(dirname(plan), beacon.file));
      checkSetup({ sk, carrier: beacon.carrier });
      sk.fill(0);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const column = token ? "tempIds" : "beacon";
      throw new ConfigError(error.code, `${plan}: line ${line}, ${column}: ${error.message}; no board was touched`, { cause: error });
    }
  }
}

/** Builds each firmware once, all of them before a board is touched. */
async function withBundles(rows: PlanRow[], tools: ProvisionTools): Promise<BatchPart[]> {
  const bundles = new Map<string, Bundle>();
  const parts: BatchPart[] = [];
  for (const row of rows) {
    const features = row.lock ? ["lock"] : [];
    const key = [row.board.id, row.role, ...row.protocols, ...features].join(" ");
    const bundle = bundles.get(key) ?? (await tools.build(row.board.id, row.role, row.protocols, features));
    bundles.set(key, bundle);
    parts.push({ row, bundle });
  }
  return parts;
}

/** What would be done, one line a board. */
function describePlan(parts: BatchPart[], state: ProvisionState): string {
  return parts
    .map(({ row, bundle }) => {
      const { name, port, board, role, protocols, settingsText, lock, beacon, token } = row;
      const known = state.board(name);
      const stands = state.isFinished(name, planOf(row, bundle)) ? "done already" : known ? `begun with chip ${known.chip}` : "to be done";
      const what = `${board.name} as ${role}, ${protocols.join(" ")}, firmware ${bundle.version} (${bundle.code.length} bytes)`;
      return `${name}  ${port === ANY_PORT ? "any port" : port}  ${what}  ${settingsText || "usual settings"}${beacon ? `  ${beacon.carrier} with ${beacon.file ?? "a fresh key"}` : ""}${token ? `  TempIDs of ${token.org}` : ""}${lock ? "  locked" : ""}  ${stands}`;
    })
    .join("\n");
}

async function portsForAny(rows: PlanRow[], options: Options, tools: ProvisionTools): Promise<string[]> {
  if (!rows.some((row) => row.port === ANY_PORT)) return [];
  const named = new Set(rows.map((row) => row.port));
  const ports = options.port.length > 0 ? options.port : (await tools.ports()).filter((port) => !named.has(port));
  if (ports.length === 0)
    throw new ConfigError(
      "no_port",
      `${options.batch}: rows for any port, and no serial port is there; plug in the adapter, or name ports with --port`,
    );
  return ports;
}

async function provision(options: Options, tools: ProvisionTools): Promise<void> {
  const output = createOutput(options.json === true);
  const rows = readPlan(options.batch);
  checkFiles(rows, options.batch);
  const parts = await withBundles(rows, tools);
  const folder = options.out ?? options.batch.replace(/\.[^./\\]*$/, "");
  if (folder === options.batch)
    throw new ConfigError("usage", `${options.batch}: a plan without an ending would be its own folder; name one with --out`);
  const stateFile = join(folder, STATE_FILE);
  if (options.dryRun) {
    const state = ProvisionState.look(stateFile);
    const none = new Map();
    return output.result({ dryRun: true, boards: parts.map(({ row, bundle }) => reportRow(row, bundle, state, none)) }, describePlan(parts, state));
  }
  const anyPorts = await portsForAny(rows, options, tools);
  const state = ProvisionState.open(stateFile, () => tools.clock.now());
  for (const name of options.release) release(name, state, folder);
  const store = options.db === undefined ? undefined : Store.open(options.db);
  const ending = new AbortController();
  const say = (text: string) => process.stderr.write(`tracelet: ${text}\n`);
  const { erase, discard, oldInterpreter, fast } = options;
  const work = provisionBatch(parts, {
    state,
    folder,
    store,
    keys: lockKeys(folder),
    beaconKeys: beaconKeys(folder, options.batch),
    readBatch: (file) => readBatch(resolve(dirname(options.batch), file)),
    clock: tools.clock,
    open: tools.open,
    anyPorts,
    jobs: options.jobs,
    waitSeconds: options.wait,
    signal: ending.signal,
    flashOptions: { erase, discard, oldInterpreter, fast, onInterrupt, say },
    say,
  });
  const forget = onInterrupt(async () => {
    ending.abort();
    await work.catch(() => {});
    say("the same command goes on where this one ended");
  });
  try {
    const failures = await work;
    const boards = parts.map(({ row, bundle }) => reportRow(row, bundle, state, failures));
    const done = boards.filter((row) => row.state === "done").length;
    const report: BatchReport = { plan: options.batch, folder, done, boards };
    if (options.report !== undefined) writeFileSync(options.report, JSON.stringify(report, undefined, 1) + "\n");
    output.result(report, describeReport(report));
    if (done < boards.length)
      throw new ToolError(
        "not_all_done",
        `${boards.length - done} of ${boards.length} boards are not done; put right what is said above and run the same command again`,
      );
  } finally {
    forget();
    await store?.close();
  }
}

/** `provision` with other tools than the real ones. */
export function provisionCommand(tools: ProvisionTools): RegisterCommand {
  return (program) => {
    program
      .command("provision")
      .description("make a fleet of boards ready by a plan: flash, settings, clock, SmartBeacon key, self test, label, record, lock")
      .requiredOption("--batch <file>", "plan: a CSV file with one row a board (docs/provisioning.md)")
      .option("--out <folder>", "labels and state of the batch (default: the plan's name without .csv)")
      .option("--db <file>", "enter the boards into this database")
      .option("--port <port>", "a port that `*` stands for; may be given several times (default: every serial port)", collect, [])
      .option("--jobs <n>", "boards worked on at a time", wholeNumber(1), 8)
      .option("--wait <seconds>", "how long a port is watched for its next board", wholeNumber(0), 120)
      .option("--erase", "erase boards that come for the first time")
      .option("--discard", "with --erase: also records that were not pulled")
      .option("--old-interpreter", "accept Espruino 2v24 and 2v25, which can lose files")
      .option("--no-fast", "don't raise the speed of the wire while flashing")
      .option("--release <name>", "forget which board was begun under this name; may be given several times", collect, [])
      .option("--report <file>", "write the report as JSON as well")
      .option("--dry-run", "check the plan, build, say what would be done; no port is opened")
      .option("--json", "print one JSON document")
      .addHelpText(
        "after",
        "\nExamples:\n  tracelet provision --batch plan.csv --dry-run\n  tracelet provision --batch plan.csv --db tracelet.db --report report.json\n" +
          "Cut off anywhere, the same command goes on; a board that is done is recognised and left alone.",
      )
      .action((options: Options) => provision(options, tools));
  };
}

export const register: RegisterCommand = provisionCommand(TOOLS);
