import { concat, writeInt } from "../bytes.ts";
import { rollingProximityIdentifier, rollingProximityIdentifierKey } from "../gaen/key-schedule.ts";
import type { Crypto } from "../ports.ts";

// Value of the characteristic, 32 bytes, made anew for each connection and kept for it (OCT-02). Source: octrace-android.
// offset 0   16 bytes  rolling identifier: GAEN's formula on a key of its own
// offset 16  16 bytes  meta: one AES block under the day's meta key
//
// the block, before it is encrypted
// offset 0   u32  Unix seconds, little-endian
// offset 4   i32  latitude, degrees times 10^7, truncated toward zero
// offset 8   i32  longitude
// offset 12  i32  accuracy, metres; 0 without a position

export const PAYLOAD_BYTES = 32;
/** Latitude and longitude of a device that has no position (OCT-12). */
export const NO_POSITION = 0x7fffffff;

/** What a contact in flash is marked with, each by clearing a bit: matched with a published key; said to be safe by its owner. */
const CONTACT_EXPOSED = 1;
const CONTACT_SAFE = 2;
export const CONTACT_UNMARKED = 255;

export interface Position {
  /** Degrees. */
  lat: number;
  lng: number;
  /** Metres. */
  accuracy: number;
}

/** The 16 bytes before encryption. Without a position, or with one off the globe such as the NaN of a receiver that has no fix, the form that says so (OCT-12). */
export function encodeMeta(unix: number, position?: Position): Uint8Array {
  const block = new Uint8Array(16);
  writeInt(block, 0, 4, unix);
  const known = position && Math.abs(position.lat) <= 90 && Math.abs(position.lng) <= 180;
  writeInt(block, 4, 4, known ? position.lat * 10000000 : NO_POSITION);
  writeInt(block, 8, 4, known ? position.lng * 10000000 : NO_POSITION);
  writeInt(block, 12, 4, known ? position.accuracy : 0);
  return block;
}

/** Rolling identifier of an interval. `dailyKey`: 16 random bytes of the UTC day. */
export function rollingId(crypto: Crypto, dailyKey: Uint8Array, interval: number): Uint8Array {
  return rollingProximityIdentifier(crypto, rollingProximityIdentifierKey(crypto, dailyKey), interval);
}

/** The encrypted block. `metaKey`: 16 random bytes of the day, published only with consent (OCT-07). */
export function encryptMeta(crypto: Crypto, metaKey: Uint8Array, block: Uint8Array): Uint8Array {
  return crypto.aes128(rollingProximityIdentifierKey(crypto, metaKey), block);
}

/** The 32 bytes to be read. */
export function encodePayload(crypto: Crypto, dailyKey: Uint8Array, metaKey: Uint8Array, unix: number, position?: Position): Uint8Array {
  return concat(rollingId(crypto, dailyKey, Math.floor(unix / 600)), encryptMeta(crypto, metaKey, encodeMeta(unix, position)));
}

export interface Payload {
  rollingId: Uint8Array;
  meta: Uint8Array;
}

/** The two halves as copies; `undefined` for a value of any other length (OCT-01). */
export function decodePayload(value: Uint8Array): Payload | undefined {
  if (value.length !== PAYLOAD_BYTES) return undefined;
  return { rollingId: new Uint8Array(value.subarray(0, 16)), meta: new Uint8Array(value.subarray(16, 32)) };
}

/** A contact's marks after a published key matched it. It is told apart from safe: the match stays known if the mark were ever questioned. */
export function markExposed(marks: number): number {
  return marks & ~CONTACT_EXPOSED;
}

/** A contact's marks after its owner said that it is safe: an own car, a wall between. Only clears a bit, so flash keeps it over restarts (OCT-10). */
export function markSafe(marks: number): number {
  return marks & ~CONTACT_SAFE;
}

/** Does a contact raise the alarm? If it matched and isn't safe; in whatever order it was marked (OCT-10). */
export function isExposure(marks: number): boolean {
  return (marks & CONTACT_EXPOSED) === 0 && (marks & CONTACT_SAFE) !== 0;
}
