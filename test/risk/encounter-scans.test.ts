import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { measureRisk } from "../../bench/risk.ts";
import { type MergedSightings, scansOfEncounter } from "../../host-tools/risk/encounter-scans.ts";
import { exposureWindows } from "../../host-tools/risk/windows.ts";
import { firmwareFor } from "../support/built-firmware.ts";

const BEGIN = 1591574400;
const encounter = (more: Partial<MergedSightings> = {}): MergedSightings => ({
  firstSeen: BEGIN,
  lastSeen: BEGIN + 900,
  count: 40,
  maxRssi: -60,
  meanRssi: -67,
  txPower: 0,
  confidence: 2,
  ...more,
});

describe("scans of an encounter", () => {
  test("are one a cycle, with the mean attenuation, the strongest 5 dB nearer", () => {
    const scans = scansOfEncounter(encounter(), 300);
    expect(scans.map(({ heardAt }) => heardAt - BEGIN)).toEqual([0, 300, 600, 900]);
    expect(scans[1]).toEqual({ heardAt: BEGIN + 300, attenuation: 67, strongest: 62, previousScan: BEGIN, confidence: 2 });
    const [{ start, confidence, scans: instances }] = exposureWindows(scans);
    expect([start, confidence]).toEqual([BEGIN, 2]);
    expect(instances).toEqual(Array(4).fill({ typical: 67, min: 62, seconds: 300 }));
  });

  test("are never nearer than the encounter's strongest, and as near as that where no mean is known", () => {
    expect(scansOfEncounter(encounter({ maxRssi: -65 }), 300)[0].strongest).toBe(65);
    expect(scansOfEncounter(encounter({ meanRssi: null }), 300)[0]).toMatchObject({ attenuation: 60, strongest: 60 });
    expect(scansOfEncounter(encounter({ txPower: -70 }), 300)[0]).toMatchObject({ attenuation: 0, strongest: 0 });
  });

  test("are nearer than the mean where the strongest report tells that the sender was nearer for a while", () => {
    const attenuationAt = (maxRssi: number) => scansOfEncounter(encounter({ maxRssi, meanRssi: -80 }), 300)[0].attenuation;
    expect([-80, -75, -70, -65, -50].map(attenuationAt)).toEqual([80, 80, 79, 78, 75]);
  });

  test("are no more than the sightings that were counted, but where the board stopped counting or does not tell", () => {
    const number = (count: number | null, cycle = 300) => scansOfEncounter(encounter({ count }), cycle).length;
    expect([number(1), number(2), number(4), number(5), number(null)]).toEqual([1, 2, 4, 4, 4]);
    expect([number(126, 4), number(127, 4), number(3, 60), number(127, 60)]).toEqual([16, 16, 3, 16]);
  });

  test("of a sighting alone are one, and of a board that hardly stops scanning one a minute", () => {
    expect(scansOfEncounter(encounter({ lastSeen: BEGIN }), 300).length).toBe(1);
    const [{ scans }] = exposureWindows(scansOfEncounter(encounter({ count: 127 }), 4));
    expect(scans.map(({ seconds }) => seconds)).toEqual(Array(16).fill(60));
  });

  test("lie within the encounter, in order, whatever it says", () => {
    const any = fc.record({
      seconds: fc.nat(2046),
      count: fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 127 })),
      cycle: fc.integer({ min: 4, max: 3600 }),
    });
    fc.assert(
      fc.property(any, ({ seconds, count, cycle }) => {
        const scans = scansOfEncounter(encounter({ lastSeen: BEGIN + seconds, count }), cycle).map(({ heardAt }) => heardAt);
        expect(scans.length).toBeGreaterThan(0);
        expect(scans).toEqual([...scans].sort((a, b) => a - b));
        expect(scans[0]).toBe(BEGIN);
        expect(scans[scans.length - 1]).toBeLessThanOrEqual(BEGIN + seconds);
      }),
    );
  });
});

test("in a virtual world encounters tell a minute more or less than every single sighting would, and the attenuation within a decibel", async () => {
  const found = await measureRisk({ pairs: 2, meetings: 3, scanTime: 2, recordForm: 2 }, await firmwareFor());
  expect(found.compared).toBe(12);
  expect(found.missed).toBe(0);
  expect(Math.abs(found.windowMinutes.bias)).toBeLessThan(1);
  expect(Math.abs(found.exposureMinutes.bias)).toBeLessThan(0.5);
  expect(Math.abs(found.typicalAttenuation.bias)).toBeLessThan(0.3);
  // rather too near than too far
  expect(found.minAttenuation.bias).toBeGreaterThan(-1.5);
  expect(found.minAttenuation.bias).toBeLessThan(0.3);
  expect(Math.abs(found.truth.merged.bias)).toBeLessThan(2.5);
});
