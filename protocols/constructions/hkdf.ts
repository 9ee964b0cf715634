import { ascii, concat } from "../bytes.ts";
import type { Crypto } from "../ports.ts";
import { hmacSha256 } from "./hmac.ts";

/** HKDF with SHA-256: `length` bytes, at most 8160. An empty salt counts as 32 zero bytes. Source: RFC 5869, sections 2.2 and 2.3. */
export function hkdf(crypto: Crypto, ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const prk = hmacSha256(crypto, salt, ikm);
  let block: Uint8Array = new Uint8Array(0);
  let output = block;
  for (let n = 1; output.length < length; n++) {
    block = hmacSha256(crypto, prk, concat(concat(block, info), new Uint8Array([n])));
    output = concat(output, block);
  }
  return new Uint8Array(output.subarray(0, length));
}

/**
 * `length` bytes, at most 32, for the ASCII name `info`, from `prk`, the HMAC of salt and input: the first block of the expansion is all that so few need.
 * Source: RFC 5869, section 2.3.
 */
export function hkdfFirstBlock(crypto: Crypto, prk: Uint8Array, info: string, length: number): Uint8Array {
  return hmacSha256(crypto, prk, ascii(info + "\x01")).subarray(0, length);
}
