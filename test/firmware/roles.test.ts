import { afterEach, describe, expect, test } from "vitest";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { FLAGS } from "../../protocols/gaen/advertisement.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { keysOf, recordsOf, recordsOfKind } from "../support/flash-log.ts";
import { type Lifetime, lifetimesIn, linksIn, type Phase } from "../support/observer.ts";
import { toHex } from "../support/vectors.ts";
import { command, expectQuietConsoles, install, radioOf, setClock, status, WornWorld } from "../support/worn-boards.ts";

afterEach(expectQuietConsoles);

const text = (phase: Phase) => Buffer.from(phase.packets[0]).toString("latin1");
/** What was sent from `from` on and is not GAEN. */
const strange = (phases: Phase[], from: number) => phases.filter((phase) => phase.from >= from && lifetimesIn([phase]).length === 0);

describe("a beacon", () => {
  test("sends and never listens", async () => {
    const world = new WornWorld(61);
    const board = await world.wear({ x: 0, y: 0 }, { role: "beacon" });
    await world.wear({ x: 1, y: 0 });
    world.pass(3 * 3600);
    expect(world.heardBy(board)).toEqual([]);
    expect(radioOf(board).activity.scanSeconds).toBe(0);
    expect(status(board)).toMatchObject({ r: "beacon", ad: 1, op: 0, n: 0 });
    expect(lifetimesIn(world.sentBy(board)).length).toBeGreaterThan(8);
    expect(new Set(recordsOf(board).map(({ kind }) => kind))).toEqual(new Set(["settings", "clock", "mark", "deleted"]));
  });
});

describe("a scanner", () => {
  test.each(["puckjs", "pixljs"])("on a %s listens, logs and never sends", async (id) => {
    const world = new WornWorld(62);
    const board = await world.wear({ x: 0, y: 0 }, { role: "scanner", board: id });
    await world.wear({ x: 1, y: 0 }, { role: "beacon" });
    world.pass(3 * 3600);
    expect(world.sentBy(board)).toHaveLength(1);
    expect(status(board)).toMatchObject({ r: "scanner", b: id, ad: 0, ro: 0 });
    expect(recordsOfKind(board, "encounter").length).toBeGreaterThan(8);
    expect(keysOf(board)).toEqual([]);
    expect(command(board, "k(1)")).toHaveLength(0);
    world.pass(600);
    expect(world.sentBy(board)).toHaveLength(1);
  });

  test("goes on with the log of a wearable, and keeps its keys for an upload", async () => {
    const world = new WornWorld(63);
    const board = await world.wear({ x: 0, y: 0 });
    world.pass(100);
    install(board, await firmwareFor("scanner"));
    world.restart(board);
    const after = world.clock.now;
    world.pass(3600);
    expect(status(board)).toMatchObject({ r: "scanner", e: 2 });
    expect(command(board, "k(0)")).toHaveLength(26);
    expect(world.sentBy(board).filter(({ from }) => from >= after)).toEqual([]);
  });
});

