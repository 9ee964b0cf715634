import { decodeBase64 } from "../../protocols/base64.ts";
import { TEMP_ID_BYTES } from "../../protocols/bluetrace/temp-id.ts";
import { recordSeconds } from "../bluetrace/records.ts";
import type { CsvRow } from "../csv.ts";
import { type ImportItem, strength, wholeNumber } from "./imported-row.ts";
import type { ForeignDatabase } from "./sqlite-file.ts";

// Encounters of OpenTrace: the table of its Android app, or a table with the same columns as CSV, in any order, with others between them.
// Source: opentrace-community/opentrace-android, StreetPassRecord and its database's schema 1.
// timestamp  Unix ms; seconds are taken, too
// msg        the peer's TempID, base64 of 61 bytes
// org        health authority
// modelP, modelC  what peripheral and central call themselves
// rssi       dBm; txPower dBm, empty where it is not known
// v          version of the packet

export const OPENTRACE_TABLE = "record_table";
export const OPENTRACE_COLUMNS = ["timestamp", "msg", "org", "modelP", "modelC", "rssi", "txPower", "v"] as const;
const [LEAST_POWER, MOST_POWER] = [-127, 127];
const LONGEST_NAME = 128;

export function isOpentraceHeader(cells: readonly string[]): boolean {
  return OPENTRACE_COLUMNS.every((column) => cells.includes(column));
}

/** `rows`: the first is the header, see `isOpentraceHeader`. */
export function* readOpentraceCsv([header, ...rows]: CsvRow[]): Generator<ImportItem> {
  const places = OPENTRACE_COLUMNS.map((column) => header.cells.indexOf(column));
  for (const { line, cells } of rows) {
    if (cells.length !== header.cells.length) yield { line, problem: `${header.cells.length} columns expected, got ${cells.length}` };
    else yield { line, ...itemOf(places.map((place) => cells[place])) };
  }
}

export function* readOpentraceTable(database: ForeignDatabase): Generator<ImportItem> {
  let line = 0;
  for (const cells of database.rows(OPENTRACE_TABLE, OPENTRACE_COLUMNS)) yield { line: ++line, ...itemOf(cells) };
}

function itemOf([timestamp, msg, org, modelP, modelC, rssi, txPower, v]: unknown[]) {
  const time = wholeNumber(timestamp);
  const at = time === undefined ? 0 : Math.floor(recordSeconds(time));
  if (at <= 0 || at > 0xffffffff) return { problem: "timestamp: Unix milliseconds or seconds expected" };
  const tempId = typeof msg === "string" ? decodeBase64(msg) : undefined;
  if (tempId?.length !== TEMP_ID_BYTES) return { problem: `msg: base64 of ${TEMP_ID_BYTES} bytes expected` };
  if (!isName(org) || org === "") return { problem: `org: the name of a health authority expected, up to ${LONGEST_NAME} characters` };
  if (!isName(modelP) || !isName(modelC)) return { problem: `modelP, modelC: names of up to ${LONGEST_NAME} characters expected` };
  const signal = strength(rssi);
  if (signal === undefined) return { problem: "rssi: -127 to -1 dBm expected" };
  const told = txPower === null || txPower === "" ? null : wholeNumber(txPower);
  if (told === undefined || (told !== null && (told < LEAST_POWER || told > MOST_POWER)))
    return { problem: "txPower: whole dBm or nothing expected" };
  const version = wholeNumber(v);
  if (version === undefined || version < 1 || version > 255) return { problem: "v: a version from 1 to 255 expected" };
  return { row: { kind: "meeting" as const, at, tempId, org, modelP, modelC, rssi: signal, txPower: told, version } };
}

/** A word of somebody's, without what would tear a line or a terminal. */
function isName(value: unknown): value is string {
  return typeof value === "string" && value.length <= LONGEST_NAME && !/\p{Cc}/u.test(value);
}
