import { randomBytes } from "node:crypto";
import type { ExposureKey } from "../../protocols/gaen/export-file.ts";
import { type ExportColumns, NOT_TOLD } from "../../protocols/gaen/key-columns.ts";
import { INTERVAL_SECONDS } from "../../protocols/gaen/key-schedule.ts";
import type { SieveKeys } from "./engine/find.ts";

/** Something that was not counted, and why; `count` of how many. */
export interface SetApart {
  what: "key" | "encounter";
  reason: string;
  count: number;
}

/** Counts by reason, and lists them in alphabetical order. */
export function createTally(what: SetApart["what"]) {
  const counts = new Map<string, number>();
  return {
    add(reason: string, count = 1): void {
      if (count > 0) counts.set(reason, (counts.get(reason) ?? 0) + count);
    },
    list(): SetApart[] {
      return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([reason, count]) => ({ what, reason, count }));
    },
  };
}

const CONFIRMED = 1;
const CLINICAL = 2;
const SELF_REPORT = 3;
const RECURSIVE = 4;
const REVOKED = 5;
const TRANSITIONS: Record<number, number[]> = { [SELF_REPORT]: [CONFIRMED, CLINICAL, REVOKED], [CLINICAL]: [CONFIRMED, REVOKED] };

/** May a key's report type become another one, after `earlier` changes? Once, and only as a diagnosis gets firmer or is taken back (GAEN-29). */
export function mayBecome(from: number, to: number, earlier: number): boolean {
  return earlier === 0 && (TRANSITIONS[from]?.includes(to) ?? false);
}

/** Published keys that may be looked for, each once, as columns: what the sieve reads, and what else is told of them. */
export interface DiagnosisKeys extends SieveKeys {
  schedule: "gaen";
  count: number;
  transmissionRisk: Uint8Array;
  /** NOT_TOLD where no file says. */
  reportType: Uint8Array;
  daysSinceOnset: Int8Array;
  /** Unix seconds: the end of the time that the first file with the key covers, before which nobody but its owner could know it. Infinity where that is not known. */
  publicFrom: Float64Array;
  /** The number of that file among those given. */
  source: Uint32Array;
}

/** Key number `at`. */
export function diagnosisKey(keys: DiagnosisKeys, at: number): ExposureKey {
  const told = (value: number) => (value === NOT_TOLD ? undefined : value);
  return {
    key: keys.bytes.slice(16 * at, 16 * at + 16),
    transmissionRisk: keys.transmissionRisk[at],
    rollingStart: keys.from[at],
    rollingPeriod: keys.lengths[at],
    reportType: told(keys.reportType[at]),
    daysSinceOnset: told(keys.daysSinceOnset[at]),
  };
}

/** Keys that are at hand one by one, such as a board's own: 16 bytes each, of 1 to 144 intervals, each once. */
export function diagnosisKeys(list: readonly ExposureKey[]): DiagnosisKeys {
  const keys = roomFor(list.length);
  list.forEach((key, at) => {
    keys.bytes.set(key.key, 16 * at);
    keys.from[at] = key.rollingStart;
    keys.lengths[at] = key.rollingPeriod;
    keys.transmissionRisk[at] = key.transmissionRisk;
    keys.reportType[at] = key.reportType ?? NOT_TOLD;
    keys.daysSinceOnset[at] = key.daysSinceOnset ?? NOT_TOLD;
    keys.publicFrom[at] = Number.POSITIVE_INFINITY;
  });
  return { ...keys, count: list.length };
}

function roomFor(room: number): DiagnosisKeys {
  return {
    schedule: "gaen",
    count: 0,
    bytes: new Uint8Array(16 * room),
    from: new Uint32Array(room),
    lengths: new Uint32Array(room),
    transmissionRisk: new Uint8Array(room),
    reportType: new Uint8Array(room),
    daysSinceOnset: new Int8Array(room),
    publicFrom: new Float64Array(room),
    source: new Uint32Array(room),
  };
}

export interface CombinedKeys {
  keys: DiagnosisKeys;
  setApart: SetApart[];
  /** Numbers of the files of which some key is not among these as the file has it: another file gives it another time, or it is dropped. */
  incomplete: Set<number>;
  /** Numbers of the files with a key that an earlier one has, too: it is told under the earlier one's number. */
  sharing: Set<number>;
}

/**
 * The keys to look for in some exports: of each key what the latest file says of it. The order in which the files are given doesn't matter: they are taken in order of their time.
 *
 * Set apart are keys of wrong size or period, RECURSIVE ones, those that were revoked or begin after they were published, what a file says twice, and what a later file says against the
 * rules (another period, a transition that must not be).
 */
export function combineExports(exports: readonly ExportColumns[]): CombinedKeys {
  const room = exports.reduce((sum, { keys }) => sum + keys.count, 0);
  const known = createKnownKeys(room);
  const apart = createTally("key");
  const incomplete = new Set<number>();
  /** Keys that are in another file, too, and its number. */
  const shared: { at: number; source: number }[] = [];
  const take = (file: ExportColumns, source: number, from: number) => {
    const at = known.take(file, source, from);
    if (at === undefined) return;
    if (known.source[at] !== source) shared.push({ at, source });
    const earlier = typeOf(known.reportType[at]);
    const later = typeOf(file.keys.reportType[from]);
    if (known.from[at] !== file.keys.rollingStart[from] >>> 0 || known.lengths[at] !== file.keys.rollingPeriod[from]) {
      apart.add("known with another time");
      incomplete.add(source);
    } else if (earlier !== later && !mayBecome(earlier, later, known.changes[at])) apart.add("report type may not change so");
    else if (earlier !== later) known.change(at, file, from);
    else if (known.source[at] === source && file.keys.isRevised[from] === 0) apart.add("again in the same file");
  };
  const inTime = [...exports.entries()].sort(([, a], [, b]) => a.start - b.start || a.end - b.end || a.batchNumber - b.batchNumber);
  for (const [source, file] of inTime) {
    apart.add(WRONG_SIZE_OR_PERIOD, file.wrongSize);
    // what is revised may be in the same file as what it revises
    for (const revised of [0, 1]) for (let i = 0; i < file.keys.count; i++) if (file.keys.isRevised[i] === revised) take(file, source, i);
  }
  const isDropped = (at: number) => whyDropped(known, at) !== undefined;
  for (let at = 0; at < known.count; at++) if (isDropped(at)) incomplete.add(known.source[at]);
  for (const { at, source } of shared) if (isDropped(at)) incomplete.add(source);
  const sharing = new Set(shared.map(({ source }) => source));
  return { keys: withoutDropped(known, apart), setApart: apart.list(), incomplete, sharing };
}

