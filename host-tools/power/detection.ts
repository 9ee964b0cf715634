import { MEAN_DELAY } from "./charge.ts";
import { RECEPTION, type Schedule } from "./model.ts";

/** Moments at which an encounter may begin within a cycle. */
const PHASES = 600;

/** Probability that none of a neighbour's advertisements arrives in a window of so many seconds. `interval`: seconds. */
function missed(window: number, interval: number): number {
  const events = Math.floor(window / interval);
  const oneMore = window / interval - events;
  return (1 - RECEPTION) ** events * (1 - oneMore * RECEPTION);
}

/**
 * Probability that an encounter of so many minutes is heard at all: the scans that fall into it, whole or in part, for every moment in the cycle at which it may
 * begin; in each the neighbour sends with `neighbourInterval` milliseconds, and an advertisement arrives with RECEPTION. The receiver's channels don't matter,
 * since each event is sent on all three.
 */
export function detection(schedule: Pick<Schedule, "cycleTime" | "scanTime">, neighbourInterval: number, minutes: number): number {
  const cycle = Math.max(schedule.cycleTime, schedule.scanTime);
  const interval = neighbourInterval / 1000 + MEAN_DELAY;
  const length = minutes * 60;
  let heard = 0;
  for (let phase = 0; phase < PHASES; phase++) {
    const begin = ((phase + 0.5) / PHASES) * cycle;
    let miss = 1;
    for (let scan = 0; scan < begin + length; scan += cycle) {
      const inside = Math.min(scan + schedule.scanTime, begin + length) - Math.max(scan, begin);
      if (inside > 0) miss *= missed(inside, interval);
    }
    heard += 1 - miss;
  }
  return heard / PHASES;
}
