import { type ImportItem, strength, wholeNumber } from "./imported-row.ts";
import type { ForeignDatabase } from "./sqlite-file.ts";

// What microG's Exposure Notifications collected: its own exposure.db, or what its screen "Collected IDs" exports, which has this table alone.
// Source: microg/GmsCore, ExposureDatabase.kt, database versions 1 to 6; CCTG has the same.
// rpi        16 bytes
// aem         4 bytes
// timestamp   Unix ms at which it was heard first
// rssi        dBm, the mean over the time since then; no strongest one is kept
// duration    ms

export const MICROG_TABLE = "advertisements";
export const MICROG_COLUMNS = ["rpi", "aem", "timestamp", "rssi", "duration"];

export function* readMicrog(database: ForeignDatabase): Generator<ImportItem> {
  let line = 0;
  for (const cells of database.rows(MICROG_TABLE, MICROG_COLUMNS)) yield { line: ++line, ...itemOf(cells) };
}

function itemOf([rpi, aem, timestamp, rssi, duration]: unknown[]) {
  if (!(rpi instanceof Uint8Array) || rpi.length !== 16) return { problem: "rpi: 16 bytes expected" };
  if (!(aem instanceof Uint8Array) || aem.length !== 4) return { problem: "aem: 4 bytes expected" };
  const begin = wholeNumber(timestamp);
  const lasted = wholeNumber(duration);
  const end = Math.floor(((begin ?? 0) + (lasted ?? 0)) / 1000);
  if (begin === undefined || begin <= 0 || lasted === undefined || lasted < 0 || end > 0xffffffff)
    return { problem: "timestamp, duration: Unix milliseconds and milliseconds expected" };
  const mean = strength(rssi);
  // microG itself wrote the smallest number there is (its issue 1230) and 0 (issue 1655) where it reckoned wrongly
  if (mean === undefined) return { problem: "rssi: -127 to -1 dBm expected; some versions of microG kept none" };
  const row = { kind: "rx_data" as const, start: Math.floor(begin / 1000), end, rpi, aem, maxRssi: mean, meanRssi: mean };
  return { row: { ...row, address: null, addressType: "random" as const } };
}
