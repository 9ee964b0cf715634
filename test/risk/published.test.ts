import { describe, expect, test } from "vitest";
import { diagnosisKeys } from "../../host-tools/matching/diagnosis-keys.ts";
import { matchEncounters } from "../../host-tools/matching/matcher.ts";
import { nodeCrypto } from "../../host-tools/node-crypto.ts";
import { dailySummaries, type SummaryRules } from "../../host-tools/risk/daily-summaries.ts";
import { exposureMinutes } from "../../host-tools/risk/exposure-minutes.ts";
import { riskScore } from "../../host-tools/risk/exposure-score.ts";
import { aggregated, type KeyExposure, keyExposures } from "../../host-tools/risk/exposures.ts";
import { infectiousnessOf } from "../../host-tools/risk/infectiousness.ts";
import type { Sighting } from "../../host-tools/risk/sighting.ts";
import { type ExposureWindow, exposureWindows } from "../../host-tools/risk/windows.ts";
import { fromHex, loadVectors, type Row, toHex } from "../support/vectors.ts";

const vectors = loadVectors("gaen_matching.json");

const sightingOf = (row: Row): Sighting => ({
  heardAt: row.t,
  attenuation: row.attenuation ?? 0,
  previousScan: row.prev_scan || null,
  confidence: row.confidence ?? 0,
});
const rulesOf = (config: Row): SummaryRules => ({
  attenuationThresholds: config.attenuation_thresholds,
  attenuationWeights: config.attenuation_weights,
  reportTypeWeights: config.report_weights,
  infectiousnessWeights: config.infectiousness_weights,
  minimumWindowScore: config.minimum_window_score,
  daysSinceExposureThreshold: config.days_threshold,
});
const exposureRow = (one: KeyExposure) => ({
  start: one.start,
  duration_s: one.durationSeconds,
  attenuation: one.attenuation,
  seconds_below: one.secondsBelow,
  seconds_between: one.secondsBetween,
  seconds_above: one.secondsAbove,
});
const windowRow = ({ confidence, ...window }: ExposureWindow) => ({ ...window, calibration_confidence: confidence });
const dataRow = (data: { scoreSum: number; maximumScore: number; weightedDurationSum: number }) => ({
  sum: data.scoreSum,
  maximum: data.maximumScore,
  weighted_duration: data.weightedDurationSum,
});
const summaryRows = (rules: SummaryRules, windows: Row[], today: number | null) =>
  dailySummaries(
    rules,
    windows.map(({ start, scans, report_type: reportType, infectiousness }) => ({ start, scans, reportType, infectiousness })),
    today,
  ).map(({ day, total, byReportType }) => ({
    day,
    total: dataRow(total),
    by_report_type: Object.fromEntries(Object.entries(byReportType).map(([type, data]) => [type, dataRow(data)])),
  }));

describe("risk by the published rules gives the published answers", () => {
  test.each(vectors.exposures_v1)("GAEN-28: exposures of version 1, row %#", ({ low, high, scan_interval, sightings, exposures }) => {
    expect(keyExposures(sightings.map(sightingOf), { low, high }, scan_interval).map(exposureRow)).toEqual(exposures);
  });

  test.each(vectors.score_v1.rows as Row[])("GAEN-28: score of version 1, row %#: $score", (row) => {
    const config = vectors.score_v1.configs[row.config];
    const tables = {
      attenuationScores: config.attenuation,
      daysSinceLastExposureScores: config.days,
      durationScores: config.duration,
      transmissionRiskScores: config.transmission,
      minimumRiskScore: config.minimum,
    };
    const { attenuation, days, duration_s: durationSeconds, transmission_risk: transmissionRisk } = row;
    expect(riskScore(tables, { attenuation, days, durationSeconds, transmissionRisk })).toBe(row.score);
  });

  test.each(vectors.windows)("GAEN-26: windows and their scans, row %#", ({ sightings, windows }) => {
    expect(exposureWindows(sightings.map(sightingOf)).map(windowRow)).toEqual(windows);
  });

  test.each(vectors.infectiousness.rows as Row[])("GAEN-26: $days_since_onset days from onset: $infectiousness", (row) => {
    const { map: byDay, default: whenMissing } = vectors.infectiousness;
    expect(infectiousnessOf({ byDay: byDay as never, whenMissing }, row.days_since_onset)).toBe(row.infectiousness);
  });

  test.each(vectors.daily_v2)("GAEN-27: daily summaries, $name", ({ config, today, windows, summaries }) => {
    expect(summaryRows(rulesOf(config), windows, today)).toEqual(summaries);
  });

  test.each(vectors.swisscovid_rule)("SwissCovid: $minutes minutes are $exposure_minutes, told: $notify", ({ minutes, weights, ...row }) => {
    expect(exposureMinutes({ weights, notifyFrom: 15 }, minutes)).toEqual({ exposureMinutes: row.exposure_minutes, notify: row.notify });
  });

  test.each(vectors.end_to_end)("GAEN-24 to GAEN-28: from keys and a log to exposures, windows and days, row %#", (row) => {
    const keys = row.keys.map((one: Row) => ({
      key: fromHex(one.key),
      transmissionRisk: one.transmission_risk,
      rollingStart: one.rolling_start,
      rollingPeriod: one.rolling_period,
      reportType: one.report_type,
      daysSinceOnset: one.days_since_onset,
    }));
    const heard = row.log.map((one: Row) => ({
      rpi: fromHex(one.rpi),
      aem: fromHex(one.aem),
      board: "a",
      firstSeen: one.t,
      lastSeen: one.t,
      maxRssi: one.rssi,
      previousScan: one.prev_scan || null,
    }));
    const { exposures } = matchEncounters(nodeCrypto, diagnosisKeys(keys), heard as ((typeof heard)[number] & { previousScan: number | null })[]);
    const rated: Row[] = [];
    const found = keys.map((key: Row) => {
      const matched = exposures.filter((one) => toHex(one.key.key) === toHex(key.key));
      const sightings = matched.map(({ encounter, attenuation, confidence, firstSeen }) => ({
        identifier: toHex(encounter.rpi),
        heardAt: firstSeen,
        attenuation,
        previousScan: encounter.previousScan,
        confidence: confidence!,
      }));
      const identifiers = [...new Set(sightings.map((one) => one.identifier))];
      const scans = identifiers.flatMap((identifier) => aggregated(sightings.filter((one) => one.identifier === identifier)));
      const infectiousness = infectiousnessOf({ byDay: row.infectiousness_map, whenMissing: row.infectiousness_default }, key.daysSinceOnset);
      const windows = exposureWindows(sightings).map((window) => ({ ...windowRow(window), report_type: key.reportType, infectiousness }));
      rated.push(...windows);
      return { key: toHex(key.key), matched: matched.length, exposures: keyExposures(scans, { low: 50, high: 74 }).map(exposureRow), windows };
    });
    expect({ per_key: found, summaries: summaryRows(rulesOf(row.config), rated, null) }).toEqual(row.expect);
  });
});
