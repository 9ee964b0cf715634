import { isDense } from "./dense.ts";
import type { Exposure, HeardIdentifier } from "./matcher.ts";

/** What is known of an encounter beside what matching needs. */
export interface HeardDetails extends HeardIdentifier {
  count: number | null;
  meanRssi: number | null;
}

/** An exposure as `tracelet match --json` tells it. Keys and identifiers in hex; null where something is not known. */
export interface ListedExposure {
  tek: string;
  /** Of a dense encounter the first 5 bytes. */
  rpi: string;
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
  /** dBm. */
  maxRssi: number;
  meanRssi: number | null;
  txPower: number;
  /** dB, of the strongest sighting. */
  attenuation: number;
  /** Sender's calibration confidence, 0 to 3; null for a dense encounter. */
  confidence: number | null;
  /** Interval number of the identifier. */
  interval: number;
  /** As in the export: 1 confirmed test, 2 clinical, 3 self report. */
  reportType: number | null;
  transmissionRisk: number;
  daysSinceOnset: number | null;
}

export function listExposure({ encounter, key, ...match }: Exposure<HeardDetails>): ListedExposure {
  return {
    tek: hex(key.key),
    rpi: hex(encounter.rpi),
    form: isDense(encounter) ? "dense" : "full",
    falseMatchProbability: match.falseMatchProbability,
    board: encounter.board,
    firstSeen: match.firstSeen,
    lastSeen: match.lastSeen,
    durationSeconds: match.lastSeen - match.firstSeen,
    count: encounter.count,
    maxRssi: encounter.maxRssi,
    meanRssi: encounter.meanRssi,
    txPower: match.txPower,
    attenuation: match.attenuation,
    confidence: match.confidence,
    interval: match.interval,
    reportType: key.reportType ?? null,
    transmissionRisk: key.transmissionRisk,
    daysSinceOnset: key.daysSinceOnset ?? null,
  };
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
