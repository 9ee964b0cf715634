import { ascii, writeInt } from "../bytes.ts";
import { hkdfFirstBlock } from "../constructions/hkdf.ts";
import { hmacSha256 } from "../constructions/hmac.ts";
import type { Crypto } from "../ports.ts";

// Source of everything here: GAEN Cryptography Specification v1.2; names as printed there.

/** Seconds of an interval, and intervals for which a TEK is used (24 h). */
export const INTERVAL_SECONDS = 600;
export const ROLLING_PERIOD = 144;

/** ENIntervalNumber: 10-minute intervals since 1970 for a Unix second, good to 2^32-1 (GAEN-04). */
export function intervalNumber(unix: number): number {
  return Math.floor(unix / INTERVAL_SECONDS);
}

/** Interval number at which the TEK of `interval` began to be used: UTC midnight. */
export function rollingStart(interval: number): number {
  return interval - (interval % ROLLING_PERIOD);
}

/** What HKDF makes of a TEK before it comes to names: 32 bytes, common to both keys of the day. Source of the step: RFC 5869, section 2.2. */
export function pseudorandomKey(crypto: Crypto, tek: Uint8Array): Uint8Array {
  return hmacSha256(crypto, new Uint8Array(0), tek);
}

export const IDENTIFIER_KEY = "EN-RPIK";
export const METADATA_KEY = "EN-AEMK";

/** RPIK or AEMK, 16 bytes, by its name, from the `prk` of `pseudorandomKey`. The name is 7 bytes, without a NUL at its end (GAEN-03). */
export function expandKey(crypto: Crypto, prk: Uint8Array, name: string): Uint8Array {
  return hkdfFirstBlock(crypto, prk, name, 16);
}

/** RPIK: the 16-byte key that identifiers are made with. */
export function rollingProximityIdentifierKey(crypto: Crypto, tek: Uint8Array): Uint8Array {
  return expandKey(crypto, pseudorandomKey(crypto, tek), IDENTIFIER_KEY);
}

/** AEMK: the 16-byte key that metadata is encrypted with. */
export function metadataKey(crypto: Crypto, tek: Uint8Array): Uint8Array {
  return expandKey(crypto, pseudorandomKey(crypto, tek), METADATA_KEY);
}

/** RPI: the 16 bytes on the air for `interval`, the absolute interval number. */
export function rollingProximityIdentifier(crypto: Crypto, rpik: Uint8Array, interval: number): Uint8Array {
  // offset 0   6 bytes  "EN-RPI"
  // offset 6   6 bytes  zero
  // offset 12  u32      interval number, little-endian
  const padded = new Uint8Array(16);
  padded.set(ascii("EN-RPI"));
  writeInt(padded, 12, 4, interval);
  return crypto.aes128(rpik, padded);
}
