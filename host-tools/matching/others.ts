import { type CuckooFilter, mayHaveHash } from "../../protocols/dp3t/cuckoo-filter.ts";
import { EPOCHS } from "../../protocols/dp3t/low-cost.ts";
import { rollingProximityIdentifiers } from "../../protocols/gaen/identifier-series.ts";
import { INTERVAL_SECONDS, ROLLING_PERIOD, rollingProximityIdentifierKey } from "../../protocols/gaen/key-schedule.ts";
import type { BlockCipher, Crypto } from "../../protocols/ports.ts";
import { type DayKey, isInTime } from "../opencovidtrace/matching.ts";
import { INTERVALS, matchDailyKeys, type PublishedDailyKey, TOLERANCE } from "./contact-tracing-v1.ts";
import { createCandidateCount, FALSE_PAIR_OF_OTHERS, falseMatchProbability } from "./dense.ts";
import { createTally, type SetApart } from "./diagnosis-keys.ts";
import { MOST_DAYS, matchHashBeginnings, matchLowCost, type PublishedHashes, type PublishedKey } from "./dp3t.ts";
import { createFinder } from "./identifier-finder.ts";
import { attenuation } from "./sighting-rules.ts";

// Encounters of the other protocols against what was published, by the rules of contact-tracing-v1.ts and dp3t.ts, which are those of single sightings: an encounter counts if its first
// or its last moment does, and for the part of it that does.

/** What DP-3T's phones are taken to send with where a packet doesn't tell, dBm. Source: DP-3T SDK, 2020. */
export const DP3T_TX_POWER = 12;
const DAY = 86400;

/** What matching needs of an encounter. Times in whole Unix seconds, both included. */
export interface HeardOthers {
  /** 16 bytes; of a dense encounter the first 5. */
  identifier: Uint8Array;
  /** dBm; null where the packet told none. */
  txPower: number | null;
  board: string | null;
  firstSeen: number;
  lastSeen: number;
  maxRssi: number;
}

export interface OthersExposure<E extends HeardOthers> {
  encounter: E;
  /** What was published: a daily key, an SK, or the hash. */
  key: Uint8Array;
  /** Day of the key, days since 1970; null of a hash. */
  day: number | null;
  /** The part of the encounter that counts. */
  firstSeen: number;
  lastSeen: number;
  /** dBm: as told, or what is assumed; null where nothing is known. */
  txPower: number | null;
  isAssumed: boolean;
  /** At the strongest signal, dB. */
  attenuation: number | null;
  /** 0 for 16 bytes of identifier; for 5 see dense.ts. */
  falseMatchProbability: number;
}

export interface OthersMatches<E extends HeardOthers> {
  /** In order of time. */
  exposures: OthersExposure<E>[];
  setApart: SetApart[];
  dense: { encounters: number; expectedFalseMatches: number };
}

interface Found<E> {
  encounter: E;
  key: Uint8Array;
  day: number | null;
  /** Unix seconds between which the encounter counts: `from` included, `until` not. */
  from: number;
  until: number;
  /** Chance of a false match, where it isn't that of the beginning of an identifier. */
  chance?: number;
}

const isDense = ({ identifier }: HeardOthers) => identifier.length < 16;

/** Both ends of each encounter, as sightings: it lasts for 34 minutes at most, so of a day or an interval's tolerated time that it touches one of them lies inside. */
function ends<E extends HeardOthers>(encounters: readonly E[]): { encounter: E; heardAt: number }[] {
  return encounters.flatMap((encounter) =>
    (encounter.firstSeen === encounter.lastSeen ? [encounter.firstSeen] : [encounter.firstSeen, encounter.lastSeen]).map((heardAt) => ({
      encounter,
      heardAt,
    })),
  );
}

