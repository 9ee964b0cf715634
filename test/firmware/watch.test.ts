import { afterAll, describe, expect, test } from "vitest";
import { findBoard } from "../../boards/index.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { LABEL_FILE, PAGE_WORDS } from "../../protocols/log-format.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { confirm } from "../support/confirm.ts";
import { showsText } from "../support/screen-text.ts";
import { expectQuietConsoles, radioOf, recordsIn, setClock, status, type WearOptions, WornWorld, writeRecords } from "../support/worn-boards.ts";

afterAll(expectQuietConsoles);

const BLACK = 0;
const RED = 1;
const GREEN = 2;
const YELLOW = 3;
const BLUE = 4;
const WHITE = 7;

async function watch(world: WornWorld, options: WearOptions = {}): Promise<VirtualBoard> {
  const board = await world.wear({ x: 0, y: 0 }, { board: "bangle2", ...options });
  world.pass(30);
  return board;
}

function press(world: WornWorld, board: VirtualBoard, ms = 200): void {
  board.pressButton(ms);
  world.pass(ms / 1000 + 0.3);
}

const corner = (board: VirtualBoard) => board.screen!.shown![0];

describe("a Bangle.js 2 on the wrist", () => {
  test("is dark and locked from the start on; a press shows its state for ten seconds", async () => {
    const world = new WornWorld(340);
    const board = await watch(world);
    const { screen, wristwatch } = board;
    expect([screen!.on, wristwatch!.lit, wristwatch!.locked]).toEqual([false, false, true]);
    press(world, board);
    expect([screen!.on, wristwatch!.lit, wristwatch!.locked]).toEqual([true, true, false]);
    for (const text of ["ALL IS WELL", "08:00", "2026-03-02 UTC", "ENCOUNTERS TODAY 0", "OPEN 0  LOG 0 %", "BATTERY 65 %", "NOT CONFIRMED"])
      expect(showsText(board, text), text).toBe(true);
    expect(corner(board)).toBe(GREEN);
    world.pass(9);
    expect(screen!.on).toBe(true);
    world.pass(1);
    expect([screen!.on, wristwatch!.lit, wristwatch!.locked]).toEqual([false, false, true]);
    const { onSeconds } = screen!;
    world.pass(3600);
    expect(screen!.onSeconds).toBe(onSeconds);
    expect(status(board)).toMatchObject({ ad: 1, er: [0, 0, 0] });
  });

  test("has nothing on its screen while it is dark, should it be lit from elsewhere", async () => {
    const world = new WornWorld(341);
    const board = await watch(world);
    press(world, board);
    world.pass(11);
    board.screen!.on = true;
    expect(new Set(board.screen!.shown)).toEqual(new Set([WHITE]));
  });

  test("goes to the other page with a second press, and stays on for ten seconds after the last", async () => {
    const world = new WornWorld(342);
    const board = await watch(world);
    board.storage.write(LABEL_FILE, Uint8Array.of(16, 2, 1, 0xff, 0x00, 0x0f, 0xf0));
    press(world, board);
    world.pass(6);
    press(world, board);
    for (const text of ["TRACELET", "01020304", status(board).v]) expect(showsText(board, text), text).toBe(true);
    expect([...board.screen!.shown!.subarray(22 * 176 + 36, 22 * 176 + 36 + 80)]).toEqual([...Array(40).fill(BLACK), ...Array(40).fill(WHITE)]);
    world.pass(6);
    press(world, board);
    expect(showsText(board, "ALL IS WELL")).toBe(true);
    world.pass(9);
    expect(board.screen!.on).toBe(true);
    world.pass(1);
    expect(board.screen!.on).toBe(false);
  });

  test("opens a console after 0.8 s, from the dark and from a page, before the button is let go", async () => {
    const world = new WornWorld(343);
    const board = await watch(world);
    const { e } = status(board);
    for (const lit of [false, true]) {
      if (lit) press(world, board);
      board.pressButton(1200);
      world.pass(0.75);
      expect(showsText(board, "FOR A MINUTE")).toBe(false);
      expect(radioOf(board).connectable).toBe(false);
      world.pass(0.4);
      for (const text of ["BLUETOOTH", "FOR A MINUTE"]) expect(showsText(board, text), text).toBe(true);
      expect(corner(board)).toBe(BLUE);
      world.pass(1);
      expect(radioOf(board).connectable).toBe(true);
      world.pass(70);
      expect(radioOf(board).connectable).toBe(false);
    }
    // nor did anything start anew
    expect(status(board).e).toBe(e);
    // an address that was used is not used again: the next identifier waits for the next ten minutes
    world.pass(600);
    expect(status(board).ad).toBe(1);
  });

  test("two short presses within a second are no long one", async () => {
    const world = new WornWorld(344);
    const board = await watch(world);
    board.pressButton(300);
    world.pass(0.6);
    board.pressButton(400);
    world.pass(1.5);
    expect(showsText(board, "FOR A MINUTE")).toBe(false);
    expect(showsText(board, "TRACELET")).toBe(true);
    expect(radioOf(board).connectable).toBe(false);
  });

  test("starts anew when the button is held for 1.5 s, and goes on with log and keys", async () => {
    const world = new WornWorld(345);
    const board = await watch(world);
    const before = status(board);
    press(world, board, 1800);
    world.pass(5);
    expect(status(board)).toMatchObject({ e: before.e + 1, id: before.id, er: [0, 0, 0] });
    expect(board.screen!.on).toBe(false);
    world.pass(600);
    expect(status(board).ad).toBe(1);
  });

  test("says each state in words and in the colour that lights have for it", async () => {
    const world = new WornWorld(346);
    const unset = await watch(world, { clockSet: false });
    press(world, unset);
    for (const text of ["CLOCK NOT SET", "TO THE HUB", "--:--"]) expect(showsText(unset, text), text).toBe(true);
    expect(corner(unset)).toBe(BLUE);

    const low = await watch(world);
    low.supply = () => 3.55;
    world.pass(310);
    press(world, low);
    for (const text of ["BATTERY LOW", "CHARGE IT", "BATTERY 6 %"]) expect(showsText(low, text), text).toBe(true);
    expect(corner(low)).toBe(YELLOW);
    expect(status(low)).toMatchObject({ lb: 1, mv: 3550 });
    low.supply = () => 4.1;
    world.pass(1300);
    expect(status(low)).toMatchObject({ lb: 0 });
    confirm(low, 3 * 3600);
    press(world, low);
    expect(showsText(low, "CONFIRMED 3 H AGO")).toBe(true);

    const full = await watch(world, { ringPages: 2 });
    writeRecords(full, recordsIn(2 * PAGE_WORDS));
    world.pass(60);
    press(world, full);
    expect(showsText(full, "LOG NEARLY FULL")).toBe(true);
    expect(corner(full)).toBe(YELLOW);
    world.restart(full);
    press(world, full);
    for (const text of ["NOTHING IS SENT", "IN 10 MIN TO THE HUB"]) expect(showsText(full, text), text).toBe(true);
    expect(corner(full)).toBe(BLUE);

    const bare = world.addBoard(findBoard("bangle2")!, { x: 0, y: 0 });
    bare.storage.write(".bootcde", Buffer.from((await firmwareFor("wearable", "bangle2")).code, "latin1"));
    bare.powerOn();
    world.pass(5);
    press(world, bare);
    expect(showsText(bare, "NO LOG")).toBe(true);
    expect(corner(bare)).toBe(RED);
  });

  test("a hundred presses leave no timer behind, and the clock follows the hub's", async () => {
    const world = new WornWorld(347);
    const board = await watch(world);
    const before = board.timers.count;
    for (let i = 0; i < 100; i++) press(world, board, 100);
    world.pass(11);
    expect(board.timers.count).toBe(before);
    setClock(board, world.clock.now + 13 * 3600);
    press(world, board);
    expect(showsText(board, new Date((world.clock.now + 13 * 3600) * 1000).toISOString().slice(11, 16))).toBe(true);
  });
});
