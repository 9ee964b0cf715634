import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dailySummaries, type RatedWindow, type SummaryRules, weightedDuration, windowScore } from "../../host-tools/risk/daily-summaries.ts";
import { aggregated, keyExposures } from "../../host-tools/risk/exposures.ts";
import type { Sighting } from "../../host-tools/risk/sighting.ts";
import { exposureWindows, groupIntoWindows } from "../../host-tools/risk/windows.ts";

const BEGIN = 1591574400;
const sighting: fc.Arbitrary<Sighting> = fc.record({
  heardAt: fc.oneof(fc.nat(8000), fc.nat(60)).map((seconds) => BEGIN + seconds),
  attenuation: fc.nat(100),
  previousScan: fc.oneof(fc.constant(null), fc.integer({ min: BEGIN - 400, max: BEGIN })),
  confidence: fc.nat(3),
});
const sightings = fc.array(sighting, { minLength: 1, maxLength: 30 });
const shuffledSightings = sightings.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })));
const rules: SummaryRules = {
  attenuationThresholds: [30, 50, 60],
  attenuationWeights: [1.5, 1, 0.5, 0],
  reportTypeWeights: { 1: 1, 2: 0.5, 3: 0.25 },
  infectiousnessWeights: { 1: 1, 2: 2 },
  minimumWindowScore: 0,
  daysSinceExposureThreshold: 0,
};
const rated: fc.Arbitrary<RatedWindow> = fc.record({
  start: fc.nat(300_000).map((seconds) => BEGIN + seconds),
  scans: fc.array(fc.record({ typical: fc.nat(90), min: fc.nat(90), seconds: fc.nat(5).map((count) => count * 60) }), { minLength: 1, maxLength: 8 }),
  reportType: fc.nat(5),
  infectiousness: fc.nat(2),
});

describe("laws of the risk rules", () => {
  test("GAEN-26, GAEN-28: the order in which sightings are given changes nothing", () => {
    fc.assert(
      fc.property(shuffledSightings, ([list, other]) => {
        expect(exposureWindows(other)).toEqual(exposureWindows(list));
        const thresholds = { low: 50, high: 74 };
        expect(keyExposures(aggregated(other), thresholds)).toEqual(keyExposures(aggregated(list), thresholds));
      }),
    );
  });

  test("GAEN-26: windows hold every sighting once, none is longer than half an hour, and none begins within another", () => {
    fc.assert(
      fc.property(sightings, (list) => {
        const windows = groupIntoWindows(list);
        const held = windows.flat(2);
        expect(held.length).toBe(list.length);
        expect(new Set(held).size).toBe(new Set(list).size);
        windows.forEach((scans, i) => {
          const times = scans.flat().map(({ heardAt }) => heardAt);
          expect(Math.max(...times) - times[0]).toBeLessThan(1800);
          if (i > 0) expect(times[0] - windows[i - 1][0][0].heardAt).toBeGreaterThanOrEqual(1800);
        });
      }),
    );
  });

  test("GAEN-26: a window's mean attenuation lies between its smallest and its largest, and a scan stands for 5 minutes at most", () => {
    fc.assert(
      fc.property(sightings, (list) => {
        const most = Math.max(...list.map(({ attenuation }) => attenuation));
        for (const { typical, min, seconds } of exposureWindows(list).flatMap(({ scans }) => scans)) {
          expect(min).toBeLessThanOrEqual(typical);
          expect(typical).toBeLessThanOrEqual(most);
          expect(seconds).toBeLessThanOrEqual(300);
        }
      }),
    );
  });

  test("GAEN-27: another scan in a window, or another window, never lowers a day", () => {
    fc.assert(
      fc.property(fc.array(rated, { maxLength: 8 }), rated, (windows, more) => {
        const of = (list: RatedWindow[]) => dailySummaries(rules, list, null);
        const after = of([...windows, more]);
        for (const { day, total } of of(windows)) {
          const now = after.find((one) => one.day === day)!.total;
          expect(now.scoreSum).toBeGreaterThanOrEqual(total.scoreSum);
          expect(now.maximumScore).toBeGreaterThanOrEqual(total.maximumScore);
          expect(now.weightedDurationSum).toBeGreaterThanOrEqual(total.weightedDurationSum);
        }
        for (let length = 1; length < more.scans.length; length++)
          expect(weightedDuration(rules, more.scans.slice(0, length))).toBeLessThanOrEqual(weightedDuration(rules, more.scans));
      }),
    );
  });

  test("GAEN-27: a day is the sum of its report types, and nearer never weighs less", () => {
    fc.assert(
      fc.property(fc.array(rated, { maxLength: 8 }), fc.nat(20), (windows, nearer) => {
        for (const { total, byReportType } of dailySummaries(rules, windows, null)) {
          const parts = Object.values(byReportType);
          expect(total.scoreSum).toBeCloseTo(
            parts.reduce((sum, part) => sum + part.scoreSum, 0),
            6,
          );
          expect(total.maximumScore).toBe(Math.max(0, ...parts.map((part) => part.maximumScore)));
        }
        for (const window of windows) {
          const near = { ...window, scans: window.scans.map((scan) => ({ ...scan, typical: Math.max(0, scan.typical - nearer) })) };
          expect(windowScore(rules, near)).toBeGreaterThanOrEqual(windowScore(rules, window));
        }
      }),
    );
  });

  test("GAEN-28: the three classes of an exposure are all of its time", () => {
    fc.assert(
      fc.property(sightings, (list) => {
        for (const one of keyExposures(aggregated(list), { low: 40, high: 60 })) {
          const sum = one.secondsBelow + one.secondsBetween + one.secondsAbove;
          expect(one.durationSeconds % 300).toBe(0);
          expect(Math.abs(one.durationSeconds - sum)).toBeLessThanOrEqual(150);
        }
      }),
    );
  });
});
