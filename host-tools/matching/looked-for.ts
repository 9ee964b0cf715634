import { createHash } from "node:crypto";
import type { ExportColumns } from "../../protocols/gaen/key-columns.ts";
import type { CombinedKeys, DiagnosisKeys } from "./diagnosis-keys.ts";
import type { SieveKeys } from "./engine/find.ts";
import type { SieveJob } from "./engine/sieve.ts";
import type { HeardIdentifier, Search } from "./matcher.ts";

// What was looked for in what, so that the next day only what is new is: new exports in all encounters, known exports in new encounters. Only the sieve's answers are kept;
// the rules look at all of them again each time, so a report doesn't hang on what was known before.

/** Digests, and keys that were published; but whose keys were heard is its owner's to know. */
export interface LookedFor {
  /** SHA-256 of export.bin, hex, of files all of whose keys were looked for in all of `encounters`. */
  exports: Set<string>;
  /** fingerprintOf() each. */
  encounters: Set<string>;
  /** Keys that the sieve let through, hex. */
  candidates: Set<string>;
}

export const nothingYet = (): LookedFor => ({ exports: new Set(), encounters: new Set(), candidates: new Set() });

/** Tells an encounter from any other identifier or time: with a corrected clock it is a new one. */
function fingerprintOf({ rpi, firstSeen, lastSeen }: HeardIdentifier): string {
  return createHash("sha256").update(`${firstSeen} ${lastSeen} `).update(rpi).digest("base64").slice(0, 16);
}

/** Those of the keys that `isWanted` takes, and which they are. */
function pick(keys: DiagnosisKeys, isWanted: (at: number) => boolean): { keys: SieveKeys; places: number[] } {
  const places: number[] = [];
  for (let at = 0; at < keys.count; at++) if (isWanted(at)) places.push(at);
  const bytes = new Uint8Array(16 * places.length);
  places.forEach((place, i) => {
    bytes.set(keys.bytes.subarray(16 * place, 16 * place + 16), 16 * i);
  });
  const column = (of: Uint32Array) => Uint32Array.from(places, (place) => of[place]);
  return { keys: { schedule: "gaen", bytes, from: column(keys.from), lengths: column(keys.lengths) }, places };
}

/**
 * The candidates among the keys of `exports`, as numbers in ascending order, with as little work as `before` allows.
 *
 * @param combined combineExports(exports)
 * @param searchFor makes encounters ready to be searched; all of them, or the new ones
 * @param sieve findFast(), or the like
 * @param save called after each file with what is known by then, and at the end
 */
export async function findCandidatesSince<E extends HeardIdentifier>(
  before: LookedFor,
  exports: readonly ExportColumns[],
  { keys, incomplete, sharing }: CombinedKeys,
  encounters: readonly E[],
  searchFor: (some: readonly E[]) => Search<E>,
  sieve: (job: SieveJob) => Promise<Uint32Array>,
  save: (now: LookedFor, isEnd: boolean) => void,
): Promise<number[]> {
  const digests = exports.map(({ file }) => createHash("sha256").update(file).digest("hex"));
  const isKnown = digests.map((digest) => before.exports.has(digest));
  const fingerprints = encounters.map(fingerprintOf);
  const added = encounters.filter((_, i) => !before.encounters.has(fingerprints[i]));
  const now: LookedFor = { exports: new Set(), encounters: new Set(fingerprints), candidates: new Set(before.candidates) };
  const look = async (isWanted: (source: number) => boolean, some: readonly E[]) => {
    const { keys: picked, places } = pick(keys, (at) => isWanted(keys.source[at]));
    if (places.length === 0 || some.length === 0) return;
    for (const number of await sieve(searchFor(some).jobFor(picked))) now.candidates.add(nameOf(keys, places[number]));
  };

  await look((source) => isKnown[source], added);
  // a file of which not all keys are looked for, as it has them, is known on no other day, when it may come without the others
  // the keys that a file shares may be another file's turn, so it counts at the end
  const countsAlready = (number: number) => !incomplete.has(number) && !sharing.has(number);
  digests.forEach((digest, i) => {
    if (isKnown[i] && countsAlready(i)) now.exports.add(digest);
  });
  for (const [number, digest] of digests.entries()) {
    if (isKnown[number]) continue;
    await look((source) => source === number, encounters);
    if (countsAlready(number)) now.exports.add(digest);
    save(now, false);
  }
  digests.forEach((digest, i) => {
    if (!incomplete.has(i)) now.exports.add(digest);
  });
  const candidates = namedAmong(keys, now.candidates);
  now.candidates = new Set(candidates.map((at) => nameOf(keys, at)));
  save(now, true);
  return candidates;
}

const nameOf = ({ bytes }: DiagnosisKeys, at: number) => Buffer.from(bytes.subarray(16 * at, 16 * at + 16)).toString("hex");

/** The numbers of the keys whose names are in a set. */
function namedAmong(keys: DiagnosisKeys, names: ReadonlySet<string>): number[] {
  // most are told from all of them by one byte or three, before a text is made
  const beginnings = new Set([...names].map((name) => Number.parseInt(name.slice(0, 6), 16)));
  const found: number[] = [];
  for (let at = 0; at < keys.count; at++) {
    const beginning = (keys.bytes[16 * at] << 16) | (keys.bytes[16 * at + 1] << 8) | keys.bytes[16 * at + 2];
    if (beginnings.has(beginning) && names.has(nameOf(keys, at))) found.push(at);
  }
  return found;
}
