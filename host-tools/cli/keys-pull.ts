import { closeSync, existsSync, openSync, unlinkSync, writeFileSync } from "node:fs";
import type { Command } from "commander";
import type { Board } from "../device/board.ts";
import { noteClock } from "../device/clock-contact.ts";
import { utc } from "../device/clock-words.ts";
import { describeBoard } from "../device/description.ts";
import { ConfigError } from "../errors.ts";
import { decodeOwnKeys, type OwnKey } from "../store/log-decoder.ts";
import { Store } from "../store/store.ts";
import { type LinkOptions, withBoard, withLinkOptions } from "./board-session.ts";
import type { Output } from "./output.ts";

const WARNING =
  "These are the wearer's own keys. Whoever has them can tell where the wearer was near a scanner in these days:\n" +
  "take them only with the wearer's consent, hand them to nobody but the key server, and delete the file afterwards.";

const EXISTS = "is there already and is not overwritten; name another file";

/** Adds `keys pull`: takes the own keys off a board. */
export function addKeysPull(keys: Command): void {
  withLinkOptions(keys.command("pull"), ["keys pull --port /dev/ttyUSB0 --out teks.json --fresh"])
    .description("take a wearer's own keys off the board, for an upload that the wearer agreed to")
    .requiredOption("--out <file>", "JSON file to write, readable by you alone; must not exist yet")
    .option("--fresh", "today's key ends here and the board begins a new one, so that today can be uploaded too")
    .option("--db <file>", "keep them in this database as well")
    .action(async (options: LinkOptions & { out: string; fresh?: boolean; db?: string }) => {
      if (existsSync(options.out)) throw new ConfigError("no_file", `${options.out} ${EXISTS}`);
      const store = options.db === undefined ? undefined : Store.open(options.db);
      try {
        await withBoard(options, false, (board, output) => takeKeys(board, options, store, output));
      } finally {
        await store?.close();
      }
    });
}

async function takeKeys(board: Board, options: { out: string; fresh?: boolean }, store: Store | undefined, output: Output): Promise<void> {
  await board.requireFirmware();
  // before the board is asked: a key that was renewed and could not be written down would be lost
  const file = createPrivate(options.out);
  let written = false;
  try {
    const payloads = await board.keys(options.fresh === true);
    const own = newestOf(decodeOwnKeys(payloads));
    payloads.fill(0);
    const list = own.map(({ tek, rollingStart, rollingPeriod }) => ({ tek: Buffer.from(tek).toString("hex"), rollingStart, rollingPeriod }));
    writeFileSync(file, JSON.stringify(list, undefined, 1) + "\n");
    written = true;
    if (store) {
      await store.addKeys(describeBoard(board, await board.status()), own);
      await noteClock(board, store);
    }
    const span = own.length > 0 ? `, in use from ${utc(own[0].rollingStart * 600_000)}` : "";
    output.result(
      { port: board.name, out: options.out, keys: own.length, fresh: options.fresh === true, warning: WARNING },
      `${options.out}: ${own.length} ${own.length === 1 ? "key" : "keys"}${span}; readable by you alone\n\n${WARNING}`,
    );
  } finally {
    closeSync(file);
    if (!written) unlinkSync(options.out);
  }
}

/** Each key once, oldest first: a board may hold copies from before its oldest page was erased. Of a key that is there twice, the longer period. */
function newestOf(keys: OwnKey[]): OwnKey[] {
  const unique = new Map<string, OwnKey>();
  for (const key of keys) {
    const name = `${Buffer.from(key.tek).toString("hex")} ${key.rollingStart}`;
    if ((unique.get(name)?.rollingPeriod ?? 0) < key.rollingPeriod) unique.set(name, key);
  }
  return [...unique.values()].sort((a, b) => a.rollingStart - b.rollingStart);
}

/** A new file that only its owner can read, open for writing. */
function createPrivate(file: string): number {
  try {
    return openSync(file, "wx", 0o600);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const why = code === "EEXIST" ? EXISTS : `can't be written (${code}); check the folder and your rights to it`;
    throw new ConfigError("no_file", `${file} ${why}`, { cause });
  }
}
