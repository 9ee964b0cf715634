import type Database from "better-sqlite3";
import type { Kysely } from "kysely";
import { type BoardContact, meetBoard } from "./boards.ts";
import type { Tables } from "./schema.ts";

// Messages of SmartBeacons that boards collected, sealed: who has no key learns from them that a beacon was near, and when.

export interface ReceivedMessage {
  /** Unix seconds at which the board had all of it. */
  receivedAt: number;
  /** B1 MESSAGE C, B2 Fernet token, B3 compact token: see protocols/smartbeacon/advertisement.ts. */
  type: number;
  /** Without the type, but for a compact token, which begins with it. */
  bytes: Uint8Array;
}
export interface StoredMessage extends ReceivedMessage {
  board: string;
}

/** Each message once for a board, with the time of its first coming. Answers how many are new. */
export function addMessages(database: Database.Database, contact: BoardContact, received: ReceivedMessage[], now: number): number {
  return database
    .transaction(() => {
      const { board } = meetBoard(database, contact, now);
      const add = database.prepare("INSERT INTO messages (board_id, received_unix, type, bytes) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING");
      return received.reduce((added, { receivedAt, type, bytes }) => added + add.run(board, receivedAt, type, bytes).changes, 0);
    })
    .immediate();
}

/** In the order in which they came; of one board where it is named. */
export async function messages(query: Kysely<Tables>, board?: string): Promise<StoredMessage[]> {
  let select = query
    .selectFrom("messages")
    .select(["board_id as board", "received_unix as receivedAt", "type", "bytes"])
    .orderBy("received_unix")
    .orderBy("id");
  if (board !== undefined) select = select.where("board_id", "=", board);
  return select.execute();
}
