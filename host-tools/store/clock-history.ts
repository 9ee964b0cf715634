import type Database from "better-sqlite3";
import { CLOCK_SET } from "../../protocols/log-format.ts";
import { ConfigError } from "../errors.ts";
import { readingsOf, resolveChange, stretchesByEra } from "./clocks.ts";
import { type ClockTie, isOfHub, MEASURED, plausibleDriftMs, type Stretch, unixMsOfTick, usableTies } from "./era-time.ts";
import { type ClockReading, tiesByEra } from "./kept-clock.ts";
import { type Bounds, boundsIn, erasOf } from "./undated.ts";

// What is known of a board's clock, for people: each contact, and what was made of it.

/** A time at which somebody saw or set a board's clock. Times in Unix ms. */
export interface ClockContact {
  /** Ticks at that moment; contacts are named ERA:TICK. */
  tick: number;
  unixMs: number;
  /** `set` and `seen` by the hub; `other`: another tool set it. */
  how: "set" | "seen" | "other";
  /** Board minus hub before; undefined: it was not set, or nobody measured. */
  offsetMs?: number;
  roundTripMs?: number;
  /** `used`; `contradicted` by more contacts that agree with each other; `left out` by the user; `unused`: there is better. */
  state: "used" | "contradicted" | "left out" | "unused";
}
/** Part of an era that is dated by one line, and what was corrected in it. */
export interface CorrectedStretch extends Pick<Stretch, "driftPpm" | "basis"> {
  fromTick: number;
  toTick: number;
  fromMs: number;
  toMs: number;
  /** What the drift amounts to at its end: by so much the time there is later than its ticks alone say. */
  correctionMs: number;
}
export interface EraHistory {
  era: number;
  lastTick: number;
  /** Empty where the era has no date; then `bounds` tells between which times it began. */
  stretches: CorrectedStretch[];
  bounds?: Bounds;
  contacts: ClockContact[];
}
export interface ClockHistory {
  board: string;
  logId: string;
  eras: EraHistory[];
}

/** Readings nearer to each other belong to one contact. */
const CONTACT_TICKS = 300;

/** By log, oldest first. `board`: of that one only. */
export function clockHistory(database: Database.Database, board?: string): ClockHistory[] {
  const logs = database
    .prepare("SELECT id, log_id AS logId, board_id AS board FROM logs WHERE @board IS NULL OR board_id = @board ORDER BY id")
    .all({ board: board ?? null }) as { id: number; logId: string; board: string }[];
  return logs.map(({ id, logId, board: owner }) => {
    const stretches = stretchesByEra(database, id);
    const readings = readingsOf(database, id);
    const leftOut = readingsOf(database, id, 1);
    const ties = tiesByEra(readings);
    const spans = erasOf(database, id);
    const bounds = boundsIn(spans);
    const eras = spans.map(({ era, lastTick }): EraHistory => {
      const lines = stretches.get(era) ?? [];
      const used = usableTies(ties.get(era) ?? []);
      const contacts = [
        ...contactsIn(readings, era, (reading) => stateOf(reading, used)),
        ...contactsIn(leftOut, era, () => "left out" as const),
      ].sort((a, b) => a.tick - b.tick);
      return {
        era,
        lastTick,
        stretches: lines.filter(({ from }) => from <= lastTick).map((line) => corrected(line, lines, lastTick)),
        bounds: lines.length > 0 ? undefined : bounds(era, 0),
        contacts,
      };
    });
    return { board: owner, logId, eras };
  });
}

function corrected({ from, to, driftPpm, basis }: Stretch, lines: Stretch[], lastTick: number): CorrectedStretch {
  const end = Math.min(to, lastTick);
  const fromMs = unixMsOfTick(lines, from)!;
  const correctionMs = Math.round(((end - from) * driftPpm) / 1000);
  const toMs = Math.round(fromMs + (end - from) * 1000 + correctionMs);
  return { fromTick: from, toTick: end, fromMs: Math.round(fromMs), toMs, driftPpm: Math.round(driftPpm * 10) / 10, basis, correctionMs };
}

