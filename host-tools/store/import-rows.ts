import { createHash } from "node:crypto";
import type Database from "better-sqlite3";
import { ROLLING_PERIOD } from "../../protocols/gaen/key-schedule.ts";
import { nameBoard } from "./boards.ts";
import { formatMhRow, type MhKind, type MhRow, type Position, type RxDataRow, type RxRawDataRow } from "./mh-csv.ts";

/** Files of the peer tool, and of apps on phones: host-tools/phone-data. */
export type ImportKind = MhKind | "ramble" | "microg" | "opentrace";

/** A meeting of BlueTrace as a phone keeps it. */
export interface MeetingRow {
  kind: "meeting";
  /** Unix seconds. */
  at: number;
  /** 61 bytes. */
  tempId: Uint8Array;
  /** Health authority. */
  org: string;
  modelP: string;
  modelC: string;
  /** dBm. */
  rssi: number;
  txPower: number | null;
  version: number;
}
type ImportRow = MhRow | MeetingRow;

/** A file whose rows are imported. */
export interface ImportedFile {
  /** Name without folders. */
  file: string;
  kind: ImportKind;
  /** Device the file comes from, if the user said. */
  board?: string;
}
export interface Imported {
  rows: number;
  /** New ones, or longer than the store had them. */
  added: number;
  /** Rows that the store had already, from this file or another one. */
  duplicates: number;
}

/**
 * Takes the rows of one file, all or nothing. A row counts once, by its content: the same file again, a longer version of it, or another that overlaps with it add only what is new.
 * An app on a phone writes its encounters while they last: one that begins as one that is known takes its place where it ends later.
 */
export function importRows(database: Database.Database, file: ImportedFile, rows: Iterable<ImportRow>, now: number): Imported {
  return database
    .transaction(() => {
      const board = file.board ?? null;
      if (board !== null) nameBoard(database, board, now);
      const opened = database.prepare("INSERT INTO imports (file, kind, imported_unix) VALUES (?, ?, ?)").run(file.file, file.kind, now);
      const add = createAdder(database, file.kind, Number(opened.lastInsertRowid), board, now);
      const imported: Imported = { rows: 0, added: 0, duplicates: 0 };
      for (const row of rows) {
        imported.rows++;
        if (add(row)) imported.added++;
        else imported.duplicates++;
      }
      if (imported.added === 0) database.prepare("DELETE FROM imports WHERE id = ?").run(opened.lastInsertRowid);
      return imported;
    })
    .immediate();
}

function createAdder(
  database: Database.Database,
  file: ImportKind,
  importId: number,
  board: string | null,
  now: number,
): (row: ImportRow) => boolean {
  const addEncounter = database.prepare(
    `INSERT INTO encounters (import_id, row_key, board_id, first_unix, last_unix, rpi, aem, max_rssi, mean_rssi, address, address_type, position)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (row_key) DO UPDATE
     SET last_unix = excluded.last_unix, max_rssi = excluded.max_rssi, mean_rssi = excluded.mean_rssi WHERE excluded.last_unix > last_unix`,
  );
  const addSighting = database.prepare(
    `INSERT INTO sightings (import_id, row_key, board_id, unix, rpi, aem, rssi, address, address_type, position)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (row_key) DO NOTHING`,
  );
  const addKey = database.prepare(
    `INSERT INTO teks (tek, rolling_start, rolling_period, board_id, import_id, added_unix) VALUES (?, ?, ${ROLLING_PERIOD}, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const addMeeting = createMeetingAdder(database, importId, board);
  return (row) => {
    if (row.kind === "meeting") return addMeeting(row);
    if (row.kind === "tek_data") return addKey.run(row.tek, row.rollingStart, board, importId, now).changes > 0;
    const key = rowKey(file, row, board);
    const place = row.position ? storePosition(row.position) : null;
    if (row.kind === "rx_data") {
      const { start, end, rpi, aem, maxRssi, meanRssi = null, address, addressType } = row;
      return addEncounter.run(importId, key, board, start, end, rpi, aem, maxRssi, meanRssi, address, addressType, place).changes > 0;
    }
    const { time, rpi, aem, rssi, address, addressType } = row;
    return addSighting.run(importId, key, board, time, rpi, aem, rssi, address, addressType, place).changes > 0;
  };
}

function createMeetingAdder(database: Database.Database, importId: number, board: string | null): (row: MeetingRow) => boolean {
  const addEncounter = database.prepare(
    `INSERT INTO encounters (import_id, row_key, board_id, first_unix, last_unix, rpi, max_rssi, protocol, tx_power)
     VALUES (?, ?, ?, ?, ?, ?, ?, 'bluetrace', ?) ON CONFLICT (row_key) DO NOTHING`,
  );
  const addRest = database.prepare(
    "INSERT INTO imported_meetings (encounter, temp_id, authority, model_p, model_c, version) VALUES (?, ?, ?, ?, ?, ?)",
  );
  return ({ at, tempId, org, modelP, modelC, rssi, txPower, version }) => {
    const content = JSON.stringify(["meeting", at, Buffer.from(tempId).toString("hex"), org, modelP, modelC, rssi, txPower, version, board]);
    const { changes, lastInsertRowid } = addEncounter.run(importId, digest(content), board, at, at, tempId.subarray(0, 16), rssi, txPower);
    if (changes > 0) addRest.run(lastInsertRowid, tempId, org, modelP, modelC, version);
    return changes > 0;
  };
}

/** Stands for the content of a row and the device it comes from; of a phone's encounter for its beginning. */
function rowKey(file: ImportKind, row: RxDataRow | RxRawDataRow, board: string | null): Buffer {
  if (row.kind === "rx_data" && file !== "rx_data") return digest([file, Buffer.from(row.rpi).toString("hex"), row.start, board ?? ""].join(";"));
  return digest(`${row.kind};${formatMhRow(row, true)};${board ?? ""}`);
}

/** 16 bytes. */
function digest(content: string): Buffer {
  return createHash("sha256").update(content).digest().subarray(0, 16);
}

export function storePosition(position: Position): string {
  const { latitude, longitude, altitude, speed } = position;
  return [latitude, longitude, altitude, speed].map((value) => value ?? "None").join(";");
}

export function readPosition(text: string): Position {
  const [latitude, longitude, altitude, speed] = text.split(";").map((value) => (value === "None" ? null : value));
  return { latitude, longitude, altitude, speed };
}
