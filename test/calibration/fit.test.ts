import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ASSUMED_BOARDS } from "../../host-tools/calibration/assumed-boards.ts";
import { fitRuns } from "../../host-tools/calibration/fit.ts";
import { fittedList } from "../../host-tools/calibration/fitted-list.ts";
import type { Run } from "../../host-tools/calibration/runs.ts";
import { DEFAULT_AIR, fadingTable, normalTable, tableIndex } from "../../host-tools/simulator/air-model.ts";
import { SeededRandom } from "../../host-tools/simulator/seeded-random.ts";

/** What each device truly differs by, and what a setup costs. */
interface World {
  receives: Record<string, number>;
  sends: Record<string, number>;
  losses: number[];
}

/** Every device hears every device, in every setup. */
function allPairs({ receives, sends, losses }: World, noise: (i: number) => number = () => 0): Run[] {
  const names = Object.keys(sends);
  let i = 0;
  return losses.flatMap((loss, setup) =>
    names.flatMap((transmitter) =>
      Object.keys(receives).map((receiver) => ({
        setup: `${setup}`,
        transmitter,
        receiver,
        txPower: POWERS[transmitter],
        rssi: POWERS[transmitter] + sends[transmitter] + receives[receiver] - loss + noise(i++),
        count: 1,
      })),
    ),
  );
}
/** Set differently, as devices are. */
const POWERS: Record<string, number> = { ref: -12, puck: 0, pixl: 4 };
const WORLD: World = { sends: { ref: 0, puck: -9.4, pixl: -5 }, receives: { ref: 0, puck: -8, pixl: -3 }, losses: [40, 46, 52, 49, 44, 58] };
const found = (fit: ReturnType<typeof fitRuns>) =>
  Object.fromEntries(fit.devices.map(({ device, receives, sends }) => [device, [receives?.decibels, sends?.decibels]]));

describe("fitting corrections", () => {
  test("whatever devices differ by comes out, and the losses of the setups needn't be known", () => {
    const decibels = fc.integer({ min: -200, max: 200 }).map((tenths) => tenths / 10);
    const worlds = fc.record({
      puck: fc.tuple(decibels, decibels),
      pixl: fc.tuple(decibels, decibels),
      losses: fc.array(decibels, { minLength: 1, maxLength: 6 }),
    });
    fc.assert(
      fc.property(worlds, ({ puck, pixl, losses }) => {
        const fit = fitRuns(
          allPairs({ receives: { ref: 0, puck: puck[0], pixl: pixl[0] }, sends: { ref: 0, puck: puck[1], pixl: pixl[1] }, losses }),
          "ref",
        );
        const { puck: p, pixl: x } = found(fit);
        for (const [i, value] of [...puck, ...pixl].entries()) expect([...p, ...x][i]).toBeCloseTo(value, 6);
      }),
      { numRuns: 50 },
    );
  });

  test("the least that tells: reference and device take each other's place once at each end, beside a third", () => {
    const run = (transmitter: string, receiver: string, rssi: number): Run => ({ setup: "1 m", transmitter, receiver, txPower: 0, rssi, count: 1 });
    const fit = fitRuns([run("other", "ref", -50), run("other", "puck", -58), run("ref", "other", -52), run("puck", "other", -61)], "ref");
    expect(found(fit).puck.map((one) => one?.toFixed(3))).toEqual(["-8.000", "-9.000"]);
    expect(fit.residual).toBeNull();
    expect(fit.devices.find(({ device }) => device === "puck")?.receives?.standardError).toBeNull();
  });

  test("reports of one pair in one setup are one measurement, as a mean by their number", () => {
    const [first, ...rest] = allPairs(WORLD);
    const many = [{ ...first, rssi: first.rssi - 3, count: 30 }, { ...first, rssi: first.rssi + 9, count: 10 }, ...rest];
    expect(fitRuns(many, "ref")).toEqual(fitRuns([first, ...rest], "ref"));
  });

  test("a tenth of the pairs with somebody in between counts little, and is told", () => {
    const runs = allPairs(WORLD);
    const spoilt = runs.map((run, i) => (i % 10 === 3 ? { ...run, rssi: run.rssi - 20 } : run));
    const fit = fitRuns(spoilt, "ref");
    expect(fit.outliers).toHaveLength(spoilt.filter((_, i) => i % 10 === 3).length);
    for (const [device, [receives, sends]] of Object.entries(found(fit))) {
      expect(Math.abs(receives! - WORLD.receives[device])).toBeLessThan(1);
      expect(Math.abs(sends! - WORLD.sends[device])).toBeLessThan(1);
    }
  });

  test("ref heard puck in one room and puck ref in another: that tells nothing, and what is missing is said", () => {
    const run = (setup: string, transmitter: string, receiver: string): Run => ({ setup, transmitter, receiver, txPower: 0, rssi: -60, count: 1 });
    const words = "tell nothing of puck: in one setup at least, it and ref have to take each other's place";
    expect(() => fitRuns([run("a", "puck", "ref"), run("b", "ref", "puck")], "ref")).toThrow(
      expect.objectContaining({ code: "not_connected", message: expect.stringContaining(words) }),
    );
  });

  test("a device in a room of its own is left out, and spoils no other", () => {
    const elsewhere = (receiver: string): Run => ({ setup: "elsewhere", transmitter: "tv", receiver, txPower: 0, rssi: -60, count: 1 });
    const { tv, radio, phone, ...others } = found(fitRuns([...allPairs(WORLD), elsewhere("radio"), elsewhere("phone")], "ref"));
    expect([tv, radio, phone]).toEqual([
      [undefined, undefined],
      [undefined, undefined],
      [undefined, undefined],
    ]);
    expect(
      Object.values(others)
        .flat()
        .map((one) => one!.toFixed(6)),
    ).toEqual(
      Object.values(found(fitRuns(allPairs(WORLD), "ref")))
        .flat()
        .map((one) => one!.toFixed(6)),
    );
  });

  test("a reference that is in no run is refused", () => {
    expect(() => fitRuns(allPairs(WORLD), "iphone")).toThrow(
      expect.objectContaining({ code: "bad_runs", message: expect.stringContaining("known: ref, puck, pixl") }),
    );
  });

  test("the standard error is as large as the scatter of repeated measurements", () => {
    const random = new SeededRandom(7);
    const table = normalTable(2);
    const fits = Array.from(
      { length: 60 },
      () =>
        fitRuns(
          allPairs(WORLD, () => table[Math.floor(random.next() * table.length)]),
          "ref",
        ).devices[1],
    );
    const errors = fits.map(({ receives }) => receives!.decibels - WORLD.receives.puck);
    const scatter = Math.sqrt(errors.reduce((sum, one) => sum + one * one, 0) / errors.length);
    const told = fits.reduce((sum, { receives }) => sum + receives!.standardError!, 0) / fits.length;
    expect(told / scatter).toBeGreaterThan(0.75);
    expect(told / scatter).toBeLessThan(1.3);
  });
});

