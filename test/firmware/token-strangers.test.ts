import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { makeBatch } from "../../host-tools/bluetrace/temp-ids.ts";
import { AirRadio } from "../../host-tools/phones/air-radio.ts";
import { BlueTracePhone } from "../../host-tools/phones/bluetrace-phone.ts";
import { type Hostility, VirtualPhone } from "../../host-tools/simulator/phone.ts";
import type { FoundCharacteristic, PhoneLink } from "../../host-tools/simulator/phone-link.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { encodeBase64 } from "../../protocols/base64.ts";
import { CHARACTERISTICS, encodeAdvertisement, SERVICES } from "../../protocols/bluetrace/advertisement.ts";
import {
  COMPACT_BYTES,
  encodeCompact,
  FIRST_CHARACTERISTIC,
  FIRST_PIECE,
  NO_RSSI,
  SECOND_CHARACTERISTIC,
} from "../../protocols/bluetrace/compact.ts";
import { encodePacket } from "../../protocols/bluetrace/packet.ts";
import { encodeTempId, packTempId } from "../../protocols/bluetrace/temp-id.ts";
import { ascii } from "../../protocols/bytes.ts";
import { parseUuid } from "../../protocols/uuid128.ts";
import { AUTHORITY_KEY, HAI, keptWorlds, load, repeatable, userId, wearToken } from "../support/tokens.ts";
import { configure, readLog, status, type WornWorld } from "../support/worn-boards.ts";

const SERVICE = parseUuid(SERVICES[0])!;
const ADVERTISEMENT = encodeAdvertisement(SERVICE, 0, "abc");
const STRANGER = "d0:00:00:00:00:99 random";

const newWorld = keptWorlds();

/** Meetings that the board has written down, whole and again. */
const meetingsOf = (board: VirtualBoard) => status(board).me![0];
const encountersIn = (board: VirtualBoard) => [...readLog(board).values()].filter((slot) => [3, 14].includes(slot[0] & 15)).length;
const compact = (rssi: number, id: string, org = HAI) => encodeCompact(rssi, crc32(Buffer.from(org)), packTempId(id)!);
const tempIdOf = (world: WornWorld, n: number) => makeBatch(AUTHORITY_KEY, userId(n), Math.floor(world.clock.now)).tempIDs[0].tempID;

/** A stranger who connects as soon as the board may be connected to; `work` on the link. */
async function visit<T>(
  world: WornWorld,
  board: VirtualBoard,
  work: (link: PhoneLink, found: (uuid: string) => FoundCharacteristic, all: FoundCharacteristic[]) => Promise<T>,
  options: { hostile?: Hostility; mtu?: number; address?: string } = {},
): Promise<T> {
  const { hostile, mtu = 185, address = STRANGER } = options;
  const phone = new VirtualPhone({ air: world.air, name: "stranger", address, mtu, ...(hostile ? { hostile } : {}) });
  world.air.place(phone, { x: 1, y: 0 });
  const sent = world.sentBy(board);
  while (sent.at(-1)?.to !== undefined) world.pass(1);
  return world.clock.drive(
    (async () => {
      const link = await phone.connect(sent.at(-1)!.address, { timeout: 60 });
      await link.exchangeMtu();
      const all = await link.discover();
      return work(link, (uuid) => all.find((one) => one.uuid === uuid)!, all);
    })(),
    { limit: 120 },
  );
}
const wait = (world: WornWorld, seconds: number) => new Promise<void>((resolve) => void world.clock.after(seconds, resolve));

