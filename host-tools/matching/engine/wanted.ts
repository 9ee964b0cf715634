import { INTERVAL_SECONDS } from "../../../protocols/gaen/key-schedule.ts";

/** Ten-minute intervals since 1970 whose identifiers are looked for: `before[i]` is how many of those below `first + i` are. One number more than intervals. */
export interface Wanted {
  first: number;
  before: Uint32Array;
}

/** In 2288: later than any clock of ours. A log that pretends to reach from 1970 to there costs 64 MiB, no more. */
const LAST_INTERVAL = 2 ** 24;

/** The intervals around the times at which something was heard, Unix seconds, both included, and `margin` intervals more each side. Times after 2288 are nobody's. */
export function wantedAround(times: readonly { firstSeen: number; lastSeen: number }[], margin: number): Wanted {
  const startOf = (at: number) => Math.max(Math.floor(times[at].firstSeen / INTERVAL_SECONDS) - margin, 0);
  const endOf = (at: number) => Math.min(Math.floor(times[at].lastSeen / INTERVAL_SECONDS) + margin, LAST_INTERVAL) + 1;
  let first = LAST_INTERVAL;
  let end = 0;
  for (let i = 0; i < times.length; i++) {
    if (!(startOf(i) < endOf(i))) continue;
    first = Math.min(first, startOf(i));
    end = Math.max(end, endOf(i));
  }
  if (first >= end) return { first: 0, before: new Uint32Array(1) };
  // first by how many more an interval is in than the one before, then the sums
  const before = new Uint32Array(end - first + 1);
  const steps = new Int32Array(before.buffer);
  for (let i = 0; i < times.length; i++) {
    if (!(startOf(i) < endOf(i))) continue;
    steps[startOf(i) - first]++;
    steps[endOf(i) - first]--;
  }
  let open = 0;
  let wanted = 0;
  for (let i = 0; i < before.length; i++) {
    open += steps[i];
    before[i] = wanted;
    if (open > 0) wanted++;
  }
  return { first, before };
}
