import { afterAll, describe, expect, test } from "vitest";
import { findBoard } from "../../boards/index.ts";
import { PAGE_WORDS } from "../../protocols/log-format.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { confirm } from "../support/confirm.ts";
import { inWords, pressAndWatch } from "../support/lights.ts";
import { command, expectQuietConsoles, recordsIn, setClock, status, WornWorld, writeRecords } from "../support/worn-boards.ts";

afterAll(expectQuietConsoles);

describe("a short press tells by light", () => {
  test("all is well: once, green", async () => {
    const world = new WornWorld(300);
    const board = await world.wear({ x: 0, y: 0 });
    expect(inWords(pressAndWatch(world, board), board)).toEqual(["short green"]);
  });

  test("the clock is not set: one long light, blue", async () => {
    const world = new WornWorld(301);
    const board = await world.wear({ x: 0, y: 0 }, { clockSet: false });
    expect(inWords(pressAndWatch(world, board), board)).toEqual(["long blue"]);
    setClock(board, world.clock.now);
    expect(inWords(pressAndWatch(world, board), board)).toEqual(["short green"]);
  });

  test("nothing is sent though it should be: two long lights, blue; until it is sent again", async () => {
    const world = new WornWorld(302);
    const board = await world.wear({ x: 0, y: 0 });
    world.pass(60);
    world.restart(board);
    expect(status(board).ad).toBe(0);
    // until the answer is out: a board that prints doesn't see who presses shortly
    world.pass(1);
    expect(inWords(pressAndWatch(world, board), board)).toEqual(["long blue", "long blue"]);
    world.pass(600);
    expect(status(board).ad).toBe(1);
    world.pass(1);
    expect(inWords(pressAndWatch(world, board), board)).toEqual(["short green"]);
  });

  test("the battery is low: two short lights, yellow; until it has recovered", async () => {
    const world = new WornWorld(306);
    const board = await world.wear({ x: 0, y: 0 });
    board.supply = () => 2.1;
    world.pass(310);
    expect(inWords(pressAndWatch(world, board), board)).toEqual(["short yellow", "short yellow"]);
    board.supply = () => 2.9;
    world.pass(910);
    expect(inWords(pressAndWatch(world, board), board)).toEqual(["short green"]);
  });

  test("that nothing is sent is graver than a low battery", async () => {
    const world = new WornWorld(307);
    const board = await world.wear({ x: 0, y: 0 });
    board.supply = () => 2.1;
    world.pass(310);
    world.restart(board);
    world.pass(10);
    expect(status(board)).toMatchObject({ lb: 1, ad: 0 });
    world.pass(2);
    expect(inWords(pressAndWatch(world, board), board)).toEqual(["long blue", "long blue"]);
  });

  test("and that somebody confirmed what it sends, for a day: a white light at the end", async () => {
    const world = new WornWorld(308);
    const board = await world.wear({ x: 0, y: 0 });
    world.pass(30);
    confirm(board, 5);
    expect(inWords(pressAndWatch(world, board), board)).toEqual(["short green", "short white"]);
    board.supply = () => 2.1;
    world.pass(310);
    expect(inWords(pressAndWatch(world, board), board)).toEqual(["short yellow", "short yellow", "short white"]);
    board.supply = () => 3;
    world.pass(86_200);
    expect(inWords(pressAndWatch(world, board), board)).toEqual(["short green"]);
    confirm(board, 0);
    world.restart(board);
    // nobody knows any more, and it is silent
    expect(inWords(pressAndWatch(world, board), board)).toEqual(["long blue", "long blue"]);
  });

  test("the same with a single light: a second at the end", async () => {
    const world = new WornWorld(309);
    const board = await world.wear({ x: 0, y: 0 }, { board: "mdbt42q" });
    world.pass(30);
    confirm(board, 0);
    expect(inWords(pressAndWatch(world, board), board)).toEqual(["short", "very long"]);
  });

  test("the log is nearly full of what nobody has fetched: three short lights, yellow; until it is fetched", async () => {
    const world = new WornWorld(318);
    const board = await world.wear({ x: 0, y: 0 }, { role: "scanner", ringPages: 2 });
    writeRecords(board, recordsIn(2 * PAGE_WORDS));
    world.pass(20);
    expect(inWords(pressAndWatch(world, board), board)).toEqual(["short yellow", "short yellow", "short yellow"]);
    command(board, `a(${status(board).hi})`);
    world.pass(2);
    expect(inWords(pressAndWatch(world, board), board)).toEqual(["short green"]);
  });

  test("a scanner that sends nothing is well", async () => {
    const world = new WornWorld(303);
    const board = await world.wear({ x: 0, y: 0 }, { role: "scanner" });
    expect(inWords(pressAndWatch(world, board), board)).toEqual(["short green"]);
  });

  test("there is no log: three long lights, red", async () => {
    const world = new WornWorld(304);
    const board = world.addBoard(findBoard("puckjs")!, { x: 0, y: 0 });
    board.storage.write(".bootcde", Buffer.from((await firmwareFor()).code, "latin1"));
    board.powerOn();
    expect(inWords(pressAndWatch(world, board), board)).toEqual(["long red", "long red", "long red"]);
  });

  test.each([
    "mdbt42q",
    "nrf52840dk",
    "microbit2",
  ])("on a %s, whose lights have no colours to tell by, the number and length say the same", async (id) => {
    const world = new WornWorld(305);
    const board = await world.wear({ x: 0, y: 0 }, { board: id, clockSet: false });
    expect(inWords(pressAndWatch(world, board), board)).toEqual(["long"]);
    setClock(board, world.clock.now);
    expect(inWords(pressAndWatch(world, board), board)).toEqual(["short"]);
    world.restart(board);
    expect(inWords(pressAndWatch(world, board), board)).toEqual(["long", "long"]);
  });
});

