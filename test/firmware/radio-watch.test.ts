import { afterEach, describe, expect, test } from "vitest";
import { ERROR } from "../../host-tools/simulator/radio-core.ts";
import { recordsOfKind } from "../support/flash-log.ts";
import { lifetimesIn, linksIn } from "../support/observer.ts";
import { expectQuietConsoles, radioOf, status, WornWorld } from "../support/worn-boards.ts";

afterEach(expectQuietConsoles);

const HOUR = 3600;

/** Two boards that meet. */
async function pair(seed: number, role: string) {
  const world = new WornWorld(seed);
  const board = await world.wear({ x: 0, y: 0 }, { role });
  const beacon = await world.wear({ x: 1, y: 0 }, { role: "beacon" });
  return { world, board, beacon, radio: radioOf(board) };
}

describe.each(["wearable", "scanner"])("a %s whose radio", (role) => {
  test("refuses scans goes on with everything else, counts them, and scans as soon as it may", async () => {
    const { world, board, radio } = await pair(401, role);
    world.pass(890);
    const heard = status(board).n;
    expect(heard).toBeGreaterThan(0);
    radio.faults.scan = ERROR.NO_MEM;
    world.pass(HOUR);
    const during = status(board);
    expect(during.wd![0]).toBe(12);
    expect(during.n - heard).toBeLessThan(10);
    if (role === "wearable") expect(lifetimesIn(world.sentBy(board)).length).toBeGreaterThanOrEqual(4);
    radio.faults.scan = 0;
    world.pass(610);
    expect(status(board).n).toBeGreaterThan(during.n);
    expect(status(board).wd![0]).toBe(12);
  });

  test("loses its scan in the middle has the next one", async () => {
    const { world, board, radio } = await pair(402, role);
    world.pass(299);
    while (!radio.receiving) world.pass(0.1);
    // what the stack does when Espruino can't scan again after a restart: nobody is told
    radio.faults.scan = ERROR.NO_MEM;
    (radio.nrf.restart as () => void)();
    radio.faults.scan = 0;
    expect(radio.receiving).toBe(false);
    world.pass(10);
    expect(status(board).wd).toEqual([1, 0]);
    world.pass(300);
    expect(status(board).n).toBeGreaterThan(0);
  });
});

describe("a radio that has gone deaf", () => {
  test("of a scanner is cured by a restart of the stack after an hour of silence", async () => {
    const { world, board, radio } = await pair(403, "scanner");
    world.pass(890);
    radio.faults.deaf = true;
    const before = status(board).n;
    world.pass(3200);
    expect(status(board)).toMatchObject({ n: before, wd: [0, 0] });
    world.pass(900);
    expect(radio.faults.deaf).toBe(false);
    expect(status(board).wd).toEqual([0, 1]);
    expect(status(board).n).toBeGreaterThan(before);
    const { length } = recordsOfKind(board, "encounter");
    world.pass(HOUR);
    expect(recordsOfKind(board, "encounter").length).toBeGreaterThan(length);
  });

  test("of a wearable is cured by its next address, and no identifier comes from two addresses (BLE-06)", async () => {
    const { world, board, radio } = await pair(404, "wearable");
    world.pass(900);
    radio.faults.deaf = true;
    world.pass(1300);
    expect(radio.faults.deaf).toBe(false);
    world.pass(3 * HOUR);
    expect(status(board).wd).toEqual([0, 0]);
    expect(linksIn(lifetimesIn(world.sentBy(board)))).toEqual([]);
  });

  test("of a wearable without a clock, which sends nothing, is cured as a scanner's is", async () => {
    const world = new WornWorld(405);
    const board = await world.wear({ x: 0, y: 0 }, { clockSet: false });
    await world.wear({ x: 1, y: 0 }, { role: "beacon" });
    radioOf(board).faults.deaf = true;
    world.pass(1.2 * HOUR);
    expect(status(board)).toMatchObject({ ad: 0, wd: [0, 1] });
    expect(status(board).n).toBeGreaterThan(0);
  });

  test("is told from a lonely one by nothing: there it restarts once an hour and sends nothing meanwhile (BLE-08)", async () => {
    const world = new WornWorld(406);
    const board = await world.wear({ x: 0, y: 0 }, { role: "scanner" });
    world.pass(6.2 * HOUR);
    expect(status(board).wd).toEqual([0, 6]);
    expect(world.sentBy(board)).toHaveLength(1);
  });
});

test("a stack that refuses to advertise is asked again every ten seconds, and each refusal counted", async () => {
  const { world, board, radio } = await pair(407, "wearable");
  world.pass(100);
  radio.faults.advertise = ERROR.NO_MEM;
  const before = lifetimesIn(world.sentBy(board)).length;
  world.pass(1300);
  const { er, ad } = status(board);
  expect(ad).toBe(0);
  expect(er[0]).toBeGreaterThan(10);
  radio.faults.advertise = 0;
  world.pass(30);
  expect(status(board)).toMatchObject({ ad: 1 });
  expect(lifetimesIn(world.sentBy(board)).length).toBe(before + 1);
  expect(linksIn(lifetimesIn(world.sentBy(board)))).toEqual([]);
});

describe("a script that hangs", () => {
  test("is ended by the chip's watchdog within a minute; the clock goes on and so does the board", async () => {
    const { world, board } = await pair(408, "wearable");
    world.pass(100);
    board.hang();
    world.pass(59);
    expect(recordsOfKind(board, "mark")).toHaveLength(1);
    world.pass(2);
    expect(recordsOfKind(board, "mark")).toHaveLength(2);
    // the identifier of this interval may have been sent already
    world.pass(620);
    expect(status(board)).toMatchObject({ e: 2, ad: 1 });
    expect(Math.abs(status(board).u / 1000 - world.clock.now)).toBeLessThan(1);
    expect(linksIn(lifetimesIn(world.sentBy(board)))).toEqual([]);
  });

  test("also right after a restart from the console, a load, or a reboot by script: the watchdog survives them", async () => {
    for (const restart of ["reset()", "load()", "E.reboot()"]) {
      const { world, board } = await pair(409, "scanner");
      board.enqueue(() => void board.evaluate(restart));
      world.pass(1);
      board.hang();
      world.pass(61);
      expect(status(board).e, restart).toBe(restart === "reset()" ? 2 : 3);
    }
  });

  test("nothing of ours takes a tenth of that: no restart in a day and a half with keys and clean-ups", async () => {
    const { world, board } = await pair(410, "wearable");
    world.pass(36 * HOUR);
    expect(status(board).e).toBe(1);
  });
});

describe("encounters that are open", () => {
  test("when the script ends go to the log, with what was heard in the step that runs", async () => {
    const { world, board, radio } = await pair(411, "scanner");
    world.pass(299);
    while (!radio.receiving) world.pass(0.1);
    world.pass(1);
    expect(recordsOfKind(board, "encounter")).toEqual([]);
    world.restart(board);
    expect(recordsOfKind(board, "encounter")).toHaveLength(1);
    expect(status(board).e).toBe(2);
  });

  test("are not lost by flashing or a reset from the console, and told once only", async () => {
    const { world, board } = await pair(412, "wearable");
    world.pass(700);
    expect(status(board).op).toBeGreaterThan(0);
    const before = recordsOfKind(board, "encounter").length + status(board).op;
    board.reset();
    world.pass(1);
    expect(recordsOfKind(board, "encounter")).toHaveLength(before);
  });
});
