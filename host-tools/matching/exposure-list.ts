import type { Exposure, HeardIdentifier } from "./matcher.ts";

/** What is known of an encounter beside what matching needs. */
export interface HeardDetails extends HeardIdentifier {
  count: number | null;
  meanRssi: number | null;
}

/** An exposure as `tracelet match --json` tells it. Keys and identifiers in hex; null where something is not known. */
export interface ListedExposure {
  tek: string;
  rpi: string;
  board: string | null;
  /** Unix seconds, both included: the part of the encounter that counts. */
  firstSeen: number;
  lastSeen: number;
  durationSeconds: number;
  /** Sightings merged; 127 stands for 127 or more. */
  count: number | null;
  /** dBm. */
  maxRssi: number;
  meanRssi: number | null;
  txPower: number;
  /** dB, of the strongest sighting. */
  attenuation: number;
  /** Sender's calibration confidence, 0 to 3. */
  confidence: number;
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
