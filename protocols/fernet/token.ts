import { decodeBase64Url, encodeBase64Url } from "../base64.ts";
import { concat, equalBytes, readU32BE, writeU32BE } from "../bytes.ts";
import { aesCbc, aesCbcOpen } from "../constructions/aes-cbc.ts";
import { hmacSha256 } from "../constructions/hmac.ts";
import type { BlockCipher, Crypto } from "../ports.ts";

// Fernet token, 57 + 16 k bytes. Source: Fernet Spec, version 0x80.
// offset 0   u8              version: 80
// offset 1   u64             Unix seconds, big-endian
// offset 9   16 bytes        IV
// offset 25  16 k bytes      AES-128-CBC of the message, padded
// then       32 bytes        tag: HMAC of all before
//
// key, 32 bytes
// offset 0   16 bytes        of the HMAC
// offset 16  16 bytes        of AES

const VERSION = 0x80;
const HEADER_BYTES = 25;
const TAG_BYTES = 32;
const SHORTEST = HEADER_BYTES + 16 + TAG_BYTES;
/** Clocks may differ by so much, s. */
const FUTURE_SECONDS = 60;
const UPPER_HALF = 0x100000000;

/** Why a token is not taken, in the order in which it is found out (FER-02). Whoever sent it must not be told which (FER-05). */
export type FernetProblem = "bad-base64" | "malformed" | "bad-version" | "bad-mac" | "future" | "expired" | "bad-padding";

/** Is this the length of a token? */
export function isTokenLength(length: number): boolean {
  return length >= SHORTEST && (length - SHORTEST) % 16 === 0;
}

/** A token as bytes (FER-01). `key`: 32 bytes; `iv`: 16 fresh random bytes; `unix`: to 2^53. */
export function sealFernet(crypto: Crypto, key: Uint8Array, unix: number, iv: Uint8Array, message: Uint8Array): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  header[0] = VERSION;
  writeU32BE(header, 1, Math.floor(unix / UPPER_HALF));
  writeU32BE(header, 5, unix % UPPER_HALF);
  header.set(iv, 9);
  const sealed = concat(header, aesCbc(crypto.aes128, key.subarray(16), iv, message));
  return concat(sealed, hmacSha256(crypto, key.subarray(0, 16), sealed));
}

/** Unix second that a token says it was made; meaningless until its tag is checked. */
export function fernetTime(token: Uint8Array): number {
  return readU32BE(token, 1) * UPPER_HALF + readU32BE(token, 5);
}

/**
 * The message of a token, or why it is not taken (FER-02). `maxAge`: seconds for which a token is good, the last of them included; `undefined`: for ever (FER-04).
 * `decrypt`: AES-128-ECB decryption. The tag is compared in constant time and before anything is decrypted.
 */
export function openFernet(
  crypto: Crypto,
  decrypt: BlockCipher,
  key: Uint8Array,
  token: Uint8Array,
  now: number,
  maxAge: number | undefined,
): Uint8Array | FernetProblem {
  if (!isTokenLength(token.length)) return "malformed";
  if (token[0] !== VERSION) return "bad-version";
  const end = token.length - TAG_BYTES;
  if (!equalBytes(token.subarray(end), hmacSha256(crypto, key.subarray(0, 16), token.subarray(0, end)))) return "bad-mac";
  const unix = fernetTime(token);
  if (unix > now + FUTURE_SECONDS) return "future";
  if (maxAge !== undefined && unix + maxAge < now) return "expired";
  return aesCbcOpen(decrypt, key.subarray(16), token.subarray(9, HEADER_BYTES), token.subarray(HEADER_BYTES, end)) || "bad-padding";
}

/** A token as text: base64url with padding. */
export const fernetText = encodeBase64Url;

/** As `openFernet`, from text; other alphabets, missing padding and second spellings of the same bytes are refused (FER-03). */
export function openFernetText(
  crypto: Crypto,
  decrypt: BlockCipher,
  key: Uint8Array,
  text: string,
  now: number,
  maxAge: number | undefined,
): Uint8Array | FernetProblem {
  const token = decodeBase64Url(text);
  return token ? openFernet(crypto, decrypt, key, token, now, maxAge) : "bad-base64";
}
