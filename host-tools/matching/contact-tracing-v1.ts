import { dayNumber, rollingProximityIdentifier, timeIntervalNumber } from "../../protocols/contact-tracing-v1/key-schedule.ts";
import type { Crypto } from "../../protocols/ports.ts";
import { FormatError } from "../errors.ts";
import type { SieveKeys } from "./engine/find.ts";
import { findCandidates } from "./engine/sieve.ts";
import { wantedAround } from "./engine/wanted.ts";
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

/** @throws FormatError for a key of another length than 16 bytes. */
function columnsOf(keys: readonly PublishedDailyKey[]): SieveKeys {
  const columns: SieveKeys = {
    schedule: "contact-tracing-v1",
    bytes: new Uint8Array(16 * keys.length),
    from: new Uint32Array(keys.length),
    lengths: new Uint32Array(keys.length).fill(1),
  };
  keys.forEach(({ dailyKey, day }, i) => {
    if (dailyKey.length !== 16) throw new FormatError("bad_key", `daily tracing key: 16 bytes, got ${dailyKey.length}`);
    columns.bytes.set(dailyKey, 16 * i);
    columns.from[i] = day;
  });
  return columns;
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
  const { find, table } = createFinder(crypto, sightings, ({ rpi }) => rpi);
  const times = sightings.map(({ heardAt }) => ({ firstSeen: heardAt, lastSeen: heardAt }));
  const matches: V1Match<S, K>[] = [];
  for (const candidate of findCandidates({ keys: columnsOf(keys), heard: table, wanted: wantedAround(times, TOLERANCE) })) {
    const key = keys[candidate];
    for (const { entry: sighting, number: interval } of find(identifiersOfDay(crypto, key.dailyKey))) {
      const heard = dayNumber(sighting.heardAt) * INTERVALS + timeIntervalNumber(sighting.heardAt);
      if (Math.abs(heard - (key.day * INTERVALS + interval)) <= TOLERANCE) matches.push({ sighting, key, interval });
    }
  }
  return matches;
}