/** Each found part once, in order of time. `candidates`: how many identifiers an encounter was compared with. */
function conclude<E extends HeardOthers>(
  encounters: readonly E[],
  found: Found<E>[],
  assumedTxPower: number | null,
  candidates: (encounter: E) => number,
  setApart: SetApart[] = [],
): OthersMatches<E> {
  const chance = (encounter: E) => (isDense(encounter) ? falseMatchProbability(candidates(encounter), FALSE_PAIR_OF_OTHERS) : 0);
  const seen = new Map<E, Set<string>>();
  const exposures: OthersExposure<E>[] = [];
  for (const { encounter, key, day, from, until, chance: own } of found) {
    const name = `${Buffer.from(key).toString("latin1")} ${from}`;
    const known = seen.get(encounter) ?? new Set();
    if (known.has(name)) continue;
    seen.set(encounter, known.add(name));
    const txPower = encounter.txPower ?? assumedTxPower;
    exposures.push({
      encounter,
      key,
      day,
      firstSeen: Math.max(encounter.firstSeen, from),
      lastSeen: Math.min(encounter.lastSeen, until - 1),
      txPower,
      isAssumed: encounter.txPower === null && txPower !== null,
      attenuation: txPower === null ? null : attenuation(txPower, encounter.maxRssi),
      falseMatchProbability: own ?? chance(encounter),
    });
  }
  const dense = encounters.filter(isDense);
  return {
    exposures: exposures.sort((a, b) => a.firstSeen - b.firstSeen || a.lastSeen - b.lastSeen || Buffer.compare(a.key, b.key)),
    setApart,
    dense: { encounters: dense.length, expectedFalseMatches: dense.reduce((sum, encounter) => sum + chance(encounter), 0) },
  };
}

/** Contact Tracing v1.0. Its packets tell no transmit power, so no attenuation is known. */
export function matchV1<E extends HeardOthers>(crypto: Crypto, keys: readonly PublishedDailyKey[], encounters: readonly E[]): OthersMatches<E> {
  const sightings = ends(encounters).map(({ encounter, heardAt }) => ({ encounter, heardAt, rpi: encounter.identifier }));
  const found = matchDailyKeys(crypto, keys, sightings).map(({ sighting, key, interval }) => {
    const made = key.day * INTERVALS + interval;
    const [from, until] = [(made - TOLERANCE) * INTERVAL_SECONDS, (made + TOLERANCE + 1) * INTERVAL_SECONDS];
    return { encounter: sighting.encounter, key: key.dailyKey, day: key.day, from, until };
  });
  const compared = createCandidateCount(
    keys.map(({ day }) => day * ROLLING_PERIOD),
    keys.map(() => ROLLING_PERIOD),
  );
  return conclude(encounters, found, null, ({ firstSeen, lastSeen }) => compared(firstSeen, lastSeen));
}

/** A list of the low-cost design. */
export interface LowCostList {
  /** Unix seconds. */
  releaseTime: number;
  keys: readonly PublishedKey[];
}

/** How many EphIDs of a day the lists make. */
function identifiersByDay(lists: readonly LowCostList[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { releaseTime, keys } of lists) {
    const lastDay = Math.floor(releaseTime / DAY);
    for (const { onsetDay } of keys) {
      if (lastDay - onsetDay > MOST_DAYS) continue;
      for (let day = onsetDay; day <= lastDay; day++) counts.set(day, (counts.get(day) ?? 0) + EPOCHS);
    }
  }
  return counts;
}

/** DP-3T, low-cost: what was heard on a day of the key, before its list was released (DP-07). */
export function matchDp3t<E extends HeardOthers>(
  crypto: Crypto,
  aes256: BlockCipher,
  lists: readonly LowCostList[],
  encounters: readonly E[],
): OthersMatches<E> {
  const apart = createTally("key");
  const observations = ends(encounters).map(({ encounter, heardAt }) => ({ encounter, heardAt, ephId: encounter.identifier }));
  const found: Found<E>[] = [];
  for (const { releaseTime, keys } of lists) {
    const lastDay = Math.floor(releaseTime / DAY);
    for (const { onsetDay } of keys) {
      if (onsetDay > lastDay) apart.add("begins after its list was released");
      else if (lastDay - onsetDay > MOST_DAYS) apart.add(`begins more than ${MOST_DAYS} days before its list was released`);
    }
    for (const { observation, key } of matchLowCost(crypto, aes256, keys, releaseTime, observations)) {
      const day = Math.floor(observation.heardAt / DAY);
      found.push({
        encounter: observation.encounter,
        key: key.sk,
        day: key.onsetDay,
        from: day * DAY,
        until: Math.min((day + 1) * DAY, releaseTime),
      });
    }
  }
  const identifiers = identifiersByDay(lists);
  const candidates = ({ firstSeen, lastSeen }: E) => {
    const days = new Set([firstSeen, lastSeen].map((time) => Math.floor(time / DAY)));
    return [...days].reduce((sum, day) => sum + (identifiers.get(day) ?? 0), 0);
  };
  return conclude(encounters, found, DP3T_TX_POWER, candidates, apart.list());
}