describe("a token and a phone with the app", () => {
  test("the phone reads the board's packet whole and has the meeting; what it writes is refused by the stack and stored by nobody (BT-05, BT-06, BT-12)", async () => {
    const world = newWorld(1);
    const board = await wearToken(world, 1, { x: 0, y: 0 });
    const virtual = new VirtualPhone({ air: world.air, name: "alice", address: "d0:00:00:00:00:01 random" });
    world.air.place(virtual, { x: 1, y: 0 });
    const randomBytes = repeatable(1);
    const radio = new AirRadio(virtual, randomBytes);
    const phone = new BlueTracePhone({ clock: world.clock, radio, randomBytes, org: HAI, model: "phone" });
    radio.attach(phone);
    const { tempIDs } = makeBatch(AUTHORITY_KEY, userId(9), Math.floor(world.clock.now));
    phone.useTempIds(
      Buffer.concat(tempIDs.map((one) => encodeTempId(one.startTime, one.expiryTime, packTempId(one.tempID)!))),
      world.clock.now + 43200,
    );
    phone.start();
    await world.clock.drive(wait(world, 600), { limit: 601 });
    expect(phone.records.length).toBeGreaterThan(2);
    for (const record of phone.records) expect(record).toMatchObject({ org: HAI, modelP: "device", modelC: "phone", v: 2, txPower: 0 });
    expect(status(board).me![0]).toBe(0);
    // as a central the board finds nothing of the compact form on the phone
    expect(status(board).me![2]).toBeGreaterThan(1);
    expect(encountersIn(board)).toBe(0);
    phone.stop();
  });

  test("the value is whole at any MTU, the same in all parts, and holds a name that tells nothing; no console, no pairing (BT-06, BT-11)", async () => {
    const world = newWorld(2);
    const board = await wearToken(world, 1, { x: 0, y: 0 });
    for (const mtu of [23, 64, 517]) {
      const { packet, name, uuids, paired } = await visit(
        world,
        board,
        async (link, found, all) => {
          const packet = Buffer.from(await link.readLong(found(CHARACTERISTICS[0]).handle)).toString("latin1");
          const name = Buffer.from(await link.read(found("2a00").handle)).toString("latin1");
          const paired = await Promise.race([link.pair(), wait(world, 2).then(() => false)]);
          link.disconnect();
          return { packet, name, uuids: all.map(({ uuid }) => uuid), paired };
        },
        { mtu },
      );
      expect(JSON.parse(packet)).toEqual({ id: expect.stringMatching(/^[A-Za-z0-9+/]{82}==$/), mp: "device", o: HAI, v: 2 });
      expect(name).toBe("-");
      expect(uuids).not.toContain("6e400002-b5a3-f393-e0a9-e50e24dcca9e");
      expect(paired).toBe(false);
    }
  });
});

