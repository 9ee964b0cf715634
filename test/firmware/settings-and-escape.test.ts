import { afterEach, describe, expect, test } from "vitest";
import { puckjs } from "../../boards/puckjs.ts";
import { configure as configureBoard } from "../../host-tools/device/config.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { PAGE_WORDS } from "../../protocols/log-format.ts";
import { SETTING_RULES } from "../../protocols/settings.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { pagesOf, recordsOfKind } from "../support/flash-log.ts";
import { lifetimesIn } from "../support/observer.ts";
import { command, configure, expectQuietConsoles, install, recordsIn, setClock, status, WornWorld, writeRecords } from "../support/worn-boards.ts";

const usual = Object.values(SETTING_RULES)
  .sort((a, b) => a.index - b.index)
  .map(({ initial }) => initial);

describe("settings", () => {
  afterEach(expectQuietConsoles);

  test("of a fresh log are those of the bundle, the usual ones where it names none", async () => {
    const world = new WornWorld(141);
    expect(status(await world.wear({ x: 0, y: 0 })).c).toEqual(usual);
    const built = await world.wear({ x: 5, y: 0 }, { built: { advertisingInterval: 200 } });
    expect(status(built).c).toEqual(usual.map((value, index) => (index === SETTING_RULES.advertisingInterval.index ? 200 : value)));
    expect(recordsOfKind(built, "settings")[0].values).toEqual(status(built).c);
  });

  test("changed over the wire hold at once, survive restarts, power cuts and a new bundle, and stand in the log", async () => {
    const world = new WornWorld(142);
    const board = await world.wear({ x: 0, y: 0 });
    const values = {
      cycleTime: 3600,
      scanTime: 10,
      advertisingInterval: 10240,
      txPower: -40,
      minimumDuration: 3600,
      rssiFloor: -127,
      rawLog: 1,
      retention: 21,
      recordForm: 1,
      privateAddress: 1,
      lowBattery: 2500,
      transmit: 5,
      messagePeriod: 90,
    };
    const now = await world.talk(board, (link) =>
      configureBoard(
        link,
        Object.entries(values).map(([name, value]) => ({ name, value })),
      ),
    );
    expect(now).toEqual(values);
    const expected = Object.values(values);
    for (const again of [() => world.restart(board), () => world.powerCycle(board), () => world.powerCycle(board)]) {
      again();
      expect(status(board).c).toEqual(expected);
    }
    install(board, await firmwareFor("wearable", "puckjs", { advertisingInterval: 200 }));
    world.restart(board);
    expect(status(board).c).toEqual(expected);
    expect(recordsOfKind(board, "settings").at(-1)!.values).toEqual(expected);
  });

  test("survive the wrap of the log", async () => {
    const world = new WornWorld(143);
    const board = await world.wear({ x: 0, y: 0 }, { role: "scanner", ringPages: 2, settings: { cycleTime: 20, rssiFloor: -90, txPower: -20 } });
    writeRecords(board, recordsIn(6 * PAGE_WORDS));
    expect(pagesOf(board).at(-1)!.page).toBeGreaterThan(5);
    const expected = status(board).c;
    expect(expected.slice(0, 6)).toEqual([20, 2, 250, -20, 0, -90]);
    world.powerCycle(board);
    expect(status(board).c).toEqual(expected);
  });

  test("of a number that there is none of change nothing", async () => {
    const world = new WornWorld(144);
    const board = await world.wear({ x: 0, y: 0 });
    world.pass(1);
    const { hi } = status(board);
    for (const call of ["c(13,5)", "c(-1,5)", "c()", "c(99)", "c(0.5,3)", "c('x',1)"]) expect(() => command(board, call)).not.toThrow();
    expect(status(board).c).toEqual(usual);
    expect(status(board).hi).toBe(hi);
  });

  test("a power that the radio refuses leaves the board silent, not broken; the next legal one is sent with all 31 bytes", async () => {
    const world = new WornWorld(145);
    const board = await world.wear({ x: 0, y: 0 });
    world.pass(10);
    configure(board, { txPower: 7 });
    command(board, "k(1)");
    world.pass(25);
    expect(status(board)).toMatchObject({ ad: 0 });
    expect(status(board).er[0]).toBeGreaterThan(0);
    configure(board, { txPower: 4 });
    world.pass(30);
    const last = world.sentBy(board).at(-1)!;
    expect(status(board).ad).toBe(1);
    expect(last).toMatchObject({ txPower: 4, to: undefined });
    expect(last.packets[0]).toHaveLength(31);
  });
});

