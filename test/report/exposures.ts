import type { ListedExposure } from "../../host-tools/matching/exposure-list.ts";

/** A whole minute. */
export const NOON = Date.UTC(2026, 2, 2, 12) / 1000;

export const exposure = (more: Partial<ListedExposure> = {}): ListedExposure => ({
  key: "aa",
  keyDay: 20514,
  identifier: "01",
  form: "full",
  falseMatchProbability: 0,
  board: "a",
  firstSeen: NOON,
  lastSeen: NOON + 600,
  durationSeconds: 600,
  count: 20,
  maxRssi: -60,
  meanRssi: -66,
  rssiCorrection: 0,
  txPower: 0,
  txPowerAssumed: false,
  attenuation: 60,
  confidence: 1,
  interval: 0,
  reportType: 1,
  transmissionRisk: 0,
  daysSinceOnset: null,
  ...more,
});
