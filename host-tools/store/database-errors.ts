import { FormatError, ToolError } from "../errors.ts";

/**
 * What SQLite or the file system said about a database, as a sentence with a next step. Anything else comes back as it is.
 * Codes: `database_locked`, `database_damaged`, `database_foreign`, `database_read_only`, `database_full`, `database_unreachable`.
 */
export function databaseError(error: unknown, path: string): unknown {
  if (error instanceof ToolError || !(error instanceof Error)) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const cause = { cause: error };
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
    return new ToolError("database_locked", `${path}: another program is writing to this database; wait for it or stop it, then try again`, cause);
  }
  if (/^SQLITE_CORRUPT/.test(code)) {
    const next = "move the file away and pull again, or go back to a copy; boards keep what was not acknowledged";
    return new FormatError("database_damaged", `${path}: the database is damaged (${error.message}); ${next}`, cause);
  }
  if (code === "SQLITE_NOTADB") {
    return new FormatError(
      "database_foreign",
      `${path}: not a database, or damaged in its first bytes; name another file or move this one away`,
      cause,
    );
  }
  if (/^SQLITE_(READONLY|PERM)/.test(code) || ["EROFS", "EACCES", "EPERM"].includes(code)) {
    return new ToolError("database_read_only", `${path}: can't be written (${error.message}); check the disk and who owns the file`, cause);
  }
  if (/^SQLITE_FULL/.test(code) || code === "ENOSPC") {
    return new ToolError("database_full", `${path}: the disk is full; nothing of this step was kept, make room and try again`, cause);
  }
  if (/^SQLITE_(CANTOPEN|IOERR)/.test(code) || ["ENOENT", "ENOTDIR", "EISDIR", "EIO"].includes(code)) {
    return new ToolError(
      "database_unreachable",
      `${path}: can't be opened (${error.message}); check that the folder exists and the disk is well`,
      cause,
    );
  }
  return error;
}
