import type { ExposureKey } from "../../protocols/gaen/export-file.ts";
import { rollingProximityIdentifiers } from "../../protocols/gaen/identifier-series.ts";
import { INTERVAL_SECONDS, metadataKey, ROLLING_PERIOD, rollingProximityIdentifierKey } from "../../protocols/gaen/key-schedule.ts";
import { decodeMetadata, decryptMetadata } from "../../protocols/gaen/metadata.ts";
import type { Crypto } from "../../protocols/ports.ts";
import { createCandidateCount, DENSE_SLACK, falseMatchProbability, isDense, paddedAem } from "./dense.ts";
import { createTally, type DiagnosisKeys, diagnosisKey, type SetApart } from "./diagnosis-keys.ts";
import type { SieveKeys } from "./engine/find.ts";
import { findCandidates, type SieveJob, type Way } from "./engine/sieve.ts";
import { wantedAround } from "./engine/wanted.ts";
import { createFinder, type Finder } from "./identifier-finder.ts";
import { attenuation, isPlausibleTxPower, REPLAY_SECONDS, TOLERANCE_INTERVALS, toleratedTime } from "./sighting-rules.ts";

/** What matching needs of an encounter. Times in whole Unix seconds, both included. */
export interface HeardIdentifier {
  /** 16 bytes; of a dense encounter the first 5. */
  rpi: Uint8Array;
  /** 4 bytes; of a dense encounter the second. */
  aem: Uint8Array;
  /** Who heard it; null where that is not known. */
  board: string | null;
  firstSeen: number;
  lastSeen: number;
  maxRssi: number;
}

/** An encounter whose identifier was made from a published key. */
export interface Exposure<E extends HeardIdentifier> {
  encounter: E;
  key: ExposureKey;
  /** Interval that the identifier was made for. */
  interval: number;
  /** The part of the encounter that counts: inside the tolerance and not replayed. */
  firstSeen: number;
  lastSeen: number;
  txPower: number;
  /** Calibration confidence of the sender, 0 to 3; null of a dense encounter, which doesn't tell. */
  confidence: number | null;
  /** At the strongest signal, dB. */
  attenuation: number;
  /** How probable it was beforehand that this encounter matches one of the keys by chance: 0 for 16 bytes of identifier, see dense.ts for 5. */
  falseMatchProbability: number;
}

export interface Matches<E extends HeardIdentifier> {
  /** In order of time, board, identifier and key. */
  exposures: Exposure<E>[];
  /** Encounters whose identifier fits, but that must not count. */
  setApart: SetApart[];
  /** Dense encounters among those given, and the number of false matches to be expected with these keys. */
  dense: { encounters: number; expectedFalseMatches: number };
}

/**
 * So far from its own time an identifier is still looked for: a day beyond the tolerance of two hours. It never counts so far away, but it is told, because a board whose
 * clock is wrong by hours or by a day should not look as if it had met nobody.
 */
const MARGIN_INTERVALS = TOLERANCE_INTERVALS + 1 + ROLLING_PERIOD;

/** Encounters made ready to be searched, for whatever keys. */
export interface Search<E extends HeardIdentifier> {
  /** What the sieve is to do for some keys. */
  jobFor(keys: SieveKeys): SieveJob;
  /** The rules, for the keys that the sieve let through. */
  conclude(keys: DiagnosisKeys, candidates: Iterable<number>): Matches<E>;
}

/**
 * Looks for keys (diagnosis-keys.ts) in what was heard. GAEN-24, GAEN-25; the rules of an encounter follow from those of its sightings:
 *
 * - It counts if it touches the tolerated time of its identifier, and for the part that does, as long as its key was not public.
 * - What one board heard of an identifier more than 1200 s after the first time that counts is a replay.
 * - Its metadata must open to version 1 and to a transmit power that exists.
 *
 * A dense encounter matches where its 5 bytes begin an identifier. Its times hold the true ones and up to 8 s more; so whatever a full record would match, it matches.
 */
export function createSearch<E extends HeardIdentifier>(crypto: Crypto, encounters: readonly E[]): Search<E> {
  const finder = createFinder(crypto, encounters, ({ rpi }) => rpi);
  const wanted = wantedAround(encounters, MARGIN_INTERVALS);
  return {
    jobFor: (keys) => ({ keys, heard: finder.table, wanted }),
    conclude: (keys, candidates) => conclude(crypto, keys, candidates, finder, encounters),
  };
}

/** The whole search, in this thread. `way`: how to sieve, if not in the best way. */
export function matchEncounters<E extends HeardIdentifier>(crypto: Crypto, keys: DiagnosisKeys, encounters: readonly E[], way?: Way): Matches<E> {
  const search = createSearch(crypto, encounters);
  return search.conclude(keys, findCandidates(search.jobFor(keys), way));
}

