import type Database from "better-sqlite3";
import type { Kysely } from "kysely";
import { type BoardContact, meetBoard } from "./boards.ts";
import type { OwnKey } from "./log-decoder.ts";
import type { Tables } from "./schema.ts";

// Own keys that a board handed over, or that came with a tek_data.csv. Whoever has them can tell where their wearer was: they are never printed but by the command that is asked for them.

export interface StoredKey extends OwnKey {
  /** Null for keys of an imported file of no named device. */
  board: string | null;
}

/** Stores what `T.k` handed over; of two answers about one key the longer period holds. Answers how many are new. */
export function addKeys(database: Database.Database, contact: BoardContact, keys: OwnKey[], now: number): number {
  return database
    .transaction(() => {
      const { board } = meetBoard(database, contact, now);
      const known = database.prepare("SELECT 1 FROM teks WHERE tek = ? AND rolling_start = ?").pluck();
      const add = database.prepare(
        `INSERT INTO teks (tek, rolling_start, rolling_period, board_id, added_unix) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET rolling_period = max(rolling_period, excluded.rolling_period)`,
      );
      let added = 0;
      for (const { tek, rollingStart, rollingPeriod } of keys) {
        if (known.get(tek, rollingStart) === undefined) added++;
        add.run(tek, rollingStart, rollingPeriod, board, now);
      }
      return added;
    })
    .immediate();
}

/** Keys in order of their day; of one board where it is named. */
export async function keys(query: Kysely<Tables>, board?: string): Promise<StoredKey[]> {
  let select = query
    .selectFrom("teks")
    .select(["tek", "rolling_start as rollingStart", "rolling_period as rollingPeriod", "board_id as board"])
    .orderBy("rolling_start")
    .orderBy("board_id")
    .orderBy("tek");
  if (board !== undefined) select = select.where("board_id", "=", board);
  return select.execute();
}