/**
 * DP-3T, unlinkable: the epoch is in the hash, so all of the encounter counts. A filter looks at no more of a hash than the 16 bytes that a full encounter has of it, so those are what it knows
 * the exposure by; a dense one has too few to ask it.
 */
export function matchDp3tUnlinkable<E extends HeardOthers>(
  crypto: Crypto,
  published: readonly PublishedHashes[],
  encounters: readonly E[],
): OthersMatches<E> {
  const hashes = published.flatMap((one) => one.hashes);
  const filters = published.flatMap(({ filter }) => filter ?? []);
  const always = { day: null, from: 0, until: Number.POSITIVE_INFINITY };
  const observations = encounters.map((encounter) => ({ encounter, hash: encounter.identifier }));
  const found: Found<E>[] = matchHashBeginnings(crypto, hashes, observations).map(({ observation, key }) => ({
    encounter: observation.encounter,
    key,
    ...always,
  }));
  const known = new Set(found.map(({ encounter }) => encounter));
  const apart = createTally("encounter");
  for (const encounter of filters.length > 0 ? encounters : []) {
    if (known.has(encounter)) continue;
    if (isDense(encounter)) apart.add("dense: a filter can't be asked for it");
    else if (filters.some((filter) => mayHaveHash(filter, encounter.identifier)))
      found.push({ encounter, key: encounter.identifier, ...always, chance: chanceOf(filters) });
  }
  return conclude(encounters, found, DP3T_TX_POWER, () => hashes.length, apart.list());
}

/** Chance that one of some filters takes a hash for one of its own: each compares it with eight fingerprints. */
function chanceOf(filters: readonly CuckooFilter[]): number {
  const none = filters.reduce((sum, { fingerprintBytes }) => sum + 8 * Math.log1p(-(2 ** (-8 * fingerprintBytes))), 0);
  return -Math.expm1(none);
}

/**
 * OpenCovidTrace: what was read on the key's own day, in clocks of the receiver (OCT-03); with `tolerance`, a number of intervals, also beside its midnights. Nothing says with what power a
 * peer sends, so no attenuation is known.
 */
export function matchOpenCovidTrace<E extends HeardOthers>(
  crypto: Crypto,
  keys: readonly DayKey[],
  encounters: readonly E[],
  tolerance = 0,
): OthersMatches<E> {
  const sightings = ends(encounters);
  const { find } = createFinder(crypto, sightings, ({ encounter }) => encounter.identifier);
  const found = keys.flatMap(({ dailyKey, day }) => {
    const series = rollingProximityIdentifiers(crypto, rollingProximityIdentifierKey(crypto, dailyKey), day * ROLLING_PERIOD, ROLLING_PERIOD);
    return find(series).flatMap(({ entry: { encounter, heardAt }, number }) => {
      const heard = Math.floor(heardAt / DAY);
      return isInTime(heard - day, number, tolerance) ? [{ encounter, key: dailyKey, day, from: heard * DAY, until: (heard + 1) * DAY }] : [];
    });
  });
  const days = ({ firstSeen, lastSeen }: E) => new Set([firstSeen, lastSeen].map((time) => Math.floor(time / DAY)));
  // all identifiers of a key of the same day, and of one of the day beside those that the tolerance grants
  const candidates = (encounter: E) =>
    [...days(encounter)].reduce(
      (sum, day) => keys.reduce((so, key) => so + (key.day === day ? ROLLING_PERIOD : Math.abs(key.day - day) === 1 ? tolerance : 0), sum),
      0,
    );
  return conclude(encounters, found, null, candidates);
}
