import { ascii, concat, equalBytes, readU16, writeInt } from "../bytes.ts";
import { hmacSha256 } from "../constructions/hmac.ts";
import type { Crypto } from "../ports.ts";
import { derivedKey } from "./keys.ts";

// Store and forward: where a home has no Internet, the phone writes the beacon's messages back to it, and the beacon keeps that somebody was there, not what was written (QB-22).
// Source: this project's own design. A day, 38 bytes:
// offset 0  u16       days since 1970, little-endian
// offset 2  36 bytes  a bit for each 5 minutes: slot i is bit i & 7 of byte i >> 3
// When it is read, 16 bytes of tag follow: HMAC of "QBST", the beacon's id and the day.

export const DAY_BYTES = 38;
/** Days that are kept: 14 of 38 bytes. */
export const KEPT_DAYS = 14;
const TAG_BYTES = 16;
const DAY = 86400;
const SLOT_SECONDS = 300;

/** Room for the days that are kept, with nothing in them. */
export function createDays(): Uint8Array {
  return new Uint8Array(KEPT_DAYS * DAY_BYTES);
}

/** Where the day of number `day` has its place. */
function placeOf(days: Uint8Array, day: number): Uint8Array {
  const at = (day % KEPT_DAYS) * DAY_BYTES;
  return days.subarray(at, at + DAY_BYTES);
}

/** Sets the bit of the present slot. Call it for authentic and timely messages only. The day 14 days ago gives its place. */
export function markPresent(days: Uint8Array, now: number): void {
  const day = Math.floor(now / DAY);
  const record = placeOf(days, day);
  if (readU16(record, 0) !== day) {
    record.fill(0);
    writeInt(record, 0, 2, day);
  }
  const slot = Math.floor((now % DAY) / SLOT_SECONDS);
  record[2 + (slot >> 3)] |= 1 << (slot & 7);
}

/** Deletes what is older than the days that are kept (COM-05), for a beacon that hasn't been written to since. */
export function purgeDays(days: Uint8Array, now: number): void {
  for (let at = 0; at < days.length; at += DAY_BYTES) if (readU16(days, at) <= now / DAY - KEPT_DAYS) days.fill(0, at, at + DAY_BYTES);
}

/** The day's record, `undefined` if there is none, or it is of another day. */
export function dayRecord(days: Uint8Array, day: number): Uint8Array | undefined {
  const record = placeOf(days, day);
  return day > 0 && readU16(record, 0) === day ? new Uint8Array(record) : undefined;
}

function tagOf(crypto: Crypto, sk: Uint8Array, beaconId: Uint8Array, record: Uint8Array): Uint8Array {
  const bound = concat(concat(ascii("QBST"), beaconId), record);
  return hmacSha256(crypto, derivedKey(crypto, sk, "QB-STORE", 32), bound).subarray(0, TAG_BYTES);
}

/** A day with its tag, 54 bytes, as the authority reads it. `sk`: SK_BEACON, 16 or 32 bytes; `beaconId`: 16 bytes. */
export function sealDay(crypto: Crypto, sk: Uint8Array, beaconId: Uint8Array, record: Uint8Array): Uint8Array {
  return concat(record, tagOf(crypto, sk, beaconId, record));
}

/** Day number and slots with their bit set, 0 to 287, of a sealed day; or why not: `malformed`, `bad-mac`. The tag is compared in constant time. */
export function openDay(
  crypto: Crypto,
  sk: Uint8Array,
  beaconId: Uint8Array,
  sealed: Uint8Array,
): { day: number; slots: number[] } | "malformed" | "bad-mac" {
  if (sealed.length !== DAY_BYTES + TAG_BYTES) return "malformed";
  const record = sealed.subarray(0, DAY_BYTES);
  if (!equalBytes(sealed.subarray(DAY_BYTES), tagOf(crypto, sk, beaconId, record))) return "bad-mac";
  const slots: number[] = [];
  for (let slot = 0; slot < DAY / SLOT_SECONDS; slot++) if ((record[2 + (slot >> 3)] >> (slot & 7)) & 1) slots.push(slot);
  return { day: readU16(record, 0), slots: slots };
}