function stateOf({ tick, why, roundTripMs, boardMs, hubMs }: ClockReading, used: ClockTie[]): ClockContact["state"] {
  const unixMs = (tie: ClockTie) => tie.unixMs - (tie.tick - tick) * 1000;
  // of several looks at one contact the best is used
  const told = hubMs ?? boardMs ?? 0;
  if (used.some((tie) => isOfHub(tie) && Math.abs(tie.tick - tick) <= CONTACT_TICKS && Math.abs(unixMs(tie) - told) <= plausibleDriftMs(0)))
    return "used";
  return isOfHub({ tick, why, roundTripMs, unixMs: boardMs ?? 0 }) ? "contradicted" : "unused";
}

/** One for each time that somebody looked; the record that the board made of it then is not told again. */
function contactsIn(readings: ClockReading[], era: number, state: (reading: ClockReading) => ClockContact["state"]): ClockContact[] {
  const own = readings.filter((reading) => reading.era === era && (reading.why === MEASURED || reading.why === CLOCK_SET));
  const seen = own.filter(({ why }) => why === MEASURED).sort((a, b) => a.tick - b.tick);
  const setAt = own.filter(({ why }) => why === CLOCK_SET);
  const contacts = seen.map((reading): ClockContact => {
    const { tick, hubMs, boardMs, roundTripMs } = reading;
    const wasSet = setAt.some((other) => other.tick >= tick - 1 && other.tick - tick <= CONTACT_TICKS);
    const offsetMs = boardMs === undefined ? undefined : boardMs - hubMs!;
    return { tick, unixMs: hubMs!, how: wasSet ? "set" : "seen", offsetMs, roundTripMs, state: state(reading) };
  });
  // a hub that sets a clock and then pulls has looked twice
  for (let i = contacts.length - 1; i > 0; i--) if (contacts[i].tick - contacts[i - 1].tick <= CONTACT_TICKS) contacts.splice(i, 1);
  for (const reading of setAt) {
    if (seen.some(({ tick }) => reading.tick >= tick - 1 && reading.tick - tick <= CONTACT_TICKS)) continue;
    const { tick, boardMs, stepMs, roundTripMs } = reading;
    const ofHub = isOfHub({ tick, why: CLOCK_SET, unixMs: boardMs!, roundTripMs });
    const measured = ofHub ? { offsetMs: stepMs === undefined ? undefined : -stepMs, roundTripMs } : {};
    contacts.push({ tick, unixMs: boardMs!, how: ofHub ? "set" : "other", ...measured, state: state(reading) });
  }
  return contacts;
}

/**
 * Leaves one contact of a board out of account because the hub's clock was wrong then, or counts it again, and dates what was pulled anew. Nothing is deleted.
 * `tick`: as the history tells it, without fraction. Answers how many records changed their times.
 * @throws ConfigError "no_such_contact"
 */
export function leaveOut(database: Database.Database, board: string, contact: { era: number; tick: number }, leftOut: boolean): number {
  return database
    .transaction(() => {
      const logs = database.prepare("SELECT id FROM logs WHERE board_id = ?").pluck().all(board) as number[];
      let touched = 0;
      let changed = 0;
      for (const log of logs) {
        const before = stretchesByEra(database, log);
        const values = { log, flag: leftOut ? 1 : 0, was: leftOut ? 0 : 1, ...contact, span: CONTACT_TICKS };
        const where = "log = @log AND left_out = @was AND era = @era AND tick BETWEEN @tick AND @tick + @span";
        touched += database.prepare(`UPDATE clocks SET left_out = @flag WHERE why = 1 AND ${where}`).run(values).changes;
        touched += database.prepare(`UPDATE clock_syncs SET left_out = @flag WHERE ${where}`).run(values).changes;
        changed += resolveChange(database, log, before);
      }
      if (touched === 0) {
        const name = `${contact.era}:${contact.tick}`;
        throw new ConfigError(
          "no_such_contact",
          `board ${board}: no contact ${name} that is ${leftOut ? "counted" : "left out"}; "tracelet clocks" lists them`,
        );
      }
      return changed;
    })
    .immediate();
}
