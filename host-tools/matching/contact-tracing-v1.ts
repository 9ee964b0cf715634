import { dayNumber, rollingProximityIdentifier, timeIntervalNumber } from "../../protocols/contact-tracing-v1/key-schedule.ts";
import type { Crypto } from "../../protocols/ports.ts";
import { FormatError } from "../errors.ts";
import { createFinder } from "./identifier-finder.ts";

/** Intervals of a day, and how far a sighting may be from the interval of its identifier: the original text says nothing; this is GAEN's tolerance of two hours. */
export const INTERVALS = 144;
export const TOLERANCE = 12;

/** A daily tracing key that its owner has published. */
export interface PublishedDailyKey {
  /** 16 bytes. */
  dailyKey: Uint8Array;
  /** Days since 1970. */
  day: number;
}

export interface HeardV1Identifier {
  /** 16 bytes; of a dense encounter the first 5. */
  rpi: Uint8Array;
  /** Unix seconds. */
  heardAt: number;
}

export interface V1Match<S, K> {
  sighting: S;
  key: K;
  /** Interval of the key's day, 0 to 143, that the identifier was made for. */
  interval: number;
}

/** The 144 identifiers of a day, 16 bytes each. */
function identifiersOfDay(crypto: Crypto, dailyKey: Uint8Array): Uint8Array {
  const identifiers = new Uint8Array(16 * INTERVALS);
  for (let interval = 0; interval < INTERVALS; interval++) identifiers.set(rollingProximityIdentifier(crypto, dailyKey, interval), 16 * interval);
  return identifiers;
}

/**
 * Sightings of Contact Tracing v1.0 whose identifier one of the keys made, within two hours of its time; borders of days are no borders.
 * @throws FormatError for a key of another length than 16 bytes.
 */
export function matchDailyKeys<S extends HeardV1Identifier, K extends PublishedDailyKey>(
  crypto: Crypto,
  keys: readonly K[],
  sightings: readonly S[],
): V1Match<S, K>[] {
  const find = createFinder(crypto, sightings, ({ rpi }) => rpi);
  const matches: V1Match<S, K>[] = [];
  for (const key of keys) {
    if (key.dailyKey.length !== 16) throw new FormatError("bad_key", `daily tracing key: 16 bytes, got ${key.dailyKey.length}`);
    for (const { entry: sighting, number: interval } of find(identifiersOfDay(crypto, key.dailyKey))) {
      const heard = dayNumber(sighting.heardAt) * INTERVALS + timeIntervalNumber(sighting.heardAt);
      if (Math.abs(heard - (key.day * INTERVALS + interval)) <= TOLERANCE) matches.push({ sighting, key, interval });
    }
  }
  return matches;
}