function conclude<E extends HeardIdentifier>(
  crypto: Crypto,
  keys: DiagnosisKeys,
  candidates: Iterable<number>,
  finder: Finder<E>,
  encounters: readonly E[],
): Matches<E> {
  const dense = encounters.filter(isDense);
  const chance = createFalseMatch(keys, dense);
  const exposures: Exposure<E>[] = [];
  const apart = createTally("encounter");
  for (const candidate of candidates) {
    const key = diagnosisKey(keys, candidate);
    const rpik = rollingProximityIdentifierKey(crypto, key.key);
    const identifiers = rollingProximityIdentifiers(crypto, rpik, key.rollingStart, key.rollingPeriod);
    const found = finder.find(identifiers);
    if (found.length === 0) continue;
    const aemk = metadataKey(crypto, key.key);
    // found in the order of the intervals
    for (let first = 0, next = 0; first < found.length; first = next) {
      const { number } = found[first];
      while (next < found.length && found[next].number === number) next++;
      const heard = found.slice(first, next).map(({ entry }) => entry);
      const interval = key.rollingStart + number;
      const rpi = identifiers.subarray(16 * number, 16 * number + 16);
      for (const part of countedParts(heard, interval, keys.publicFrom[candidate], apart)) {
        const opened = open(crypto, aemk, rpi, part, apart);
        if (opened) exposures.push({ key, interval, ...part, ...opened, falseMatchProbability: chance.of(part.encounter) });
      }
    }
  }
  return {
    exposures: exposures.sort(byTime),
    setApart: apart.list(),
    dense: { encounters: dense.length, expectedFalseMatches: dense.reduce((sum, encounter) => sum + chance.of(encounter), 0) },
  };
}

function createFalseMatch({ from, lengths }: DiagnosisKeys, dense: readonly HeardIdentifier[]): { of(encounter: HeardIdentifier): number } {
  const candidates = dense.length > 0 ? createCandidateCount(from, lengths) : () => 0;
  return { of: (encounter) => (isDense(encounter) ? falseMatchProbability(candidates(encounter.firstSeen, encounter.lastSeen)) : 0) };
}

/** Is it told? Only what would be looked for if it were the only encounter, so that a report doesn't hang on what else was heard. */
function isNear(interval: number, { firstSeen, lastSeen }: HeardIdentifier): boolean {
  return (
    interval >= Math.floor(firstSeen / INTERVAL_SECONDS) - MARGIN_INTERVALS && interval <= Math.floor(lastSeen / INTERVAL_SECONDS) + MARGIN_INTERVALS
  );
}

type Part<E> = { encounter: E; firstSeen: number; lastSeen: number };

/** The parts of one identifier's encounters that are neither out of time nor replayed. `publicFrom`: Unix seconds, from which on anybody could have made the identifier. */
function countedParts<E extends HeardIdentifier>(heard: E[], interval: number, publicFrom: number, apart: ReturnType<typeof createTally>): Part<E>[] {
  const { from, until: end } = toleratedTime(interval);
  const until = Math.min(end, publicFrom);
  const parts: Part<E>[] = [];
  /** Last second that is no replay, by board: a replay near one board says nothing of another one's clock. */
  const ends = new Map<string | null, number>();
  for (const encounter of heard) {
    const firstSeen = Math.max(encounter.firstSeen, from);
    const lastSeen = Math.min(encounter.lastSeen, until - 1);
    if (firstSeen > lastSeen) {
      if (isNear(interval, encounter))
        apart.add(encounter.lastSeen < from ? "before its time" : encounter.firstSeen < end ? "after its key was public" : "after its time");
      continue;
    }
    // a dense one that touches the time by what rounding added may have been out of time: it begins nothing
    const slack = isDense(encounter) ? DENSE_SLACK : 0;
    const isSure = encounter.lastSeen - slack >= from && encounter.firstSeen + slack < until;
    const lastNew = isSure ? firstSeen + REPLAY_SECONDS + slack : Number.POSITIVE_INFINITY;
    ends.set(encounter.board, Math.min(ends.get(encounter.board) ?? lastNew, lastNew));
    parts.push({ encounter, firstSeen, lastSeen });
  }
  return parts.flatMap((part) => {
    const end = ends.get(part.encounter.board) as number;
    if (part.firstSeen <= end) return { ...part, lastSeen: Math.min(part.lastSeen, end) };
    apart.add("replay");
    return [];
  });
}

/** `rpi`: all 16 bytes, as the key makes them. */
function open<E extends HeardIdentifier>(crypto: Crypto, aemk: Uint8Array, rpi: Uint8Array, part: Part<E>, apart: ReturnType<typeof createTally>) {
  const dense = isDense(part.encounter);
  const { aem, maxRssi } = part.encounter;
  const { major, confidence, txPower } = decodeMetadata(decryptMetadata(crypto, aemk, rpi, dense ? paddedAem(aem) : aem));
  if (major !== 1 && !dense) apart.add("unknown metadata version");
  else if (!isPlausibleTxPower(txPower)) apart.add("impossible transmit power");
  else return { txPower, confidence: dense ? null : confidence, attenuation: attenuation(txPower, maxRssi) };
  return undefined;
}

function byTime<E extends HeardIdentifier>(a: Exposure<E>, b: Exposure<E>): number {
  return (
    a.firstSeen - b.firstSeen ||
    a.lastSeen - b.lastSeen ||
    compare(a.encounter.board ?? "", b.encounter.board ?? "") ||
    Buffer.compare(a.encounter.rpi, b.encounter.rpi) ||
    Buffer.compare(a.key.key, b.key.key) ||
    Buffer.compare(a.encounter.aem, b.encounter.aem) ||
    a.encounter.maxRssi - b.encounter.maxRssi
  );
}
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
