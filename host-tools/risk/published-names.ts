import type { Crypto } from "../../protocols/ports.ts";
import type { ScoredKeyExposure, WindowOfKey } from "./assessment.ts";
import type { DailySummary, SummaryData } from "./daily-summaries.ts";

// Results under the names of the published interfaces, as they may leave the process: of every moment only the day, in an order that tells nothing, no identifier, no key (GAEN-30).
// Sources: ExposureWindow, ScanInstance, DailySummary, ExposureSummary, ExposureInformation of https://developers.google.com/android/exposure-notifications .

const DAY = 86400;
/** Version 1 tells no longer times, minutes. */
const MOST_MINUTES = 30;

export interface PublishedWindow {
  /** Midnight of the day, UTC. */
  dateMillisSinceEpoch: number;
  /** In order of time. */
  scanInstances: { typicalAttenuationDb: number; minAttenuationDb: number; secondsSinceLastScan: number }[];
  /** 0 none, 1 standard, 2 high. */
  infectiousness: number;
  /** 1 confirmed test, 2 clinical diagnosis, 3 self report. */
  reportType: number;
  /** 0 lowest to 3 high. */
  calibrationConfidence: number;
}

export interface PublishedSummary {
  daysSinceEpoch: number;
  summaryData: SummaryData;
  /** By report type. */
  summaryDataForReportType: Record<string, SummaryData>;
}

/** In an order drawn anew each time, each with the same chance (Fisher-Yates). */
function shuffled<T>(randomBytes: Crypto["randomBytes"], list: readonly T[]): T[] {
  const order = [...list];
  for (let left = order.length; left > 1; left--) {
    // numbers past the last whole multiple would give the first ones a better chance
    const limit = 2 ** 32 - (2 ** 32 % left);
    let drawn = limit;
    while (drawn >= limit) drawn = Buffer.from(randomBytes(4)).readUInt32LE();
    [order[left - 1], order[drawn % left]] = [order[drawn % left], order[left - 1]];
  }
  return order;
}

export function publishedWindows(randomBytes: Crypto["randomBytes"], windows: readonly WindowOfKey[]): PublishedWindow[] {
  return shuffled(randomBytes, windows).map(({ start, scans, infectiousness, reportType, confidence }) => ({
    dateMillisSinceEpoch: (start - (start % DAY)) * 1000,
    scanInstances: scans.map(({ typical, min, seconds }) => ({
      typicalAttenuationDb: typical,
      minAttenuationDb: min,
      secondsSinceLastScan: seconds,
    })),
    infectiousness,
    reportType,
    calibrationConfidence: confidence,
  }));
}

export function publishedSummaries(summaries: readonly DailySummary[]): PublishedSummary[] {
  return summaries.map(({ day, total, byReportType }) => ({
    daysSinceEpoch: day,
    summaryData: total,
    summaryDataForReportType: Object.fromEntries(Object.entries(byReportType)),
  }));
}

export interface PublishedExposureInformation {
  /** Midnight of the key's day, UTC. */
  dateMillisSinceEpoch: number;
  /** At most 30. */
  durationMinutes: number;
  attenuationValue: number;
  transmissionRiskLevel: number;
  totalRiskScore: number;
  /** Below, between and above the thresholds; each at most 30. */
  attenuationDurationsInMinutes: number[];
}

export interface PublishedExposureSummary {
  /** Null where there is no exposure. */
  daysSinceLastExposure: number | null;
  matchedKeyCount: number;
  maximumRiskScore: number;
  summationRiskScore: number;
  attenuationDurationsInMinutes: number[];
}

const shownMinutes = (seconds: number) => Math.min(MOST_MINUTES, Math.ceil(seconds / 60));
const durations = ({ secondsBelow, secondsBetween, secondsAbove }: ScoredKeyExposure) => [secondsBelow, secondsBetween, secondsAbove];

export function publishedExposures(randomBytes: Crypto["randomBytes"], exposures: readonly ScoredKeyExposure[]): PublishedExposureInformation[] {
  return shuffled(randomBytes, exposures).map((exposure) => ({
    dateMillisSinceEpoch: exposure.day * DAY * 1000,
    durationMinutes: shownMinutes(exposure.durationSeconds),
    attenuationValue: exposure.attenuation,
    transmissionRiskLevel: exposure.transmissionRisk,
    totalRiskScore: exposure.score,
    attenuationDurationsInMinutes: durations(exposure).map(shownMinutes),
  }));
}

/** `keys`: how many keys were heard. `today`: days since 1970. */
export function publishedExposureSummary(exposures: readonly ScoredKeyExposure[], keys: number, today: number): PublishedExposureSummary {
  const sums = exposures.map(durations).reduce((sum, one) => sum.map((seconds, i) => seconds + one[i]), [0, 0, 0]);
  return {
    daysSinceLastExposure: exposures.length > 0 ? Math.min(...exposures.map(({ day }) => today - day)) : null,
    matchedKeyCount: keys,
    maximumRiskScore: Math.max(0, ...exposures.map(({ score }) => score)),
    summationRiskScore: exposures.reduce((sum, { score }) => sum + score, 0),
    attenuationDurationsInMinutes: sums.map(shownMinutes),
  };
}
