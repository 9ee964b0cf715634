import { ROLLING_PERIOD } from "../../protocols/gaen/key-schedule.ts";
import { isDense } from "./dense.ts";
import type { SetApart } from "./diagnosis-keys.ts";
import type { Exposure, HeardIdentifier } from "./matcher.ts";
import type { HeardOthers, OthersExposure } from "./others.ts";
import { type Mark, setSafeApart } from "./safe.ts";

/** What is known of an encounter beside what matching needs. */
export interface HeardDetails {
  count: number | null;
  meanRssi: number | null;
  /** What calibration added to both RSSIs, dB. */
  rssiCorrection?: number;
}

/** An exposure as `tracelet match --json` tells it, of any protocol. Keys and identifiers in hex; null where something is not known, or no part of the protocol. */
export interface ListedExposure {
  /** As it was published: TEK, daily tracing key, SK or hash; of a filter the 16 bytes it was asked for. */
  key: string;
  /** Day of the key, days since 1970; null of a hash. */
  keyDay: number | null;
  /** RPI or EphID; of a dense encounter the first 5 bytes. */
  identifier: string;
  /** What the board kept of it: see docs/log.md. */
  form: "full" | "dense";
  /** How probable it was beforehand that the encounter matches by chance; 0 for a full one. */
  falseMatchProbability: number;
  board: string | null;
  /** Unix seconds, both included: the part of the encounter that counts. */
  firstSeen: number;
  lastSeen: number;
  durationSeconds: number;
  /** Sightings merged; 127 stands for 127 or more; null for a dense encounter. */
  count: number | null;
  /** dBm, corrected. */
  maxRssi: number;
  meanRssi: number | null;
  /** What calibration of the board's model added to both, dB. */
  rssiCorrection: number;
  /** dBm, as the packet told it, or what is assumed of the protocol. */
  txPower: number | null;
  txPowerAssumed: boolean;
  /** dB, of the strongest sighting. */
  attenuation: number | null;
  /** Sender's calibration confidence, 0 to 3. GAEN's; null for a dense encounter. */
  confidence: number | null;
  /** Interval number of the identifier. GAEN's. */
  interval: number | null;
  /** As in the export: 1 confirmed test, 2 clinical, 3 self report. GAEN's. */
  reportType: number | null;
  /** GAEN's. */
  transmissionRisk: number | null;
  /** GAEN's. */
  daysSinceOnset: number | null;
}

/** What `tracelet match --json` tells. */
export interface MatchReport {
  /** gaen, ct10, dp3t or dp3t-unlinkable. */
  protocol: string;
  /** Those that count. */
  exposures: ListedExposure[];
  /** Those that their owner has marked as safe (OCT-10). */
  safe: ListedExposure[];
  /** Keys or hashes looked for, and encounters they were looked for in. */
  keys: number;
  encounters: number;
  setApart: SetApart[];
  /** Encounters of which the board kept 5 bytes of the identifier, and how many false matches they let expect in this run. */
  dense: { encounters: number; expectedFalseMatches: number };
}

/** A match of GAEN as it is listed. */
export function listExposure({ encounter, key, ...match }: Exposure<HeardIdentifier & HeardDetails>): ListedExposure {
  return {
    key: hex(key.key),
    keyDay: Math.floor(key.rollingStart / ROLLING_PERIOD),
    identifier: hex(encounter.rpi),
    form: isDense(encounter) ? "dense" : "full",
    ...heard(encounter, match),
    txPowerAssumed: false,
    confidence: match.confidence,
    interval: match.interval,
    reportType: key.reportType ?? null,
    transmissionRisk: key.transmissionRisk,
    daysSinceOnset: key.daysSinceOnset ?? null,
  };
}

/** A match of another protocol as it is listed. */
export function listOthers({ encounter, key, day, ...match }: OthersExposure<HeardOthers & HeardDetails>): ListedExposure {
  return {
    key: hex(key),
    keyDay: day,
    identifier: hex(encounter.identifier),
    form: isDense({ rpi: encounter.identifier }) ? "dense" : "full",
    ...heard(encounter, match),
    txPowerAssumed: match.isAssumed,
    confidence: null,
    interval: null,
    reportType: null,
    transmissionRisk: null,
    daysSinceOnset: null,
  };
}

/** Those that count, and those that their owner has marked as safe. */
export function setListedApart(marks: readonly Mark[], protocol: string, listed: readonly ListedExposure[]) {
  return setSafeApart(marks, listed, ({ board, identifier, firstSeen, lastSeen }) => ({
    board,
    protocol,
    identifier: Buffer.from(identifier, "hex"),
    firstSeen,
    lastSeen,
  }));
}

/** What every protocol tells. */
function heard(
  encounter: HeardDetails & { board: string | null; maxRssi: number },
  match: Pick<ListedExposure, "falseMatchProbability" | "firstSeen" | "lastSeen" | "txPower" | "attenuation">,
) {
  return {
    falseMatchProbability: match.falseMatchProbability,
    board: encounter.board,
    firstSeen: match.firstSeen,
    lastSeen: match.lastSeen,
    durationSeconds: match.lastSeen - match.firstSeen,
    count: encounter.count,
    maxRssi: encounter.maxRssi,
    meanRssi: encounter.meanRssi,
    rssiCorrection: encounter.rssiCorrection ?? 0,
    txPower: match.txPower,
    attenuation: match.attenuation,
  };
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
