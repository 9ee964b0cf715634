import type Database from "better-sqlite3";
import { INTERVAL_SECONDS } from "../../protocols/gaen/key-schedule.ts";
import { LONG_WORDS } from "../../protocols/log-format.ts";
import { ConfigError } from "../errors.ts";

/** Days after which an encounter is deleted (GAEN-11, MH-05). */
export const RETENTION_DAYS = 14;
/** The same for meetings of BlueTrace (BT-13). */
export const MEETING_DAYS = 21;

export interface Purged {
  /** Contacts by QR code among them. */
  encounters: number;
  sightings: number;
  /** Own keys, of whatever protocol. */
  keys: number;
  /** Of SmartBeacons. */
  messages: number;
}

/**
 * Deletes what is older than `days` (COM-05): evidence and all that was made of it. `meetingDays`: for meetings of BlueTrace. `now`: Unix seconds.
 *
 * What a board heard ages from when it was heard; without UTC from when it was pulled, for nobody can tell how much older it is. What was imported from files ages from its import:
 * whoever imports a file of last year wants to look at it.
 * Deleted bytes are overwritten in the database, and the write-ahead log, which still has them, is emptied.
 */
export function purge(database: Database.Database, now: number, days: number, meetingDays = days): Purged {
  if (!(days >= 0 && days <= 36500)) throw new ConfigError("bad_retention", `retention: 0 to 36500 days expected, got ${days}`);
  const limit = Math.floor(now - days * 86400);
  const meetingLimit = Math.floor(now - meetingDays * 86400);
  const purged = database
    .transaction(() => {
      const before = counts(database);
      database.prepare("DELETE FROM imports WHERE imported_unix < ?").run(limit);
      for (const [rows, time, oldest] of [
        ["encounters WHERE protocol <> 'bluetrace'", "last_unix", limit],
        ["encounters WHERE protocol = 'bluetrace'", "last_unix", meetingLimit],
        ["sightings WHERE TRUE", "unix", limit],
      ] as const) {
        const places = `SELECT log, seq FROM ${rows} AND log IS NOT NULL`;
        database.prepare(`DELETE FROM records WHERE (log, seq) IN (${places} AND ${time} < ?)`).run(oldest);
        database.prepare(`DELETE FROM records WHERE (log, seq) IN (${places} AND ${time} IS NULL) AND committed_unix < ?`).run(oldest);
      }
      database
        .prepare("DELETE FROM records WHERE kind NOT IN ('encounter', 'sighting') AND kind NOT LIKE 'meeting%' AND committed_unix < ?")
        .run(limit);
      database.prepare("DELETE FROM records WHERE kind LIKE 'meeting%' AND committed_unix < ?").run(meetingLimit);
      // a TempID's other parts go with its first
      const first = (words: number) => `SELECT 1 FROM records f WHERE f.log = records.log AND f.seq = records.seq - ${words} AND f.kind = 'meeting'`;
      database
        .prepare(
          `DELETE FROM records WHERE kind = 'meeting-part' AND NOT EXISTS (${first(LONG_WORDS)}) AND NOT EXISTS (${first(2 * LONG_WORDS)}) AND committed_unix < ?`,
        )
        .run(now);
      database.prepare("DELETE FROM damaged WHERE committed_unix < ?").run(limit);
      database.prepare(`DELETE FROM teks WHERE import_id IS NULL AND (rolling_start + rolling_period) * ${INTERVAL_SECONDS} < ?`).run(limit);
      // a chain of SKs tells of the days after it as well: it ages from when it was handed over last
      database.prepare("DELETE FROM keys_of_others WHERE CASE WHEN last_day IS NULL THEN added_unix ELSE (last_day + 1) * 86400 END < ?").run(limit);
      database.prepare("DELETE FROM messages WHERE received_unix < ?").run(limit);
      // whole days beside today (OCT-11)
      for (const table of ["contacts", "contact_keys"]) database.prepare(`DELETE FROM ${table} WHERE (day + 1) * 86400 <= ?`).run(limit);
      // a mark without a time is of an identifier, which is as old as the mark at least
      database.prepare("DELETE FROM marks WHERE coalesce(to_unix, made_unix) < ?").run(limit);
      const after = counts(database);
      return {
        encounters: before.encounters - after.encounters,
        sightings: before.sightings - after.sightings,
        keys: before.keys - after.keys,
        messages: before.messages - after.messages,
      };
    })
    .immediate();
  if (purged.encounters + purged.sightings + purged.keys + purged.messages > 0) database.pragma("wal_checkpoint(TRUNCATE)");
  return purged;
}

function counts(database: Database.Database): Purged {
  return database
    .prepare(
      `SELECT (SELECT count(*) FROM encounters) + (SELECT count(*) FROM contacts) AS encounters, (SELECT count(*) FROM sightings) AS sightings,
         (SELECT count(*) FROM teks) + (SELECT count(*) FROM keys_of_others) + (SELECT count(*) FROM contact_keys) AS keys,
         (SELECT count(*) FROM messages) AS messages`,
    )
    .get() as Purged;
}
