import { afterAll, describe, expect, test } from "vitest";
import { encodeTempIdPages } from "../../host-tools/bluetrace/batch-file.ts";
import { judgeRecord } from "../../host-tools/bluetrace/records.ts";
import { makeBatch, openTempId } from "../../host-tools/bluetrace/temp-ids.ts";
import { uploadDocument } from "../../host-tools/bluetrace/upload-file.ts";
import { pullLog } from "../../host-tools/device/pull.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import type { StoredMeeting } from "../../host-tools/store/meetings.ts";
import { Store } from "../../host-tools/store/store.ts";
import { encodeBase64 } from "../../protocols/base64.ts";
import { decodeAdvertisement, SERVICES } from "../../protocols/bluetrace/advertisement.ts";
import { MEETING_PART_AT } from "../../protocols/log-format.ts";
import { parseUuid } from "../../protocols/uuid128.ts";
import { inWords, pressAndWatch } from "../support/lights.ts";
import { AUTHORITY_KEY, HAI, load, loadPage, userId, wearToken } from "../support/tokens.ts";
import { expectQuietConsoles, radioOf, readLog, setClock, status, WornWorld } from "../support/worn-boards.ts";

const SERVICE = parseUuid(SERVICES[0])!;

afterAll(expectQuietConsoles);

/** What a hub has of a board after a pull. */
async function pulled(world: WornWorld, board: VirtualBoard, store = Store.open(":memory:", { now: () => Math.floor(world.clock.now) })) {
  await world.talk(board, (link) => pullLog(link, store));
  return { store, meetings: await store.meetings() };
}

/** User IDs in TempIDs, as the authority finds them. */
const usersIn = (meetings: StoredMeeting[]) => new Set(meetings.map(({ tempId }) => openTempId([AUTHORITY_KEY], encodeBase64(tempId))?.uid));

describe("two tokens beside each other", () => {
  test("log each other's TempIDs, whole, in both directions, about once in two cycles; the authority takes every record (BT-03, BT-05, BT-07, BT-08, BT-09)", async () => {
    const world = new WornWorld(1);
    const boards = [await wearToken(world, 1, { x: 0, y: 0 }), await wearToken(world, 2, { x: 1, y: 0 })];
    world.pass(1800);
    for (const [i, board] of boards.entries()) {
      const { store, meetings } = await pulled(world, board);
      expect(usersIn(meetings)).toEqual(new Set([userId(2 - i)]));
      // at most one in 100 s, which is what the blacklist says, for each side
      expect(meetings.length).toBeGreaterThan(10);
      expect(meetings.length).toBeLessThanOrEqual(2 * 18);
      expect(new Set(meetings.map(({ central }) => central))).toEqual(new Set([true, false]));
      for (const { rssi, txPower, central, authority } of meetings) {
        expect(rssi).toBeLessThan(-30);
        expect(rssi).toBeGreaterThan(-90);
        expect(txPower).toBe(central ? 0 : null);
        expect(authority).toBe(HAI);
      }
      const { document, leftOut } = uploadDocument(meetings, "t");
      expect(leftOut).toBe(0);
      for (const record of document.records) expect(judgeRecord([AUTHORITY_KEY], record)).toMatchObject({ isValid: true, contactId: userId(2 - i) });
      // each TempID once in full, in the quarter of an hour that it lasts
      const whole = [...readLog(board).values()].filter((slot) => (slot[0] & 15) === 3 && slot[MEETING_PART_AT] === 0);
      expect(whole.length).toBe(new Set(meetings.map(({ tempId }) => encodeBase64(tempId))).size);
      expect(status(board).me).toEqual([meetings.length, 0, 0, 0]);
      await store.close();
    }
  });

  test("hear each other with chance on their side: the receiver is on for a sixth of the time, never in step (BT-08)", async () => {
    const world = new WornWorld(2);
    const boards = [await wearToken(world, 1, { x: 0, y: 0 }), await wearToken(world, 2, { x: 400, y: 0 })];
    world.pass(1800);
    const before = boards.map((board) => radioOf(board).activity.scanSeconds);
    world.pass(7200);
    const shares = boards.map((board, i) => (radioOf(board).activity.scanSeconds - before[i]) / 7200);
    for (const share of shares) {
      expect(share).toBeGreaterThan(8 / 52);
      expect(share).toBeLessThan(8 / 44 + 0.01);
    }
  });
});

