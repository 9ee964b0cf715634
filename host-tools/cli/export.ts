import { existsSync } from "node:fs";
import { join } from "node:path";
import { InvalidArgumentError } from "commander";
import { PROTOCOLS } from "../../boards/capabilities.ts";
import { utc } from "../device/clock-words.ts";
import { ConfigError } from "../errors.ts";
import { isSafe } from "../matching/safe.ts";
import { attenuation } from "../matching/sighting-rules.ts";
import { CONTACTS } from "../opencovidtrace/contact-matches.ts";
import { formatMhRow, type MhKind, type MhRow, mhHeader } from "../store/mh-csv.ts";
import { rxDataRows, rxRawDataRows, tekDataRows } from "../store/mh-rows.ts";
import { Store } from "../store/store.ts";
import type { UndatedEncounter } from "../store/undated.ts";
import { exportFormat, FORMATS, type FormatReport } from "./export-formats.ts";
import { createOutput, type RegisterCommand } from "./output.ts";
import { makeFolder, writeLines } from "./private-files.ts";

export interface ExportOptions {
  out: string;
  /** Only what this board heard. */
  board?: string;
  /** Also the own keys, which are secret. */
  keys?: boolean;
  /** Default gaen, whose files are the peer tool's; of another one a file of our own. */
  protocol?: string;
}
export interface ExportReport {
  files: { file: string; rows: number }[];
  /** Rows that the files can't hold, by reason. */
  leftOut: { withoutTime: number; withoutAem: number; dense: number };
}

/**
 * Writes what the store has as files of the Raspberry Pi peer tool into a folder, in place of files of those names. Only their owner may read them (MH-05).
 * rx_raw_data.csv is written where there are sightings, undated.csv where the time of encounters is not known, tek_data.csv only when asked for.
 */
export async function exportFiles(store: Store, options: ExportOptions): Promise<ExportReport> {
  const { board, out, protocol = "gaen" } = options;
  if (protocol !== "gaen") checkOthers(protocol, options);
  await checkBoard(store, board);
  if (protocol === CONTACTS) {
    const contacts = await exportContacts(store, options);
    const heard = await exportOthers(store, protocol, options, `${CONTACTS}-heard`);
    return { files: [...contacts.files, ...heard.files], leftOut: heard.leftOut };
  }
  if (protocol !== "gaen") return exportOthers(store, protocol, options);
  const sightings = await store.sightings({ board });
  const heard = rxDataRows(await store.encounters({ board }), sightings);
  const raw = rxRawDataRows(sightings);
  const files: ExportReport["files"] = [];
  const write = (kind: MhKind, rows: MhRow[]) => files.push({ file: writeMhFile(out, kind, rows), rows: rows.length });
  makeFolder(out);
  write("rx_data", heard.rows);
  const safe = await safeRows(store, board);
  // an older one would tell of marks that are gone
  if (safe.length > 0 || existsSync(join(out, "safe.csv")))
    files.push({ file: writeLines(out, "safe.csv", ["board;first;last;identifier", ...safe]), rows: safe.length });
  const undated = await store.undated(board);
  if (undated.length > 0) files.push({ file: writeUndated(out, undated), rows: undated.length });
  if (raw.rows.length > 0) write("rx_raw_data", raw.rows);
  if (options.keys) write("tek_data", tekDataRows(await store.keys(board)));
  return { files, leftOut: { withoutTime: heard.withoutTime + raw.withoutTime, withoutAem: raw.withoutAem, dense: heard.dense } };
}

async function checkBoard(store: Store, board: string | undefined): Promise<void> {
  const boards = (await store.boards()).map(({ id }) => id);
  if (board === undefined || boards.includes(board)) return;
  const known = boards.length > 0 ? `known: ${boards.join(", ")}` : "it has none yet";
  throw new ConfigError("no_such_board", `board ${board}: not in this database; ${known}`);
}

