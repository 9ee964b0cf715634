import { PROTOCOLS } from "../../boards/capabilities.ts";
import { csvLine } from "../csv.ts";
import { isSafe, type Mark } from "../matching/safe.ts";
import type { StoredEncounter, StoredOthers } from "../store/encounters.ts";
import type { Store } from "../store/store.ts";
import type { BoardContact } from "./who-met-whom.ts";

// Tables for analysis: what the database has, a row an encounter, whatever its protocol and its origin. The same columns as CSV and as Parquet.

/** What a column holds; every cell may be null, for not known. */
export type ColumnType = "text" | "integer" | "number" | "boolean" | "time";
export type Cell = string | number | boolean | null;

export interface Table {
  name: string;
  columns: { name: string; type: ColumnType }[];
  rows: Cell[][];
}

const ENCOUNTERS: Table["columns"] = [
  { name: "protocol", type: "text" },
  { name: "board", type: "text" },
  // of a board's log, with the record's number; empty for imported rows
  { name: "log", type: "text" },
  { name: "record", type: "integer" },
  { name: "first_seen", type: "time" },
  { name: "last_seen", type: "time" },
  { name: "identifier", type: "text" },
  { name: "whole_identifier", type: "boolean" },
  // GAEN's sealed metadata
  { name: "metadata", type: "text" },
  { name: "tx_power_dbm", type: "integer" },
  { name: "max_rssi_dbm", type: "integer" },
  { name: "mean_rssi_dbm", type: "integer" },
  { name: "sightings", type: "integer" },
  { name: "latitude", type: "number" },
  { name: "longitude", type: "number" },
  { name: "safe", type: "boolean" },
];

const CONTACTS: Table["columns"] = [
  { name: "listener", type: "text" },
  { name: "sender", type: "text" },
  { name: "protocol", type: "text" },
  { name: "first_seen", type: "time" },
  { name: "last_seen", type: "time" },
  { name: "tx_power_dbm", type: "integer" },
  { name: "max_rssi_dbm", type: "integer" },
  { name: "mean_rssi_dbm", type: "integer" },
  { name: "sightings", type: "integer" },
  { name: "attenuation_db", type: "number" },
];

/** Everything that was heard, of one board where it is named; without addresses, which are of no use to an analysis. */
export async function encounterTable(store: Store, board?: string): Promise<Table> {
  const marks = await store.marks();
  const gaen = (await store.encounters({ board })).map((one) => ({ ...one, protocol: "gaen", identifier: one.rpi, txPower: null }));
  const others = await Promise.all(
    Object.keys(PROTOCOLS)
      .filter((protocol) => protocol !== "gaen" && protocol !== "smartbeacon")
      .map((protocol) => store.encountersOf(protocol, { board })),
  );
  const rows = [...gaen.map((one) => rowOf(one, marks)), ...others.flat().map((one) => rowOf({ ...one, aem: null, position: null }, marks))];
  return { name: "encounters", columns: ENCOUNTERS, rows };
}

type Row = StoredOthers & { aem: Uint8Array | null; position: StoredEncounter["position"] };

function rowOf(one: Row, marks: readonly Mark[]): Cell[] {
  const { protocol, board, logId, seq, firstSeen, lastSeen, identifier, aem, txPower, maxRssi, meanRssi, count, position } = one;
  const whole = identifier.length === 16;
  const place = [position?.latitude, position?.longitude].map(numberOf);
  const safe = isSafe(marks, { board, protocol, identifier, firstSeen, lastSeen });
  return [
    protocol,
    board,
    logId,
    seq,
    firstSeen,
    lastSeen,
    hex(identifier),
    whole,
    aem && hex(aem),
    txPower,
    maxRssi,
    meanRssi,
    count,
    ...place,
    safe,
  ];
}

/** Which boards met: see who-met-whom.ts. */
export function contactTable(contacts: readonly BoardContact[]): Table {
  const rows = contacts.map((one) => [
    one.listener,
    one.sender,
    one.protocol,
    one.firstSeen,
    one.lastSeen,
    one.txPower,
    one.maxRssi,
    one.meanRssi,
    one.count,
    one.attenuation,
  ]);
  return { name: "contacts", columns: CONTACTS, rows };
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
/** What a receiver wrote as a position may be `nan`. */
function numberOf(text: string | null | undefined): number | null {
  const number = text ? Number(text) : Number.NaN;
  return Number.isFinite(number) ? number : null;
}

/** Comma-separated, with a header; times in Unix seconds. Source: RFC 4180. Nothing of it comes from the air but hex digits and numbers, so no cell is a stranger's formula for a spreadsheet. */
export function csvLines({ columns, rows }: Table): string[] {
  return [columns.map(({ name }) => name), ...rows].map(csvLine);
}
