import { afterEach, describe, expect, test } from "vitest";
import { addressKind, isUsableAddress, NON_RESOLVABLE_PRIVATE, parseAddress, STATIC_RANDOM } from "../../protocols/random-address.ts";
import { armCore } from "../support/arm-core.ts";
import type { Lifetime } from "../support/observer.ts";
import { keepHeard, lifetimesIn, linksIn, observe } from "../support/observer.ts";
import { command, configure, DAY, expectQuietConsoles, radioOf, setClock, status, type WearOptions, WornWorld } from "../support/worn-boards.ts";

afterEach(expectQuietConsoles);

const PRIVATE = { built: { privateAddress: 1 } };

async function worn(options: WearOptions = PRIVATE, seed = 1) {
  const world = new WornWorld(seed);
  const board = await world.wear({ x: 0, y: 0 }, options);
  return { world, board, lifetimes: () => lifetimesIn(world.sentBy(board)) };
}

function kindOf({ address }: Pick<Lifetime, "address">): string {
  const kind = addressKind(parseAddress(address.slice(0, 17))!);
  return `${{ [NON_RESOLVABLE_PRIVATE]: "00", [STATIC_RANDOM]: "11" }[kind]}${address.slice(17)}`;
}
const NRPA = "00 private-nonresolvable";
const STATIC = "11 random";

describe.each(["puckjs", "mdbt42q", "pixljs", "nrf52840dk"])("a %s with private addresses", (id) => {
  test("sends each identifier from a non-resolvable private address of its own, and never restarts the stack (GAEN-07, GAEN-05, BLE-05, BLE-06)", async () => {
    const { world, board, lifetimes } = await worn({ ...PRIVATE, board: id, role: "beacon" });
    world.pass(6 * 3600);
    const sent = lifetimes();
    expect(sent.length).toBeGreaterThan(20);
    expect(new Set(sent.map(kindOf))).toEqual(new Set([NRPA]));
    for (const { address } of sent) expect(isUsableAddress(parseAddress(address.slice(0, 17))!)).toBe(true);
    expect(linksIn(sent)).toEqual([]);
    expect(radioOf(board).activity.stackRestarts).toBe(0);
    expect(status(board)).toMatchObject({ an: 1, ad: 1, er: [0, 0, 0], ro: sent.length });
  });
});

test("the clock loses nothing to rotations, which cost some hundredths each with static addresses", async () => {
  async function lost(built: Record<string, number>) {
    const { world, board } = await worn({ built, role: "beacon" });
    world.pass(DAY);
    const { u, ro } = status(board);
    return { seconds: world.clock.now - u / 1000, rotations: ro };
  }
  const [kept, usual] = [await lost({ privateAddress: 1 }), await lost({})];
  expect(Math.abs(kept.seconds)).toBeLessThan(0.01);
  expect(usual.seconds / usual.rotations).toBeGreaterThan(0.02);
});

test("a wearable pauses its scan for a rotation and goes on with it: it logs as much, and from private addresses only", async () => {
  const world = new WornWorld(3);
  // scans all the time, so that each rotation falls into one
  const options = { built: { privateAddress: 1, scanTime: 60, cycleTime: 60 } };
  const board = await world.wear({ x: 0, y: 0 }, options);
  const other = await world.wear({ x: 2, y: 0 }, { role: "beacon" });
  const reports = keepHeard(world.air.station(board.address));
  world.pass(2 * 3600);
  const sent = lifetimesIn(world.sentBy(board));
  expect(sent.length).toBeGreaterThan(5);
  expect(new Set(sent.map(kindOf))).toEqual(new Set([NRPA]));
  expect(linksIn(sent)).toEqual([]);
  expect(status(board)).toMatchObject({ an: 1, er: [0, 0, 0] });
  expect(radioOf(board).activity.stackRestarts).toBe(0);
  // the other one's packets come every quarter of a second: no gap between two of them is longer than a few
  const gaps = reports.slice(1).map(({ time }, i) => time - reports[i].time);
  expect(Math.max(...gaps)).toBeLessThan(3);
  expect(status(other).an).toBe(0);
});

test("a wearable that has heard nobody for an hour takes a static address once, for the sake of the stack's restart, and then goes on", async () => {
  const { world, board, lifetimes } = await worn();
  world.pass(8 * 3600);
  const sent = lifetimes();
  const statics = sent.filter((one) => kindOf(one) === STATIC);
  expect(statics.length).toBeGreaterThan(4);
  expect(statics.length).toBeLessThanOrEqual(8);
  expect(new Set(sent.map(kindOf))).toEqual(new Set([NRPA, STATIC]));
  expect(linksIn(sent)).toEqual([]);
  expect(radioOf(board).activity.stackRestarts).toBe(statics.length);
  expect(status(board)).toMatchObject({ er: [0, 0, 0], wd: [0, statics.length] });
});

test("power is the one that is set, whichever kind of address (GAEN-09)", async () => {
  const { world, board, lifetimes } = await worn({ built: { privateAddress: 1, txPower: -8 }, role: "beacon" });
  world.pass(4000);
  configure(board, { privateAddress: 0 });
  world.pass(4000);
  expect(new Set(lifetimes().map(({ txPower }) => txPower))).toEqual(new Set([-8]));
});

test("the setting counts from the next rotation on, in both directions", async () => {
  const { world, board, lifetimes } = await worn({ role: "beacon" });
  world.pass(3000);
  configure(board, { privateAddress: 1 });
  world.pass(3000);
  configure(board, { privateAddress: 0 });
  world.pass(3000);
  const kinds = lifetimes().map(kindOf);
  const runs = kinds.filter((kind, i) => kind !== kinds[i - 1]);
  expect(runs).toEqual([STATIC, NRPA, STATIC]);
  expect(linksIn(lifetimes())).toEqual([]);
});

