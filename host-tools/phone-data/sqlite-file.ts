import { readFileSync, statSync } from "node:fs";
import Database from "better-sqlite3";
import { FormatError } from "../errors.ts";

// Databases that apps on phones wrote. They are somebody else's: read as bytes into memory, so that nothing beside the file is made or changed, and with nothing in them run.

/** Larger files are refused. Exports of a busy year have some tens of megabytes. */
const MOST_BYTES = 512 * 2 ** 20;
const MAGIC = "SQLite format 3\0";
/** Bytes 18 and 19 of the header say whether there is a write-ahead log: 2 for yes. Source: SQLite, Database File Format, 1.3. */
const WRITE_VERSION = 18;

export function looksLikeSqlite(firstBytes: Uint8Array): boolean {
  return Buffer.from(firstBytes.subarray(0, MAGIC.length)).toString("latin1") === MAGIC;
}

export interface ForeignTable {
  columns: string[];
}

export class ForeignDatabase {
  private constructor(
    readonly path: string,
    private readonly database: Database.Database,
    /** Plain tables alone: a view or a module of somebody else's could be made to run for ever. */
    readonly tables: ReadonlyMap<string, ForeignTable>,
  ) {}

  /** @throws FormatError "unreadable_file", "too_large", "unwritten_rest", "bad_database" */
  static open(path: string): ForeignDatabase {
    const bytes = readWhole(path);
    let database: Database.Database | undefined;
    try {
      if (bytes[WRITE_VERSION] === 2) {
        refuseRest(path);
        bytes[WRITE_VERSION] = bytes[WRITE_VERSION + 1] = 1;
      }
      database = new Database(bytes, { readonly: true });
      database.pragma("trusted_schema = OFF");
      database.pragma("cell_size_check = ON");
      return new ForeignDatabase(path, database, plainTables(database));
    } catch (error) {
      database?.close();
      throw asFormatError(path, error);
    }
  }

  has(table: string, columns: readonly string[]): boolean {
    const found = this.tables.get(table);
    return found !== undefined && columns.every((column) => found.columns.includes(column));
  }

  /** Rows of a table of `tables`, in the order in which they stand; values as they are, whatever type a column was meant to have. Long ones are cut. @throws FormatError "bad_database" */
  *rows(table: string, columns: readonly string[]): Generator<unknown[]> {
    const cells = columns.map((column) => `CASE WHEN typeof("${column}") IN ('text', 'blob') THEN substr("${column}", 1, 256) ELSE "${column}" END`);
    try {
      yield* this.database
        .prepare(`SELECT ${cells.join(", ")} FROM "${table}"`)
        .raw()
        .iterate() as Iterable<unknown[]>;
    } catch (error) {
      throw asFormatError(this.path, error);
    }
  }

  close(): void {
    this.database.close();
  }
}

function plainTables(database: Database.Database): Map<string, ForeignTable> {
  const named = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0 AND name NOT LIKE 'sqlite_%'").pluck();
  const tables = new Map<string, ForeignTable>();
  for (const name of named.all() as string[]) {
    const columns = database.prepare("SELECT name, hidden FROM pragma_table_xinfo(?)").all(name) as { name: string; hidden: number }[];
    // a computed column is somebody else's program, too
    tables.set(name, { columns: columns.filter(({ hidden }) => hidden === 0).map((column) => column.name) });
  }
  return tables;
}

function readWhole(path: string): Buffer {
  try {
    const { size } = statSync(path);
    if (size > MOST_BYTES)
      throw new FormatError(
        "too_large",
        `${path}: ${size} bytes, at most ${MOST_BYTES} are read; export a shorter time, or delete other tables from a copy`,
      );
    return readFileSync(path);
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError("unreadable_file", `${path}: can't be read (${(error as Error).message}); check the name`, { cause: error });
  }
}

/** What an app has not brought from its write-ahead log into the database would be missing without a word. */
function refuseRest(path: string): void {
  const rest = statSync(`${path}-wal`, { throwIfNoEntry: false });
  if (rest && rest.size > 0)
    throw new FormatError(
      "unwritten_rest",
      `${path}: the file ${path}-wal beside it has more rows; export again from the app, or close the app before copying`,
    );
}

function asFormatError(path: string, cause: unknown): unknown {
  if (!(cause instanceof Database.SqliteError)) return cause;
  return new FormatError("bad_database", `${path}: no sound SQLite database (${cause.message}); copy or export it again`, { cause });
}
