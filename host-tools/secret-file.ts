import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { ConfigError } from "./errors.ts";

/**
 * Writes a secret, one line, into a new file that its owner alone may read, never in place of another. On disk when this returns: a board must not get a key that nobody has.
 * `instead`: what to do where the file is there already, besides naming another.
 * @throws ConfigError "key_exists", "no_file"
 */
export function createSecretFile(file: string, line: string, instead: string): void {
  let handle: number;
  try {
    handle = openSync(file, "wx", 0o600);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "EEXIST")
      throw new ConfigError("key_exists", `${file} is there already and is not overwritten; name another file, or ${instead}`, { cause });
    throw new ConfigError("no_file", `${file} can't be written: ${code}; check the folder and your rights to it`, { cause });
  }
  writeSync(handle, `${line}\n`);
  fsyncSync(handle);
  closeSync(handle);
}

/** What stands in a file with a secret. `otherwise`: what to do where it can't be read. @throws ConfigError "no_file", which tells nothing of what is in the file */
export function readSecretFile(file: string, otherwise: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new ConfigError("no_file", `${file} can't be read: ${(cause as NodeJS.ErrnoException).code}; ${otherwise}`, { cause });
  }
}

/** The same, read as JSON; undefined where it is none: what the parser says may quote the secret. */
export function readSecretJson(file: string, otherwise: string): unknown {
  const text = readSecretFile(file, otherwise);
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
