import { createCipheriv, createDecipheriv } from "node:crypto";
import { decodeBase64, encodeBase64 } from "../../protocols/base64.ts";
import { ConfigError } from "../errors.ts";

// How an authority seals what only it can read, TempIDs and upload tokens alike. Base64 of:
// offset 0    n bytes  ciphertext, AES-256-GCM without additional data
// offset n   16 bytes  IV; 16 and not 12 as usual, so the first counter block is a hash of it
// last       16 bytes  tag
// Source: opentrace-cloud-functions, its encrypter; NIST SP 800-38D, section 7.1, for IVs of other lengths.

export const IV_BYTES = 16;
export const TAG_BYTES = 16;
const KEY_BYTES = 32;
/** Longest text that is looked at; a token has about 170 characters. */
const MOST_CHARACTERS = 4096;

/** @throws ConfigError for a key that isn't 32 bytes. The message tells its length only. */
function checkKey(key: Uint8Array): Uint8Array {
  if (key.length === KEY_BYTES) return key;
  throw new ConfigError("bluetrace_key", `BlueTrace key: 32 bytes, got ${key.length}; make one with 32 bytes from a random source`);
}

/** Seals under `key` (32 bytes). `iv`: 16 bytes that were never used with this key before: twice the same gives both texts and the key of the tag away. */
export function seal(key: Uint8Array, iv: Uint8Array, plain: Uint8Array): string {
  if (iv.length !== IV_BYTES) throw new ConfigError("bluetrace_iv", `BlueTrace IV: 16 bytes, got ${iv.length}`);
  const cipher = createCipheriv("aes-256-gcm", checkKey(key), iv, { authTagLength: TAG_BYTES });
  return encodeBase64(Buffer.concat([cipher.update(plain), cipher.final(), iv, cipher.getAuthTag()]));
}

/** Opens with the first of `keys` that fits; `undefined` if none does, or if it is no such text. Never tells which step failed (COM-02). */
export function open(keys: readonly Uint8Array[], text: string): Uint8Array | undefined {
  const wire = text.length > MOST_CHARACTERS ? undefined : decodeBase64(text);
  if (!wire || wire.length < IV_BYTES + TAG_BYTES) return undefined;
  const end = wire.length - IV_BYTES - TAG_BYTES;
  for (const key of keys) {
    const decipher = createDecipheriv("aes-256-gcm", checkKey(key), wire.subarray(end, end + IV_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAuthTag(wire.subarray(end + IV_BYTES));
    const plain = decipher.update(wire.subarray(0, end));
    try {
      decipher.final();
      return new Uint8Array(plain);
    } catch {
      // another key, or nobody's
    }
  }
  return undefined;
}
