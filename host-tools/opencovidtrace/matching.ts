import { createDecipheriv } from "node:crypto";
import { equalBytes } from "../../protocols/bytes.ts";
import { rollingProximityIdentifiers } from "../../protocols/gaen/identifier-series.ts";
import { ROLLING_PERIOD, rollingProximityIdentifierKey } from "../../protocols/gaen/key-schedule.ts";
import { NO_POSITION, type Position } from "../../protocols/opencovidtrace/payload.ts";
import { nodeCrypto } from "../node-crypto.ts";

/** Days that contacts, keys, borders and tracks are kept beside today (OCT-11). */
export const RETENTION_DAYS = 14;
/** Intervals that two clocks may be apart, where that is switched on. */
export const TOLERANCE = 12;

/** A published key. */
export interface DayKey {
  /** 16 bytes. */
  dailyKey: Uint8Array;
  /** UTC day number. */
  day: number;
  /** 16 bytes, of those who agreed to tell where they were. */
  metaKey?: Uint8Array | undefined;
}

/** Interval number at which `rollingId` was sent under a day's key, `undefined` if it wasn't on that day. */
export function intervalOf({ dailyKey, day }: DayKey, rollingId: Uint8Array): number | undefined {
  const first = day * ROLLING_PERIOD;
  const series = rollingProximityIdentifiers(nodeCrypto, rollingProximityIdentifierKey(nodeCrypto, dailyKey), first, ROLLING_PERIOD);
  for (let i = 0; i < ROLLING_PERIOD; i++) if (equalBytes(series.subarray(16 * i, 16 * i + 16), rollingId)) return first + i;
  return undefined;
}

/**
 * Does a contact of the receiver's `day` match a key (OCT-03)? On the same day only. With `tolerance`, a number of intervals, also on the days beside it, if the identifier was sent that close to
 * the midnight between them: an encounter there is missed when clocks differ. Off by default, as in the original.
 */
export function matches(key: DayKey, contact: { rollingId: Uint8Array; day: number }, tolerance = 0): boolean {
  const apart = contact.day - key.day;
  if (Math.abs(apart) > (tolerance > 0 ? 1 : 0)) return false;
  const interval = intervalOf(key, contact.rollingId);
  return interval !== undefined && isInTime(apart, interval - key.day * ROLLING_PERIOD, tolerance);
}

/** May an identifier of interval `ofDay` of a key's day have been met so many days after it? `tolerance` as in `matches`. */
export function isInTime(apart: number, ofDay: number, tolerance: number): boolean {
  if (apart === 0) return true;
  if (Math.abs(apart) > 1) return false;
  return apart > 0 ? ofDay >= ROLLING_PERIOD - tolerance : ofDay < tolerance;
}

export interface OpenedMeta {
  /** Unix seconds. */
  unix: number;
  /** `undefined` where the sender knew none. */
  position: Position | undefined;
}

/** Opens the meta block of an encounter with a published meta key. There is no check in it: a wrong key gives noise, told by a position off the globe, which is `undefined` too. */
export function openMeta(metaKey: Uint8Array, meta: Uint8Array): OpenedMeta {
  const decipher = createDecipheriv("aes-128-ecb", rollingProximityIdentifierKey(nodeCrypto, metaKey), null).setAutoPadding(false);
  const block = decipher.update(meta);
  const [lat, lng, accuracy] = [4, 8, 12].map((offset) => block.readInt32LE(offset));
  const position = { lat: lat / 1e7, lng: lng / 1e7, accuracy };
  const known = lat !== NO_POSITION && lng !== NO_POSITION && Math.abs(position.lat) <= 90 && Math.abs(position.lng) <= 180;
  return { unix: block.readUInt32LE(0), position: known ? position : undefined };
}

/** Is a day's data still kept on day `today` (OCT-11)? */
export function isKeptDay(day: number, today: number): boolean {
  return today - day <= RETENTION_DAYS;
}
