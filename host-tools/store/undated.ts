import type Database from "better-sqlite3";
import { stretchesByEra } from "./clocks.ts";
import { unixMsOfTick } from "./era-time.ts";

// Eras follow each other. What was heard in one whose clock nobody ever saw lies between the end of the one before and the beginning of the next,
// and its ticks tell how far from either.

/** One era of a log. Times in Unix ms; undefined where the era has no tie. */
export interface EraSpan {
  era: number;
  /** The highest tick that is known of it. */
  lastTick: number;
  beganMs?: number;
  lastMs?: number;
}
/** Unix seconds between which a tick was; undefined: nothing is known on that side. */
export interface Bounds {
  notBefore?: number;
  notAfter?: number;
}
/** An encounter whose era has no UTC. */
export interface UndatedEncounter extends Bounds {
  board: string;
  logId: string;
  seq: number;
  era: number;
  /** Seconds from first to last heard. */
  seconds: number;
  rpi: Uint8Array;
  aem: Uint8Array | null;
  maxRssi: number;
}

/** A clock may be this much too fast: a tick was at least so much of a second. */
const SHORTEST_TICK_MS = 999;

/** Bounds for the ticks of an era without a date, from the eras around it. `eras`: all of one log. */
export function boundsIn(eras: EraSpan[]): (era: number, tick: number) => Bounds {
  const sorted = [...eras].sort((a, b) => a.era - b.era);
  const earliest = new Map<number, number>();
  const latest = new Map<number, number>();
  let known: number | undefined;
  for (const { era, lastTick, lastMs } of sorted) {
    if (known !== undefined) earliest.set(era, known);
    known = lastMs ?? (known === undefined ? undefined : known + lastTick * SHORTEST_TICK_MS);
  }
  known = undefined;
  for (const { era, lastTick, beganMs } of sorted.reverse()) {
    if (known !== undefined) latest.set(era, known - lastTick * SHORTEST_TICK_MS);
    known = beganMs ?? (known === undefined ? undefined : known - lastTick * SHORTEST_TICK_MS);
  }
  return (era, tick) => {
    const [from, to] = [earliest.get(era), latest.get(era)];
    return {
      notBefore: from === undefined ? undefined : Math.floor((from + tick * SHORTEST_TICK_MS) / 1000),
      notAfter: to === undefined ? undefined : Math.ceil((to + tick * SHORTEST_TICK_MS) / 1000),
    };
  };
}

/** Every era of a log that anything is known of, in order. */
export function erasOf(database: Database.Database, log: number): EraSpan[] {
  const stretches = stretchesByEra(database, log);
  const rows = database
    .prepare(
      `SELECT era, max(tick) AS lastTick FROM (
         SELECT era, last_tick AS tick FROM encounters WHERE log = @log UNION ALL SELECT era, tick FROM sightings WHERE log = @log
         UNION ALL SELECT era, tick FROM clocks WHERE log = @log AND era > 0 UNION ALL SELECT era, tick FROM clock_syncs WHERE log = @log AND era IS NOT NULL
       ) GROUP BY era ORDER BY era`,
    )
    .all({ log }) as { era: number; lastTick: number }[];
  return rows.map(({ era, lastTick }) => {
    const lines = stretches.get(era) ?? [];
    return { era, lastTick, beganMs: unixMsOfTick(lines, 0), lastMs: unixMsOfTick(lines, lastTick) };
  });
}

/** GAEN's encounters without UTC, of one board or of all, by log and sequence number. */
export function undatedEncounters(database: Database.Database, board?: string): UndatedEncounter[] {
  const rows = database
    .prepare(
      `SELECT l.board_id AS board, l.log_id AS logId, e.log, e.seq, e.era, e.first_tick AS first, e.last_tick AS last, e.rpi, e.aem, e.max_rssi AS maxRssi
         FROM encounters e JOIN logs l ON l.id = e.log WHERE e.first_unix IS NULL AND e.protocol = 'gaen' AND (@board IS NULL OR l.board_id = @board) ORDER BY e.log, e.seq`,
    )
    .all({ board: board ?? null }) as (Omit<UndatedEncounter, "seconds"> & { log: number; first: number; last: number })[];
  const bounds = new Map<number, ReturnType<typeof boundsIn>>();
  return rows.map(({ log, first, last, ...row }) => {
    const within = bounds.get(log) ?? boundsIn(erasOf(database, log));
    bounds.set(log, within);
    return { ...row, ...within(row.era, first), seconds: last - first };
  });
}