describe("the button", () => {
  /** Presses and answers which lights were on during the next second. */
  function press(world: WornWorld, board: VirtualBoard, ms = 200): string[] {
    board.pressButton(ms);
    const lit = new Set<string>();
    for (let i = 0; i < 100 + ms / 10; i++) {
      world.pass(0.01);
      for (const [name, level] of Object.entries(board.lights)) if (level > 0) lit.add(name);
    }
    return [...lit];
  }

  test("pressed shortly shows green when all is well, blue without a clock", async () => {
    const world = new WornWorld(64);
    const board = await world.wear({ x: 0, y: 0 }, { clockSet: false });
    expect(press(world, board)).toEqual(["LED3"]);
    setClock(board, world.clock.now);
    expect(press(world, board)).toEqual(["LED2"]);
    expect(press(world, board)).toEqual(["LED2"]);
    expect(Object.values(board.lights)).toEqual([0, 0, 0]);
    const before = world.sentBy(board).length;
    world.pass(10);
    expect(strange(world.sentBy(board).slice(before), 0)).toEqual([]);
  });

  describe("held for two seconds", () => {
    async function service(seed: number, before = 700): Promise<{ world: WornWorld; board: VirtualBoard; opened: number; gaen: Lifetime }> {
      const world = new WornWorld(seed);
      const board = await world.wear({ x: 0, y: 0 });
      world.pass(before);
      const gaen = lifetimesIn(world.sentBy(board)).at(-1)!;
      expect(press(world, board, 2500)).toContain("LED3");
      const opened = strange(world.sentBy(board), world.clock.now - 4)[0].from;
      return { world, board, opened, gaen };
    }

    test("opens a connectable console for a minute from a fresh address, with nothing of GAEN meanwhile (BLE-08)", async () => {
      const { world, board, opened, gaen } = await service(66);
      world.pass(90);
      const phases = strange(world.sentBy(board), opened);
      const addresses = new Set(phases.map(({ address }) => address));
      expect(addresses.size).toBe(1);
      expect(phases.every(({ connectable }) => connectable)).toBe(true);
      expect(phases.at(-1)!.to! - opened).toBeGreaterThan(59);
      expect(phases.at(-1)!.to! - opened).toBeLessThan(61);
      expect(lifetimesIn(world.sentBy(board)).filter(({ from, to }) => from < opened + 59 && (to === undefined || to > opened))).toEqual([]);
      // neither address nor name ties it to what was sent before, or to the chip
      const [address] = addresses;
      const ends = [gaen.address, board.address].map((one) => one.slice(12, 17).replace(":", ""));
      expect(address).not.toBe(gaen.address);
      expect(address.slice(0, 17)).not.toBe(board.address);
      expect(text(phases[0])).toContain("Puck.js");
      for (const end of ends) expect(text(phases[0]).toLowerCase()).not.toContain(end);
    });

    test("afterwards a fresh identifier comes from a fresh address, not before the next interval (BLE-06)", async () => {
      for (const before of [100, 400, 700]) {
        const { world, board, opened } = await service(67, before);
        world.pass(1300);
        const lifetimes = lifetimesIn(world.sentBy(board));
        expect(linksIn(lifetimes)).toEqual([]);
        const next = lifetimes.find(({ from }) => from > opened)!;
        expect(next.from - opened).toBeLessThan(662);
        expect(world.sentBy(board).some(({ from, address }) => from >= opened && from < next.from && address === next.address)).toBe(false);
      }
    });

    test("while a central is connected no identifier is sent; it comes soon after the central has gone", async () => {
      const { world, board } = await service(68);
      const link = radioOf(board).connect();
      const connected = world.clock.now;
      world.pass(1500);
      expect(link.connected).toBe(true);
      expect(lifetimesIn(world.sentBy(board)).filter(({ from }) => from >= connected)).toEqual([]);
      link.disconnect();
      const gone = world.clock.now;
      world.pass(15);
      const next = lifetimesIn(world.sentBy(board)).at(-1)!;
      expect(next.from - gone).toBeGreaterThan(0);
      expect(next.from - gone).toBeLessThan(11);
      world.pass(1300);
      expect(linksIn(lifetimesIn(world.sentBy(board)))).toEqual([]);
      // all in between is the console, from the address it had
      const console = strange(world.sentBy(board), connected);
      expect(new Set(console.map(({ address }) => address)).size).toBeLessThanOrEqual(1);
    });

    test("is over after its minute, though no identifier is due yet (BLE-08)", async () => {
      const world = new WornWorld(77);
      const board = await world.wear({ x: 0, y: 0 });
      world.pass(30);
      expect(status(board).ad).toBe(1);
      press(world, board, 2500);
      const pressed = world.clock.now;
      world.pass(120);
      const connectable = world.sentBy(board).filter((phase) => phase.connectable && phase.from > pressed - 5);
      expect(connectable.length).toBeGreaterThan(0);
      expect(connectable.at(-1)!.to! - pressed).toBeLessThan(61);
    });

    test("over midnight: the new day begins with its own key when the minute is over", async () => {
      const world = new WornWorld(69, Date.UTC(2026, 2, 2, 23, 50) / 1000);
      const board = await world.wear({ x: 0, y: 0 });
      world.pass(570);
      board.pressButton(2500);
      world.pass(120);
      expect(keysOf(board)).toHaveLength(2);
      world.pass(1300);
      expect(linksIn(lifetimesIn(world.sentBy(board)))).toEqual([]);
    });

    test("also opens without a clock, and ends in silence", async () => {
      const world = new WornWorld(70);
      const board = await world.wear({ x: 0, y: 0 }, { clockSet: false });
      press(world, board, 2500);
      const pressed = world.clock.now;
      expect(world.sentBy(board).at(-1)!.to).toBeUndefined();
      world.pass(600);
      expect(world.sentBy(board).at(-1)!.to! - pressed).toBeLessThan(61);
      expect(lifetimesIn(world.sentBy(board))).toEqual([]);
    });

    test("a scan that runs goes on, and the settings of the radio are GAEN's again afterwards", async () => {
      const { world, board } = await service(71, 599);
      await world.wear({ x: 1, y: 0 }, { role: "beacon" });
      world.pass(2000);
      expect(recordsOfKind(board, "encounter").length).toBeGreaterThan(0);
      const last = world.sentBy(board).at(-1)!;
      expect(last).toMatchObject({ connectable: false, scannable: false, intervalMs: 250 });
      expect(toHex(last.packets[0]).slice(4, 6)).toBe(FLAGS.toString(16));
    });
  });
});

describe("a restart", () => {
  test("of the firmware shows neither name nor factory address (BLE-08)", async () => {
    const world = new WornWorld(72);
    const board = await world.wear({ x: 0, y: 0 });
    world.pass(100);
    const before = world.clock.now;
    for (let i = 0; i < 3; i++) {
      world.restart(board);
      world.pass(700);
    }
    expect(strange(world.sentBy(board), before)).toEqual([]);
    expect(status(board)).toMatchObject({ ad: 1, e: 4 });
  });

  test("of the chip shows the interpreter's one packet and no more", async () => {
    const world = new WornWorld(73);
    const board = await world.wear({ x: 0, y: 0 });
    for (let i = 0; i < 3; i++) {
      world.pass(700);
      const before = world.clock.now;
      board.enqueue(() => void board.evaluate("E.reboot()"));
      world.pass(700);
      const phases = strange(world.sentBy(board), before);
      expect(phases).toHaveLength(1);
      expect(phases[0].to! - phases[0].from).toBeLessThan(0.05);
    }
    expect(linksIn(lifetimesIn(world.sentBy(board)))).toEqual([]);
  });
});
