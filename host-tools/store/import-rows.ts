import { createHash } from "node:crypto";
import type Database from "better-sqlite3";
import { ROLLING_PERIOD } from "../../protocols/gaen/key-schedule.ts";
import { nameBoard } from "./boards.ts";
import { formatMhRow, type MhKind, type MhRow, type Position } from "./mh-csv.ts";

/** A file whose rows are imported. */
export interface ImportedFile {
  /** Name without folders. */
  file: string;
  kind: MhKind;
  /** Device the file comes from, if the user said. */
  board?: string;
}
export interface Imported {
  rows: number;
  added: number;
  /** Rows that the store had already, from this file or another one. */
  duplicates: number;
}

/**
 * Takes the rows of one file, all or nothing. A row counts once, by its content: the same file again, a longer version of it, or another that overlaps with it add only what is new.
 */
export function importRows(database: Database.Database, file: ImportedFile, rows: Iterable<MhRow>, now: number): Imported {
  return database
    .transaction(() => {
      const board = file.board ?? null;
      if (board !== null) nameBoard(database, board, now);
      const opened = database.prepare("INSERT INTO imports (file, kind, imported_unix) VALUES (?, ?, ?)").run(file.file, file.kind, now);
      const add = createAdder(database, Number(opened.lastInsertRowid), board, now);
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

function createAdder(database: Database.Database, importId: number, board: string | null, now: number): (row: MhRow) => boolean {
  const addEncounter = database.prepare(
    `INSERT INTO encounters (import_id, row_key, board_id, first_unix, last_unix, rpi, aem, max_rssi, address, address_type, position)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (row_key) DO NOTHING`,
  );
  const addSighting = database.prepare(
    `INSERT INTO sightings (import_id, row_key, board_id, unix, rpi, aem, rssi, address, address_type, position)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (row_key) DO NOTHING`,
  );
  const addKey = database.prepare(
    `INSERT INTO teks (tek, rolling_start, rolling_period, board_id, import_id, added_unix) VALUES (?, ?, ${ROLLING_PERIOD}, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  return (row) => {
    if (row.kind === "tek_data") return addKey.run(row.tek, row.rollingStart, board, importId, now).changes > 0;
    const key = rowKey(row, board);
    const place = row.position ? storePosition(row.position) : null;
    if (row.kind === "rx_data") {
      const { start, end, rpi, aem, maxRssi, address, addressType } = row;
      return addEncounter.run(importId, key, board, start, end, rpi, aem, maxRssi, address, addressType, place).changes > 0;
    }
    const { time, rpi, aem, rssi, address, addressType } = row;
    return addSighting.run(importId, key, board, time, rpi, aem, rssi, address, addressType, place).changes > 0;
  };
}

/** 16 bytes that stand for the content of a row and the device it comes from. */
function rowKey(row: MhRow, board: string | null): Buffer {
  const text = `${row.kind};${formatMhRow(row, true)};${board ?? ""}`;
  return createHash("sha256").update(text).digest().subarray(0, 16);
}

export function storePosition(position: Position): string {
  const { latitude, longitude, altitude, speed } = position;
  return [latitude, longitude, altitude, speed].map((value) => value ?? "None").join(";");
}

export function readPosition(text: string): Position {
  const [latitude, longitude, altitude, speed] = text.split(";").map((value) => (value === "None" ? null : value));
  return { latitude, longitude, altitude, speed };
}
