import { attenuationOf } from "../calibration/attenuation.ts";
import { readCalibrationList } from "../calibration/calibration-list.ts";
import { calibrationOf } from "../calibration/lookup.ts";
import { ConfigError } from "../errors.ts";
import { microgBytes } from "../phone-data/export-microg.ts";
import { opentraceLines } from "../phone-data/export-opentrace.ts";
import type { Store } from "../store/store.ts";
import { contactTable, csvLines, encounterTable, type Table } from "../study/analysis-tables.ts";
import { contactList } from "../study/sociopatterns.ts";
import { type BoardContact, whoMetWhom } from "../study/who-met-whom.ts";
import { makeFolder, writeBytes, writeLines } from "./private-files.ts";

// `tracelet export --format`: what is no file of the peer tool.

export interface FormatOptions {
  out: string;
  format: string;
  board?: string;
  /** Of sociopatterns and the table of contacts: those with at most so much attenuation, dB. */
  mostAttenuation?: number;
  /** A calibration list: attenuations of contacts are those between the boards' models. */
  calibration?: string;
}
export interface FormatReport {
  files: { file: string; rows: number }[];
  /** What the files can't hold, told in words. */
  notes: string[];
}

type Writer = (store: Store, options: FormatOptions) => Promise<FormatReport>;

const WRITERS: Record<string, Writer> = {
  csv: (store, options) => writeTables(store, options, async (table) => writeLines(options.out, `${table.name}.csv`, csvLines(table))),
  parquet: (store, options) =>
    writeTables(store, options, async (table) => {
      // loaded where it is needed: it takes as long as all the rest of the command line
      const { parquetBytes } = await import("../study/parquet.ts");
      return writeBytes(options.out, `${table.name}.parquet`, parquetBytes(table));
    }),
  sociopatterns: writeContactList,
  microg: writeMicrog,
  opentrace: writeOpentrace,
};

export const FORMATS = ["mh", ...Object.keys(WRITERS)];

/** @throws ConfigError "unknown_format", "between_boards" */
export async function exportFormat(store: Store, options: FormatOptions): Promise<FormatReport> {
  const write = WRITERS[options.format];
  if (!write) throw new ConfigError("unknown_format", `no format is called "${options.format}"; known: ${FORMATS.join(", ")}`);
  makeFolder(options.out);
  return write(store, options);
}

async function writeTables(store: Store, options: FormatOptions, write: (table: Table) => Promise<string>): Promise<FormatReport> {
  const { contacts, notes } = await contactsOf(store, options);
  const tables = [await encounterTable(store, options.board), contactTable(contacts)];
  const files: FormatReport["files"] = [];
  for (const table of tables) files.push({ file: await write(table), rows: table.rows.length });
  return { files, notes };
}

async function writeContactList(store: Store, options: FormatOptions): Promise<FormatReport> {
  if (options.board !== undefined) throw new ConfigError("between_boards", "--board: a contact list is of all boards; leave it out");
  const { contacts, notes } = await contactsOf(store, options);
  const { lines, boards } = contactList(contacts);
  const names = new Map((await store.boards()).map(({ id, name }) => [id, name]));
  const legend = boards.map((id, i) => [i + 1, id, names.get(id) ?? ""].join("\t"));
  return {
    files: [
      { file: writeBytes(options.out, "contacts.tsv", lines.map((line) => `${line}\n`).join("")), rows: lines.length },
      { file: writeBytes(options.out, "boards.tsv", legend.map((line) => `${line}\n`).join("")), rows: boards.length },
    ],
    notes,
  };
}

async function contactsOf(store: Store, { board, mostAttenuation, calibration }: FormatOptions) {
  const { contacts: found, others } = await whoMetWhom(store);
  const contacts = calibration === undefined ? found : await calibrated(store, found, calibration);
  const near = contacts.filter(
    ({ listener, sender, attenuation }) =>
      (board === undefined || listener === board || sender === board) &&
      (mostAttenuation === undefined || (attenuation !== null && attenuation <= mostAttenuation)),
  );
  const notes = [];
  if (others > 0)
    notes.push(
      `${others} encounters are with nobody whose keys are in the database; \`tracelet keys pull --db\` takes a board's keys, with its wearer's consent`,
    );
  if (near.length < contacts.length && mostAttenuation !== undefined)
    notes.push(`${contacts.length - near.length} contacts are left out by the options`);
  return { contacts: near, notes };
}

/** With the corrections of both ends; of a board that the list doesn't know there is none. */
async function calibrated(store: Store, contacts: BoardContact[], path: string): Promise<BoardContact[]> {
  const list = readCalibrationList(path);
  const types = new Map((await store.boards()).map(({ id, type }) => [id, type]));
  const correctionOf = (board: string) => calibrationOf(list, types.get(board) ?? "")?.correction;
  return contacts.map((one) => {
    const { txPower, maxRssi: rssi, listener, sender } = one;
    return txPower === null ? one : { ...one, attenuation: attenuationOf({ txPower, rssi }, correctionOf(listener), correctionOf(sender)) };
  });
}

async function writeMicrog(store: Store, { board, out }: FormatOptions): Promise<FormatReport> {
  const encounters = await store.encounters({ board });
  const { bytes, rows } = microgBytes(encounters);
  const file = writeBytes(out, "exposure.db", bytes);
  const notes =
    rows < encounters.length
      ? [`${encounters.length - rows} encounters left out: dense, without a time, or heard by another board at the same second`]
      : [];
  return { files: [{ file, rows }], notes };
}

async function writeOpentrace(store: Store, { board, out }: FormatOptions): Promise<FormatReport> {
  const meetings = await store.meetings({ board });
  const lines = opentraceLines(meetings);
  const rows = lines.length - 1;
  const notes = rows < meetings.length ? [`${meetings.length - rows} meetings left out: without a time, or without a health authority`] : [];
  return { files: [{ file: writeLines(out, "records.csv", lines), rows }], notes };
}
