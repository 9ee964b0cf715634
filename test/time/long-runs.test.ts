import { afterEach, describe, expect, test } from "vitest";
import { nodeCrypto } from "../../host-tools/node-crypto.ts";
import { decodeOwnKeys } from "../../host-tools/store/log-decoder.ts";
import { rollingProximityIdentifiers } from "../../protocols/gaen/identifier-series.ts";
import { rollingProximityIdentifierKey } from "../../protocols/gaen/key-schedule.ts";
import { PAGE_WORDS, WORD_BYTES } from "../../protocols/log-format.ts";
import { ClockLab } from "../support/clock-lab.ts";
import { crowd } from "../support/crowd.ts";
import { recordsOfKind } from "../support/flash-log.ts";
import { lifetimesIn, linksIn } from "../support/observer.ts";
import { toHex } from "../support/vectors.ts";
import { command, DAY, expectQuietConsoles, MORNING, setClock, status, WornWorld } from "../support/worn-boards.ts";

afterEach(expectQuietConsoles);

const HOUR = 3600;

describe("three weeks without a host", () => {
  test("records and keys of the last 14 days are there, in their times, over a base tick of more than 12 days; older ones are gone, settings and era are as they were", async () => {
    const lab = new ClockLab(330);
    await lab.begin({ clockPpm: -250, settings: { cycleTime: 1800, txPower: -8, rssiFloor: -100 } }, 12 * HOUR, HOUR);
    await lab.contact();
    const began = lab.world.clock.now;
    const settings = status(lab.board).c;
    lab.pass(21 * DAY);
    const now = lab.world.clock.now;
    await lab.contact();
    expect(status(lab.board)).toMatchObject({ e: 1, c: settings });
    expect(await lab.expectTrueTimes()).toBeGreaterThan(25);
    const heard = await lab.store.encounters();
    // a day more is granted, for records are as old as the next CLOCK after them
    expect(heard[0].firstSeen!).toBeGreaterThan(now - 15.1 * DAY);
    expect(heard[0].firstSeen!).toBeLessThan(now - 13.9 * DAY);
    expect(recordsOfKind(lab.board, "mark").some(({ started, baseTick }) => !started && baseTick > 12 * DAY - 20_000)).toBe(true);

    const keys = decodeOwnKeys(command(lab.board, "k(0)"));
    const days = keys.map(({ rollingStart }) => rollingStart / 144);
    const today = Math.floor(now / DAY);
    expect(days.sort((a, b) => a - b)).toEqual(Array.from({ length: 15 }, (_, i) => today - 14 + i));
    const series = new Map(
      keys.map(({ tek, rollingStart }) => {
        const all = rollingProximityIdentifiers(nodeCrypto, rollingProximityIdentifierKey(nodeCrypto, tek), rollingStart, 144);
        return [rollingStart / 144, new Set(Array.from({ length: 144 }, (_, i) => toHex(all.subarray(16 * i, 16 * i + 16))))];
      }),
    );
    // each identifier was made of the key of the day that the board's slow clock had then
    const lifetimes = lifetimesIn(lab.world.sentBy(lab.board)).filter(({ from }) => from > now - 13 * DAY);
    expect(lifetimes.length).toBeGreaterThan(1000);
    for (const { rpi, from } of lifetimes) {
      const boardTime = from - (from - began) * 250e-6;
      const found = [...series].find(([, identifiers]) => identifiers.has(rpi))?.[0];
      expect(Math.abs(found! + 0.5 - boardTime / DAY)).toBeLessThan(0.502);
    }
    await lab.close();
  });

  test("a log that goes round meanwhile says what it dropped, and dates what is left", async () => {
    const lab = new ClockLab(331);
    await lab.begin({ clockPpm: 500, ringPages: 2, settings: { cycleTime: 900 } }, 1800);
    await lab.contact();
    lab.pass(12 * DAY);
    const { dr, hi, lo } = status(lab.board);
    expect(dr).toBeGreaterThan(200);
    const { pulled } = await lab.contact();
    expect(pulled.lost).toBe(dr * WORD_BYTES);
    expect(hi - lo).toBeLessThan(3 * PAGE_WORDS);
    expect(await lab.expectTrueTimes()).toBeGreaterThan(100);
    expect(lab.errors().after.worst).toBeLessThan(500);
    await lab.close();
  });
});

describe("where 32 bits end", () => {
  test.each([
    ["2038", 2 ** 31],
    ["2106", 2 ** 32 - 2 * DAY],
  ])("%s: keys, rotations, log and status go on as before", async (_, moment) => {
    const midnight = Math.ceil(moment / DAY) * DAY;
    const world = new WornWorld(332, moment - 2 * HOUR);
    const people = await world.wear({ x: 0, y: 0 }, { settings: { cycleTime: 60 } });
    const passers = crowd(world, 2, 600);
    world.pass(midnight - world.clock.now + 4 * HOUR);
    passers.stop();
    world.pass(300);
    expect(Math.abs(status(people).u / 1000 - world.clock.now)).toBeLessThan(6);
    const lifetimes = lifetimesIn(world.sentBy(people));
    expect(lifetimes.length).toBeGreaterThan((midnight - moment + 6 * HOUR) / 1300);
    expect(linksIn(lifetimes)).toEqual([]);
    const keys = decodeOwnKeys(command(people, "k(0)")).map(({ rollingStart }) => rollingStart * 600);
    expect(keys).toEqual(keys.length === 2 ? [midnight - DAY, midnight] : [midnight - 2 * DAY, midnight - DAY, midnight]);
    const clocks = recordsOfKind(people, "clock").filter(({ unixMs }) => unixMs !== undefined);
    for (const { tick, unixMs } of clocks) expect(Math.abs(unixMs! / 1000 - tick - (moment - 2 * HOUR))).toBeLessThan(6);
    expect(recordsOfKind(people, "encounter").length).toBeGreaterThan(40);
    // and the clock can be set there
    setClock(people, world.clock.now + 1, 20);
    expect(Math.abs(status(people).u / 1000 - world.clock.now - 1)).toBeLessThan(6);
  });

  test("a beacon that runs for a month without a restart has a key for each day and never repeats itself", async () => {
    const world = new WornWorld(333, MORNING);
    const board = await world.wear({ x: 0, y: 0 }, { role: "beacon", clockPpm: 250 });
    world.pass(30 * DAY);
    setClock(board, world.clock.now, 20);
    const { t, ro, e, er } = status(board);
    expect(e).toBe(1);
    expect(t / DAY).toBeCloseTo(30, 0);
    expect(ro).toBeGreaterThan(30 * 90);
    expect(er).toEqual([0, 0, 0]);
    expect(linksIn(lifetimesIn(world.sentBy(board)))).toEqual([]);
    // today's twice: the clock had run ahead by ten minutes and was put back
    expect(new Set(decodeOwnKeys(command(board, "k(0)")).map(({ rollingStart }) => rollingStart)).size).toBe(15);
  });
});
