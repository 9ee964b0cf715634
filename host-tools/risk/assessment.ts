import { type Contact, contactOf, exposedDays } from "../matching/dp3t-contacts.ts";
import {
  type ExposureConfiguration,
  infectiousnessMap,
  type MinutesConfiguration,
  minuteRule,
  scoreTables,
  summaryRules,
  type WindowConfiguration,
} from "./configuration.ts";
import { type DailySummary, dailySummaries, type RatedWindow } from "./daily-summaries.ts";
import { exposureMinutes } from "./exposure-minutes.ts";
import { riskScore } from "./exposure-score.ts";
import { type KeyExposure, keyExposures } from "./exposures.ts";
import { aggregatedSightings, allSightings, type HeardKey } from "./heard-keys.ts";
import { infectiousnessOf } from "./infectiousness.ts";
import { type ExposureWindow, exposureWindows } from "./windows.ts";

// From what one board heard of published keys to the answer of each rule. `today`: days since 1970, UTC.

const DAY = 86400;

export interface WindowOfKey extends ExposureWindow, RatedWindow {
  scans: ExposureWindow["scans"];
  /** Hex. */
  key: string;
}

/** Version 2: windows in order of time, and days. GAEN-26, GAEN-27. */
export function assessWindows(
  configuration: WindowConfiguration,
  heard: readonly HeardKey[],
  today: number,
): { windows: WindowOfKey[]; summaries: DailySummary[] } {
  const map = infectiousnessMap(configuration);
  const windows = heard
    .flatMap((key) =>
      exposureWindows(allSightings(key)).map((window) => ({
        ...window,
        key: key.key,
        reportType: key.reportType || configuration.diagnosisKeysDataMapping.reportTypeWhenMissing,
        infectiousness: infectiousnessOf(map, key.daysSinceOnset),
      })),
    )
    .sort((a, b) => a.start - b.start || (a.key < b.key ? -1 : 1));
  return { windows, summaries: dailySummaries(summaryRules(configuration), windows, today) };
}

/** How long keys were heard in the windows that began on a day, seconds. */
export function heardSeconds(windows: readonly ExposureWindow[], day: number): number {
  const scans = windows.filter(({ start }) => Math.floor(start / DAY) === day).flatMap((window) => window.scans);
  return scans.reduce((sum, { seconds }) => sum + seconds, 0);
}

export interface ScoredKeyExposure extends KeyExposure {
  /** Days since 1970, of the key. */
  day: number;
  transmissionRisk: number;
  score: number;
}

/** Version 1: exposures in order of time, each with its score. GAEN-28. */
export function assessExposures(configuration: ExposureConfiguration, heard: readonly HeardKey[], today: number): ScoredKeyExposure[] {
  const { thresholds, ...tables } = scoreTables(configuration);
  return heard
    .flatMap((key) =>
      keyExposures(aggregatedSightings(key), thresholds).map((exposure) => {
        const day = key.day ?? Math.floor(exposure.start / DAY);
        const { transmissionRisk } = key;
        return { ...exposure, day, transmissionRisk, score: riskScore(tables, { ...exposure, days: today - day, transmissionRisk }) };
      }),
    )
    .sort((a, b) => a.start - b.start || b.score - a.score);
}

export interface MinutesOfDay {
  /** Days since 1970, in which exposures began. */
  day: number;
  /** Below, between and above the thresholds. */
  minutes: number[];
  exposureMinutes: number;
  notify: boolean;
}

/** SwissCovid's rule, by day. */
export function assessMinutes(configuration: MinutesConfiguration, heard: readonly HeardKey[]): MinutesOfDay[] {
  const { thresholds, ...rule } = minuteRule(configuration);
  const days = new Map<number, number[]>();
  for (const key of heard) {
    for (const { start, secondsBelow, secondsBetween, secondsAbove } of keyExposures(aggregatedSightings(key), thresholds)) {
      const day = Math.floor(start / DAY);
      const minutes = days.get(day) ?? [0, 0, 0];
      days.set(
        day,
        [secondsBelow, secondsBetween, secondsAbove].map((seconds, i) => minutes[i] + seconds / 60),
      );
    }
  }
  return [...days].sort(([a], [b]) => a - b).map(([day, minutes]) => ({ day, minutes, ...exposureMinutes(rule, minutes) }));
}

/** DP-3T before there was a system interface: contacts, and exposed days (DP-09). */
export function assessContacts(heard: readonly HeardKey[], today: number): { contacts: Contact[]; exposedDays: number[] } {
  const contacts = heard.flatMap(({ identifiers }) => [...identifiers.values()].map((sightings) => contactOf(sightings)));
  return { contacts: contacts.sort((a, b) => a.contactTime - b.contactTime), exposedDays: exposedDays(contacts, today) };
}