const WRONG_SIZE_OR_PERIOD = "wrong size or rolling period";
const NONE = -1;
/** A key may say nothing of its report type; the rules know that as 0, unknown. */
const typeOf = (told: number) => (told === NOT_TOLD ? 0 : told);

interface KnownKeys extends DiagnosisKeys {
  /** How often the report type has changed. */
  changes: Uint8Array;
  /** Appends a key of a file. Answers the number of the same key where it is known already, and appends nothing. */
  take(file: ExportColumns, source: number, from: number): number | undefined;
  /** Takes over what a file says of a known key. */
  change(at: number, file: ExportColumns, from: number): void;
}

/** Room for so many keys, found by open addressing, at most half full, by factors drawn at random: whoever publishes keys may choose them. */
function createKnownKeys(room: number): KnownKeys {
  const bits = Math.max(4, Math.ceil(Math.log2(2 * Math.max(room, 1))));
  const places = new Int32Array(2 ** bits).fill(NONE);
  const columns = roomFor(room);
  const words = new Uint32Array(columns.bytes.buffer);
  const [f0, f1, f2, f3] = new Uint32Array(new Uint8Array(randomBytes(16)).buffer).map((factor) => factor | 1);
  const wordAt = (file: Uint8Array, at: number) => file[at] | (file[at + 1] << 8) | (file[at + 2] << 16) | (file[at + 3] << 24);

  const known: KnownKeys = {
    ...columns,
    changes: new Uint8Array(room),
    take({ file, end, keys }, source, from) {
      const offset = keys.offset[from];
      const w0 = wordAt(file, offset) >>> 0;
      const w1 = wordAt(file, offset + 4) >>> 0;
      const w2 = wordAt(file, offset + 8) >>> 0;
      const w3 = wordAt(file, offset + 12) >>> 0;
      let place = (Math.imul(w0, f0) + Math.imul(w1, f1) + Math.imul(w2, f2) + Math.imul(w3, f3)) >>> (32 - bits);
      for (; places[place] !== NONE; place = (place + 1) & (places.length - 1)) {
        const other = 4 * places[place];
        if (words[other] === w0 && words[other + 1] === w1 && words[other + 2] === w2 && words[other + 3] === w3) return places[place];
      }
      const at = known.count++;
      places[place] = at;
      words[4 * at] = w0;
      words[4 * at + 1] = w1;
      words[4 * at + 2] = w2;
      words[4 * at + 3] = w3;
      known.from[at] = keys.rollingStart[from];
      known.lengths[at] = keys.rollingPeriod[from];
      known.transmissionRisk[at] = keys.transmissionRisk[from];
      known.reportType[at] = keys.reportType[from];
      known.daysSinceOnset[at] = keys.daysSinceOnset[from];
      known.publicFrom[at] = end > 0 ? end : Number.POSITIVE_INFINITY;
      known.source[at] = source;
      return undefined;
    },
    change(at, { keys }, from) {
      known.transmissionRisk[at] = keys.transmissionRisk[from];
      known.reportType[at] = keys.reportType[from];
      known.daysSinceOnset[at] = keys.daysSinceOnset[from];
      known.changes[at]++;
    },
  };
  return known;
}

/** Why a key is not looked for, if it isn't. */
function whyDropped({ reportType, from, publicFrom, lengths }: DiagnosisKeys, at: number): string | undefined {
  if (reportType[at] === REVOKED) return "revoked";
  if (from[at] * INTERVAL_SECONDS >= publicFrom[at]) return "begins after it was published";
  if (reportType[at] === RECURSIVE) return "recursive";
  return lengths[at] === 0 ? WRONG_SIZE_OR_PERIOD : undefined;
}

/** Moves those that are looked for to the front, and tells the others. */
function withoutDropped(known: KnownKeys, apart: ReturnType<typeof createTally>): DiagnosisKeys {
  const { bytes, from, lengths, transmissionRisk, reportType, daysSinceOnset, publicFrom, source } = known;
  let count = 0;
  for (let i = 0; i < known.count; i++) {
    const reason = whyDropped(known, i);
    if (reason) apart.add(reason);
    else {
      if (count !== i) {
        bytes.copyWithin(16 * count, 16 * i, 16 * i + 16);
        for (const column of [from, lengths, transmissionRisk, reportType, daysSinceOnset, publicFrom, source]) column[count] = column[i];
      }
      count++;
    }
  }
  return {
    schedule: "gaen",
    count,
    bytes: bytes.subarray(0, 16 * count),
    from: from.subarray(0, count),
    lengths: lengths.subarray(0, count),
    transmissionRisk: transmissionRisk.subarray(0, count),
    reportType: reportType.subarray(0, count),
    daysSinceOnset: daysSinceOnset.subarray(0, count),
    publicFrom: publicFrom.subarray(0, count),
    source: source.subarray(0, count),
  };
}
