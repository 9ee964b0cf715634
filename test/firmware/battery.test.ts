import { afterEach, describe, expect, test } from "vitest";
import { insertCoinCell } from "../../host-tools/simulator/coin-cell.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { recordsOfKind } from "../support/flash-log.ts";
import { lifetimesIn } from "../support/observer.ts";
import { configure, DAY, expectQuietConsoles, radioOf, status, WornWorld } from "../support/worn-boards.ts";

afterEach(expectQuietConsoles);

const HOUR = 3600;
const LOW = 7;
const RECOVERED = 8;

/** What the log says of the battery: why and millivolt. */
const changesIn = (board: VirtualBoard) =>
  recordsOfKind(board, "clock")
    .filter(({ why }) => why === LOW || why === RECOVERED)
    .map(({ why, roundTripMs }) => [why, roundTripMs]);

/** Seconds with the receiver on in the `seconds` that pass. */
function scanned(world: WornWorld, board: VirtualBoard, seconds: number): number {
  const before = radioOf(board).activity.scanSeconds;
  world.pass(seconds);
  return radioOf(board).activity.scanSeconds - before;
}

describe("a low battery", () => {
  test("makes scans rarer, every 15 minutes instead of 5; the board goes on advertising", async () => {
    const world = new WornWorld(301);
    const board = await world.wear({ x: 0, y: 0 });
    expect(scanned(world, board, 2 * HOUR)).toBeCloseTo(48, 0);
    board.supply = () => 2.15;
    world.pass(600);
    expect(status(board)).toMatchObject({ lb: 1, ml: 2150, mv: 2150 });
    expect(scanned(world, board, 3 * HOUR)).toBeCloseTo(24, 0);
    expect(status(board).ad).toBe(1);
    expect(lifetimesIn(world.sentBy(board)).at(-1)!.to).toBeUndefined();
  });

  test("is one that sags while the receiver is on, whatever it has at rest", async () => {
    const world = new WornWorld(302);
    const board = await world.wear({ x: 0, y: 0 });
    board.supply = () => (radioOf(board).receiving ? 2.1 : 2.9);
    world.pass(600);
    expect(status(board)).toMatchObject({ lb: 1, ml: 2100, mv: 2900 });
  });

  test("has to recover by 100 mV; the log tells when it began and ended, and with what voltage", async () => {
    const world = new WornWorld(303);
    const board = await world.wear({ x: 0, y: 0 });
    for (const volts of [2.2, 2.199, 2.25, 2.299, 2.3, 2.21]) {
      board.supply = () => volts;
      world.pass(1300);
    }
    expect(changesIn(board)).toEqual([
      [LOW, 2199],
      [RECOVERED, 2300],
    ]);
    expect(status(board).lb).toBe(0);
  });

  test.each([
    [4, 16],
    [60, 240],
    [400, 900],
    [1800, 1800],
  ])("instead of every %i s scans every %i s", async (cycleTime, low) => {
    const world = new WornWorld(308);
    const board = await world.wear({ x: 0, y: 0 }, { role: "scanner", settings: { cycleTime }, batteryVolts: 2 });
    world.pass(2 * Math.max(cycleTime, 300));
    const before = radioOf(board).activity.scans;
    world.pass(20 * low);
    expect(radioOf(board).activity.scans - before).toBe(20);
  });

  test("counts from what the owner has set, and never where that is 0", async () => {
    const world = new WornWorld(304);
    const board = await world.wear({ x: 0, y: 0 }, { role: "scanner", settings: { lowBattery: 2800 }, batteryVolts: 2.7 });
    world.pass(600);
    expect(status(board).lb).toBe(1);
    configure(board, { lowBattery: 0 });
    world.pass(1300);
    expect(status(board).lb).toBe(0);
    board.supply = () => 1.8;
    world.pass(1300);
    expect(status(board).lb).toBe(0);
  });

  test("cuts no encounter in two: neither while scans are rare nor where that begins and ends", async () => {
    const world = new WornWorld(305);
    const board = await world.wear({ x: 0, y: 0 }, { role: "scanner", batteryVolts: 2.5 });
    const neighbour = world.air.station("neighbour");
    world.air.place(neighbour, { x: 1, y: 0 });
    world.pass(100);
    const packets = [Uint8Array.from([2, 1, 26, 3, 3, 0x6f, 0xfd, 23, 22, 0x6f, 0xfd, ...Array.from({ length: 20 }, (_, i) => i + 1)])];
    board.supply = () => 2.1;
    // scans after 300, 1200, 1500, 1800 s
    neighbour.advertise({
      address: "c1:02:03:04:05:06 random",
      packets,
      intervalMs: 250,
      txPower: 0,
      connectable: false,
      scannable: false,
      extended: false,
    });
    world.pass(500);
    board.supply = () => 2.5;
    world.pass(1250);
    neighbour.advertise(undefined);
    world.pass(2 * HOUR);
    const encounters = recordsOfKind(board, "encounter");
    expect(changesIn(board).map(([why]) => why)).toEqual([LOW, RECOVERED]);
    expect(encounters).toHaveLength(1);
    expect(encounters[0].lastTick - encounters[0].firstTick).toBe(1500);
  });

  test("does not concern a beacon, which has nothing to save but its advertisements (GAEN-08)", async () => {
    const world = new WornWorld(306);
    const board = await world.wear({ x: 0, y: 0 }, { role: "beacon", batteryVolts: 2.0 });
    world.pass(HOUR);
    const { lb, ml, wd } = status(board);
    expect([lb, ml, wd]).toEqual([undefined, undefined, undefined]);
    expect(world.sentBy(board).at(-1)!.intervalMs).toBe(250);
    expect(changesIn(board)).toEqual([]);
  });

  test("of a coin cell comes before its end: it lasts on, and its voltage under load recovers a little", async () => {
    const lasting = async (lowBattery: number) => {
      const world = new WornWorld(307);
      const board = await world.wear({ x: 0, y: 0 }, { settings: { lowBattery, cycleTime: 60, scanTime: 4 } });
      // a hundredth of a cell, so that days are enough
      const cell = insertCoinCell(board, 2.25, 0.85);
      let hours = 0;
      while (cell().gone < 1 && hours < 100) {
        world.pass(HOUR);
        hours++;
      }
      return { hours, low: changesIn(board).length };
    };
    const [saving, usual] = [await lasting(2200), await lasting(0)];
    expect(usual.low).toBe(0);
    expect(saving.low).toBeGreaterThan(0);
    expect(saving.hours).toBeGreaterThan(1.3 * usual.hours);
    expect(saving.hours * HOUR).toBeLessThan(10 * DAY);
  });
});
