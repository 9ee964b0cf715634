import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ClockTie, MEASURED, reachOfChange, stretchesOf, unixMsOfTick, unixOfTick, usableTies } from "../../host-tools/store/era-time.ts";

const NOW = 1_700_000_000;
/** A clock that the hub set at `tick`, `offset` seconds from the epoch of the era. */
const tie = (tick: number, offset: number, why = 1): ClockTie => ({ tick, unixMs: (NOW + tick + offset) * 1000, why });
const lines = (ties: ClockTie[]) => stretchesOf(usableTies(ties));
const unix = (ties: ClockTie[], tick: number) => unixOfTick(lines(ties), tick);

describe("when a tick was", () => {
  test("an era without a clock has no UTC", () => {
    expect(unix([], 5)).toBeUndefined();
  });

  test("one tie dates the whole era, before it and after it", () => {
    expect([0, 1000, 9999].map((tick) => unix([tie(1000, 0)], tick))).toEqual([NOW, NOW + 1000, NOW + 9999]);
  });

  test("a drift between two ties is spread evenly, and holds beyond them", () => {
    const ties = [tie(100_000, 0), tie(200_000, 20)];
    const ticks = [0, 50_000, 100_000, 150_000, 199_999, 200_000, 250_000];
    expect(ticks.map((tick) => (unix(ties, tick) as number) - NOW - tick)).toEqual([-20, -10, 0, 10, 19, 20, 30]);
  });

  test("two ties close together tell no drift beyond them", () => {
    const ties = [tie(100_000, 0), tie(100_400, 0.03)];
    expect(unixMsOfTick(lines(ties), 300_000)).toBe((NOW + 300_000) * 1000 + 30);
    expect(unixMsOfTick(lines(ties), 0)).toBe(NOW * 1000);
  });

  test("of several looks at one contact the quickest counts, and what the board wrote down itself only where nobody looked", () => {
    const looks = [tie(100, 0.07), { ...tie(101.5, 0.02), why: MEASURED, roundTripMs: 30 }, { ...tie(102.5, 0.001), why: MEASURED, roundTripMs: 20 }];
    expect(usableTies(looks)).toEqual([looks[2]]);
    expect(usableTies([tie(90, 0.5), tie(95, 0.07)])).toEqual([tie(95, 0.07)]);
  });

  test("what another tool set counts only until the hub came", () => {
    const foreign: ClockTie = { ...tie(500, 7200), roundTripMs: 65535 };
    expect(unix([foreign], 600)).toBe(NOW + 7800);
    expect(unix([foreign, { ...tie(1000.25, 0), why: MEASURED }], 600)).toBe(NOW + 600);
  });

  test("of three contacts the one that contradicts the others by more than an hour is a hub that was wrong; of two the nearer decides", () => {
    const right = [tie(0, 0), tie(2 * 86_400, 10)];
    const wrong = [tie(86_400, 86_400), { ...tie(86_390.5, 86_400), why: MEASURED }];
    expect(unix([right[0], ...wrong], 86_000)).toBe(NOW + 86_000 + 86_400);
    for (const tick of [0, 43_000, 86_400, 100_000]) expect(unix([...right, ...wrong], tick)).toBe(unix(right, tick));
  });

  test("where the clock had been wrong and was put right, the nearer tie decides", () => {
    const ties = [tie(0, 0), tie(1000, 3600)];
    expect([499, 500].map((tick) => (unix(ties, tick) as number) - NOW - tick)).toEqual([0, 3600]);
  });

  test("a clock that a restart carried over counts only until the hub has set it", () => {
    expect(unix([tie(0, 40, 2)], 10)).toBe(NOW + 50);
    expect(unix([tie(0, 40, 2), tie(1000, 0)], 10)).toBe(NOW + 10);
  });

  test("of two settings in one second the later counts", () => {
    expect(unix([tie(7, 100), tie(7, 0)], 7)).toBe(NOW + 7);
  });

  test("a new tie changes no time outside its reach, which is not all of an era", () => {
    const anyTie = fc.record({ tick: fc.nat(2000), unixMs: fc.nat(4000).map((s) => (NOW + s) * 1000), why: fc.constantFrom(1, 2) });
    fc.assert(
      fc.property(fc.array(anyTie, { maxLength: 6 }), anyTie, fc.nat(2100), (before, added, tick) => {
        const after = [...before, added];
        const reach = reachOfChange(lines(before), lines(after));
        if (reach && tick >= reach.from && tick <= reach.to) return;
        expect(unix(after, tick)).toBe(unix(before, tick));
      }),
      { numRuns: 300 },
    );
    const days = [0, 1, 2, 3].map((day) => tie(day * 86_400, day));
    expect(reachOfChange(lines(days), lines([...days, tie(4 * 86_400, 5)]))).toMatchObject({ from: 3 * 86_400 });
  });

  test("ticks in order have times in order, whatever the ties, as long as they are of one clock", () => {
    const drifts = fc.array(fc.record({ ticks: fc.integer({ min: 1, max: 400_000 }), ppm: fc.integer({ min: -500, max: 500 }) }), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(drifts, fc.nat(2_000_000), fc.integer({ min: 1, max: 5000 }), (parts, tick, more) => {
        let at = tie(1000, 0);
        const ties = [at];
        for (const { ticks, ppm } of parts) {
          at = { tick: at.tick + ticks, unixMs: at.unixMs + ticks * (1000 + ppm / 1000), why: 1 };
          ties.push(at);
        }
        const passed = unixMsOfTick(lines(ties), tick + more)! - unixMsOfTick(lines(ties), tick)!;
        expect(Math.abs(passed / more - 1000)).toBeLessThan(0.51);
      }),
      { numRuns: 200 },
    );
  });
});
