import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ClockTie, reachOfTie, unixOfTick, usableTies } from "../../host-tools/store/era-time.ts";

const NOW = 1_700_000_000;
/** A clock that the hub set at `tick`, `offset` seconds from the epoch of the era. */
const tie = (tick: number, offset: number, why = 1): ClockTie => ({ tick, unixMs: (NOW + tick + offset) * 1000, why });
const unix = (ties: ClockTie[], tick: number) => unixOfTick(usableTies(ties), tick);

describe("when a tick was", () => {
  test("an era without a clock has no UTC", () => {
    expect(unix([], 5)).toBeUndefined();
  });

  test("one tie dates the whole era, before it and after it", () => {
    expect([0, 1000, 9999].map((tick) => unix([tie(1000, 0)], tick))).toEqual([NOW, NOW + 1000, NOW + 9999]);
  });

  test("a drift between two ties is spread evenly; outside them the nearer one decides", () => {
    const ties = [tie(0, 0), tie(100_000, 20)];
    expect([-10, 0, 50_000, 99_999, 100_000, 100_010].map((tick) => (unix(ties, tick) as number) - NOW - tick)).toEqual([0, 0, 10, 19, 20, 20]);
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

  test("a new tie changes no time outside its reach", () => {
    const anyTie = fc.record({ tick: fc.nat(2000), unixMs: fc.nat(4000).map((s) => (NOW + s) * 1000), why: fc.constantFrom(1, 2) });
    fc.assert(
      fc.property(fc.array(anyTie, { maxLength: 6 }), anyTie, fc.nat(2100), (before, added, tick) => {
        const after = usableTies([...before, added]);
        const reach = reachOfTie(after, added);
        if (reach && tick >= reach.from && tick <= reach.to) return;
        expect(unixOfTick(after, tick)).toBe(unix(before, tick));
      }),
      { numRuns: 300 },
    );
  });
});