describe("a stranger who connects", () => {
  test("and writes in the place of the board's packet does not change what the next one reads", async () => {
    const world = newWorld(3);
    const board = await wearToken(world, 1, { x: 0, y: 0 });
    const read = () =>
      visit(world, board, async (link, found) => {
        const values = [];
        for (const uuid of [CHARACTERISTICS[0], FIRST_CHARACTERISTIC, SECOND_CHARACTERISTIC]) {
          const { handle } = found(uuid);
          values.push(Buffer.from(await link.readLong(handle)).toString("hex"));
          await link.write(handle, ascii('{"id":"me"}'));
        }
        link.disconnect();
        await wait(world, 1);
        return values;
      });
    const before = await read();
    expect(await read()).toEqual(before);
    expect(encountersIn(board)).toBe(0);
    expect(status(board).me![1]).toBeGreaterThan(0);
  });

  test.each<[string, (world: WornWorld) => Uint8Array[], number]>([
    ["a whole message counts once", (world) => [compact(-60, tempIdOf(world, 8))], 1],
    ["of two in one connection the first counts", (world) => [compact(-60, tempIdOf(world, 8)), compact(-50, tempIdOf(world, 9))], 1],
    ["another authority's is refused", (world) => [compact(-60, tempIdOf(world, 8), "ZZ_HAI")], 0],
    ["one without an RSSI is refused", (world) => [compact(NO_RSSI, tempIdOf(world, 8))], 0],
    ["of another form is refused", (world) => [compact(-60, tempIdOf(world, 8)).fill(2, 0, 1)], 0],
    ["garbage is refused", () => [new Uint8Array(COMPACT_BYTES).fill(0x7b)], 0],
    ["a piece too short is refused", (world) => [compact(-60, tempIdOf(world, 8)).subarray(0, COMPACT_BYTES - 1)], 0],
  ])("and writes the compact form: %s (BT-05, BT-07)", async (_, messages, stored) => {
    const world = newWorld(4);
    const board = await wearToken(world, 1, { x: 0, y: 0 });
    await visit(world, board, async (link, found) => {
      for (const message of messages(world)) {
        await link.write(found(FIRST_CHARACTERISTIC).handle, message.subarray(0, FIRST_PIECE), true);
        await link.write(found(SECOND_CHARACTERISTIC).handle, message.subarray(FIRST_PIECE), true);
      }
      await wait(world, 1);
      link.disconnect();
      await wait(world, 1);
    });
    expect(meetingsOf(board)).toBe(stored);
    expect(status(board).me![1]).toBe(messages(world).length - stored);
  });

  test("and writes one piece only, or pieces over two connections, tells nothing (BT-07)", async () => {
    const world = newWorld(5);
    const board = await wearToken(world, 1, { x: 0, y: 0 });
    const message = compact(-60, tempIdOf(world, 8));
    for (const [uuid, from, to] of [
      [FIRST_CHARACTERISTIC, 0, FIRST_PIECE],
      [SECOND_CHARACTERISTIC, FIRST_PIECE, COMPACT_BYTES],
    ] as const)
      await visit(world, board, async (link, found) => {
        await link.write(found(uuid).handle, message.subarray(from, to));
        link.disconnect();
        await wait(world, 1);
      });
    expect(encountersIn(board)).toBe(0);
  });

  test("with a packet of 512 bytes, by one write or prepared, garbage or not, gets an error of the stack and nothing else", async () => {
    const world = newWorld(6);
    const board = await wearToken(world, 1, { x: 0, y: 0 });
    const packet = ascii(encodePacket(tempIdOf(world, 8), "phone", HAI, -60));
    await visit(world, board, async (link, found) => {
      const { handle } = found(CHARACTERISTICS[0]);
      await expect(link.writeLong(handle, packet)).rejects.toThrow();
      await expect(link.writeLong(handle, new Uint8Array(512).fill(0x5b))).rejects.toThrow();
      link.raw(new Uint8Array(600).fill(0x52));
      await wait(world, 1);
      link.disconnect();
    });
    expect(encountersIn(board)).toBe(0);
    const starts = world.sentBy(board).length;
    world.pass(60);
    expect(world.sentBy(board).length).toBeGreaterThan(starts);
  });

  test("and never leaves is thrown out after 7 s, and at once when it comes again; others are met as ever (BT-08)", async () => {
    const world = newWorld(7);
    const board = await wearToken(world, 1, { x: 0, y: 0 });
    const other = await wearToken(world, 2, { x: 3, y: 0 });
    const stay = () =>
      visit(
        world,
        board,
        async (link) => {
          const since = world.clock.now;
          while (link.connected && world.clock.now < since + 60) await wait(world, 0.2);
          return world.clock.now - since;
        },
        { hostile: { staysConnected: true } },
      ).catch(() => 0);
    const first = await stay();
    expect(first).toBeGreaterThan(4);
    expect(first).toBeLessThan(8);
    expect(await stay()).toBeLessThan(1);
    const before = meetingsOf(board);
    world.pass(600);
    expect(meetingsOf(board)).toBeGreaterThan(before + 2);
    expect(meetingsOf(other)).toBeGreaterThan(2);
  });
});

