import type Database from "better-sqlite3";
import type { Kysely } from "kysely";
import { KEYS_HANDED_OVER } from "../../protocols/log-format.ts";
import { type BoardContact, meetBoard } from "./boards.ts";
import { MEASURED, reachOfChange, type Stretch, stretchesOf, unixOfTick, usableTies } from "./era-time.ts";
import { type ClockReading, tiesByEra } from "./kept-clock.ts";
import type { Tables } from "./schema.ts";

/** What the hub saw when it looked at a board's clock, and whether it set it then. Times in ms since 1970, unless said. */
export interface ClockSync {
  hostMs: number;
  /** The board's clock at that moment; undefined when it was not set. */
  boardMs?: number;
  /** Hub minus board before, ms. */
  offsetMs?: number;
  /** What the board said it was put forward by. */
  stepMs?: number;
  roundTripMs: number;
  /** Rotations since the board's start: each restarts its radio. */
  rotations?: number;
  /** Since the contact before; positive when the board runs slow. */
  driftPpm?: number;
  era?: number;
  /** Seconds since the era began at `hostMs`, to the ms. */
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

/** The lines by which one log's ticks are dated, by era. What was left out by `leaveOut` doesn't count. */
export function stretchesByEra(database: Database.Database, log: number): Map<number, Stretch[]> {
  const eras = new Map<number, Stretch[]>();
  for (const [era, ties] of tiesByEra(readingsOf(database, log))) eras.set(era, stretchesOf(usableTies(ties)));
  return eras;
}

/** All that is known of one log's clock: its CLOCK records, and what the hub saw. */
export function readingsOf(database: Database.Database, log: number, leftOut = 0): ClockReading[] {
  return database
    .prepare(
      `SELECT era, tick, unix_ms AS boardMs, why, round_trip_ms AS roundTripMs, step_ms AS stepMs, NULL AS hubMs, seq AS place FROM clocks
         WHERE log = @log AND left_out = @leftOut AND era > 0
       UNION ALL
       SELECT era, tick_ms / 1000.0, board_ms, ${MEASURED}, round_trip_ms, NULL, host_ms, id FROM clock_syncs
         WHERE log = @log AND left_out = @leftOut AND tick_ms IS NOT NULL
       ORDER BY place`,
    )
    .all({ log, leftOut })
    .map((row) => {
      const { boardMs, stepMs, hubMs, era, tick, why, roundTripMs } = row as { [name: string]: number | null };
      const reading = { era: era!, tick: tick!, why: why!, roundTripMs: roundTripMs! };
      return { ...reading, boardMs: boardMs ?? undefined, stepMs: stepMs ?? undefined, hubMs: hubMs ?? undefined };
    });
}

/** Gives encounters and sightings of one era that touch `range` their UTC; those of an era without a tie have none. Answers how many changed. */
export function resolveEra(database: Database.Database, log: number, era: number, stretches: Stretch[], range: TickRange): number {
  let changed = 0;
  const time = (tick: number) => unixOfTick(stretches, tick) ?? null;
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
    const first = time(row.first_tick);
    const last = time(row.last_tick);
    if (first !== row.first_unix || last !== row.last_unix) changed += setEncounter.run(first, last, row.id).changes;
  }
  const sightings = database
    .prepare("SELECT id, tick, unix FROM sightings WHERE log = ? AND era = ? AND tick >= ? AND tick <= ?")
    .all(log, era, range.from, range.to) as { id: number; tick: number; unix: number | null }[];
  const setSighting = database.prepare("UPDATE sightings SET unix = ? WHERE id = ?");
  for (const row of sightings) {
    const unix = time(row.tick);
    if (unix !== row.unix) changed += setSighting.run(unix, row.id).changes;
  }
  return changed;
}

/** Dates anew what a change of knowledge bears upon, and of each era the ticks of `touched`. `before`: as it was. Answers how many records changed. */
export function resolveChange(
  database: Database.Database,
  log: number,
  before: Map<number, Stretch[]>,
  touched = new Map<number, TickRange>(),
): number {
  const after = stretchesByEra(database, log);
  const ranges = new Map(touched);
  for (const era of new Set([...before.keys(), ...after.keys()])) {
    const reach = reachOfChange(before.get(era) ?? [], after.get(era) ?? []);
    if (!reach) continue;
    const range = new TickRange(reach.from, reach.to);
    const asked = touched.get(era);
    if (asked) range.include(asked.from, asked.to);
    ranges.set(era, range);
  }
  let changed = 0;
  for (const [era, range] of ranges) changed += resolveEra(database, log, era, after.get(era) ?? [], range);
  return changed;
}

/** Works out the times of all records of all boards anew. Answers how many changed. */
export function resolveTimes(database: Database.Database): number {
  return database
    .transaction(() => {
      const all = new TickRange(0, Number.MAX_SAFE_INTEGER);
      const eras = database
        .prepare("SELECT log, era FROM encounters WHERE log IS NOT NULL UNION SELECT log, era FROM sightings WHERE log IS NOT NULL")
        .all() as { log: number; era: number }[];
      const known = new Map<number, Map<number, Stretch[]>>();
      let changed = 0;
      for (const { log, era } of eras) {
        const stretches = known.get(log) ?? stretchesByEra(database, log);
        known.set(log, stretches);
        changed += resolveEra(database, log, era, stretches.get(era) ?? [], all);
      }
      return changed;
    })
    .immediate();
}

/** Adds one contact to the board's history, and dates by it what was pulled before. */
export function addClockSync(database: Database.Database, contact: BoardContact, sync: ClockSync, now: number): void {
  database
    .transaction(() => {
      const { log } = meetBoard(database, contact, now);
      const before = stretchesByEra(database, log);
      const { hostMs, boardMs, offsetMs, stepMs, roundTripMs, rotations, driftPpm, era, tick } = sync;
      database
        .prepare(
          `INSERT INTO clock_syncs (log, host_ms, board_ms, offset_ms, step_ms, round_trip_ms, rotations, drift_ppm, era, tick, tick_ms)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
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
          tick === undefined ? null : Math.floor(tick),
          tick === undefined ? null : Math.round(tick * 1000),
        );
      resolveChange(database, log, before);
    })
    .immediate();
}

/** Unix ms at which a board handed its own keys over, oldest first. */
export async function keyHandOvers(query: Kysely<Tables>, logId: string): Promise<number[]> {
  const rows = await query
    .selectFrom("clocks")
    .innerJoin("logs", "logs.id", "clocks.log")
    .where("logs.log_id", "=", logId)
    .where("clocks.why", "=", KEYS_HANDED_OVER)
    .select("clocks.unix_ms as unixMs")
    .orderBy("clocks.seq")
    .execute();
  return rows.map(({ unixMs }) => unixMs);
}

/** History of one log's contacts, in the order in which they were stored. */
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
      "tick_ms as tickMs",
    ])
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
    tick: row.tickMs === null ? (row.tick ?? undefined) : row.tickMs / 1000,
  }));
}
