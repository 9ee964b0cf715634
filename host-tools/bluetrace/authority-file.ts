import { randomBytes } from "node:crypto";
import * as z from "zod";
import { ConfigError } from "../errors.ts";
import { createSecretFile, readSecretJson } from "../secret-file.ts";

// The key of a health authority: who has it opens every TempID that was made with it. For tests, demonstrations and small deployments; it stands in no message of ours.

const shape = z.strictObject({ bluetrace_key: z.string().regex(/^[0-9a-f]{64}$/i) });

/** 32 bytes. @throws ConfigError "no_file", "bad_key"; neither tells anything of what is in the file */
export function readAuthorityKey(file: string): Uint8Array {
  const parsed = shape.safeParse(readSecretJson(file, "`tracelet bluetrace batch --new-key` makes a key file"));
  if (!parsed.success)
    throw new ConfigError("bad_key", `${file} is no authority's key file: it has one JSON object {"bluetrace_key": 64 hexadecimal digits}`);
  return Buffer.from(parsed.data.bluetrace_key, "hex");
}

/** A fresh key in a new file of its owner's. @throws ConfigError as `createSecretFile` */
export function createAuthorityKey(file: string): Uint8Array {
  const key = randomBytes(32);
  createSecretFile(file, JSON.stringify({ bluetrace_key: key.toString("hex") }), "take the key in it with --key-file");
  return key;
}
