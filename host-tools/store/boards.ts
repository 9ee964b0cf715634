import type Database from "better-sqlite3";
import type { Kysely } from "kysely";
import { FormatError } from "../errors.ts";
import type { Tables } from "./schema.ts";

/** A board as a command met it. Only the log id is always known; what is left out stays as the store has it. */
export interface BoardContact {
  /** Log id, 16 hex digits (`DeviceStatus.id`). */
  logId: string;
  /** What the board is called in results, such as its serial number; the log id where nothing better is known. */
  id?: string;
  name?: string;
  type?: string;
  role?: string;
  firmware?: string;
  /** Health authority of a board that speaks BlueTrace. */
  authority?: string;
}

export interface StoredBoard {
  id: string;
  name: string | null;
  type: string | null;
  role: string | null;
  firmware: string | null;
  /** Unix seconds of the first and the last commit. */
  addedAt: number;
  contactAt: number;
  /** A board that was set up anew has several. */
  logs: { logId: string; nextSeq: number }[];
}

/** Enters the board and its log, or brings them up to date. Answers the log's row. Runs inside the caller's transaction. */
export function meetBoard(database: Database.Database, contact: BoardContact, now: number): { log: number; board: string; nextSeq: number } {
  if (!/^[0-9a-f]{16}$/.test(contact.logId)) {
    throw new FormatError("bad_log_id", `log id: 16 hex digits expected, got "${contact.logId}"; ask the board for its status again`);
  }
  const known = database.prepare("SELECT id, board_id, next_seq FROM logs WHERE log_id = ?").get(contact.logId) as
    | { id: number; board_id: string; next_seq: number }
    | undefined;
  const board = contact.id ?? known?.board_id ?? contact.logId;
  database
    .prepare(
      `INSERT INTO boards (id, name, type, role, firmware, added_unix, contact_unix) VALUES (@board, @name, @type, @role, @firmware, @now, @now)
       ON CONFLICT (id) DO UPDATE SET name = coalesce(excluded.name, name), type = coalesce(excluded.type, type), role = coalesce(excluded.role, role),
         firmware = coalesce(excluded.firmware, firmware), contact_unix = excluded.contact_unix`,
    )
    .run({
      board,
      name: contact.name ?? null,
      type: contact.type ?? null,
      role: contact.role ?? null,
      firmware: contact.firmware ?? null,
      now,
    });
  if (known) {
    if (known.board_id !== board) database.prepare("UPDATE logs SET board_id = ? WHERE id = ?").run(board, known.id);
    return { log: known.id, board, nextSeq: known.next_seq };
  }
  const { lastInsertRowid } = database.prepare("INSERT INTO logs (log_id, board_id) VALUES (?, ?)").run(contact.logId, board);
  return { log: Number(lastInsertRowid), board, nextSeq: 0 };
}

/** A board that is known by name only: the device whose files are imported. */
export function nameBoard(database: Database.Database, id: string, now: number): void {
  database
    .prepare("INSERT INTO boards (id, added_unix, contact_unix) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET contact_unix = excluded.contact_unix")
    .run(id, now, now);
}

export async function listBoards(query: Kysely<Tables>): Promise<StoredBoard[]> {
  const boards = await query
    .selectFrom("boards")
    .select(["id", "name", "type", "role", "firmware", "added_unix as addedAt", "contact_unix as contactAt"])
    .orderBy("id")
    .execute();
  const logs = await query.selectFrom("logs").select(["board_id", "log_id as logId", "next_seq as nextSeq"]).orderBy("id").execute();
  return boards.map((board) => ({
    ...board,
    logs: logs.filter((log) => log.board_id === board.id).map(({ logId, nextSeq }) => ({ logId, nextSeq })),
  }));
}