describe("whatever is asked over the console", () => {
  afterEach(expectQuietConsoles);

  test("is answered with one frame and breaks nothing (COM-03)", async () => {
    const world = new WornWorld(146);
    const board = await world.wear({ x: 0, y: 0 });
    const calls = [
      "r(-1,5)",
      "r(0,0)",
      "r(0,-5)",
      "r(1e9,29)",
      "r(4294967295,29)",
      "r()",
      "r(0)",
      "r('a','b')",
      "a(-1)",
      "a(1e9)",
      "a()",
      "t()",
      "t(0,0,0)",
      "t(1e12,0,0)",
      "k()",
    ];
    for (const call of calls) {
      try {
        command(board, call);
      } catch (error) {
        expect(String(error), call).toMatch(/refused: (arg|seq)/);
      }
    }
    world.pass(100);
    expect(status(board)).toMatchObject({ ad: 1, ak: 0 });
  });
});

describe("the way out", () => {
  const bare = (world: WornWorld, code: string): VirtualBoard => {
    const board = world.addBoard(puckjs, { x: 0, y: 0 });
    board.storage.write(".bootcde", Buffer.from(code, "latin1"));
    return board;
  };

  test("with the button held at power-on the bundle does not run, and the console answers", async () => {
    const world = new WornWorld(147);
    const board = await world.wear({ x: 0, y: 0 });
    world.pass(100);
    const { hi } = status(board);
    board.powerOff();
    const off = world.clock.now;
    board.powerOn({ buttonHeld: true });
    const identity = await world.talk(board, async (link) => link.identity);
    expect(identity).toMatchObject({ firmware: false, board: "PUCKJS" });
    expect(lifetimesIn(world.sentBy(board)).filter(({ from }) => from >= off)).toEqual([]);
    // nothing was lost: with the next power-on it is back
    world.powerCycle(board);
    expect(status(board).hi).toBeGreaterThan(hi);
    setClock(board, world.clock.now);
    world.pass(1300);
    expect(status(board).ad).toBe(1);
    expect(board.errors).toEqual([]);
  });

  test("held past the self test it is deleted, and the log stays", async () => {
    const world = new WornWorld(148);
    const board = await world.wear({ x: 0, y: 0 });
    board.powerOff();
    board.powerOn({ buttonHeld: "long" });
    expect(board.storage.files().map(({ name }) => name.replaceAll("\0", ""))).toEqual(["tl.log"]);
    world.powerCycle(board);
    expect((await world.talk(board, async (link) => link.identity)).firmware).toBe(false);
  });

  test.each([
    "throw new Error('at once')",
    "undefinedFunction()",
    "(function(){ not javascript",
    "while(1){let a=new Uint8Array(99999)}",
  ])("a bundle that fails at once (%s) leaves a usable console", async (code) => {
    const world = new WornWorld(149);
    const board = bare(world, code);
    board.powerOn();
    const value = await world.talk(board, (link) => link.repl.evaluate("6*7"));
    expect(value).toBe(42);
    expect(board.errors.length).toBeGreaterThan(0);
  });

  test("a bundle whose upload was cut short leaves a usable console", async () => {
    const { code } = await firmwareFor();
    for (const part of [0.1, 0.5, 0.9, 0.999]) {
      const world = new WornWorld(150);
      const board = bare(world, code.slice(0, Math.floor(code.length * part)));
      board.powerOn();
      expect(await world.talk(board, (link) => link.repl.evaluate("6*7"))).toBe(42);
      expect((await world.talk(board, async (link) => link.identity)).firmware).toBe(false);
    }
  });
});
