import { closeSync, existsSync, openSync, unlinkSync, writeFileSync } from "node:fs";
import type { Command } from "commander";
import type { Board } from "../device/board.ts";
import { noteClock } from "../device/clock-contact.ts";
import { utc } from "../device/clock-words.ts";
import { describeBoard } from "../device/description.ts";
import { ConfigError } from "../errors.ts";
import { GAEN_ALONE } from "../protocol-masks.ts";
import { decodeKeysOfOthers, type KeyOfOthers } from "../store/keys-of-others.ts";
import { decodeOwnKeys, type OwnKey } from "../store/log-decoder.ts";
import { Store } from "../store/store.ts";
import { type LinkOptions, withBoard, withLinkOptions } from "./board-session.ts";
import type { Output } from "./output.ts";

const WARNING =
  "These are the wearer's own keys. Whoever has them can tell where the wearer was near a scanner in these days:\n" +
  "take them only with the wearer's consent, hand them to nobody but the key server, and delete the file afterwards.";

const CHAIN_WARNING =
  "The DP-3T key is still in use, and those of the days to come follow from it: before it is published take it with --fresh, so that the board begins another.";

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
  const status = await board.status();
  // before the board is asked: a key that was renewed and could not be written down would be lost
  const file = createPrivate(options.out);
  let written = false;
  try {
    const payloads = await board.keys(options.fresh === true);
    const own = newestOf(decodeOwnKeys(payloads));
    const { keys: others, setApart } = decodeKeysOfOthers(payloads);
    payloads.fill(0);
    writeFileSync(file, keysAsJson(own, others, (status.pr?.[0] ?? GAEN_ALONE) !== GAEN_ALONE));
    written = true;
    if (store) {
      const description = describeBoard(board, await board.status());
      await store.addKeys(description, own);
      await store.addKeysOfOthers(description, others);
      await noteClock(board, store);
    }
    const count = own.length + others.length;
    const starts = [...own.map(({ rollingStart }) => rollingStart * 600_000), ...others.map(({ startDay }) => startDay * 86_400_000)];
    const span = count > 0 ? `, in use from ${utc(Math.min(...starts))}` : "";
    const byProtocol = countByProtocol(own, others);
    const names =
      others.length > 0
        ? ` (${Object.entries(byProtocol)
            .map(([name, some]) => `${name} ${some}`)
            .join(", ")})`
        : "";
    const warning = others.some(({ ended, protocol }) => protocol === "dp3t" && !ended) ? `${WARNING}\n\n${CHAIN_WARNING}` : WARNING;
    output.result(
      { port: board.name, out: options.out, keys: count, byProtocol, setApart, fresh: options.fresh === true, warning },
      [
        `${options.out}: ${count} ${count === 1 ? "key" : "keys"}${names}${span}; readable by you alone`,
        ...setApart.map(({ reason, count: parts }) => `${parts} ${parts === 1 ? "part" : "parts"} set apart: ${reason}`),
        `\n${warning}`,
      ].join("\n"),
    );
  } finally {
    closeSync(file);
    if (!written) unlinkSync(options.out);
  }
}

function countByProtocol(own: OwnKey[], others: KeyOfOthers[]): Record<string, number> {
  const counts: Record<string, number> = own.length > 0 ? { gaen: own.length } : {};
  for (const { protocol } of others) counts[protocol] = (counts[protocol] ?? 0) + 1;
  return counts;
}

/**
 * The file: a list of GAEN's keys as `tracelet keys make` takes it; of a board that was built with others an object with such a list for each protocol.
 * v1.0's and OpenCovidTrace's entries are as `tracelet match` takes them, DP-3T's as they stand in an exposed list.
 */
function keysAsJson(own: OwnKey[], others: KeyOfOthers[], several: boolean): string {
  const gaen = own.map(({ tek, rollingStart, rollingPeriod }) => ({ tek: Buffer.from(tek).toString("hex"), rollingStart, rollingPeriod }));
  const byProtocol: Record<string, object[]> = gaen.length > 0 ? { gaen } : {};
  for (const { protocol, key, startDay, lastDay, ended } of others) {
    const base64 = Buffer.from(key).toString("base64");
    const entry =
      protocol === "ct10"
        ? { day: startDay, dtk: base64 }
        : protocol === "dp3t"
          ? { key: base64, keyDate: startDay * 86_400_000, ended, ...(lastDay === undefined ? {} : { lastDay }) }
          : protocol === "opencovidtrace"
            ? { day: startDay, value: Buffer.from(key.subarray(0, 16)).toString("base64"), meta: Buffer.from(key.subarray(16)).toString("base64") }
            : { day: startDay, key: base64 };
    byProtocol[protocol] = [...(byProtocol[protocol] ?? []), entry];
  }
  return `${JSON.stringify(several ? byProtocol : gaen, undefined, 1)}\n`;
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
