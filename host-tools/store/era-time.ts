import { CLOCK_SET, CLOCK_UNMEASURED } from "../../protocols/log-format.ts";

// When a tick was: what is known of an era's clock, as straight lines from ticks to UTC.

/** At `tick` of an era (seconds since it began, with a fraction where the hub measured) it was `unixMs`. */
export interface ClockTie {
  tick: number;
  unixMs: number;
  /** As in a CLOCK record: 1 the clock was just set, 2 kept over a restart, 3 repeated, 4 acknowledged; MEASURED. */
  why: number;
  /** CLOCK_UNMEASURED: not the hub but another tool had set it. */
  roundTripMs?: number;
  /** The board's own clock as it ran, put right by hub contacts before and after: as good as theirs. */
  corrected?: boolean;
}

/** A tie's `why` where the hub looked at the board's clock and noted its own. */
export const MEASURED = 0;
/** What two ties may differ by and still be the same clock, running: whole ticks on both sides, and a drift of 1000 ppm, twice what an uncalibrated oscillator does. */
const TICK_ROUNDING_MS = 2000;
const LARGEST_DRIFT = 0.001;
/** An era's ticks never jump, unless another tool moved the clock right before the hub did: then by one cycle, 3600 s, at most. Ties further apart contradict each other. */
const CONTRADICTION_MS = 3_630_000;
/** Ties nearer to each other were made at one contact. */
const CONTACT_TICKS = 300;
/** Two ties so far apart tell a drift that holds beyond them: an error of 20 ms is less than 1 ppm then. */
const DRIFT_TICKS = 6 * 3600;

/** Did the hub make this tie? */
export function isOfHub(tie: ClockTie): boolean {
  return tie.why === MEASURED || (tie.why === CLOCK_SET && tie.roundTripMs !== CLOCK_UNMEASURED);
}

/** What a clock may have drifted by in so many ticks, ms. */
export function plausibleDriftMs(ticks: number): number {
  return TICK_ROUNDING_MS + LARGEST_DRIFT * Math.abs(ticks) * 1000;
}

/**
 * The ties to count by: the hub's if there are any, for the board's own clock may have drifted or been moved. In order of tick; of several at one tick the last given counts.
 * Where ties contradict each other by more than an hour, a hub was wrong: those of most contacts count. With as many on both sides all stay, and the nearer one decides.
 */
export function usableTies(ties: ClockTie[]): ClockTie[] {
  const trusted = ties.filter(isTrusted);
  const byTick = new Map<number, ClockTie>();
  for (const tie of trusted.length > 0 ? trusted : ties) byTick.set(tie.tick, tie);
  return withoutContradicted(onePerContact([...byTick.values()].sort((a, b) => a.tick - b.tick)));
}

/** What the hub measured is better than what the board wrote down when it was set, and the quickest measurement is the best. */
function onePerContact(ties: ClockTie[]): ClockTie[] {
  const contacts: ClockTie[] = [];
  let began = Number.NEGATIVE_INFINITY;
  for (const tie of ties) {
    const last = contacts.at(-1);
    if (!last || !isTrusted(tie) || !isTrusted(last) || tie.tick - began > CONTACT_TICKS || !agree(last, tie)) {
      contacts.push(tie);
      began = tie.tick;
    } else if (isBetter(tie, last)) contacts[contacts.length - 1] = tie;
  }
  return contacts;
}
function isBetter(later: ClockTie, than: ClockTie): boolean {
  if (later.why !== MEASURED) return than.why !== MEASURED;
  return than.why !== MEASURED || (later.roundTripMs ?? 0) < (than.roundTripMs ?? 0);
}

function withoutContradicted(ties: ClockTie[]): ClockTie[] {
  const groups: { ties: ClockTie[]; contacts: number }[] = [];
  for (const tie of ties) {
    const group = groups.find((one) => Math.abs(offset(one.ties.at(-1)!) - offset(tie)) <= CONTRADICTION_MS);
    if (!group) groups.push({ ties: [tie], contacts: 1 });
    else {
      if (tie.tick - group.ties.at(-1)!.tick > CONTACT_TICKS) group.contacts++;
      group.ties.push(tie);
    }
  }
  groups.sort((a, b) => b.contacts - a.contacts);
  return groups.length > 1 && groups[0].contacts > groups[1].contacts ? groups[0].ties : ties;
}

