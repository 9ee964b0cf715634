import type Database from "better-sqlite3";
import type { Kysely } from "kysely";
import { type BoardContact, meetBoard } from "./boards.ts";
import { type ClockTie, unixOfTick, usableTies } from "./era-time.ts";
import type { Tables } from "./schema.ts";

/** What the hub saw when it set a board's clock. Times in ms since 1970, unless said. */
export interface ClockSync {
  hostMs: number;
  /** The board's clock just before; undefined when it was not set. */
  boardMs?: number;
  /** Hub minus board before, ms. */
  offsetMs?: number;
  /** What the board said it was put forward by. */
  stepMs?: number;
  roundTripMs: number;
  /** Rotations since the board's start: each restarts its radio. */
  rotations?: number;
  /** Since the synchronisation before; positive when the board runs slow. */
  driftPpm?: number;
  era?: number;
  tick?: number;
}

/** Ticks between which times are to be worked out, both included. */
export class TickRange {
  constructor(
    public from: number,
    public to: number,
  ) {}
  include(from: number, to: number): void {
    this.from = Math.min(this.from, from);
    this.to = Math.max(this.to, to);
  }
}

/** The ties that count for one era of one log. */
export function tiesOf(database: Database.Database, log: number, era: number): ClockTie[] {
  const rows = database.prepare("SELECT tick, unix_ms AS unixMs, why FROM clocks WHERE log = ? AND era = ? ORDER BY seq").all(log, era);
  return usableTies(rows as ClockTie[]);
}

/** Gives encounters and sightings of one era that touch `range` their UTC; those of an era without a tie have none. Answers how many changed. */
export function resolveEra(database: Database.Database, log: number, era: number, range: TickRange): number {
  const ties = tiesOf(database, log, era);
  if (ties.length === 0) return 0;
  let changed = 0;
  const encounters = database
    .prepare(
      "SELECT id, first_tick, last_tick, first_unix, last_unix FROM encounters WHERE log = ? AND era = ? AND last_tick >= ? AND first_tick <= ?",
    )
    .all(log, era, range.from, range.to) as {
    id: number;
    first_tick: number;
    last_tick: number;
    first_unix: number | null;
    last_unix: number | null;
  }[];
  const setEncounter = database.prepare("UPDATE encounters SET first_unix = ?, last_unix = ? WHERE id = ?");
  for (const row of encounters) {
    const first = unixOfTick(ties, row.first_tick);
    const last = unixOfTick(ties, row.last_tick);
    if (first !== row.first_unix || last !== row.last_unix) changed += setEncounter.run(first, last, row.id).changes;
  }
  const sightings = database
    .prepare("SELECT id, tick, unix FROM sightings WHERE log = ? AND era = ? AND tick >= ? AND tick <= ?")
    .all(log, era, range.from, range.to) as { id: number; tick: number; unix: number | null }[];
  const setSighting = database.prepare("UPDATE sightings SET unix = ? WHERE id = ?");
  for (const row of sightings) {
    const unix = unixOfTick(ties, row.tick);
    if (unix !== row.unix) changed += setSighting.run(unix, row.id).changes;
  }
  return changed;
}

/** Works out the times of all records of all boards anew. Answers how many changed. */
export function resolveTimes(database: Database.Database): number {
  return database
    .transaction(() => {
      const eras = database.prepare("SELECT DISTINCT log, era FROM clocks").all() as { log: number; era: number }[];
      return eras.reduce((sum, { log, era }) => sum + resolveEra(database, log, era, new TickRange(0, Number.MAX_SAFE_INTEGER)), 0);
    })
    .immediate();
}

/** Adds one synchronisation to the board's history. */
export function addClockSync(database: Database.Database, contact: BoardContact, sync: ClockSync, now: number): void {
  database
    .transaction(() => {
      const { log } = meetBoard(database, contact, now);
      const { hostMs, boardMs, offsetMs, stepMs, roundTripMs, rotations, driftPpm, era, tick } = sync;
      database
        .prepare(
          `INSERT INTO clock_syncs (log, host_ms, board_ms, offset_ms, step_ms, round_trip_ms, rotations, drift_ppm, era, tick)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(
          log,
          Math.round(hostMs),
          boardMs === undefined ? null : Math.round(boardMs),
          offsetMs ?? null,
          stepMs ?? null,
          roundTripMs,
          rotations ?? null,
          driftPpm ?? null,
          era ?? null,
          tick ?? null,
        );
    })
    .immediate();
}

/** History of one log's synchronisations, oldest first. */
export async function clockSyncs(query: Kysely<Tables>, logId: string): Promise<ClockSync[]> {
  const rows = await query
    .selectFrom("clock_syncs")
    .innerJoin("logs", "logs.id", "clock_syncs.log")
    .where("logs.log_id", "=", logId)
    .select([
      "host_ms as hostMs",
      "board_ms as boardMs",
      "offset_ms as offsetMs",
      "step_ms as stepMs",
      "round_trip_ms as roundTripMs",
      "rotations",
      "drift_ppm as driftPpm",
      "era",
      "tick",
    ])
    .orderBy("host_ms")
    .orderBy("clock_syncs.id")
    .execute();
  return rows.map((row) => ({
    hostMs: row.hostMs,
    roundTripMs: row.roundTripMs,
    boardMs: row.boardMs ?? undefined,
    offsetMs: row.offsetMs ?? undefined,
    stepMs: row.stepMs ?? undefined,
    rotations: row.rotations ?? undefined,
    driftPpm: row.driftPpm ?? undefined,
    era: row.era ?? undefined,
    tick: row.tick ?? undefined,
  }));
}
