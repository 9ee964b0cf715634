import type { Kysely } from "kysely";
import { CYCLE_TIME } from "../../protocols/settings.ts";
import type { Tables } from "./schema.ts";

const SLOT_SETTINGS = 1;

/** By board: its setting cycleTime, seconds, as the newest settings in its log have it. A board of which none were pulled is not in it. */
export async function cycleTimes(query: Kysely<Tables>): Promise<Map<string, number>> {
  const rows = await query
    .selectFrom("records as r")
    .innerJoin("logs as l", "l.id", "r.log")
    .where("r.kind", "=", "settings")
    .select(["l.board_id as board", "r.slot"])
    .orderBy("l.id")
    .orderBy("r.seq")
    .execute();
  // a later row is a newer one
  return new Map(rows.map(({ board, slot }) => [board, Buffer.from(slot).readInt16LE(SLOT_SETTINGS + 2 * CYCLE_TIME)]));
}