describe("the button", () => {
  test("that bounces is one press", async () => {
    const world = new WornWorld(310);
    const board = await world.wear({ x: 0, y: 0 });
    for (const ms of [0, 4, 9, 15, 22, 120, 125, 133]) world.clock.after(ms / 1000, () => board.pins.drive("BTN1", board.pins.read("BTN1") ? 0 : 1));
    expect(inWords(pressAndWatch(world, board, 4, 200), board)).toEqual(["short green"]);
    expect(world.air.station(board.address).emission?.advertising.connectable).toBe(false);
  });

  test("pressed while lights are on begins anew, and leaves none on", async () => {
    const world = new WornWorld(311);
    const board = await world.wear({ x: 0, y: 0 });
    world.pass(60);
    world.restart(board);
    board.pressButton(100);
    world.pass(0.9);
    expect(inWords(pressAndWatch(world, board, 5, 100), board)).toEqual(["long blue", "long blue"]);
    expect(Object.values(board.lights)).toEqual([0, 0, 0]);
  });

  test("is answered in the middle of a scan and of a change of identifier, and disturbs neither", async () => {
    const pressed = new WornWorld(312);
    const alone = new WornWorld(312);
    const boards = [];
    for (const world of [pressed, alone]) {
      const board = await world.wear({ x: 0, y: 0 }, { settings: { cycleTime: 10, scanTime: 8 } });
      await world.wear({ x: 1, y: 0 });
      boards.push(board);
    }
    for (let i = 0; i < 300; i++) {
      boards[0]!.pressButton(100);
      for (const world of [pressed, alone]) world.pass(7);
      if (i % 50 === 0) expect(inWords(pressAndWatch(pressed, boards[0]!, 3), boards[0]!)).toEqual(["short green"]);
      if (i % 50 === 0) alone.pass(3);
    }
    const [one, other] = boards.map((board) => status(board!));
    expect(one).toMatchObject({ ad: 1, er: [0, 0, 0] });
    expect(one!.ro).toBe(other!.ro);
    expect(one!.hi).toBe(other!.hi);
    expect(Math.abs(one!.n - other!.n)).toBeLessThan(other!.n / 20);
  });
});
