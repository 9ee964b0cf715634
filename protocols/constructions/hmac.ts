import { concat } from "../bytes.ts";
import type { Crypto } from "../ports.ts";

/** HMAC-SHA256: 32 bytes; `key` of any length. Source: RFC 2104, section 2. */
export function hmacSha256(crypto: Crypto, key: Uint8Array, message: Uint8Array): Uint8Array {
  const padded = new Uint8Array(64);
  padded.set(key.length > 64 ? crypto.sha256(key) : key);
  const keyedHash = (pad: number, text: Uint8Array) =>
    crypto.sha256(
      concat(
        padded.map((byte) => byte ^ pad),
        text,
      ),
    );
  return keyedHash(0x5c, keyedHash(0x36, message));
}
