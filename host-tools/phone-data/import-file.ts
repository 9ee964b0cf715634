import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { parseCsv } from "../csv.ts";
import { FormatError } from "../errors.ts";
import type { ImportKind } from "../store/import-rows.ts";
import type { MhKind } from "../store/mh-csv.ts";
import { detectMhKind, readMhFile } from "../store/mh-file.ts";
import type { ImportItem } from "./imported-row.ts";
import { MICROG_COLUMNS, MICROG_TABLE, readMicrog } from "./microg.ts";
import { isOpentraceHeader, OPENTRACE_COLUMNS, OPENTRACE_TABLE, readOpentraceCsv, readOpentraceTable } from "./opentrace.ts";
import { RAMBLE_TABLES, readRamble } from "./ramble.ts";
import { ForeignDatabase, looksLikeSqlite } from "./sqlite-file.ts";

/** A file whose kind is known, to be read once. Sets of rows in tables are numbered, lines of texts as an editor counts them. */
export interface OpenedFile {
  kind: ImportKind;
  isTable: boolean;
  items: () => Iterable<ImportItem>;
}

/** First bytes that tell the kind: a header line fits in. */
const FIRST_BYTES = 1024;
/** A table of quoted cells is read as a whole; larger ones are refused. */
const MOST_TEXT = 128 * 2 ** 20;

/** Tells by its content what a file is. @throws FormatError: what is wrong with it, or that nothing fits */
export function openImport(path: string): OpenedFile {
  const first = beginningOf(path);
  if (looksLikeSqlite(first)) return openDatabase(path);
  const header = first
    .toString("utf8")
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/, 1)[0];
  if (isOpentraceHeader(header.split(/[,;]/).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1")))) {
    const { size } = statSync(path);
    if (size > MOST_TEXT)
      throw new FormatError("too_large", `${path}: ${size} bytes, at most ${MOST_TEXT} are read; split it, each part with the header`);
    return { kind: "opentrace", isTable: false, items: () => readOpentraceCsv(parseCsv(readFileSync(path, "utf8"), path)) };
  }
  const kind = detectKind(path);
  return { kind, isTable: false, items: () => readMhFile(path, kind) };
}

/** What a file is that no phone's app wrote. */
function detectKind(path: string): MhKind {
  try {
    return detectMhKind(path);
  } catch (error) {
    if (!(error instanceof FormatError) || error.code !== "unknown_file") throw error;
    const others = "nor is it a database of RaMBLE, microG or OpenTrace, or OpenTrace's CSV (docs/data.md)";
    throw new FormatError(error.code, `${error.message}; ${others}`, { cause: error });
  }
}

/** Looked at now, opened again when it is its turn: several large ones are never held at a time. */
function openDatabase(path: string): OpenedFile {
  const reader = whileOpen(path, (database) => readerOf(database));
  return {
    kind: reader.kind,
    isTable: true,
    *items() {
      const database = ForeignDatabase.open(path);
      try {
        yield* reader.read(database);
      } finally {
        database.close();
      }
    },
  };
}

function readerOf(database: ForeignDatabase): { kind: ImportKind; read: (database: ForeignDatabase) => Iterable<ImportItem> } {
  if (database.has(MICROG_TABLE, MICROG_COLUMNS)) return { kind: "microg", read: readMicrog };
  if (RAMBLE_TABLES.every((table) => database.has(...table))) return { kind: "ramble", read: readRamble };
  if (database.has(OPENTRACE_TABLE, OPENTRACE_COLUMNS)) return { kind: "opentrace", read: readOpentraceTable };
  const known = `RaMBLE's (tables devices and locations), microG's (${MICROG_TABLE}), OpenTrace's (${OPENTRACE_TABLE})`;
  throw new FormatError("unknown_file", `${database.path}: a database of no app that is known here: ${known}`);
}

function whileOpen<T>(path: string, look: (database: ForeignDatabase) => T): T {
  const database = ForeignDatabase.open(path);
  try {
    return look(database);
  } finally {
    database.close();
  }
}

function beginningOf(path: string): Buffer {
  const buffer = Buffer.alloc(FIRST_BYTES);
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    return buffer.subarray(0, readSync(file, buffer));
  } catch (error) {
    throw new FormatError("unreadable_file", `${path}: can't be read (${(error as Error).message}); check the name`, { cause: error });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