describe("what a token has on the air", () => {
  test("is BT's advertisement, with new characters at each start and a new address with each TempID, never an address for two of them (BT-10, BT-11)", async () => {
    const world = new WornWorld(3);
    const board = await wearToken(world, 1, { x: 0, y: 0 });
    const begun = world.clock.now;
    world.pass(3 * 3600);
    const phases = world.sentBy(board).filter(({ from }) => from > begun + 10);
    expect(phases.length).toBeGreaterThan(100);
    const tails = phases.map(({ packets }) => Buffer.from(decodeAdvertisement(packets[0], [SERVICE])!.tail!).toString("latin1"));
    for (const { connectable, packets } of phases) {
      expect(connectable).toBe(true);
      expect(packets).toHaveLength(1);
    }
    // 4,096 there are: two in a row are the same now and then
    expect(tails.filter((tail, i) => i > 0 && tail === tails[i - 1]).length).toBeLessThan(3);
    // each stays for some three minutes at most, or the stack would begin anew with the same
    for (const { from, to } of phases) if (to !== undefined) expect(to - from).toBeLessThan(171);
    const addresses = new Map<string, number[]>();
    for (const { address, from, to } of phases) addresses.set(address, [...(addresses.get(address) ?? []), from, to ?? world.clock.now]);
    expect(addresses.size).toBeGreaterThanOrEqual(12);
    expect(addresses.size).toBeLessThanOrEqual(14);
    for (const times of addresses.values()) expect(Math.max(...times) - Math.min(...times)).toBeLessThanOrEqual(901);
  });

  test("is nothing without a clock, without TempIDs, or when all have expired; new ones end the silence at once (BT-04)", async () => {
    const world = new WornWorld(4);
    const board = await world.wear({ x: 0, y: 0 }, { role: "token", protocols: ["bluetrace"], clockSet: false });
    const begun = world.clock.now;
    world.pass(300);
    setClock(board, world.clock.now);
    world.pass(600);
    expect(world.sentBy(board).filter(({ to }) => to === undefined || to > begun)).toEqual([]);
    expect(radioOf(board).activity.scanSeconds).toBe(0);
    const batch = makeBatch(AUTHORITY_KEY, userId(1), Math.floor(world.clock.now));
    load(board, { ...batch, tempIDs: batch.tempIDs.slice(0, 4) });
    world.pass(60);
    expect(status(board)).toMatchObject({ ha: HAI, ad: 1 });
    const end = batch.tempIDs[3].expiryTime;
    world.pass(end + 3600 - world.clock.now);
    const sent = world.sentBy(board).filter(({ from }) => from > begun + 600);
    // by its own clock, which drifts
    expect(sent.at(-1)!.to).toBeLessThanOrEqual(end + 1);
    expect(status(board)).toMatchObject({ ad: 0, te: [0, expect.any(Number), expect.any(Number), expect.any(Number)] });
    const scanned = radioOf(board).activity.scanSeconds;
    world.pass(3600);
    expect(radioOf(board).activity.scanSeconds).toBe(scanned);
    load(board, makeBatch(AUTHORITY_KEY, userId(1), Math.floor(world.clock.now)));
    world.pass(60);
    expect(world.sentBy(board).at(-1)!.from).toBeGreaterThan(end + 3600);
    expect(radioOf(board).activity.scanSeconds).toBeGreaterThan(scanned);
  });
});