describe("where the radio stack gives none, the address is static random as ever, and the status says so", () => {
  const COUNT = "var native=E.nativeCall,calls=0;";
  test.each([
    ["it refuses", `${COUNT}E.nativeCall=function(o,s,c){var f=native(o,s,c);return function(a){calls++;return 8}}`, true],
    ["it does nothing", `${COUNT}E.nativeCall=function(o,s,c){return function(a){calls++;return 0}}`, true],
    ["it can't be asked, because there is no piece of memory for the code", `${COUNT}E.nativeCall=function(){calls++}`, true],
    ["there is no piece of memory for what it is asked", `${COUNT}E.nativeCall=function(){calls++};E.getAddressOf=function(){return 0}`, false],
    ["it is on another processor", `${COUNT}E.nativeCall=function(){calls++};E.getAddressOf=function(){return 0x0804a000}`, false],
  ])("%s", async (_, before, asked) => {
    const { world, board, lifetimes } = await worn({ ...PRIVATE, role: "beacon", clockSet: false });
    board.evaluate(before);
    setClock(board, world.clock.now);
    world.pass(3000);
    const sent = lifetimes();
    expect(sent.length).toBeGreaterThan(2);
    expect(new Set(sent.map(kindOf))).toEqual(new Set([STATIC]));
    expect(linksIn(sent)).toEqual([]);
    expect(status(board)).toMatchObject({ an: 0, er: [sent.length, 0, 0] });
    expect((board.evaluate("calls") as number) > 0).toBe(asked);
  });

  test("it is one whose calls nobody knows: it isn't asked", async () => {
    const { world, board, lifetimes } = await worn({ ...PRIVATE, role: "beacon", clockSet: false });
    board.evaluate(`${COUNT}E.nativeCall=function(){calls++};Object.defineProperty(process,"env",{value:{SOFTDEVICE:257}})`);
    setClock(board, world.clock.now);
    world.pass(3000);
    expect(new Set(lifetimes().map(kindOf))).toEqual(new Set([STATIC]));
    expect([status(board).an, board.evaluate("calls")]).toEqual([0, 0]);
  });

  test("it refuses now and then: that rotation only has a static one, and nothing links it to the others (BLE-06)", async () => {
    const { world, board, lifetimes } = await worn({ ...PRIVATE, role: "beacon" });
    // the second of the three questions is refused: privacy is off by then. Short names are the bundle's own
    board.evaluate(
      "var asked=0,native=E.nativeCall;E.nativeCall=function(o,s,c){var f=native(o,s,c);return function(a){return ++asked%7==2?8:f(a)}}",
    );
    world.pass(8 * 3600);
    const sent = lifetimes();
    expect(new Set(sent.map(kindOf))).toEqual(new Set([NRPA, STATIC]));
    expect(linksIn(sent)).toEqual([]);
    expect(status(board).er[0]).toBe(sent.filter((one) => kindOf(one) === STATIC).length);
  });
});

test("the console over Bluetooth after a long press has a static address, and private ones come back after it (BLE-08)", async () => {
  const { world, board, lifetimes } = await worn();
  // somebody to be heard: no reason to restart the stack
  await world.wear({ x: 2, y: 0 }, { role: "beacon" });
  world.pass(3000);
  const packets = observe(world.air, { x: 1, y: 0 });
  board.pressButton(2500);
  world.pass(30);
  const service = packets.filter(({ connectable }) => connectable);
  expect(new Set(service.map(kindOf))).toEqual(new Set([STATIC]));
  const link = radioOf(board).connect();
  world.pass(600);
  expect(status(board)).toMatchObject({ ad: 0 });
  link.drop(19);
  world.pass(3000);
  expect(status(board)).toMatchObject({ ad: 1, an: 1, er: [0, 0, 0] });
  const kinds = lifetimes().map(kindOf);
  expect(new Set(kinds)).toEqual(new Set([NRPA]));
  expect(linksIn(lifetimes())).toEqual([]);
});

test("a restart of the script goes on with private addresses, and a firmware without them gets rid of what the stack had", async () => {
  const { world, board, lifetimes } = await worn({ ...PRIVATE, role: "beacon" });
  world.pass(2000);
  world.restart(board);
  world.pass(3000);
  expect(status(board).an).toBe(1);
  configure(board, { privateAddress: 0 });
  world.restart(board);
  world.pass(3000);
  expect(kindOf(lifetimes().at(-1)!)).toBe(STATIC);
  expect(linksIn(lifetimes())).toEqual([]);
});

test("a key that ends early is followed by another identifier from another private address (GAEN-12)", async () => {
  const { world, board, lifetimes } = await worn({ ...PRIVATE, role: "beacon" });
  world.pass(2000);
  const before = lifetimes().length;
  command(board, "k(1)");
  world.pass(700);
  expect(lifetimes().length).toBeGreaterThan(before);
  expect(new Set(lifetimes().map(kindOf))).toEqual(new Set([NRPA]));
  expect(linksIn(lifetimes())).toEqual([]);
});

test("the hub is told the kind of address, and whose crypto it is", async () => {
  const { world, board } = await worn({ ...PRIVATE, board: "pixljs", machineCode: armCore });
  world.pass(60);
  expect(await world.talk(board, (link) => link.status())).toMatchObject({ an: 1, cr: "sd", sh: "th" });
  const scanner = await world.wear({ x: 1, y: 0 }, { role: "scanner" });
  const told = await world.talk(scanner, (link) => link.status());
  expect([told.an, told.sh]).toEqual([undefined, undefined]);
});
