import type Database from "better-sqlite3";
import type { Kysely } from "kysely";
import type { ContactsTable, Tables } from "./schema.ts";

// OpenCovidTrace's contacts by QR code. No board is asked for them: the hub makes the payload that a screen shows, and keeps the keys it was made with.

/** Keys of a day, 16 bytes each. Who has them knows what was shown that day. */
export interface ContactKeys {
  board: string;
  /** Days since 1970. */
  day: number;
  dailyKey: Uint8Array;
  metaKey: Uint8Array;
}

/** Somebody who was met by a QR code. */
export interface StoredContact {
  board: string;
  /** Unix seconds at which it came, and the UTC day of that. */
  receivedAt: number;
  day: number;
  /** 16 bytes each. */
  rollingId: Uint8Array;
  meta: Uint8Array;
  /** From the other's screen, or as the answer to our own. */
  way: ContactsTable["way"];
}

/** The keys of a board's day; `fresh` where there are none yet. Those that are there are never replaced. */
export function contactKeysOf(database: Database.Database, fresh: ContactKeys): ContactKeys {
  return database
    .transaction(() => {
      const { board, day, dailyKey, metaKey } = fresh;
      database
        .prepare("INSERT INTO contact_keys (board_id, day, daily_key, meta_key) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
        .run(board, day, dailyKey, metaKey);
      const row = database
        .prepare("SELECT daily_key AS dailyKey, meta_key AS metaKey FROM contact_keys WHERE board_id = ? AND day = ?")
        .get(board, day);
      return { board, day, ...(row as Pick<ContactKeys, "dailyKey" | "metaKey">) };
    })
    .immediate();
}

/** By day. */
export async function contactKeys(query: Kysely<Tables>, board: string): Promise<ContactKeys[]> {
  return query
    .selectFrom("contact_keys")
    .select(["board_id as board", "day", "daily_key as dailyKey", "meta_key as metaKey"])
    .where("board_id", "=", board)
    .orderBy("day")
    .execute();
}

/** Answers whether it is new: the same code scanned twice is one contact. */
export function addContact(database: Database.Database, { board, receivedAt, day, rollingId, meta, way }: StoredContact): boolean {
  const add = database.prepare(
    "INSERT INTO contacts (board_id, received_unix, day, rolling_id, meta, way) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
  );
  return add.run(board, receivedAt, day, rollingId, meta, way).changes > 0;
}

/** In the order in which they came; of one board where it is named. */
export async function contacts(query: Kysely<Tables>, board?: string): Promise<StoredContact[]> {
  let select = query
    .selectFrom("contacts")
    .select(["board_id as board", "received_unix as receivedAt", "day", "rolling_id as rollingId", "meta", "way"])
    .orderBy("received_unix")
    .orderBy("id");
  if (board !== undefined) select = select.where("board_id", "=", board);
  return select.execute();
}
