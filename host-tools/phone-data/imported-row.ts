import type { MeetingRow } from "../store/import-rows.ts";
import type { MhRow } from "../store/mh-csv.ts";

/** A row of a file, or why it is none. `line`: of a text from 1 on, its header included; of a table the number of the row. */
export type ImportItem = { line: number; row: MhRow | MeetingRow } | { line: number; problem: string };

/** Whole dBm that a receiver may report, or undefined. */
export function strength(value: unknown): number | undefined {
  const rssi = wholeNumber(value);
  return rssi !== undefined && rssi >= -127 && rssi <= -1 ? rssi : undefined;
}

/** Unix seconds, or undefined for what is no time. */
export function unixSeconds(value: unknown): number | undefined {
  const unix = wholeNumber(value);
  return unix !== undefined && unix > 0 && unix <= 0xffffffff ? unix : undefined;
}

/** A whole number, as itself or as decimal text: apps keep either. */
export function wholeNumber(value: unknown): number | undefined {
  const number = typeof value === "string" && /^-?[0-9]{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) ? number : undefined;
}
