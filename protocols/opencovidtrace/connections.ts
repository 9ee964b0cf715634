// How often a device connects (OCT-05). Source: octrace-android for the five seconds; the rest is ours.

export const RECONNECT_SECONDS = 5;
export const CONNECT_TIMEOUT_MS = 10000;
export const MOST_CONNECTIONS = 2;
/** Scan of each minute, and the encounters' table: peers that are remembered, the oldest out. */
export const SCAN_MS = 10000;
export const SCAN_PERIOD_MS = 60000;

/** May a connection be begun? `open`: how many there are; `last`: when this peer was last read, undefined for a new one; both times seconds of a clock that is never put back. */
export function mayConnect(open: number, last: number | undefined, now: number): boolean {
  return open < MOST_CONNECTIONS && (last === undefined || now - last >= RECONNECT_SECONDS);
}
