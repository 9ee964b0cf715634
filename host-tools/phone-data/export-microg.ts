import Database from "better-sqlite3";
import { isDense, type StoredEncounter } from "../store/encounters.ts";
import { MICROG_TABLE } from "./microg.ts";

/** Encounters as microG exports them, so that programs for phones' files read boards' as well. What has no time, or 5 bytes of its identifier only, is left out. */
export function microgBytes(encounters: readonly StoredEncounter[]): { bytes: Uint8Array; rows: number } {
  const database = new Database(":memory:");
  try {
    database.exec(
      `CREATE TABLE ${MICROG_TABLE}(rpi BLOB NOT NULL, aem BLOB NOT NULL, timestamp INTEGER NOT NULL, rssi INTEGER NOT NULL, duration INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(rpi, timestamp))`,
    );
    // two boards may have heard one identifier at the same second: the stronger holds
    const add = database.prepare(
      `INSERT INTO ${MICROG_TABLE} VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET rssi = max(rssi, excluded.rssi), duration = max(duration, excluded.duration)`,
    );
    database.transaction(() => {
      for (const one of encounters) {
        const { rpi, aem, firstSeen, lastSeen, maxRssi, meanRssi } = one;
        if (isDense(one) || firstSeen === null || lastSeen === null) continue;
        add.run(rpi, aem, firstSeen * 1000, meanRssi ?? maxRssi, (lastSeen - firstSeen) * 1000);
      }
    })();
    const rows = database.prepare(`SELECT count(*) FROM ${MICROG_TABLE}`).pluck().get() as number;
    return { bytes: database.serialize(), rows };
  } finally {
    database.close();
  }
}
