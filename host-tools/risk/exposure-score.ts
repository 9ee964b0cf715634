// The risk score of version 1: a product of four table values. Source: exposure-notifications-internals, RiskScoreCalculator (GAEN-28).

/** Eight scores each, 0 to 8, from the least to the most dangerous but for transmissionRiskScores, which are for the levels 1 to 8. */
export interface ScoreTables {
  attenuationScores: readonly number[];
  daysSinceLastExposureScores: readonly number[];
  durationScores: readonly number[];
  transmissionRiskScores: readonly number[];
  /** A smaller product counts as 0. */
  minimumRiskScore: number;
}

export interface ScoredExposure {
  /** dB. */
  attenuation: number;
  /** Whole days since the key was first used. */
  days: number;
  durationSeconds: number;
  /** Of the key, 0 to 8; 0 is unknown and takes no part. */
  transmissionRisk: number;
}

// first bucket that holds; the last one is for all others
const ATTENUATION_ABOVE = [73, 63, 51, 33, 27, 15, 10];
const DAYS_FROM = [14, 12, 10, 8, 6, 4, 2];
const MINUTES_UP_TO = [0, 5, 10, 15, 20, 25, 30];

function bucket(limits: readonly number[], holds: (limit: number) => boolean): number {
  const found = limits.findIndex(holds);
  return found < 0 ? limits.length : found;
}

export function riskScore(tables: ScoreTables, { attenuation, days, durationSeconds, transmissionRisk }: ScoredExposure): number {
  const minutes = Math.floor(durationSeconds / 60);
  const product =
    tables.attenuationScores[bucket(ATTENUATION_ABOVE, (limit) => attenuation > limit)] *
    tables.daysSinceLastExposureScores[bucket(DAYS_FROM, (limit) => days >= limit)] *
    tables.durationScores[bucket(MINUTES_UP_TO, (limit) => minutes <= limit)] *
    (transmissionRisk === 0 ? 1 : tables.transmissionRiskScores[transmissionRisk - 1]);
  return product < tables.minimumRiskScore ? 0 : product;
}
