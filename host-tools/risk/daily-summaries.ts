import type { Infectiousness } from "./infectiousness.ts";
import type { ScanInstance } from "./windows.ts";

// Daily summaries, version 2. Source: exposure-notifications-internals, DailySummaryUtils; "Define meaningful exposures" (GAEN-27).

const DAY = 86400;
/** Report types of which the summaries tell: confirmed test, clinical diagnosis, self report, recursive. Others count for nothing. */
const TOLD_REPORT_TYPES = [1, 2, 3, 4];

export interface SummaryRules {
  /** dB, rising: immediate up to the first, near up to the second, medium up to the third. */
  attenuationThresholds: readonly number[];
  /** 0 to 2.5: immediate, near, medium, other. */
  attenuationWeights: readonly number[];
  /** By report type, 0 to 2.5; what is not named weighs nothing. */
  reportTypeWeights: Readonly<Record<number, number>>;
  /** By infectiousness 1 and 2; 0 weighs nothing. */
  infectiousnessWeights: Readonly<Record<number, number>>;
  /** A window with a smaller score is left out. */
  minimumWindowScore: number;
  /** Only days up to so many before today; 0: all. */
  daysSinceExposureThreshold: number;
}

/** A window with what its key says. */
export interface RatedWindow {
  /** Unix seconds. */
  start: number;
  scans: readonly ScanInstance[];
  reportType: number;
  infectiousness: Infectiousness | number;
}

/** Seconds, weighted. */
export interface SummaryData {
  scoreSum: number;
  maximumScore: number;
  weightedDurationSum: number;
}

export interface DailySummary {
  /** Days since 1970, UTC. */
  day: number;
  total: SummaryData;
  byReportType: Record<number, SummaryData>;
}

/** 0 immediate, 1 near, 2 medium, 3 other. */
export function distanceClass(thresholds: readonly number[], attenuation: number): number {
  const found = thresholds.findIndex((threshold) => attenuation <= threshold);
  return found < 0 ? thresholds.length : found;
}

/** Seconds of a window, each weighted by its attenuation. */
export function weightedDuration({ attenuationThresholds, attenuationWeights }: SummaryRules, scans: readonly ScanInstance[]): number {
  return scans.reduce((sum, { typical, seconds }) => sum + seconds * attenuationWeights[distanceClass(attenuationThresholds, typical)], 0);
}

/** Weighted seconds of a window, weighted again by who tested and how infectious the day was. */
export function windowScore(rules: SummaryRules, { scans, reportType, infectiousness }: RatedWindow): number {
  return weightedDuration(rules, scans) * (rules.reportTypeWeights[reportType] ?? 0) * (rules.infectiousnessWeights[infectiousness] ?? 0);
}

const nothing = (): SummaryData => ({ scoreSum: 0, maximumScore: 0, weightedDurationSum: 0 });

function add(data: SummaryData, score: number, duration: number): void {
  data.scoreSum += score;
  data.maximumScore = Math.max(data.maximumScore, score);
  data.weightedDurationSum += duration;
}

/** GAEN-27: by UTC day in which a window began, in order. A day of which every window was left out is there, with zeros. `today`: days since 1970. */
export function dailySummaries(rules: SummaryRules, windows: readonly RatedWindow[], today: number | null): DailySummary[] {
  const days = new Map<number, DailySummary>();
  for (const window of windows) {
    const day = Math.floor(window.start / DAY);
    const { daysSinceExposureThreshold: oldest } = rules;
    if (today !== null && oldest > 0 && today - day > oldest) continue;
    if (!TOLD_REPORT_TYPES.includes(window.reportType)) continue;
    const summary = days.get(day) ?? { day, total: nothing(), byReportType: {} };
    days.set(day, summary);
    const score = windowScore(rules, window);
    if (score < rules.minimumWindowScore) continue;
    const duration = weightedDuration(rules, window.scans);
    add(summary.total, score, duration);
    summary.byReportType[window.reportType] ??= nothing();
    add(summary.byReportType[window.reportType], score, duration);
  }
  return [...days.values()].sort((a, b) => a.day - b.day);
}
