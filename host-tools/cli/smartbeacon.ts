import { existsSync } from "node:fs";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Board } from "../device/board.ts";
import { utc } from "../device/clock-words.ts";
import { type BeaconRuns, CARRIERS, checkSetup, requireSmartBeacon, setUpBeacon } from "../device/smartbeacon.ts";
import { ConfigError, DeviceError, ToolError } from "../errors.ts";
import { type BeaconKey, createBeaconKey, type KeyMode, readBeaconKey } from "../smartbeacon/key-file.ts";
import { tuplesOf } from "../smartbeacon/tuples.ts";
import { type Verification, verifyMessages } from "../smartbeacon/verification.ts";
import { Store } from "../store/store.ts";
import { type LinkOptions, withBoard, withLinkOptions } from "./board-session.ts";
import { createOutput, type Output, type RegisterCommand } from "./output.ts";

export interface SetupOptions extends LinkOptions {
  idFile?: string;
  new?: string;
  mode?: KeyMode;
  carrier: string;
  utcOffset: number;
}

function minutes(text: string): number {
  const value = Number(text);
  if (!/^[+-]?[0-9]{1,3}$/.test(text) || Math.abs(value) > 840) throw new InvalidArgumentError("whole minutes from -840 to 840 are expected.");
  return value;
}

const WARNING =
  "Who has the key file can make this beacon's messages: give it to the server that verifies them, over a way that is safe, and to nobody else.\n" +
  "The key went to the board in clear, and whoever takes the board apart can read it.";

/** The key in the file that was named, `undefined` where one is to be made. Before the board is asked: what the user mistook shall cost nothing. */
export function keyThatIsThere({ idFile, new: fresh, mode, carrier }: SetupOptions): BeaconKey | undefined {
  if ((idFile === undefined) === (fresh === undefined))
    throw new ConfigError("usage", "whose key? Give --id-file with a key file, or --new with the name of one to create");
  if (fresh !== undefined) {
    if (existsSync(fresh))
      throw new ConfigError(
        "key_exists",
        `${fresh} is there already and is not overwritten; name another file, or take the key in it with --id-file`,
      );
    return undefined;
  }
  if (mode !== undefined) throw new ConfigError("usage", "--mode goes with --new: a key file that is there tells its mode itself");
  const key = readBeaconKey(idFile!);
  checkSetup({ sk: key.sk, carrier });
  return key;
}

/** Says where the key is that was made a moment ago. */
function withKeyFile(error: unknown, file: string | undefined): unknown {
  if (!(error instanceof DeviceError) || file === undefined) return error;
  return new DeviceError(error.code, `${error.message}. The key was made and is in ${file}: try again with --id-file ${file}`, { cause: error });
}

function describeSetup(port: string, file: string, { carrier }: SetupOptions, { status, clock }: BeaconRuns): string {
  return [
    `${port}: set up with the key in ${file}, and a message is on the air (${carrier}, start number ${status.e})`,
    `  clock ${Math.abs(clock.after.offsetMs)} ms ${clock.after.offsetMs < 0 ? "behind" : "ahead"}`,
    `\n${WARNING}`,
  ].join("\n");
}

/** The command on an open board; `there` as `keyThatIsThere` answered. A key is made only once the board is known to take it. */
export async function setUp(board: Board, output: Output, options: SetupOptions, there: BeaconKey | undefined): Promise<void> {
  const file = (options.idFile ?? options.new) as string;
  await requireSmartBeacon(board);
  const key = there ?? createBeaconKey(file, options.mode ?? "split");
  const { carrier, utcOffset } = options;
  const runs = await setUpBeacon(board, { ...key, carrier, utcOffset })
    .catch((error: unknown) => {
      throw withKeyFile(error, options.new);
    })
    .finally(() => key.sk.fill(0));
  output.result(
    {
      port: options.port,
      keyFile: file,
      carrier,
      utcOffset,
      sends: true,
      start: runs.status.e,
      clockOffsetMs: runs.clock.after.offsetMs,
      warning: WARNING,
    },
    describeSetup(options.port, file, options, runs),
  );
}

