import { afterEach, expect, test } from "vitest";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { decodeAdvertisement } from "../../protocols/gaen/advertisement.ts";
import { PREFIX_BYTES } from "../../protocols/log-format.ts";
import { crowd, numberOf } from "../support/crowd.ts";
import { recordsOf, recordsOfKind, timesOf } from "../support/flash-log.ts";
import { configure, DAY, expectQuietConsoles, setClock, status, WornWorld } from "../support/worn-boards.ts";

afterEach(expectQuietConsoles);

const HOURS = 3600;

/** When each person was last heard, by number. */
function lastHeard(world: WornWorld, board: VirtualBoard): Map<number, { time: number; rpi: Uint8Array }> {
  return new Map(
    world.heardBy(board).map(({ time, data }) => {
      const { rpi } = decodeAdvertisement(data)!;
      return [numberOf(rpi), { time, rpi }];
    }),
  );
}

/** Whose identifiers stand anywhere in flash, in records or in what is left of them. `bytes`: how much of one a record has. */
function inFlash(board: VirtualBoard, heard: Map<number, { rpi: Uint8Array }>, bytes = 16): number[] {
  const { flash } = board;
  const image = Buffer.from(flash.read(flash.base, flash.size));
  return [...heard].filter(([, { rpi }]) => image.includes(Buffer.from(rpi.subarray(0, bytes)))).map(([number]) => number);
}

/** A scanner past which somebody comes every two hours, for ever. */
async function scannerByTheDoor(seed: number, settings: Record<string, number> = {}) {
  const world = new WornWorld(seed);
  const board = await world.wear({ x: 0, y: 0 }, { role: "scanner", settings: { recordForm: 0, ...settings } });
  crowd(world, 1, 2 * HOURS);
  return { world, board };
}

test("after each daily cleaning nothing in flash is older than 14 days, and nothing younger is missing (COM-05, GAEN-11)", async () => {
  const { world, board } = await scannerByTheDoor(151);
  const marks = recordsOfKind(board, "mark");
  for (let day = 1; day <= 18; day++) {
    world.pass(DAY);
    // the cleaning of today is over
    world.pass(day === 1 ? 30 : 0);
    const heard = lastHeard(world, board);
    const age = (number: number) => world.clock.now - heard.get(number)!.time;
    const found = inFlash(board, heard);
    // an encounter goes to the log 10 minutes after its end
    expect(
      found.filter((number) => age(number) > 14 * DAY + 900),
      `day ${day}`,
    ).toEqual([]);
    const young = [...heard.keys()].filter((number) => age(number) > 900 && age(number) < 14 * DAY - 60);
    expect(
      young.filter((number) => !found.includes(number)),
      `day ${day}`,
    ).toEqual([]);
  }
  // what stays can still be read: marks, settings and the dates of what was heard
  expect(recordsOfKind(board, "mark").slice(0, marks.length)).toEqual(marks);
  expect(recordsOfKind(board, "settings").length).toBeGreaterThan(0);
  const unix = timesOf(board);
  const heard = lastHeard(world, board);
  const ends = new Map(recordsOfKind(board, "encounter").map(({ rpi, era, lastTick }) => [numberOf(rpi), unix(era, lastTick)!]));
  // the last two are not over yet
  const over = [...ends].slice(0, -2);
  expect(over.length).toBeGreaterThan(150);
  for (const [number, end] of over) expect(Math.abs(end - heard.get(number)!.time), `person ${number}`).toBeLessThan(5);
  expect(status(board)).toMatchObject({ er: [0, 0, 0] });
});

test("sightings of the raw log, too, and where the setting says 2 days, after 2 (GAEN-11)", async () => {
  const { world, board } = await scannerByTheDoor(152, { rawLog: 1, retention: 2 });
  // the record that dates a cleaning is written in the second after the one in which it began
  world.pass(0.5);
  setClock(board, Math.floor(world.clock.now) + 0.9);
  world.pass(6 * DAY + 30);
  const heard = lastHeard(world, board);
  const found = inFlash(board, heard);
  const age = (number: number) => world.clock.now - heard.get(number)!.time;
  expect(Math.max(...found.map(age))).toBeLessThan(2 * DAY + 900);
  expect(found.length).toBeGreaterThan(23);
  expect(recordsOfKind(board, "sighting").length).toBeGreaterThan(200);
  expect(recordsOf(board).filter(({ kind }) => kind === "deleted").length).toBeGreaterThan(200);
});

