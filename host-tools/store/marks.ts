import type Database from "better-sqlite3";
import type { Kysely } from "kysely";
import type { MarksTable, Tables } from "./schema.ts";

/**
 * safe: encounters that never raise the alarm. mask, ward, vehicle: the wearer was protected; told beside an exposure, which counts as ever. place: the board was there.
 */
export type MarkKind = MarksTable["kind"];

/** What a mark is of. Null: any. A safe one names an identifier or a time, or both; the others a time. */
export interface NewMark {
  /** Default safe. */
  kind?: MarkKind;
  /** Of kind place: its name. */
  place?: string | null;
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
export interface StoredMark extends NewMark {
  id: number;
  kind: MarkKind;
  place: string | null;
}

/** Answers its number. */
export function addMark(database: Database.Database, mark: NewMark, now: number): number {
  const { kind = "safe", place = null, board, protocol, identifier, from, to, note } = mark;
  const add = database.prepare(
    "INSERT INTO marks (kind, place, board_id, protocol, identifier, from_unix, to_unix, note, made_unix) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  return Number(add.run(kind, place, board, protocol, identifier, from, to, note, now).lastInsertRowid);
}

/** False where there is no such mark. */
export function removeMark(database: Database.Database, id: number): boolean {
  return database.prepare("DELETE FROM marks WHERE id = ?").run(id).changes > 0;
}

/** In the order in which they were made. */
export async function marks(query: Kysely<Tables>): Promise<StoredMark[]> {
  return query
    .selectFrom("marks")
    .select(["id", "kind", "place", "board_id as board", "protocol", "identifier", "from_unix as from", "to_unix as to", "note"])
    .orderBy("id")
    .execute();
}
