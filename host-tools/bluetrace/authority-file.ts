import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import * as z from "zod";
import { ConfigError } from "../errors.ts";
import { createSecretFile } from "../secret-file.ts";

// The key of a health authority: who has it opens every TempID that was made with it. For tests, demonstrations and small deployments; it stands in no message of ours.

const shape = z.strictObject({ bluetrace_key: z.string().regex(/^[0-9a-f]{64}$/i) });

/** 32 bytes. @throws ConfigError "no_file", "bad_key"; neither tells anything of what is in the file */
export function readAuthorityKey(file: string): Uint8Array {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code;
    throw new ConfigError("no_file", `${file} can't be read: ${why}; \`tracelet bluetrace batch --new-key\` makes a key file`, { cause });
  }
  const key = parseKey(text);
  if (!key) throw new ConfigError("bad_key", `${file} is no authority's key file: it has one JSON object {"bluetrace_key": 64 hexadecimal digits}`);
  return key;
}

function parseKey(text: string): Uint8Array | undefined {
  try {
    const parsed = shape.safeParse(JSON.parse(text));
    return parsed.success ? Buffer.from(parsed.data.bluetrace_key, "hex") : undefined;
  } catch {
    return undefined; // what the parser says may quote the key
  }
}

/** A fresh key in a new file of its owner's. @throws ConfigError as `createSecretFile` */
export function createAuthorityKey(file: string): Uint8Array {
  const key = randomBytes(32);
  createSecretFile(file, JSON.stringify({ bluetrace_key: key.toString("hex") }), "take the key in it with --key-file");
  return key;
}
