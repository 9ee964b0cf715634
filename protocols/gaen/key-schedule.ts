import { ascii, writeInt } from "../bytes.ts";
import { hkdf } from "../constructions/hkdf.ts";
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

/** RPIK: the 16-byte key that identifiers are made with. The info is 7 bytes, without a NUL at its end (GAEN-03). */
export function rollingProximityIdentifierKey(crypto: Crypto, tek: Uint8Array): Uint8Array {
  return hkdf(crypto, tek, new Uint8Array(0), ascii("EN-RPIK"), 16);
}

/** AEMK: the 16-byte key that metadata is encrypted with. */
export function metadataKey(crypto: Crypto, tek: Uint8Array): Uint8Array {
  return hkdf(crypto, tek, new Uint8Array(0), ascii("EN-AEMK"), 16);
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
