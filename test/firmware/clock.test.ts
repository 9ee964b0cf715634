import { afterEach, describe, expect, test } from "vitest";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import type { EncounterRecord } from "../../host-tools/store/log-decoder.ts";
import { decodeAdvertisement } from "../../protocols/gaen/advertisement.ts";
import { keysOf, recordsOfKind, timesOf } from "../support/flash-log.ts";
import { type Heard, lifetimesIn, linksIn } from "../support/observer.ts";
import { toHex } from "../support/vectors.ts";
import { command, DAY, expectQuietConsoles, MORNING, setClock, status, WornWorld } from "../support/worn-boards.ts";

afterEach(expectQuietConsoles);

/** A board without a clock beside one that has it, and what its radio hears. */
async function meeting(world: WornWorld, clockSet: boolean): Promise<{ board: VirtualBoard; heard: Heard[] }> {
  await world.wear({ x: 0, y: 0 }, { role: "beacon" });
  const board = await world.wear({ x: 1, y: 0 }, { clockSet });
  return { board, heard: world.heardBy(board) };
}

/** When an identifier was first and last heard, true Unix seconds. */
function timesHeard(heard: Heard[], rpi: Uint8Array, from: number, to: number): { first: number; last: number } {
  const times = heard
    .filter(({ time, data }) => time >= from && time < to && toHex(decodeAdvertisement(data)!.rpi) === toHex(rpi))
    .map(({ time }) => time);
  return { first: times[0], last: times.at(-1)! };
}

/** Records tell the beginning of the 2 s in which something was heard, the hub whole seconds; the board's clock loses some hundredths in between. */
const EARLIEST = -3.5;
const LATEST = 0.5;

/** By how many seconds the times of records, as the hub works them out, are beside what really happened. */
function errorsOf(board: VirtualBoard, heard: Heard[], records: EncounterRecord[], from: number, to: number): number[] {
  const unix = timesOf(board);
  return records.flatMap((record) => {
    const { first, last } = timesHeard(heard, record.rpi, from, to);
    return [unix(record.era, record.firstTick)! - first, unix(record.era, record.lastTick)! - last];
  });
}

describe("a board whose clock is not set (COM-04)", () => {
  test("sends nothing but the interpreter's first packet at power-on, and scans and logs all the same", async () => {
    const world = new WornWorld(41);
    const { board, heard } = await meeting(world, false);
    // up to the pause between two scans
    world.pass(2 * 3600 + 10);
    expect(world.sentBy(board)).toHaveLength(1);
    const [{ from, to }] = world.sentBy(board);
    expect(to! - from).toBeLessThan(0.02);
    expect(status(board)).toMatchObject({ u: 0, ad: 0, ro: 0 });
    expect(status(board).n).toBe(heard.length);
    const records = recordsOfKind(board, "encounter");
    expect(records.length).toBeGreaterThan(4);
    const unix = timesOf(board);
    for (const { era, firstTick } of records) expect(unix(era, firstTick)).toBeUndefined();
  });

  test("dates what it heard as soon as the clock is set, within 2 s, and begins to send", async () => {
    const world = new WornWorld(42);
    const { board, heard } = await meeting(world, false);
    const began = 0;
    world.pass(3 * 3600);
    expect(setClock(board, world.clock.now)).toBeNull();
    world.pass(1800);
    const records = recordsOfKind(board, "encounter");
    expect(records.length).toBeGreaterThan(8);
    const errors = errorsOf(board, heard, records, began, world.clock.now);
    expect(Math.max(...errors)).toBeLessThan(LATEST);
    expect(Math.min(...errors)).toBeGreaterThan(EARLIEST);
    expect(lifetimesIn(world.sentBy(board)).length).toBeGreaterThan(1);
  });

  test("keeps an era that never got a clock without a date, and dates the next one", async () => {
    const world = new WornWorld(43);
    const { board, heard } = await meeting(world, false);
    world.pass(3600);
    world.powerCycle(board);
    const began = world.clock.now;
    world.pass(3600);
    setClock(board, world.clock.now);
    world.pass(3600);
    const unix = timesOf(board);
    const records = recordsOfKind(board, "encounter");
    expect(new Set(records.map(({ era }) => era))).toEqual(new Set([1, 2]));
    for (const { era, firstTick } of records) expect(unix(era, firstTick) === undefined).toBe(era === 1);
    const dated = records.filter(({ era }) => era === 2);
    const errors = errorsOf(board, heard, dated, began, world.clock.now);
    expect(Math.max(...errors)).toBeLessThan(LATEST);
    expect(Math.min(...errors)).toBeGreaterThan(EARLIEST);
  });

  test("is silent again after a power loss, until somebody sets the clock", async () => {
    const world = new WornWorld(44);
    const { board } = await meeting(world, true);
    world.pass(600);
    world.powerCycle(board);
    const again = world.clock.now;
    world.pass(3600);
    expect(status(board)).toMatchObject({ u: 0, ad: 0, e: 2 });
    expect(lifetimesIn(world.sentBy(board)).filter(({ from }) => from > again)).toEqual([]);
    setClock(board, world.clock.now);
    world.pass(1200);
    expect(status(board).ad).toBe(1);
    expect(linksIn(lifetimesIn(world.sentBy(board)))).toEqual([]);
  });

  test("does not take a time before 2020 for one", async () => {
    const world = new WornWorld(45);
    const { board } = await meeting(world, false);
    expect(() => setClock(board, 1577836799)).toThrow("refused: arg");
    expect(() => command(board, "t(undefined,0,0)")).toThrow("refused: arg");
    board.evaluate("setTime(1500000000)");
    world.pass(3600);
    expect(status(board)).toMatchObject({ u: 0, ad: 0 });
    expect(lifetimesIn(world.sentBy(board))).toEqual([]);
  });
});