/** A stretch of an era in which one straight line tells the time. */
export interface Stretch {
  /** Ticks from which, included, to which, excluded, it holds. The first begins at 0, the last never ends. */
  from: number;
  to: number;
  /** One point of the line. */
  tick: number;
  unixMs: number;
  /** Its slope: true time less ticks, parts per million. Positive: the board runs slow. */
  driftPpm: number;
  /** `between` two contacts; `beyond` the last or before the first, with the drift known there; `nearest`: no drift known, or contacts that contradict each other. */
  basis: "between" | "beyond" | "nearest";
}

/** Lines through `ties`, which are as `usableTies` gives them; none where there are none. */
export function stretchesOf(ties: ClockTie[]): Stretch[] {
  if (ties.length === 0) return [];
  const stretches = [beyond(ties, 0, 1, 0, ties[0].tick)];
  for (let i = 1; i < ties.length; i++) {
    const [a, b] = [ties[i - 1], ties[i]];
    if (agree(a, b)) stretches.push({ from: a.tick, to: b.tick, tick: a.tick, unixMs: a.unixMs, driftPpm: driftPpm(a, b), basis: "between" });
    else {
      const middle = (a.tick + b.tick) / 2;
      stretches.push(beyond(ties, i - 1, -1, a.tick, middle), beyond(ties, i, 1, middle, b.tick));
    }
  }
  stretches.push(beyond(ties, ties.length - 1, -1, ties.at(-1)!.tick, Number.POSITIVE_INFINITY));
  return stretches.filter(({ from, to }) => to > from);
}

/** A line through one tie, with the drift that shows inwards of it, if it does. */
function beyond(ties: ClockTie[], index: number, inwards: 1 | -1, from: number, to: number): Stretch {
  const { tick, unixMs } = ties[index];
  for (let i = index + inwards; i >= 0 && i < ties.length && agree(ties[i - inwards], ties[i]); i += inwards) {
    if (Math.abs(ties[i].tick - tick) < DRIFT_TICKS) continue;
    return { from, to, tick, unixMs, driftPpm: driftPpm(ties[index], ties[i]), basis: "beyond" };
  }
  return { from, to, tick, unixMs, driftPpm: 0, basis: "nearest" };
}

/** Unix ms of `tick`, with fractions; undefined while nothing ties the era to time. */
export function unixMsOfTick(stretches: Stretch[], tick: number): number | undefined {
  const stretch = stretches.find(({ to }) => tick < to);
  if (!stretch) return undefined;
  return stretch.unixMs + (tick - stretch.tick) * (1000 + stretch.driftPpm / 1000);
}

/** Unix second in which `tick` was; undefined while nothing ties the era to time. */
export function unixOfTick(stretches: Stretch[], tick: number): number | undefined {
  const ms = unixMsOfTick(stretches, tick);
  return ms === undefined ? undefined : Math.floor(ms / 1000);
}

/** Ticks whose times differ between two states of knowledge, both included; undefined where none do. */
export function reachOfChange(before: Stretch[], after: Stretch[]): { from: number; to: number } | undefined {
  const key = ({ from, to, tick, unixMs, driftPpm: drift }: Stretch) => `${from} ${to} ${tick} ${unixMs} ${drift}`;
  const kept = new Set(before.map(key));
  const stay = new Set(after.map(key).filter((one) => kept.has(one)));
  const changed = [...before, ...after].filter((stretch) => !stay.has(key(stretch)));
  if (changed.length === 0) return undefined;
  const to = Math.max(...changed.map((stretch) => stretch.to));
  return { from: Math.floor(Math.min(...changed.map(({ from }) => from))), to: Math.min(Math.ceil(to), Number.MAX_SAFE_INTEGER) };
}

const isTrusted = (tie: ClockTie) => isOfHub(tie) || tie.corrected === true;
const offset = (tie: ClockTie) => tie.unixMs - tie.tick * 1000;
const agree = (a: ClockTie, b: ClockTie) => Math.abs(offset(b) - offset(a)) <= plausibleDriftMs(b.tick - a.tick);
const driftPpm = (a: ClockTie, b: ClockTie) => (1000 * (offset(b) - offset(a))) / (b.tick - a.tick);