describe("a peer that the board connects to", () => {
  test.each<[string, Hostility, Uint8Array | undefined]>([
    ["answers nothing", { mute: true }, undefined],
    ["answers each request after three seconds", { answerSeconds: 3 }, undefined],
    ["demands to pair", { bonding: "demands" }, undefined],
    ["asks to pair", { bonding: "asks" }, undefined],
    ["shows garbage", {}, new Uint8Array(512).fill(0x7b)],
    ["shows a message of another authority", {}, encodeCompact(NO_RSSI, crc32(Buffer.from("ZZ_HAI")), new Uint8Array(61))],
    ["shows nothing", {}, new Uint8Array(0)],
  ])("and that %s costs one timeout: nothing of it is stored, and others are met as ever (BT-07, BT-08, BT-11)", async (_, hostile, message) => {
    const world = newWorld(8);
    const board = await wearToken(world, 1, { x: 0, y: 0 });
    const other = await wearToken(world, 2, { x: 4, y: 0 });
    const phone = new VirtualPhone({ air: world.air, name: "stranger", address: STRANGER, hostile });
    world.air.place(phone, { x: 0.5, y: 0 });
    const pieces = message ?? compact(NO_RSSI, tempIdOf(world, 8));
    phone.serve({
      [SERVICES[0]]: {
        [FIRST_CHARACTERISTIC]: { value: () => pieces.slice(0, pieces.length > 100 ? 512 : FIRST_PIECE), onWrite: () => undefined },
        [SECOND_CHARACTERISTIC]: { value: () => pieces.slice(FIRST_PIECE, pieces.length > 100 ? 512 : COMPACT_BYTES), onWrite: () => undefined },
      },
    });
    phone.advertise([ADVERTISEMENT]);
    let tooLong = 0;
    let links = 0;
    phone.onLink = (link) => {
      links++;
      world.clock.after(8, () => {
        if (link.connected) tooLong++;
      });
    };
    await world.clock.drive(wait(world, 480), { limit: 481 });
    // whoever merely asks to pair, and is refused, is a peer like others
    const isPeer = hostile.bonding === "asks";
    const ids = new Set(
      [...readLog(board).values()].filter((slot) => (slot[0] & 15) === 3 && slot[19] === 0).map((slot) => encodeBase64(slot.subarray(1, 17))),
    );
    expect(ids.size).toBeGreaterThan(0);
    expect(ids.has(encodeBase64(pieces.subarray(6, 22)))).toBe(isPeer);
    expect(meetingsOf(other)).toBeGreaterThan(1);
    expect(links).toBeGreaterThan(1);
    expect(tooLong).toBe(0);
  });

  test("and that nobody can connect to, while TempIDs change all the time, hangs nothing: the stack never restarts in an attempt (BT-04, BT-08)", async () => {
    const world = newWorld(9);
    const board = await wearToken(world, 1, { x: 0, y: 0 });
    const other = await wearToken(world, 2, { x: 3, y: 0 });
    for (const one of [board, other]) configure(one, { cycleTime: 12, scanTime: 2 });
    const begun = Math.floor(world.clock.now) - 5;
    const { tempIDs, refreshTime } = makeBatch(AUTHORITY_KEY, userId(3), begun);
    const short = tempIDs.map((one, i) => ({ ...one, startTime: begun + 25 * i, expiryTime: begun + 25 * (i + 1) }));
    // of another authority, so that they are used at once
    load(board, { tempIDs: short, refreshTime: refreshTime + 1 }, "ZZ_HAI");
    load(other, { tempIDs: short, refreshTime: refreshTime + 1 }, "ZZ_HAI");
    const phone = new VirtualPhone({ air: world.air, name: "stranger", address: STRANGER });
    world.air.place(phone, { x: 0.5, y: 0 });
    phone.advertise([ADVERTISEMENT], { connectable: false });
    world.pass(600);
    // a board that gets stuck starts anew
    expect(status(board)).toMatchObject({ er: [0, 0, 0], e: 1 });
    expect(meetingsOf(board)).toBeGreaterThan(3);
    expect(new Set(world.sentBy(board).map(({ address }) => address)).size).toBeGreaterThan(20);
  });
});
