import { afterAll, describe, expect, test } from "vitest";
import { findBoard } from "../../boards/index.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { LABEL_FILE } from "../../protocols/log-format.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { confirm } from "../support/confirm.ts";
import { showsText } from "../support/screen-text.ts";
import { expectQuietConsoles, MORNING, radioOf, setClock, status, type WearOptions, WornWorld } from "../support/worn-boards.ts";

afterAll(expectQuietConsoles);

async function pixl(world: WornWorld, options: WearOptions = {}): Promise<VirtualBoard> {
  const board = await world.wear({ x: 0, y: 0 }, { board: "pixljs", ...options });
  // the keys of the day take it some seconds
  world.pass(30);
  return board;
}

function press(world: WornWorld, board: VirtualBoard, ms = 150): void {
  board.pressButton(ms);
  world.pass(ms / 1000 + 0.3);
}

describe("the screen of a Pixl.js", () => {
  test("is off from the start on, and on for ten seconds after the last press", async () => {
    const world = new WornWorld(320);
    const board = await pixl(world);
    expect(board.screen!.on).toBe(false);
    press(world, board);
    expect(board.screen!.on).toBe(true);
    world.pass(6);
    press(world, board);
    world.pass(9);
    expect(board.screen!.on).toBe(true);
    world.pass(1);
    expect(board.screen!.on).toBe(false);
    const { onSeconds } = board.screen!;
    world.pass(3600);
    expect(board.screen!.onSeconds).toBe(onSeconds);
  });

  test("shows the state, the time, encounters, battery and log", async () => {
    const world = new WornWorld(321);
    const board = await pixl(world, { batteryVolts: 2.87 });
    press(world, board);
    for (const text of ["ALL IS WELL", "08:00", "2026-03-02", "UTC", "ENCOUNTERS TODAY 0, OPEN 0", "BATTERY 2.87 V, LOG 0 %"])
      expect(showsText(board, text), text).toBe(true);
    expect(showsText(board, "ALL IS WRONG")).toBe(false);
  });

  test("without a clock it shows no time", async () => {
    const world = new WornWorld(322);
    const board = await pixl(world, { clockSet: false });
    press(world, board);
    for (const text of ["CLOCK NOT SET", "TO THE HUB", "--:--"]) expect(showsText(board, text), text).toBe(true);
    expect(showsText(board, "UTC")).toBe(false);
  });

  test("says when nothing is sent", async () => {
    const world = new WornWorld(323);
    const board = await pixl(world);
    world.restart(board);
    press(world, board);
    for (const text of ["NOTHING IS SENT", "IN 10 MIN TO THE HUB"]) expect(showsText(board, text), text).toBe(true);
  });

  test("says when the battery is low, and what it has at rest", async () => {
    const world = new WornWorld(330);
    const board = await pixl(world);
    board.supply = () => (radioOf(board).receiving ? 2.1 : 2.61);
    world.pass(310);
    press(world, board);
    for (const text of ["BATTERY LOW", "SWAP IT, THEN TO THE HUB", "BATTERY 2.61 V"]) expect(showsText(board, text), text).toBe(true);
  });

  test("says when somebody last confirmed what it sends", async () => {
    const world = new WornWorld(331);
    const board = await pixl(world);
    press(world, board);
    expect(showsText(board, "NOT CONFIRMED")).toBe(true);
    for (const [ago, text] of [
      [0, "CONFIRMED 0 H AGO"],
      [3590, "CONFIRMED 0 H AGO"],
      [6060, "CONFIRMED 1 H AGO"],
      [47 * 3600, "CONFIRMED 47 H AGO"],
      [50 * 3600, "CONFIRMED 50 H AGO"],
    ] as const) {
      world.pass(11);
      confirm(board, ago);
      press(world, board);
      expect(showsText(board, text), text).toBe(true);
    }
  });

  test("says when there is no log", async () => {
    const world = new WornWorld(324);
    const board = world.addBoard(findBoard("pixljs")!, { x: 0, y: 0 });
    board.storage.write(".bootcde", Buffer.from((await firmwareFor("wearable", "pixljs")).code, "latin1"));
    board.powerOn();
    world.pass(5);
    expect(board.screen!.on).toBe(false);
    press(world, board);
    for (const text of ["NO LOG", "BATTERY 3.00 V"]) expect(showsText(board, text), text).toBe(true);
    press(world, board);
    expect(showsText(board, "TRACELET")).toBe(true);
  });

  test("counts the encounters that went to the log since midnight, and those that are open", async () => {
    const world = new WornWorld(325);
    const board = await pixl(world, { role: "scanner", settings: { cycleTime: 60 } });
    const other = await world.wear({ x: 1, y: 0 });
    world.pass(3600);
    const { hi, op } = status(board);
    // one each 10 to 20 minutes, as the other changes its identifier; settings and clock are records too
    expect(hi).toBeGreaterThan(4);
    // while the answer goes over the wire a press of a tenth of a second is missed
    world.pass(2);
    press(world, board);
    const today = Array.from({ length: hi }, (_, n) => n).filter((n) => showsText(board, `ENCOUNTERS TODAY ${n}, OPEN ${op}`));
    expect(today).toHaveLength(1);
    expect(today[0]).toBeGreaterThanOrEqual(3);
    other.powerOff();
    world.pass(MORNING + 16 * 3600 + 60 - world.clock.now);
    press(world, board);
    expect(showsText(board, "ENCOUNTERS TODAY 0, OPEN 0")).toBe(true);
  });

  test("with the second press shows the log id and the version, and the QR code that lies in Storage", async () => {
    const world = new WornWorld(326);
    const board = await pixl(world);
    press(world, board);
    press(world, board);
    for (const text of ["TRACELET", "01020304", status(board).v]) expect(showsText(board, text), text).toBe(true);
    expect(
      board
        .screen!.shown!.subarray(0, 128 * 64)
        .filter((_, i) => i % 128 < 60)
        .some(Boolean),
    ).toBe(false);
    board.storage.write(LABEL_FILE, Uint8Array.of(16, 2, 1, 0xff, 0x00, 0x0f, 0xf0));
    world.pass(11);
    press(world, board);
    press(world, board);
    const { shown } = board.screen!;
    expect([...shown!.subarray(11 * 128 + 11, 11 * 128 + 43)]).toEqual([...Array(16).fill(1), ...Array(16).fill(0)]);
    press(world, board);
    expect(showsText(board, "ALL IS WELL")).toBe(true);
  });

  test("says that a console is open after a press of two seconds", async () => {
    const world = new WornWorld(327);
    const board = await pixl(world);
    press(world, board, 2500);
    for (const text of ["BLUETOOTH", "FOR A MINUTE"]) expect(showsText(board, text), text).toBe(true);
    world.pass(11);
    expect(board.screen!.on).toBe(false);
  });

  test("a hundred presses in a minute leave no timer behind", async () => {
    const world = new WornWorld(328);
    const board = await pixl(world);
    const before = board.timers.count;
    for (let i = 0; i < 100; i++) press(world, board, 100);
    world.pass(11);
    expect(board.screen!.on).toBe(false);
    expect(board.timers.count).toBe(before);
    expect(status(board).ad).toBe(1);
  });

  test("the clock of the screen follows the hub's", async () => {
    const world = new WornWorld(329);
    const board = await pixl(world);
    setClock(board, MORNING + 13 * 3600 + 5 * 60);
    press(world, board);
    expect(showsText(board, "21:05")).toBe(true);
  });
});
