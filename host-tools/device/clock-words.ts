/** Differences between a board's clock and ours, in words. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;
/** Time zones go from −12 to +14 hours, in quarters of an hour. */
const ZONE_STEP = 15 * MINUTE;
const WIDEST_ZONE = 14 * HOUR;

/** "3 d 4 h", "2 h 13 min", "12.3 s", "8 ms": two units at most. */
export function durationInWords(ms: number): string {
  const long = Math.abs(ms);
  if (long < SECOND) return `${Math.round(long)} ms`;
  if (long < MINUTE) return `${(long / SECOND).toFixed(1)} s`;
  if (long < HOUR) return `${Math.floor(long / MINUTE)} min ${Math.round((long % MINUTE) / SECOND)} s`;
  if (long < DAY) return `${Math.floor(long / HOUR)} h ${Math.round((long % HOUR) / MINUTE)} min`;
  if (long < YEAR) return `${Math.floor(long / DAY)} d ${Math.round((long % DAY) / HOUR)} h`;
  return `${(long / YEAR).toFixed(1)} years`;
}

/**
 * How a board's clock stands to ours. `offsetMs`: board minus hub. `boardMs`: the board's Unix time in ms, undefined if its clock is not set.
 * What differs by whole quarters of an hour is most likely local time.
 */
export function offsetInWords(offsetMs: number, boardMs: number | undefined): string {
  if (boardMs === undefined) return "not set since the board was powered on";
  const year = new Date(boardMs).getUTCFullYear();
  if (year < 2020) return `not set since the board was powered on (it stands in ${year})`;
  const direction = offsetMs > 0 ? "ahead" : "behind";
  if (Math.abs(offsetMs) >= YEAR) return `in the year ${year}, ${durationInWords(offsetMs)} ${direction}: it was set to a wrong date`;
  const words = `${durationInWords(offsetMs)} ${direction}`;
  const zones = Math.round(offsetMs / ZONE_STEP);
  const looksLikeZone = zones !== 0 && Math.abs(offsetMs) <= WIDEST_ZONE + MINUTE && Math.abs(offsetMs - zones * ZONE_STEP) < MINUTE;
  return looksLikeZone ? `${words}: it looks like local time, and boards keep UTC` : words;
}

/** "2026-11-22 08:14:48 UTC" */
export function utc(unixMs: number): string {
  return new Date(unixMs).toISOString().slice(0, 19).replace("T", " ") + " UTC";
}