test("the clock outlives a restart of the firmware, and both eras are dated within 2 s (COM-04)", async () => {
  const world = new WornWorld(46);
  const { board, heard } = await meeting(world, true);
  const began = world.clock.now;
  world.pass(2 * 3600);
  world.restart(board);
  const between = world.clock.now;
  expect(status(board)).toMatchObject({ e: 2 });
  world.pass(2 * 3600);
  const records = recordsOfKind(board, "encounter");
  for (const [era, from, to] of [
    [1, began, between],
    [2, between - 1, world.clock.now],
  ]) {
    const ofEra = records.filter((record) => record.era === era);
    expect(ofEra.length).toBeGreaterThan(4);
    const errors = errorsOf(board, heard, ofEra, from, to);
    expect(Math.max(...errors), `era ${era}`).toBeLessThan(LATEST);
    expect(Math.min(...errors), `era ${era}`).toBeGreaterThan(EARLIEST);
  }
  const [kept] = recordsOfKind(board, "clock").filter(({ why }) => why === 2);
  expect(kept.clockEra).toBe(2);
});

describe("a clock that is set back by more than a minute (COM-07)", () => {
  test.each([61, 3600, 5 * 3600, 2 * DAY])("by %i s: a fresh key at once, and no identifier is ever sent twice", async (seconds) => {
    const world = new WornWorld(47);
    const board = await world.wear({ x: 0, y: 0 });
    world.pass(6 * 3600);
    const before = world.clock.now;
    setClock(board, world.clock.now - seconds);
    world.pass(2);
    const now = lifetimesIn(world.sentBy(board)).at(-1)!;
    expect(now.from - before).toBeGreaterThan(0);
    expect(now.from - before).toBeLessThan(1);
    expect(keysOf(board).map(({ ended }) => ended)).toEqual([true, false]);
    world.pass(7 * 3600);
    const lifetimes = lifetimesIn(world.sentBy(board));
    expect(lifetimes.length).toBeGreaterThan(40);
    expect(linksIn(lifetimes)).toEqual([]);
  });

  test("after it was in the future for a while: what was sent before is not sent again either", async () => {
    const world = new WornWorld(48);
    const board = await world.wear({ x: 0, y: 0 });
    world.pass(4 * 3600);
    setClock(board, world.clock.now + 20 * 3600);
    world.pass(3600);
    // back to an hour that was lived through with today's first key
    setClock(board, MORNING + 1800);
    world.pass(5 * 3600);
    expect(linksIn(lifetimesIn(world.sentBy(board)))).toEqual([]);
  });

  test("again and again", async () => {
    const world = new WornWorld(49);
    const board = await world.wear({ x: 0, y: 0 }, { role: "beacon" });
    for (let i = 0; i < 10; i++) {
      world.pass(1900);
      setClock(board, MORNING + i);
    }
    expect(linksIn(lifetimesIn(world.sentBy(board)))).toEqual([]);
    const steps = recordsOfKind(board, "clock").filter(({ why }) => why === 1);
    expect(steps.slice(1).every(({ stepMs }) => stepMs! < -1_800_000)).toBe(true);
  });
});

