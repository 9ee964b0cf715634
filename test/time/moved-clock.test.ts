import { afterEach, describe, expect, test } from "vitest";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { ClockLab } from "../support/clock-lab.ts";
import { keysOf } from "../support/flash-log.ts";
import { lifetimesIn, linksIn } from "../support/observer.ts";
import { DAY, expectQuietConsoles, MORNING, setClock, status, WornWorld } from "../support/worn-boards.ts";

afterEach(expectQuietConsoles);

const HOUR = 3600;
const YEAR = 365 * DAY;
const MIDNIGHT = MORNING + 16 * HOUR;

/** First ENIN of the day that the board takes for today. */
const today = (board: VirtualBoard) => Math.floor(status(board).u / 1000 / DAY) * 144;

/** No identifier twice, no key of another day in use, and no more than one of today. */
function expectFresh(world: WornWorld, board: VirtualBoard): void {
  expect(linksIn(lifetimesIn(world.sentBy(board)))).toEqual([]);
  const inUse = keysOf(board).filter(({ ended, rollingStart }) => !ended && rollingStart >= today(board));
  expect(inUse.map(({ rollingStart }) => rollingStart)).toEqual([today(board)]);
  expect(status(board).ad).toBe(1);
}

describe("a clock that is moved, by us or by another tool", () => {
  const moves: [string, number][] = [
    ["an hour back", -HOUR],
    ["a day back", -DAY],
    ["three years back", -3 * YEAR],
    ["an hour ahead", HOUR],
    ["a day ahead", DAY],
    ["three years ahead", 3 * YEAR],
  ];
  describe.each(moves)("by %s", (_, seconds) => {
    test.each([
      "us",
      "another tool",
    ])("by %s: nothing is sent twice, then and when it is put right, and no key of days to come stays in use (COM-07)", async (who) => {
      const world = new WornWorld(320, MORNING);
      const board = await world.wear({ x: 0, y: 0 });
      const move = (by: number) => (who === "us" ? setClock(board, status(board).u / 1000 + by, 20) : board.evaluate(`setTime(getTime()+${by})`));
      world.pass(3 * HOUR);
      const began = world.clock.now - status(board).t;
      move(seconds);
      world.pass(2 * HOUR);
      expectFresh(world, board);
      // right again, at an hour that was lived through before where it had been put ahead
      move(-seconds);
      world.pass(2 * HOUR);
      expectFresh(world, board);
      // over midnight
      world.pass(10 * HOUR);
      expectFresh(world, board);
      expect(status(board).t).toBeCloseTo(world.clock.now - began, -1);
      expect(status(board).u / 1000).toBeCloseTo(world.clock.now, -2);
    });
  });

  test.each([-3 * HOUR, -90, -61, -60, -30, -1, 1, 60, 61, 3 * HOUR])("by %i s over midnight UTC, and back: the same", async (seconds) => {
    const world = new WornWorld(321, MIDNIGHT - 3 * HOUR);
    const board = await world.wear({ x: 0, y: 0 });
    // to that side of midnight from which the move crosses it
    world.pass(3 * HOUR - seconds / 2 - 1);
    setClock(board, status(board).u / 1000 + seconds, 20);
    world.pass(1300);
    expectFresh(world, board);
    setClock(board, world.clock.now, 20);
    world.pass(1300);
    expectFresh(world, board);
  });

  test("a little back, and a restart before the time is made up for: the address is new, so the identifier is", async () => {
    for (const past of [1, 20, 45]) {
      const world = new WornWorld(322, MORNING);
      const board = await world.wear({ x: 0, y: 0 });
      // an interval has just begun, and with it an identifier, when the clock goes back before it
      world.pass(1200 - ((world.clock.now - MORNING) % 600) - 5);
      world.restart(board);
      while (lifetimesIn(world.sentBy(board)).length < 2) world.pass(1);
      world.pass(past);
      setClock(board, world.clock.now - past - 10, 20);
      world.restart(board);
      world.pass(HOUR);
      expect(linksIn(lifetimesIn(world.sentBy(board)))).toEqual([]);
      expect(status(board).ad).toBe(1);
    }
  });
});

describe("midnight UTC, and with it the day's key", () => {
  test("comes when it comes, over ten days and whatever the oscillator does: one key a day, each day's identifiers from its key alone", async () => {
    const world = new WornWorld(323, MIDNIGHT - 30);
    const board = await world.wear({ x: 0, y: 0 }, { role: "beacon", clockPpm: -500 });
    world.pass(10 * DAY);
    const starts = keysOf(board).map(({ rollingStart }) => rollingStart);
    expect(starts).toEqual(Array.from({ length: 11 }, (_, i) => (MIDNIGHT / DAY - 1 + i) * 144));
    expectFresh(world, board);
    // silent for no longer than the keys of the new day take
    const lifetimes = lifetimesIn(world.sentBy(board));
    const gaps = lifetimes.slice(1).map(({ from }, i) => from - lifetimes[i].to!);
    expect(Math.max(...gaps)).toBeLessThan(2);
  });

  test.each([-1, -0.02, 0, 0.02, 1])("a clock set %s s from midnight begins with the key of that day", async (seconds) => {
    const world = new WornWorld(324, MIDNIGHT - HOUR);
    const board = await world.wear({ x: 0, y: 0 }, { clockSet: false });
    world.pass(HOUR / 2);
    setClock(board, MIDNIGHT + seconds, 20);
    const set = world.clock.now;
    world.pass(30);
    const keys = keysOf(board).filter(({ ended }) => !ended);
    expect(keys.at(-1)!.rollingStart).toBe(MIDNIGHT / 600);
    expect(keys.length).toBeLessThanOrEqual(seconds < 0 ? 2 : 1);
    const lifetimes = lifetimesIn(world.sentBy(board));
    expect(lifetimes.at(-1)!.from - set).toBeLessThan(5);
    expectFresh(world, board);
  });

  test("passes in silence while the clock is not set; what was heard is logged, and setting it brings the right key of the right day (COM-04)", async () => {
    const lab = new ClockLab(325, MIDNIGHT - 8 * HOUR);
    await lab.begin({}, 1800);
    lab.pass(40 * HOUR);
    expect(keysOf(lab.board)).toEqual([]);
    expect(lifetimesIn(lab.world.sentBy(lab.board))).toEqual([]);
    await lab.contact();
    expect(keysOf(lab.board).map(({ rollingStart }) => rollingStart)).toEqual([(MIDNIGHT + DAY) / 600]);
    lab.pass(600);
    expect(lifetimesIn(lab.world.sentBy(lab.board)).length).toBeGreaterThan(0);
    expect(await lab.expectTrueTimes()).toBeGreaterThan(70);
    await lab.close();
  });
});
