// Two times. Tick: seconds since the firmware started (the era), never put forward or back. Unix time: what the interpreter's clock says, once somebody has set it.
// Whoever sets the clock shifts the beginning of the era by as much, so a log written before is dated afterwards.

/** 2020-01-01: an earlier clock has not been set (COM-04). */
export const PLAUSIBLE = 1577836800;

let eraBegan = getTime();

/** Seconds since the firmware started, with fractions. */
export function tick(): number {
  return getTime() - eraBegan;
}
/** Unix seconds, or 0 while the clock is not set. */
export function unixTime(): number {
  const now = getTime();
  return now < PLAUSIBLE ? 0 : now;
}
/** The interpreter's clock has moved by `seconds`: ticks don't. */
export function clockMoved(seconds: number): void {
  eraBegan += seconds;
}
