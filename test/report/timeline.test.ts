import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Period, runs, timeline } from "../../host-tools/report/timeline.ts";
import { exposure, NOON } from "./exposures.ts";

const options = { cycleOf: () => 300, periods: [] as Period[] };
const mark = (kind: Period["kind"], from: number, to: number, place: string | null = null): Period => ({ board: "a", kind, place, from, to });

describe("exposures minute by minute", () => {
  test("a scan stands for its minute and the four before it; the minutes in which one began are told", () => {
    const [event] = timeline([exposure()], [], options);
    expect([event.number, event.from - NOON, event.to - NOON, event.minutes.length]).toEqual([1, -240, 660, 15]);
    expect(event.minutes.filter(({ heard }) => heard).map(({ at }) => at - NOON)).toEqual([0, 300, 600]);
    expect(event.minutes[0]).toEqual({ at: NOON - 240, heard: false, attenuation: 66, strongest: 61, senders: ["A"], protection: [], places: [] });
  });

  test("identifiers that follow each other are one event, until nothing was heard for a quarter of an hour", () => {
    const next = (late: number) => exposure({ identifier: "02", firstSeen: NOON + 600 + late, lastSeen: NOON + 600 + late });
    // its scan stands for the four minutes before it too
    expect(timeline([exposure(), next(900 + 240)], [], options).length).toBe(1);
    expect(timeline([exposure(), next(900 + 300)], [], options).map(({ number }) => number)).toEqual([1, 2]);
  });

  test("of two senders in one minute the nearer one is told, and both letters", () => {
    const other = exposure({ key: "bb", identifier: "09", meanRssi: -80, maxRssi: -79, firstSeen: NOON + 60 });
    const [event] = timeline([exposure(), other], [], options);
    expect(event.senders).toEqual(["A", "B"]);
    expect(event.minutes.every(({ attenuation }) => attenuation === 66)).toBe(true);
    expect(event.minutes.find(({ at }) => at === NOON)!.senders).toEqual(["A", "B"]);
  });

  test("what was marked stands beside each minute, and takes none away", () => {
    const periods = [mark("mask", NOON, NOON + 119), mark("place", NOON - 3600, NOON + 3600, "Room 5"), mark("ward", NOON + 60, NOON + 60)];
    const [event] = timeline([exposure()], [], { ...options, periods });
    expect(event.minutes.length).toBe(15);
    expect(event.minutes.filter(({ protection }) => protection.includes("mask")).map(({ at }) => at - NOON)).toEqual([0, 60]);
    expect(event.minutes.find(({ at }) => at === NOON + 60)!.protection).toEqual(["mask", "ward"]);
    expect(event.minutes.every(({ places }) => places.join() === "Room 5")).toBe(true);
    const [unmarked] = timeline([exposure({ board: "b" })], [], { ...options, periods });
    expect(unmarked.minutes.every(({ protection, places }) => protection.length + places.length === 0)).toBe(true);
  });

  test("a board that nobody wears is its own place, unless it was marked to be elsewhere", () => {
    const fixedPlaces = new Map([["a", "Hall"]]);
    expect(timeline([exposure()], [], { ...options, fixedPlaces })[0].minutes[0].places).toEqual(["Hall"]);
    const periods = [mark("place", NOON - 3600, NOON + 3600, "Attic")];
    expect(timeline([exposure()], [], { ...options, fixedPlaces, periods })[0].minutes[0].places).toEqual(["Attic"]);
  });

  test("what is marked as safe is an event of its own, told as such", () => {
    const events = timeline([exposure()], [exposure({ identifier: "03" })], options);
    expect(events.map(({ safe }) => safe)).toEqual([false, true]);
  });

  test("without a transmit power the minutes are there, and nothing is said of how near", () => {
    const [event] = timeline([exposure({ txPower: null, attenuation: null })], [], options);
    expect(event.minutes.length).toBe(15);
    expect(event.minutes.every(({ attenuation, strongest }) => attenuation === null && strongest === null)).toBe(true);
  });

  test("runs put minutes together of which the same is told, and leave none out", () => {
    const drawn = fc.record({
      first: fc.nat(5000),
      seconds: fc.nat(1800),
      mean: fc.integer({ min: -90, max: -50 }),
      key: fc.constantFrom("aa", "bb"),
    });
    fc.assert(
      fc.property(fc.array(drawn, { minLength: 1, maxLength: 8 }), (list) => {
        const exposures = list.map(({ first, seconds, mean, key }, i) =>
          exposure({ key, identifier: String(i), firstSeen: NOON + first, lastSeen: NOON + first + seconds, meanRssi: mean, maxRssi: mean + 3 }),
        );
        for (const event of timeline(exposures, [], options)) {
          const parts = runs(event.minutes);
          expect(parts.reduce((sum, { from, to }) => sum + (to - from) / 60, 0)).toBe(event.minutes.length);
          expect(new Set(event.minutes.map(({ at }) => at)).size).toBe(event.minutes.length);
          expect([parts[0].from, parts[parts.length - 1].to]).toEqual([event.from, event.to]);
        }
        expect(timeline([...exposures].reverse(), [], options)).toEqual(timeline(exposures, [], options));
      }),
      { numRuns: 60 },
    );
  });
});
