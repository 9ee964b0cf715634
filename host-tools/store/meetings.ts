import type Database from "better-sqlite3";
import type { Kysely } from "kysely";
import { TEMP_ID_BYTES } from "../../protocols/bluetrace/temp-id.ts";
import { LONG_WORDS, MEETING_RECORDS } from "../../protocols/log-format.ts";
import type { Filter } from "./encounters.ts";
import { decodeSlot } from "./log-decoder.ts";
import type { MeetingAgainRecord, MeetingPartRecord, MeetingRecord } from "./log-records.ts";
import type { Tables } from "./schema.ts";

// Meetings of BlueTrace, out of the records of a log and out of the database.

/** A meeting with all of its TempID. */
export interface StoredMeeting {
  /** Null for an imported one of no named device. */
  board: string | null;
  /** Where it stands in a board's log; null for imported ones. */
  logId: string | null;
  seq: number | null;
  /** Unix seconds; null while the era has no CLOCK record. */
  at: number | null;
  /** 61 bytes. */
  tempId: Uint8Array;
  /** dBm, as the central received the peripheral. */
  rssi: number;
  txPower: number | null;
  /** Had the board connected? Null for imported ones, which don't tell. */
  central: boolean | null;
  authority: string | null;
  /** What both ends called themselves, and the version of their packets; null of boards, which tell none. */
  models: { peripheral: string; central: string; version: number } | null;
}

/** A meeting as it goes into the tables, and the record that it stands under. */
export interface WholeMeeting {
  first: MeetingRecord | MeetingAgainRecord;
  /** 61 bytes; undefined: the board had met it before. */
  tempId: Uint8Array | undefined;
}

/** The meeting that `record` completes, `undefined` where it completes none: the power went in the middle of it, or more is to come. */
export function completedMeeting(
  database: Database.Database,
  log: number,
  record: MeetingRecord | MeetingPartRecord | MeetingAgainRecord,
): WholeMeeting | undefined {
  if (record.kind === "meeting-again") return { first: record, tempId: undefined };
  if (record.kind !== "meeting-part" || record.part !== MEETING_RECORDS - 1) return undefined;
  const stored = database.prepare("SELECT slot, era, base_tick AS baseTick FROM records WHERE log = ? AND seq = ?");
  const before = (distance: number) => {
    const seq = record.seq - distance * LONG_WORDS;
    const row = stored.get(log, seq) as { slot: Uint8Array; era: number; baseTick: number } | undefined;
    return row && decodeSlot(row.slot, { seq, era: row.era, baseTick: row.baseTick });
  };
  const [first, second] = [before(2), before(1)];
  if (first?.kind !== "meeting" || second?.kind !== "meeting-part" || second.part !== 1) return undefined;
  const tempId = Buffer.concat([first.begin, second.bytes, record.bytes]).subarray(0, TEMP_ID_BYTES);
  return { first, tempId };
}

/** In order of time; those without UTC last, imported ones among them. A meeting again whose first one was overwritten before it was pulled is left out: nobody can tell its TempID. */
export async function meetings(query: Kysely<Tables>, { board, from, to }: Filter = {}): Promise<StoredMeeting[]> {
  let select = query
    .selectFrom("meetings as m")
    .innerJoin("encounters as e", (join) => join.onRef("e.log", "=", "m.log").onRef("e.seq", "=", "m.seq"))
    .innerJoin("logs as l", "l.id", "m.log")
    .select(["l.board_id as board", "l.log_id as logId", "m.seq", "e.first_unix as at", "m.temp_id as tempId", "e.rpi as begin"])
    .select(["e.max_rssi as rssi", "e.tx_power as txPower", "m.central", "m.authority"])
    .orderBy("m.log")
    .orderBy("m.seq");
  if (board !== undefined) select = select.where("l.board_id", "=", board);
  const known = new Map<string, Uint8Array>();
  const all: StoredMeeting[] = [];
  for (const { begin, tempId, central, ...row } of await select.execute()) {
    const key = `${row.logId} ${Buffer.from(begin.subarray(0, 5)).toString("hex")}`;
    if (tempId) known.set(key, tempId);
    const whole = known.get(key);
    if (whole) all.push({ ...row, tempId: whole, central: central === 1, models: null });
  }
  all.push(...(await imported(query, board)));
  const inTime = all.filter(({ at }) => (from === undefined && to === undefined) || (at !== null && at >= (from ?? 0) && at <= (to ?? Infinity)));
  return inTime.sort((a, b) => (a.at ?? Infinity) - (b.at ?? Infinity) || (a.seq ?? 0) - (b.seq ?? 0));
}

async function imported(query: Kysely<Tables>, board: string | undefined): Promise<StoredMeeting[]> {
  let select = query
    .selectFrom("imported_meetings as m")
    .innerJoin("encounters as e", "e.id", "m.encounter")
    .select(["e.board_id as board", "e.first_unix as at", "e.max_rssi as rssi", "e.tx_power as txPower"])
    .select(["m.temp_id as tempId", "m.authority", "m.model_p", "m.model_c", "m.version"])
    .orderBy("m.encounter");
  if (board !== undefined) select = select.where("e.board_id", "=", board);
  return (await select.execute()).map(({ model_p, model_c, version, ...row }) => ({
    ...row,
    logId: null,
    seq: null,
    central: null,
    models: { peripheral: model_p, central: model_c, version },
  }));
}
