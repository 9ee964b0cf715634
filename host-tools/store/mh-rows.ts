import { isDense, type StoredEncounter, type StoredSighting } from "./encounters.ts";
import type { StoredKey } from "./keys.ts";
import type { RxDataRow, RxRawDataRow, TekDataRow } from "./mh-csv.ts";

// What the store has as rows of the peer tool's files. Those files know no unknown time, no sighting without metadata and no part of an identifier: such rows are left out
// and counted.

export interface Rows<R> {
  rows: R[];
  /** Their era has no CLOCK record yet. */
  withoutTime: number;
  /** Sightings of an identifier whose encounter, and with it the AEM, has not been pulled yet. */
  withoutAem: number;
  /** Dense encounters: the board kept 5 of their identifier's 16 bytes. */
  dense: number;
}

const nameOf = (board: string | null, rpi: Uint8Array) => `${board ?? ""} ${Buffer.from(rpi).toString("latin1")}`;
const typeOf = (text: string | null) => (text === "public" ? "public" : "random");

/**
 * Rows of rx_data.csv. Boards keep no address with an encounter (GAEN-11); where their raw log was on, it is the latest that was heard with the identifier.
 * Both lists are in order of time.
 */
export function rxDataRows(encounters: readonly StoredEncounter[], sightings: readonly StoredSighting[]): Rows<RxDataRow> {
  const latest = new Map<string, StoredSighting>();
  for (const sighting of sightings) if (sighting.address !== null) latest.set(nameOf(sighting.board, sighting.rpi), sighting);
  const rows: RxDataRow[] = [];
  const whole = encounters.filter((encounter) => !isDense(encounter));
  for (const encounter of whole) {
    const { firstSeen, lastSeen, rpi, aem, maxRssi, board, position } = encounter;
    if (firstSeen === null || lastSeen === null) continue;
    const { address, addressType } = encounter.address === null ? (latest.get(nameOf(board, rpi)) ?? encounter) : encounter;
    rows.push({
      kind: "rx_data",
      start: firstSeen,
      end: lastSeen,
      rpi,
      aem,
      maxRssi,
      address,
      addressType: typeOf(addressType),
      position: position ?? undefined,
    });
  }
  return { rows, withoutTime: whole.length - rows.length, withoutAem: 0, dense: encounters.length - whole.length };
}

/** Rows of rx_raw_data.csv. */
export function rxRawDataRows(sightings: readonly StoredSighting[]): Rows<RxRawDataRow> {
  const rows: RxRawDataRow[] = [];
  let withoutTime = 0;
  let withoutAem = 0;
  for (const { unix, rpi, aem, rssi, address, addressType, position } of sightings) {
    if (unix === null) withoutTime++;
    else if (aem === null) withoutAem++;
    else rows.push({ kind: "rx_raw_data", time: unix, rpi, aem, rssi, address, addressType: typeOf(addressType), position: position ?? undefined });
  }
  return { rows, withoutTime, withoutAem, dense: 0 };
}

/** Rows of tek_data.csv. The file has no column for the period: every key counts for its whole day there. */
export function tekDataRows(keys: readonly StoredKey[]): TekDataRow[] {
  return keys.map(({ tek, rollingStart }) => ({ kind: "tek_data", rollingStart, tek }));
}
