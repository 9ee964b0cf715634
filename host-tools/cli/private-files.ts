import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ToolError } from "../errors.ts";

// Files of a folder that a command fills: their owner alone may read them (MH-05), and nobody ever reads half of one.

/** @throws ToolError "unwritable_file" */
export function makeFolder(folder: string): void {
  writing(folder, () => mkdirSync(folder, { recursive: true, mode: 0o700 }));
}

/** Answers the path. @throws ToolError "unwritable_file" */
export function writeLines(folder: string, name: string, lines: string[]): string {
  return writeBytes(folder, name, `${lines.join("\n")}\n`);
}

/** Writes beside the file and renames. Answers the path. @throws ToolError "unwritable_file" */
export function writeBytes(folder: string, name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  const part = `${path}.${process.pid}.part`;
  writing(path, () => {
    try {
      writeFileSync(part, content, { mode: 0o600, flag: "wx" });
      renameSync(part, path);
    } catch (error) {
      rmSync(part, { force: true });
      throw error;
    }
  });
  return path;
}

function writing(path: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw new ToolError("unwritable_file", `${path}: can't be written (${(error as Error).message}); choose another folder with --out`, {
      cause: error,
    });
  }
}
