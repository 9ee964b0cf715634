import { INTERVAL_SECONDS } from "../../protocols/gaen/key-schedule.ts";
import { DENSE_SECONDS, PREFIX_BYTES } from "../../protocols/log-format.ts";
import { HIGHEST_TX_POWER, LOWEST_TX_POWER, TOLERANCE_INTERVALS } from "./sighting-rules.ts";

// Encounters of which a board kept 5 bytes of the identifier and the byte of the transmit power (docs/log.md).

/** By so many seconds the times of a dense encounter may be earlier or later than they were. */
export const DENSE_SLACK = DENSE_SECONDS;

/** Of a dense encounter the first bytes of the RPI are known, and of the AEM the second byte. */
export function isDense({ rpi }: { rpi: Uint8Array }): boolean {
  return rpi.length === PREFIX_BYTES;
}

/** An AEM of which only the second byte is known, with zeros for the others: AES-CTR opens each byte by itself. */
export function paddedAem(aem: Uint8Array): Uint8Array {
  return Uint8Array.of(0, aem[0], 0, 0);
}

/**
 * Chance that an identifier of somebody else is taken for a given dense one: 40 bits are the same, and the power byte, opened with a wrong key, is one that exists.
 * 2^−40 · 71/256 = 2.5 · 10^−13.
 */
export const FALSE_PAIR = (2 ** (-8 * PREFIX_BYTES) * (HIGHEST_TX_POWER - LOWEST_TX_POWER + 1)) / 256;

/** The same of a protocol that isn't GAEN: nothing but the 40 bits tells. */
export const FALSE_PAIR_OF_OTHERS = 2 ** (-8 * PREFIX_BYTES);

/** Chance that at least one of `candidates` identifiers is taken for a given dense one by chance. `pair`: the chance of one. */
export function falseMatchProbability(candidates: number, pair = FALSE_PAIR): number {
  return -Math.expm1(candidates * Math.log1p(-pair));
}

/**
 * How many identifiers of some keys an encounter is compared with: those whose tolerated time it touches. 25 of a key that was used around then, and one more for
 * each ten minutes it lasts. Key i is of the intervals from starts[i] on, periods[i] of them; times in Unix seconds.
 */
export function createCandidateCount(starts: ArrayLike<number>, periods: ArrayLike<number>): (firstSeen: number, lastSeen: number) => number {
  const steps = new Map<number, number>();
  const step = (interval: number, by: number) => steps.set(interval, (steps.get(interval) ?? 0) + by);
  for (let i = 0; i < starts.length; i++) {
    step(starts[i], 1);
    step(starts[i] + periods[i], -1);
  }
  const points = [...steps].sort(([a], [b]) => a - b);
  // before each point: so many identifiers in all, and from it on so many an interval
  const before: number[] = [];
  const rate: number[] = [];
  points.forEach(([interval, by], i) => {
    before.push(i === 0 ? 0 : before[i - 1] + rate[i - 1] * (interval - points[i - 1][0]));
    rate.push((rate[i - 1] ?? 0) + by);
  });
  /** Identifiers of intervals below `interval`. */
  const below = (interval: number) => {
    let low = 0;
    let high = points.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (points[middle][0] <= interval) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : before[low - 1] + rate[low - 1] * (interval - points[low - 1][0]);
  };
  return (firstSeen, lastSeen) =>
    below(Math.floor(lastSeen / INTERVAL_SECONDS) + TOLERANCE_INTERVALS + 1) - below(Math.floor(firstSeen / INTERVAL_SECONDS) - TOLERANCE_INTERVALS);
}
