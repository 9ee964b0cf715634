import type Database from "better-sqlite3";
import { BATTERY_LOW, BATTERY_RECOVERED } from "../../protocols/log-format.ts";

/** A board's battery became low, so that it scanned less often, or had recovered. */
export interface BatteryChange {
  low: boolean;
  /** With the receiver on. */
  millivolts: number;
  /** By the board's own clock, Unix ms. */
  unixMs: number;
}

/** What the log called `logId` tells of its board's battery from sequence number `from` on, in its order. A board without a clock tells nothing: there its CLOCK records have no time. */
export function batteryChanges(database: Database.Database, logId: string, from: number): BatteryChange[] {
  const rows = database
    .prepare(
      "SELECT clocks.why, clocks.round_trip_ms AS millivolts, clocks.unix_ms AS unixMs FROM clocks JOIN logs ON logs.id = clocks.log WHERE logs.log_id = ? AND clocks.seq >= ? AND clocks.why IN (?, ?) ORDER BY clocks.seq",
    )
    .all(logId, from, BATTERY_LOW, BATTERY_RECOVERED) as { why: number; millivolts: number; unixMs: number }[];
  return rows.map(({ why, millivolts, unixMs }) => ({ low: why === BATTERY_LOW, millivolts, unixMs }));
}