describe("rows for a list", () => {
  test("confidence is of the worse direction, by error and number of setups; a device with one direction has no row", () => {
    expect(fittedList(fitRuns(allPairs(WORLD), "ref"))).toEqual([
      { oem: "", device: "pixl", model: "pixl", correction: { rssi: 3, txPower: -5 }, confidence: 3 },
      { oem: "", device: "puck", model: "puck", correction: { rssi: 8, txPower: -9 }, confidence: 3 },
    ]);
    const few = { ...WORLD, losses: WORLD.losses.slice(0, 2) };
    expect(fittedList(fitRuns(allPairs(few), "ref")).map(({ confidence }) => confidence)).toEqual([1, 1]);
    const deaf = { ...WORLD, receives: { ref: 0, pixl: -3 } };
    expect(fittedList(fitRuns(allPairs(deaf), "ref")).map(({ device }) => device)).toEqual(["pixl"]);
  });

  test("runs through the simulator's air, against an ideal antenna, give what is shipped", () => {
    const { antennaGainDb: gain, exponent, referenceLossDb } = DEFAULT_AIR;
    const fading = fadingTable(DEFAULT_AIR.ricianKDb);
    const random = new SeededRandom(1);
    const gains: Record<string, number> = { ideal: 0, puckjs: gain, pixljs: gain };
    const runs = [0.5, 1, 1.5, 2, 3, 4].flatMap((distance) =>
      Object.keys(gains).flatMap((transmitter) =>
        Object.keys(gains).flatMap((receiver) =>
          Array.from({ length: 50 }, (): Run => {
            const lost = referenceLossDb + 10 * exponent * Math.log10(distance);
            const faded = fading[tableIndex(random.next() * 2 ** 32)];
            return {
              setup: `${distance} m`,
              transmitter,
              receiver,
              txPower: 0,
              rssi: Math.round(gains[transmitter] + gains[receiver] - lost + faded),
              count: 1,
            };
          }),
        ),
      ),
    );
    const fit = fitRuns(runs, "ideal");
    expect(fit.residual).toBeLessThan(1);
    expect(fittedList(fit).map(({ device, correction }) => ({ device, correction }))).toEqual(
      [...ASSUMED_BOARDS].reverse().map(({ device, correction }) => ({ device, correction })),
    );
  });
});
