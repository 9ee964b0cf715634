import type Database from "better-sqlite3";
import type { Kysely } from "kysely";
import type { Tables } from "./schema.ts";

/** What a mark is of. Null: any. It names an identifier or a time, or both. */
export interface SafeMark {
  board: string;
  /** A name of PROTOCOLS in boards/capabilities.ts, or opencovidtrace. */
  protocol: string | null;
  /** The first 5 to 16 bytes. */
  identifier: Uint8Array | null;
  /** Unix seconds, both included. */
  from: number | null;
  to: number | null;
  /** For its owner. */
  note: string | null;
}
export interface StoredMark extends SafeMark {
  id: number;
}

/** Answers its number. */
export function addMark(database: Database.Database, { board, protocol, identifier, from, to, note }: SafeMark, now: number): number {
  const add = database.prepare(
    "INSERT INTO safe_marks (board_id, protocol, identifier, from_unix, to_unix, note, made_unix) VALUES (?, ?, ?, ?, ?, ?, ?)",
  );
  return Number(add.run(board, protocol, identifier, from, to, note, now).lastInsertRowid);
}

/** False where there is no such mark. */
export function removeMark(database: Database.Database, id: number): boolean {
  return database.prepare("DELETE FROM safe_marks WHERE id = ?").run(id).changes > 0;
}

/** In the order in which they were made. */
export async function marks(query: Kysely<Tables>): Promise<StoredMark[]> {
  return query
    .selectFrom("safe_marks")
    .select(["id", "board_id as board", "protocol", "identifier", "from_unix as from", "to_unix as to", "note"])
    .orderBy("id")
    .execute();
}