/** Encounters that are marked as safe, by what rx_data.csv has of them: the peer tool's files have no column for it. Times in Unix seconds; an empty cell is not known. */
async function safeRows(store: Store, board: string | undefined): Promise<string[]> {
  const marks = await store.marks();
  if (marks.length === 0) return [];
  return (await store.encounters({ board }))
    .filter(({ rpi, ...one }) => isSafe(marks, { ...one, protocol: "gaen", identifier: rpi }))
    .map(({ board: heardBy, firstSeen, lastSeen, rpi }) => [heardBy, firstSeen, lastSeen, hex(rpi)].map((cell) => cell ?? "").join(";"));
}

function checkOthers(protocol: string, { keys }: ExportOptions): void {
  const known = Object.keys(PROTOCOLS);
  if (!known.includes(protocol)) {
    throw new ConfigError("unknown_protocol", `no protocol is called "${protocol}"; known: ${known.join(", ")}`);
  }
  if (protocol === "bluetrace")
    throw new ConfigError("meetings", "bluetrace: meetings go to a health authority; `tracelet bluetrace export` writes them for upload");
  if (protocol === "smartbeacon")
    throw new ConfigError(
      "sealed_messages",
      "smartbeacon: messages are no encounters; `tracelet smartbeacon messages --json` writes them for upload",
    );
  if (keys) throw new ConfigError("keys_of_gaen", `--keys: tek_data.csv holds gaen's keys; those of ${protocol} come with \`tracelet keys pull\``);
}

/**
 * What was heard of a protocol that the peer tool doesn't know, as a file of our own: `<name>.csv`. Times in Unix seconds, powers and strengths in dBm, attenuation in dB;
 * an empty cell is not known.
 */
async function exportOthers(store: Store, protocol: string, { board, out }: ExportOptions, name = protocol): Promise<ExportReport> {
  const marks = await store.marks();
  const encounters = await store.encountersOf(protocol, { board });
  const rows = encounters.map((one) => {
    const { board: heardBy, firstSeen, lastSeen, identifier, txPower, maxRssi, meanRssi, count } = one;
    const form = identifier.length < 16 ? "prefix" : "whole";
    const lost = txPower === null ? null : attenuation(txPower, maxRssi);
    const cells = [heardBy, firstSeen, lastSeen, hex(identifier), form, txPower, maxRssi, meanRssi, count, lost, safeWord(isSafe(marks, one))];
    return cells.map((cell) => cell ?? "").join(";");
  });
  makeFolder(out);
  const file = writeLines(out, `${name}.csv`, ["board;first;last;identifier;form;tx power;max rssi;mean rssi;count;attenuation;safe", ...rows]);
  return { files: [{ file, rows: rows.length }], leftOut: { withoutTime: 0, withoutAem: 0, dense: 0 } };
}

