import { ascii, writeInt } from "../bytes.ts";
import type { Crypto } from "../ports.ts";

/**
 * RPIs of `count` intervals from `first` on, 16 bytes each, one after the other: what a published key may have sent. One AES call for all of them, which is some fifty times cheaper than
 * one call each. Source: GAEN Cryptography Specification v1.2, "Rolling Proximity Identifier" and "Matching Values".
 */
export function rollingProximityIdentifiers(crypto: Crypto, rpik: Uint8Array, first: number, count: number): Uint8Array {
  const padded = new Uint8Array(16 * count);
  padded.set(ascii("EN-RPI").subarray(0, padded.length));
  // Doubles what is there: eight copies for a day instead of 144.
  for (let done = 16; done < padded.length; done *= 2) padded.set(padded.subarray(0, Math.min(done, padded.length - done)), done);
  for (let i = 0; i < count; i++) writeInt(padded, 16 * i + 12, 4, first + i);
  return count > 0 ? crypto.aes128(rpik, padded) : padded;
}