describe("a clock that jumps", () => {
  test("forward by hours: the identifier is that of the new time at once, and ticks go on", async () => {
    const world = new WornWorld(50);
    const { board } = await meeting(world, true);
    world.pass(5000);
    const before = { tick: status(board).t, at: world.clock.now };
    expect(setClock(board, world.clock.now + 5 * 3600)).toBeGreaterThan(5 * 3600 * 1000 - 1000);
    world.pass(1);
    expect(lifetimesIn(world.sentBy(board)).at(-1)!.from - before.at).toBeLessThan(1);
    world.pass(5000);
    expect(status(board).t - before.tick).toBeCloseTo(world.clock.now - before.at, -1);
    for (const { firstTick, lastTick } of recordsOfKind(board, "encounter")) {
      expect(lastTick - firstTick).toBeLessThan(1200);
      expect(lastTick).toBeLessThanOrEqual(status(board).t);
    }
  });

  test.each([
    ["forward", 7200],
    ["back", -7200],
  ])("%s because another tool called setTime: it is noticed, ticks stay right, nothing is repeated", async (_, seconds) => {
    const world = new WornWorld(51);
    const { board, heard } = await meeting(world, true);
    const began = world.clock.now;
    world.pass(3 * 3600 + 50);
    board.evaluate(`setTime(getTime()+${seconds})`);
    world.pass(3 * 3600);
    expect(status(board).t).toBeCloseTo(world.clock.now - began, -1);
    expect(status(board).u / 1000 - world.clock.now).toBeCloseTo(seconds, -1);
    const noticed = recordsOfKind(board, "clock").filter(({ why, roundTripMs }) => why === 1 && roundTripMs === 65535);
    expect(noticed).toHaveLength(1);
    // by ticks alone: durations and distances are true
    for (const { rpi, firstTick, lastTick } of recordsOfKind(board, "encounter")) {
      const { first, last } = timesHeard(heard, rpi, began, world.clock.now);
      expect(Math.abs(firstTick + began - 1 - first)).toBeLessThan(5);
      expect(Math.abs(lastTick - firstTick - (last - first))).toBeLessThan(5);
    }
    expect(linksIn(lifetimesIn(world.sentBy(board)))).toEqual([]);
  });

  test("from 1970 because another tool called setTime: sending begins within a cycle, and ticks stay right", async () => {
    const world = new WornWorld(52);
    const { board } = await meeting(world, false);
    world.pass(1000);
    board.evaluate(`setTime(${world.clock.now})`);
    world.pass(301);
    expect(status(board)).toMatchObject({ ad: 1 });
    expect(status(board).t).toBeLessThan(1310);
  });

  test("and is then set by the hub before the board has noticed: ticks are wrong by a cycle at most", async () => {
    const world = new WornWorld(53);
    const { board } = await meeting(world, false);
    const began = world.clock.now;
    world.pass(1850);
    board.evaluate(`setTime(${world.clock.now - 5000})`);
    setClock(board, world.clock.now);
    world.pass(3600);
    expect(Math.abs(status(board).t - (world.clock.now - began))).toBeLessThan(300);
    const unix = timesOf(board);
    for (const { era, firstTick } of recordsOfKind(board, "encounter")) expect(Math.abs(unix(era, firstTick)! - began - firstTick)).toBeLessThan(300);
  });
});

test("small corrections leave lifetimes as they are (GAEN-05)", async () => {
  const world = new WornWorld(54);
  const board = await world.wear({ x: 0, y: 0 });
  for (let i = 0; i < 60; i++) {
    world.pass(311);
    setClock(board, world.clock.now + (i % 3) - 1);
  }
  const lifetimes = lifetimesIn(world.sentBy(board)).slice(0, -1);
  const crossing = lifetimes.filter(({ to }) => to! % DAY < 20);
  for (const { from, to } of lifetimes.filter((one) => !crossing.includes(one))) {
    expect(to! - from).toBeGreaterThan(595);
    expect(to! - from).toBeLessThan(1205);
  }
});