describe("a power cut", () => {
  test("at any word of a meeting's three records leaves all of the TempID or none; what follows is whole again", async () => {
    const world = new WornWorld(5);
    const store = Store.open(":memory:", { now: () => Math.floor(world.clock.now) });
    const boards = [await wearToken(world, 1, { x: 0, y: 0 }), await wearToken(world, 2, { x: 1, y: 0 })];
    const [board] = boards;
    let cut = 0;
    for (let bytes = 0; bytes < 84; bytes += 12) {
      // the next TempID of the other, so that it is written in full
      load(boards[1], makeBatch(AUTHORITY_KEY, userId(20 + bytes), Math.floor(world.clock.now)));
      board.flash.cutAfter(bytes);
      for (let i = 0; i < 300 && board.powered; i++) world.pass(1);
      if (!board.powered) cut++;
      board.flash.keepPower();
      world.powerCycle(board);
      setClock(board, world.clock.now);
      world.pass(60);
    }
    expect(cut).toBeGreaterThan(2);
    world.pass(900);
    const { meetings } = await pulled(world, board, store);
    expect(meetings.length).toBeGreaterThan(4);
    for (const { tempId } of meetings) expect(openTempId([AUTHORITY_KEY], encodeBase64(tempId))).toBeDefined();
    await store.close();
  });

  test("at any piece of a batch leaves the other page: the board goes on with what it has", async () => {
    const world = new WornWorld(6);
    const board = await wearToken(world, 1, { x: 0, y: 0 });
    const [, , ...ends] = status(board).te!;
    const pages = encodeTempIdPages(makeBatch(AUTHORITY_KEY, userId(1), Math.floor(world.clock.now) + 3600), {
      org: HAI,
      model: "device",
      service: 0,
    });
    const older = ends[0] < ends[1] ? 0 : 1;
    board.flash.cutAfter(2000);
    expect(() => loadPage(board, older, pages[0])).toThrow();
    board.flash.keepPower();
    world.powerCycle(board);
    setClock(board, world.clock.now);
    const after = status(board).te!;
    expect(after[2 + older]).toBe(0);
    expect(after[3 - older]).toBe(ends[1 - older]);
    expect(after[0]).toBe(50);
  });
});

test("a start of the firmware forgets nothing that the hub brought, and begins with an address of its own", async () => {
  const world = new WornWorld(7);
  const board = await wearToken(world, 1, { x: 0, y: 0 });
  world.pass(30);
  const address = world.sentBy(board).at(-1)!.address;
  world.restart(board);
  world.pass(30);
  expect(status(board)).toMatchObject({ ad: 1, ha: HAI, te: [100, expect.any(Number), expect.any(Number), expect.any(Number)] });
  expect(world.sentBy(board).at(-1)!.address).not.toBe(address);
});

describe("its wearer", () => {
  test("has the console by a long press, for a minute and no longer; strangers have none (BT-11)", async () => {
    const world = new WornWorld(8);
    const board = await wearToken(world, 1, { x: 0, y: 0 });
    const other = await wearToken(world, 2, { x: 1, y: 0 });
    const services = () => {
      const link = radioOf(board).connect();
      const uuids = link.services().map(({ uuid }) => uuid);
      const console = radioOf(board).uartRuns;
      link.disconnect();
      world.pass(2);
      return { uuids, console };
    };
    while (!radioOf(board).connectable) world.pass(1);
    expect(services()).toEqual({ uuids: [SERVICES[0]], console: false });
    board.pressButton(3000);
    world.pass(5);
    expect(services()).toEqual({ uuids: [], console: true });
    world.pass(70);
    for (let i = 0; i < 30 && !radioOf(board).connectable; i++) world.pass(1);
    expect(services()).toEqual({ uuids: [SERVICES[0]], console: false });
    const before = status(other).me![0];
    world.pass(600);
    expect(status(other).me![0]).toBeGreaterThan(before + 2);
  });

  test("sees by the light that no TempID is left (BT-04)", async () => {
    const world = new WornWorld(9);
    const board = await world.wear({ x: 0, y: 0 }, { role: "token", protocols: ["bluetrace"] });
    expect(inWords(pressAndWatch(world, board), board)).toEqual(["long blue", "long blue"]);
    load(board, makeBatch(AUTHORITY_KEY, userId(1), Math.floor(world.clock.now)));
    world.pass(2);
    expect(inWords(pressAndWatch(world, board), board)).toEqual(["short green"]);
  });
});
