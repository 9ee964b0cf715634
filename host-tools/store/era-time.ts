// When a tick was, by the CLOCK records of its era.

/** One CLOCK record: at `tick` of the era it was `unixMs`. */
export interface ClockTie {
  tick: number;
  unixMs: number;
  /** 1: the hub had just set the clock. Anything else: the board's own clock as it ran. */
  why: number;
}

const HUB_SET = 1;
/** What two ties may differ by and still be the same clock, running: whole ticks on both sides, and a drift of 1000 ppm, twice what an uncalibrated oscillator does. */
const TICK_ROUNDING_MS = 2000;
const LARGEST_DRIFT = 0.001;

/** The ties to count by: where the hub set the clock if it did, for the board's own clock may have drifted. In order of tick; of several at one tick the last given counts. */
export function usableTies(ties: ClockTie[]): ClockTie[] {
  const byHub = ties.filter((tie) => tie.why === HUB_SET);
  const byTick = new Map<number, ClockTie>();
  for (const tie of byHub.length > 0 ? byHub : ties) byTick.set(tie.tick, tie);
  return [...byTick.values()].sort((a, b) => a.tick - b.tick);
}

/**
 * Unix second of `tick`; undefined while the era has no tie. `ties` as `usableTies` gives them.
 *
 * Outside all ties the nearest one decides. Between two, the drift that shows in their difference is spread evenly over the time between them;
 * where they differ by more than a drift can explain, a clock was wrong and was put right, and again the nearest decides.
 */
export function unixOfTick(ties: ClockTie[], tick: number): number | undefined {
  if (ties.length === 0) return undefined;
  const after = ties.findIndex((tie) => tie.tick > tick);
  const before = after < 0 ? ties[ties.length - 1] : ties[after - 1];
  const next = after < 0 ? undefined : ties[after];
  if (!before || !next) return at(before ?? ties[0], tick);
  const span = next.tick - before.tick;
  const difference = offset(next) - offset(before);
  if (Math.abs(difference) > TICK_ROUNDING_MS + LARGEST_DRIFT * span * 1000) {
    return at(tick - before.tick < next.tick - tick ? before : next, tick);
  }
  return Math.floor(tick + (offset(before) + (difference * (tick - before.tick)) / span) / 1000);
}

const offset = (tie: ClockTie) => tie.unixMs - tie.tick * 1000;
const at = (tie: ClockTie, tick: number) => Math.floor(tick + offset(tie) / 1000);

/** Ticks whose time a new tie may change: those between its neighbours among the `usableTies` that hold with it; undefined where it is none of them. */
export function reachOfTie(ties: ClockTie[], added: ClockTie): { from: number; to: number } | undefined {
  const { tick, why } = added;
  if (!ties.some((tie) => tie.tick === tick && tie.why === why)) return undefined;
  const later = ties.find((tie) => tie.tick > tick);
  const earlier = ties.filter((tie) => tie.tick < tick).at(-1);
  return { from: earlier?.tick ?? 0, to: later?.tick ?? Number.MAX_SAFE_INTEGER };
}
