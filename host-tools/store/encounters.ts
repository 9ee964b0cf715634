import { type Kysely, sql } from "kysely";
import { PREFIX_BYTES } from "../../protocols/log-format.ts";
import { readPosition } from "./import-rows.ts";
import type { Position } from "./mh-csv.ts";
import type { Tables } from "./schema.ts";

/** Which encounters or sightings; all of them where nothing is said. */
export interface Filter {
  /** Board id. */
  board?: string;
  /** Unix seconds: those that touch the time from `from` to `to`, both included. What has no UTC yet is left out as soon as one is given. */
  from?: number;
  to?: number;
}

/** Of a dense encounter 5 bytes of the identifier are known, and one of the metadata. */
export const isDense = ({ rpi }: { rpi: Uint8Array }) => rpi.length === PREFIX_BYTES;

interface Heard {
  /** Null for imported rows of no named device. */
  board: string | null;
  /** Where the record stands in a board's log; null for imported rows. */
  logId: string | null;
  seq: number | null;
  /** 16 bytes; of a dense encounter the first 5. */
  rpi: Uint8Array;
  address: string | null;
  addressType: string | null;
  position: Position | null;
}
export interface StoredEncounter extends Heard {
  /** Unix seconds; null while the era has no CLOCK record. */
  firstSeen: number | null;
  lastSeen: number | null;
  /** 4 bytes; of a dense encounter the second one only. */
  aem: Uint8Array;
  /** Null where a file does not tell, and of a dense encounter. */
  count: number | null;
  maxRssi: number;
  meanRssi: number | null;
}
export interface StoredSighting extends Heard {
  unix: number | null;
  /** A board's log leaves it out; then it is that of an encounter with the same RPI, if there is one. */
  aem: Uint8Array | null;
  rssi: number;
}

/** An encounter with an identifier of another protocol: no metadata, and the transmit power where the packet told it. */
export interface StoredOthers extends Omit<StoredEncounter, "rpi" | "aem" | "address" | "addressType" | "position"> {
  protocol: string;
  /** 16 bytes; of a dense encounter the first 5. Of DP-3T's unlinkable design the observation's hash, the first 16 bytes of 32. */
  identifier: Uint8Array;
  /** dBm. */
  txPower: number | null;
}

/** Those of one protocol, and of no other: what is matched by different rules is never mixed (CT-05). */
function select(query: Kysely<Tables>, protocol: string, { board, from, to }: Filter) {
  let select = query
    .selectFrom("encounters as e")
    .leftJoin("logs as l", "l.id", "e.log")
    .where("e.protocol", "=", protocol)
    .select((eb) => [
      eb.fn.coalesce("e.board_id", "l.board_id").as("board"),
      "l.log_id as logId",
      "e.seq",
      "e.rpi",
      "e.address",
      "e.address_type as addressType",
      "e.position",
      "e.first_unix as firstSeen",
      "e.last_unix as lastSeen",
      "e.aem",
      "e.count",
      "e.max_rssi as maxRssi",
      "e.mean_rssi as meanRssi",
      "e.tx_power as txPower",
    ])
    .orderBy(sql`e.first_unix IS NULL`)
    .orderBy("e.first_unix")
    .orderBy("e.id");
  if (board !== undefined) select = select.where((eb) => eb.or([eb("e.board_id", "=", board), eb("l.board_id", "=", board)]));
  if (from !== undefined) select = select.where("e.last_unix", ">=", from);
  if (to !== undefined) select = select.where("e.first_unix", "<=", to);
  return select.execute();
}

/** GAEN's, in order of first seen, then of storing; those without UTC last. */
export async function encounters(query: Kysely<Tables>, filter: Filter = {}): Promise<StoredEncounter[]> {
  // the layout has an AEM with each of them
  return (await select(query, "gaen", filter)).map(({ txPower: _, aem, ...row }) => withPosition({ ...row, aem: aem! }));
}

/** Those of another protocol, in the same order. */
export async function encountersOfOthers(query: Kysely<Tables>, protocol: string, filter: Filter = {}): Promise<StoredOthers[]> {
  const rows = await select(query, protocol, filter);
  return rows.map(({ rpi, aem: _a, address: _b, addressType: _c, position: _d, ...row }) => ({ ...row, protocol, identifier: rpi }));
}

/** In order of time, then of storing; those without UTC last. */
export async function sightings(query: Kysely<Tables>, filter: Filter = {}): Promise<StoredSighting[]> {
  let select = query
    .selectFrom("sightings as s")
    .leftJoin("logs as l", "l.id", "s.log")
    .select((eb) => [
      eb.fn.coalesce("s.board_id", "l.board_id").as("board"),
      "l.log_id as logId",
      "s.seq",
      "s.rpi",
      "s.address",
      "s.address_type as addressType",
      "s.position",
      "s.unix",
      "s.rssi",
      "s.aem",
    ])
    .orderBy(sql`s.unix IS NULL`)
    .orderBy("s.unix")
    .orderBy("s.id");
  const { board, from, to } = filter;
  if (board !== undefined) select = select.where((eb) => eb.or([eb("s.board_id", "=", board), eb("l.board_id", "=", board)]));
  if (from !== undefined) select = select.where("s.unix", ">=", from);
  if (to !== undefined) select = select.where("s.unix", "<=", to);
  const rows = (await select.execute()).map(withPosition);
  if (!rows.some((row) => row.aem === null)) return rows;
  const byRpi = await metadataByIdentifier(query);
  return rows.map((row) => (row.aem === null ? { ...row, aem: byRpi.get(latin1(row.rpi)) ?? null } : row));
}

/** The AEM of each RPI that boards met, in full: for one RPI it is always the same. */
async function metadataByIdentifier(query: Kysely<Tables>): Promise<Map<string, Uint8Array>> {
  const rows = await query
    .selectFrom("encounters")
    .select(["rpi", "aem"])
    .where("log", "is not", null)
    .where("protocol", "=", "gaen")
    .$narrowType<{ aem: Uint8Array }>()
    .execute();
  return new Map(rows.map((row) => [latin1(row.rpi), row.aem]));
}

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

function withPosition<T extends { position: string | null }>(row: T): Omit<T, "position"> & { position: Position | null } {
  return { ...row, position: row.position === null ? null : readPosition(row.position) };
}