test("dense records as well (COM-05, GAEN-11)", async () => {
  const { world, board } = await scannerByTheDoor(157, { recordForm: 1, retention: 2 });
  for (let day = 1; day <= 5; day++) {
    world.pass(DAY + (day === 1 ? 30 : 0));
    const heard = lastHeard(world, board);
    const age = (number: number) => world.clock.now - heard.get(number)!.time;
    const found = inFlash(board, heard, PREFIX_BYTES);
    expect(
      found.filter((number) => age(number) > 2 * DAY + 900),
      `day ${day}`,
    ).toEqual([]);
    const young = [...heard.keys()].filter((number) => age(number) > 900 && age(number) < 2 * DAY - 60);
    expect(
      young.filter((number) => !found.includes(number)),
      `day ${day}`,
    ).toEqual([]);
  }
  expect(recordsOfKind(board, "encounter")).toEqual([]);
  expect(recordsOf(board).filter(({ kind }) => kind === "deleted").length).toBeGreaterThan(50);
});

test("what was heard while the clock was not set counts from when it was set", async () => {
  const { world, board } = await scannerByTheDoor(153, { retention: 2 });
  world.pass(DAY / 2);
  world.powerCycle(board);
  const lost = world.clock.now;
  world.pass(DAY);
  const set = world.clock.now;
  setClock(board, set);
  const heard = lastHeard(world, board);
  const undated = [...heard].filter(([, { time }]) => time > lost && time < set - 4 * HOURS).map(([number]) => number);
  expect(undated.length).toBeGreaterThan(6);
  world.pass(2 * DAY - 100);
  expect(inFlash(board, heard)).toEqual(expect.arrayContaining(undated));
  world.pass(DAY + 200);
  expect(inFlash(board, heard).filter((number) => undated.includes(number))).toEqual([]);
});

test("at a start, and as soon as the clock is set after it, all that has expired meanwhile is deleted (COM-05)", async () => {
  const { world, board } = await scannerByTheDoor(154, { retention: 1 });
  world.pass(DAY * 0.9);
  const heard = lastHeard(world, board);
  expect(inFlash(board, heard).length).toBeGreaterThan(8);
  board.powerOff();
  world.pass(5 * DAY);
  board.powerOn();
  world.pass(100);
  expect(inFlash(board, heard).length).toBeGreaterThan(8);
  setClock(board, world.clock.now);
  world.pass(5);
  expect(inFlash(board, heard)).toEqual([]);
});

test("what a power cut left of a record expires like a record", async () => {
  const { world, board } = await scannerByTheDoor(155, { retention: 1 });
  const { flash } = board;
  while (board.powered) {
    world.pass(2 * HOURS);
    flash.cutAfter(24);
  }
  flash.keepPower();
  board.powerOn();
  world.pass(1);
  setClock(board, world.clock.now);
  const torn = recordsOf(board).filter(({ kind }) => kind === "damaged");
  expect(torn).toHaveLength(1);
  const heard = lastHeard(world, board);
  expect(inFlash(board, heard).length).toBeGreaterThan(0);
  world.pass(3 * DAY);
  expect(inFlash(board, heard)).toEqual([]);
});

test("a shorter retention takes effect with the next cleaning", async () => {
  const { world, board } = await scannerByTheDoor(156);
  world.pass(3 * DAY);
  const heard = lastHeard(world, board);
  const count = inFlash(board, heard).length;
  expect(count).toBeGreaterThan(30);
  configure(board, { retention: 1 });
  world.pass(DAY);
  expect(inFlash(board, heard).length).toBeLessThan(14);
});