/** Contacts by QR code: time in Unix seconds, day since 1970; the meta block stays sealed. */
async function exportContacts(store: Store, { board, out }: ExportOptions): Promise<ExportReport> {
  const marks = await store.marks();
  const rows = (await store.contacts(board)).map(({ board: whose, receivedAt, day, rollingId, meta, way }) => {
    const markable = { board: whose, protocol: CONTACTS, identifier: rollingId, firstSeen: receivedAt, lastSeen: receivedAt };
    return [whose, receivedAt, day, hex(rollingId), hex(meta), way, safeWord(isSafe(marks, markable))].join(";");
  });
  makeFolder(out);
  const file = writeLines(out, `${CONTACTS}.csv`, ["board;received;day;identifier;meta;way;safe", ...rows]);
  return { files: [{ file, rows: rows.length }], leftOut: { withoutTime: 0, withoutAem: 0, dense: 0 } };
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const safeWord = (safe: boolean) => (safe ? "safe" : "");

function writeMhFile(folder: string, kind: MhKind, rows: MhRow[]): string {
  const position = rows.some((row) => row.kind !== "tek_data" && row.position !== undefined);
  return writeLines(folder, `${kind}.csv`, [mhHeader(kind, position), ...rows.map((row) => formatMhRow(row, position))]);
}

/** Encounters of eras that have no date: between which times each began (empty: nothing is known), and for how long it lasted. Our own file; the peer tool's know no such thing. */
function writeUndated(folder: string, encounters: UndatedEncounter[]): string {
  const time = (unix: number | undefined) => (unix === undefined ? "" : utc(unix * 1000));
  const rows = encounters.map(({ board, era, seq, notBefore, notAfter, seconds, rpi, aem, maxRssi }) =>
    [board, era, seq, time(notBefore), time(notAfter), seconds, hex(rpi), aem === null ? "" : hex(aem), maxRssi].join(";"),
  );
  return writeLines(folder, "undated.csv", ["board;era;record;not before;not after;seconds;rpi;aem;max rssi", ...rows]);
}

function describe({ files, leftOut }: ExportReport): string {
  const lines = files.map(({ file, rows }) => `${file}: ${rows} rows`);
  if (leftOut.withoutTime > 0)
    lines.push(
      `${leftOut.withoutTime} rows are in no file of the peer tool, for their time is not known; undated.csv says between which times each encounter lies`,
    );
  if (leftOut.withoutAem > 0) lines.push(`${leftOut.withoutAem} sightings left out: the encounter they belong to was not pulled yet`);
  if (leftOut.dense > 0)
    lines.push(
      `${leftOut.dense} encounters left out of rx_data.csv: dense records have 5 of an identifier's 16 bytes; \`tracelet match\` finds them all the same`,
    );
  return lines.join("\n");
}

const describeFormat = ({ files, notes }: FormatReport) => [...files.map(({ file, rows }) => `${file}: ${rows} rows`), ...notes].join("\n");

/** Options that belong to the peer tool's files, and those that don't. */
function checkFormat({ format, keys, protocol, mostAttenuation, calibration }: CommandOptions): void {
  if (!FORMATS.includes(format)) throw new ConfigError("unknown_format", `no format is called "${format}"; known: ${FORMATS.join(", ")}`);
  const ofContacts = ["csv", "parquet", "sociopatterns"].includes(format);
  const given = { "--keys": keys, "--protocol": protocol, "--most-attenuation": mostAttenuation, "--calibration": calibration };
  const fitting = format === "mh" ? ["--keys", "--protocol"] : ofContacts ? ["--most-attenuation", "--calibration"] : [];
  const wrong = Object.entries(given).find(([option, value]) => value !== undefined && !fitting.includes(option))?.[0];
  if (wrong) throw new ConfigError("not_of_format", `${wrong}: not of the format ${format}; leave it out`);
}

interface CommandOptions extends ExportOptions {
  db: string;
  format: string;
  mostAttenuation?: number;
  calibration?: string;
  json?: boolean;
}

function decibels(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError("whole decibels are expected.");
  return Number(text);
}

export const register: RegisterCommand = (program) => {
  program
    .command("export")
    .description("write what boards heard: files of the Raspberry Pi peer tool, tables for analysis, contact lists, files of apps on phones")
    .requiredOption("--db <file>", "database")
    .requiredOption("--out <folder>", "folder for the files; created if it does not exist")
    .option(
      "--format <name>",
      "mh: rx_data.csv and rx_raw_data.csv; csv, parquet: encounters and contacts between boards; sociopatterns: who was in contact in which 20 s; microg: exposure.db; opentrace: records.csv",
      "mh",
    )
    .option("--board <id>", "only what this board heard; of contacts those it had a part in")
    .option("--most-attenuation <dB>", "of contacts between boards only those with at most so much", decibels)
    .option("--calibration <file>", "corrections of both boards' models, for the attenuation of contacts: docs/calibration.md")
    .option("--keys", "also tek_data.csv, the boards' own keys: whoever has them can tell where their wearers were")
    .option("--protocol <name>", "what was heard of this protocol, instead of gaen; of another one a file of our own, such as dp3t.csv")
    .option("--json", "one JSON document instead of text")
    .action(async (options: CommandOptions) => {
      checkFormat(options);
      const output = createOutput(options.json === true);
      const store = Store.open(options.db, { readOnly: true });
      try {
        if (options.format !== "mh") {
          await checkBoard(store, options.board);
          const report = await exportFormat(store, options);
          return output.result(report, describeFormat(report));
        }
        const report = await exportFiles(store, options);
        output.result(report, describe(report));
      } finally {
        await store.close();
      }
    });
};
