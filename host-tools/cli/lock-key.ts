import { scryptSync } from "node:crypto";
import { createInterface } from "node:readline";
import type { Command } from "commander";
import { newLockKey } from "../device/lock.ts";
import { ConfigError } from "../errors.ts";
import { createSecretFile, readSecretFile } from "../secret-file.ts";

// Where a lock key comes from: a file, or a password. Never from an argument: everybody on the computer can read those.

export interface KeyOptions {
  keyFile?: string;
  passwordStdin?: boolean;
}

const KEY_BYTES = 16;
/** scrypt (RFC 7914): 64 MB and about half a second on a Raspberry Pi 4. One salt for all: before it is opened a board tells nothing that it could be made of. */
const SCRYPT = { N: 65_536, r: 8, p: 2, maxmem: 128 * 1024 * 1024 };
const SALT = "tracelet lock 1";
const SHORTEST_PASSWORD = 12;
const ENVIRONMENT = "TRACELET_KEY_FILE";

export function withKeyOptions(command: Command): Command {
  return command
    .option("--key-file <file>", `key of a locked board; else the file that ${ENVIRONMENT} names`)
    .option("--password-stdin", "take the password of a locked board from standard input");
}

/** The key for a locked board, if the user names one. @throws ConfigError "no_file", "bad_key", "bad_password" */
export async function chooseLockKey(options: KeyOptions): Promise<Uint8Array | undefined> {
  if (options.keyFile !== undefined && options.passwordStdin)
    throw new ConfigError("usage", "--key-file and --password-stdin both name the key: give one of them");
  if (options.passwordStdin) return keyOfPassword(await readPassword(process.stdin));
  const file = options.keyFile ?? process.env[ENVIRONMENT];
  return file ? readKeyFile(file) : undefined;
}

export function readKeyFile(file: string): Uint8Array {
  const digits = readSecretFile(file, "`tracelet lock` makes a key file").trim();
  if (!/^[0-9a-f]{32}$/i.test(digits) || /^0+$/.test(digits))
    throw new ConfigError("bad_key", `${file} is no key file: it has one line of ${2 * KEY_BYTES} hexadecimal digits, not all of them 0`);
  return Buffer.from(digits, "hex");
}

/** A fresh key in a new file of its owner's. @throws ConfigError as `createSecretFile` */
export function createKeyFile(file: string): Uint8Array {
  const key = newLockKey();
  createSecretFile(file, Buffer.from(key).toString("hex"), "add --existing-key to lock the board with the key in it");
  return key;
}

/** The key that a password stands for. @throws ConfigError "bad_password" */
export function keyOfPassword(password: string): Uint8Array {
  if (password.length < SHORTEST_PASSWORD)
    throw new ConfigError(
      "bad_password",
      `the password is too short: ${SHORTEST_PASSWORD} characters at least, or better five random words; a key file needs none`,
    );
  return scryptSync(password.normalize("NFC"), SALT, KEY_BYTES, SCRYPT);
}

/** One line: typed unseen at a terminal, or piped. */
export async function readPassword(input: NodeJS.ReadStream): Promise<string> {
  if (input.isTTY) process.stderr.write("Password: ");
  const lines = createInterface({ input, terminal: input.isTTY, output: undefined });
  try {
    for await (const line of lines) return line;
  } finally {
    lines.close();
    if (input.isTTY) process.stderr.write("\n");
  }
  throw new ConfigError("bad_password", "no password came on standard input");
}
