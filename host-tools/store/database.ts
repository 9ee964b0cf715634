import { chmodSync, closeSync, existsSync, openSync, statSync } from "node:fs";
import Database from "better-sqlite3";
import { FormatError, ToolError } from "../errors.ts";
import { databaseError } from "./database-errors.ts";
import { MIGRATIONS } from "./migrations/index.ts";

/** `PRAGMA application_id` of our databases: "TRLT". */
const APPLICATION_ID = 0x54524c54;

export interface OpenOptions {
  /** For commands that only look: the file must exist, and nothing in it changes. */
  readOnly?: boolean;
  /** How long to wait for another program's write, ms. */
  busyTimeoutMs?: number;
}

/**
 * Opens or creates a database file, brings its layout up to date and sets how it is to behave. `:memory:` for one that is forgotten.
 *
 * `synchronous = FULL`: a pull frees a board's records as soon as they are committed here, so a commit must outlast a power cut.
 * `secure_delete`: what is deleted for age is overwritten (COM-05). The file holds keys and addresses: only its owner may read it (MH-05).
 * @throws ToolError with a code of database-errors.ts, `database_missing`, `database_newer` or `database_older`.
 */
export function openDatabase(path: string, options: OpenOptions = {}): Database.Database {
  const inMemory = path === ":memory:";
  const readonly = options.readOnly === true;
  let database: Database.Database | undefined;
  try {
    if (readonly && !inMemory && !existsSync(path)) {
      throw new ToolError("database_missing", `${path}: there is no such database; "tracelet pull" or "tracelet import" makes one`);
    }
    // Created here and not by SQLite, so that no one else can open it even for a moment.
    if (!inMemory && !readonly) closeSync(openSync(path, "a", 0o600));
    database = new Database(path, { readonly: readonly && !inMemory, timeout: options.busyTimeoutMs ?? 5000 });
    checkOrigin(database, path);
    // while tables are made anew; switched on below
    database.pragma("foreign_keys = OFF");
    if (readonly && !inMemory) {
      checkVersion(database, path);
    } else {
      if (!inMemory) keepPrivate(path);
      database.pragma("journal_mode = WAL");
      database.pragma("synchronous = FULL");
      database.pragma("secure_delete = ON");
      migrate(database, path);
    }
    database.pragma("foreign_keys = ON");
    return database;
  } catch (error) {
    database?.close();
    throw databaseError(error, path);
  }
}

/** Takes the rights of others away. SQLite gives its side files the same mode. */
function keepPrivate(path: string): void {
  const { mode, uid } = statSync(path);
  if ((mode & 0o077) !== 0 && uid === process.getuid?.()) chmodSync(path, 0o600);
}

function checkOrigin(database: Database.Database, path: string): void {
  const id = database.pragma("application_id", { simple: true });
  const tables = database.prepare("SELECT count(*) FROM sqlite_master").pluck().get();
  if (id === APPLICATION_ID || (id === 0 && tables === 0)) return;
  throw new FormatError("database_foreign", `${path}: a database of another program; name another file`);
}

const versionOf = (database: Database.Database) => database.pragma("user_version", { simple: true }) as number;

function refuseNewer(version: number, path: string): void {
  if (version <= MIGRATIONS.length) return;
  const versions = `layout ${version}, known here up to ${MIGRATIONS.length}`;
  throw new FormatError("database_newer", `${path}: written by a newer Tracelet (${versions}); use that one, or name another file`);
}

function checkVersion(database: Database.Database, path: string): void {
  const version = versionOf(database);
  refuseNewer(version, path);
  if (version < MIGRATIONS.length) {
    const versions = `layout ${version} of ${MIGRATIONS.length}`;
    throw new FormatError("database_older", `${path}: not brought up to date yet (${versions}); "tracelet pull" or "tracelet import" does that`);
  }
}

/** Runs the missing steps in one transaction: a database is in the old layout or in the new one, never between. */
function migrate(database: Database.Database, path: string): void {
  refuseNewer(versionOf(database), path);
  if (versionOf(database) === MIGRATIONS.length) return;
  database
    .transaction(() => {
      // Read again: another program may have migrated while this one waited for the lock.
      const version = versionOf(database);
      refuseNewer(version, path);
      for (const step of MIGRATIONS.slice(version)) database.exec(step);
      database.pragma("application_id = " + APPLICATION_ID);
      database.pragma("user_version = " + MIGRATIONS.length);
    })
    .immediate();
}