function addSetup(group: Command): void {
  withLinkOptions(group.command("setup"), [
    "smartbeacon setup --port /dev/ttyUSB0 --new kitchen.beacon",
    "smartbeacon setup --port /dev/ttyUSB0 --id-file kitchen.beacon --carrier message --utc-offset 120",
  ])
    .description("give a board with the role smartbeacon its key and its time, by wire, and see that it sends")
    .option("--id-file <file>", "key file of this beacon: ID_BEACON and SK_BEACON")
    .option("--new <file>", "make a key file, readable by you alone; must not exist yet")
    .addOption(
      new Option("--mode <mode>", "with --new: keys of MESSAGE C derived (split), or as its source has them (single)").choices(["split", "single"]),
    )
    .addOption(new Option("--carrier <name>", "what is sent: docs/smartbeacon.md").choices(Object.keys(CARRIERS)).default("token"))
    .option("--utc-offset <minutes>", "that local time is ahead of UTC, in the text of carrier message", minutes, 0)
    .action(async (options: SetupOptions) => {
      const there = keyThatIsThere(options);
      await withBoard(options, false, (board, output) => setUp(board, output, options, there));
    });
}

async function storedMessages(db: string, board: string | undefined) {
  const store = Store.open(db, { readOnly: true });
  try {
    const boards = (await store.boards()).map(({ id }) => id);
    if (board !== undefined && !boards.includes(board))
      throw new ConfigError(
        "no_such_board",
        `board ${board}: not in this database; ${boards.length > 0 ? `known: ${boards.join(", ")}` : "it has none yet"}`,
      );
    return await store.messages(board);
  } finally {
    await store.close();
  }
}

function addMessages(group: Command): void {
  group
    .command("messages")
    .description("write collected messages for upload, sealed as they are: `tracelet pull` fetches them from boards that collect")
    .requiredOption("--db <file>", "database")
    .option("--board <id>", "only what this board collected")
    .option("--json", "the JSON that a server takes, with times of reception beside it")
    .addHelpText("after", "\nExamples:\n  tracelet smartbeacon messages --db tracelet.db --json > tuples.json")
    .action(async ({ db, board, json }: { db: string; board?: string; json?: boolean }) => {
      const messages = await storedMessages(db, board);
      const document = tuplesOf(messages);
      const lines = document.tuples.map((tuple, i) => {
        const { board: heardBy, receivedAt } = messages[i];
        const [[kind, text]] = Object.entries(tuple) as [string, string][];
        return `${utc(receivedAt * 1000)}  ${heardBy}  ${kind}  ${text.slice(0, 12)}…`;
      });
      createOutput(json === true).result(document, [...lines, `${messages.length} messages`].join("\n"));
    });
}

function describeVerification({ messages, verdicts, ok, notes }: Verification): string {
  const lines = [`${ok?.count ?? 0} of ${messages} messages are this beacon's and in time`];
  if (ok) {
    lines.push(
      `  came ${ok.delay.least} to ${ok.delay.most} s after they were made, half of them within ${ok.delay.median} s; score ${ok.score} of 100`,
    );
    lines.push(`  first ${utc(ok.firstAt * 1000)}, last ${utc(ok.lastAt * 1000)}`);
  }
  for (const [verdict, count] of Object.entries(verdicts))
    if (verdict !== "ok") lines.push(`  ${count} ${verdict}${verdict === "bad-mac" ? ": another beacon's, or forged" : ""}`);
  for (const [note, count] of Object.entries(notes)) lines.push(`  ${count} say: ${note}`);
  return lines.join("\n");
}

function addVerify(group: Command): void {
  group
    .command("verify")
    .description("open collected messages with a beacon's key: do they come, and how late?")
    .requiredOption("--db <file>", "database")
    .requiredOption("--id-file <file>", "key file of the beacon")
    .option("--board <id>", "only what this board collected")
    .option("--json", "one JSON document instead of text")
    .addHelpText("after", "\nExamples:\n  tracelet smartbeacon verify --db tracelet.db --id-file kitchen.beacon")
    .action(async ({ db, idFile, board, json }: { db: string; idFile: string; board?: string; json?: boolean }) => {
      const key = readBeaconKey(idFile);
      const verification = verifyMessages(key, await storedMessages(db, board));
      key.sk.fill(0);
      if (!verification.ok) {
        const hint = "Has `tracelet pull` fetched them from a board that collects? Is it the key of this beacon, and did its clock run?";
        throw new ToolError("not_verified", `${describeVerification(verification).replaceAll("\n ", ";")}. ${hint}`);
      }
      createOutput(json === true).result(verification, describeVerification(verification));
    });
}

export const register: RegisterCommand = (program) => {
  const group = program.command("smartbeacon").description("SmartBeacons: set one up, write what was collected of them, verify it");
  addSetup(group);
  addMessages(group);
  addVerify(group);
};
