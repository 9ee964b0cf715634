import { ascii, concat, writeInt } from "../bytes.ts";
import { hkdf } from "../constructions/hkdf.ts";
import { hmacSha256 } from "../constructions/hmac.ts";
import type { Crypto } from "../ports.ts";

// Source of everything here: Contact Tracing Cryptography Specification, April 2020 (v1.0, replaced by GAEN v1.2); names as printed there.
// The tracing key, 32 random bytes, lives as long as its device and never leaves it (CT-04); daily keys of chosen days are what is published.

/** Seconds of a day, and of an interval within it. */
const DAY = 86400;
const INTERVAL_SECONDS = 600;

/** DayNumber: UTC days since 1970 (CT-03). */
export function dayNumber(unix: number): number {
  return Math.floor(unix / DAY);
}

/** TimeIntervalNumber: 10-minute intervals since UTC midnight, 0 to 143 (CT-03). */
export function timeIntervalNumber(unix: number): number {
  return Math.floor((unix % DAY) / INTERVAL_SECONDS);
}

/** Daily tracing key of a day: 16 bytes (CT-01). `tracingKey`: 32 bytes. */
export function dailyTracingKey(crypto: Crypto, tracingKey: Uint8Array, day: number): Uint8Array {
  const info = concat(ascii("CT-DTK"), new Uint8Array(4));
  writeInt(info, 6, 4, day);
  return hkdf(crypto, tracingKey, new Uint8Array(0), info, 16);
}

/** RPI of an interval of the day: 16 bytes (CT-01). The number is one byte. */
export function rollingProximityIdentifier(crypto: Crypto, dailyKey: Uint8Array, interval: number): Uint8Array {
  return hmacSha256(crypto, dailyKey, concat(ascii("CT-RPI"), new Uint8Array([interval]))).subarray(0, 16);
}
