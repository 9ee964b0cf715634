import { encodeBase64 } from "../../protocols/base64.ts";
import { nodeCrypto } from "../node-crypto.ts";
import type { Border } from "./borders.ts";
import type { DayKey } from "./matching.ts";

/** Where a published track was, and when. */
export interface Track {
  points: { lat: number; lng: number /** Unix milliseconds. */; tst: number }[];
  day: number;
  /** Of its owner's daily key: `trackKey`. */
  key: string;
}

/** By what a device knows its own tracks again: base64 of the SHA-256 of the day's key, which tells nobody else the key (OCT-08). */
export function trackKey(dailyKey: Uint8Array): string {
  return encodeBase64(nodeCrypto.sha256(dailyKey));
}

/** The tracks that are not our own. `dailyKeys`: ours. */
export function othersTracks(tracks: readonly Track[], dailyKeys: readonly Uint8Array[]): Track[] {
  const own = new Set(dailyKeys.map(trackKey));
  return tracks.filter(({ key }) => !own.has(key));
}

/** A key as it is uploaded: base64 texts. */
export interface PublishedKey {
  value: string;
  day: number;
  border: Border;
  meta?: string;
}

/** What of the days is published: none without a border, a meta key only of who agreed (OCT-07). */
export function keysToPublish(days: readonly (DayKey & { border: Border | undefined })[], metaConsent: boolean): PublishedKey[] {
  return days.flatMap(({ dailyKey, day, border, metaKey }) =>
    border ? [{ value: encodeBase64(dailyKey), day, border, ...(metaConsent && metaKey ? { meta: encodeBase64(metaKey) } : {}) }] : [],
  );
}
