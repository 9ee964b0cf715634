import { describe, expect, test } from "vitest";
import { readsPhones, refusal } from "../../boards/capabilities.ts";
import { BOARDS } from "../../boards/index.ts";
import { encodeTempIdPages } from "../../host-tools/bluetrace/batch-file.ts";
import { makeBatch, openTempId } from "../../host-tools/bluetrace/temp-ids.ts";
import { pullLog } from "../../host-tools/device/pull.ts";
import { AirRadio } from "../../host-tools/phones/air-radio.ts";
import { BlueTracePhone } from "../../host-tools/phones/bluetrace-phone.ts";
import { type Hostility, VirtualPhone } from "../../host-tools/simulator/phone.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { Store } from "../../host-tools/store/store.ts";
import { encodeBase64 } from "../../protocols/base64.ts";
import { CHARACTERISTICS, encodeAdvertisement, SERVICES } from "../../protocols/bluetrace/advertisement.ts";
import { encodePacket } from "../../protocols/bluetrace/packet.ts";
import { encodeTempId, packTempId } from "../../protocols/bluetrace/temp-id.ts";
import { ascii } from "../../protocols/bytes.ts";
import { parseUuid } from "../../protocols/uuid128.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { AUTHORITY_KEY, HAI, keptWorlds, loadPage, repeatable, userId, wearToken } from "../support/tokens.ts";
import { status, type WornWorld } from "../support/worn-boards.ts";

// A board whose radio stack reads 130 bytes of a value, which a phone's packet may fit: 114 beside the model and the authority's name.

const newWorld = keptWorlds();

const S140 = { board: "nrf52840dk" };
/** Whose phone it is. */
const OWNER = 9;
const tempIdOf = (world: WornWorld, n: number) => makeBatch(AUTHORITY_KEY, userId(n), Math.floor(world.clock.now)).tempIDs[0].tempID;

/** A phone with the app, a metre from the board, that has begun. */
function startPhone(world: WornWorld, { model, org = HAI, service = 0 }: { model: string; org?: string; service?: number }): BlueTracePhone {
  const virtual = new VirtualPhone({ air: world.air, name: "alice", address: "d0:00:00:00:00:01 random" });
  world.air.place(virtual, { x: 1, y: 0 });
  const randomBytes = repeatable(1);
  const radio = new AirRadio(virtual, randomBytes, service);
  const phone = new BlueTracePhone({ clock: world.clock, radio, randomBytes, org, model, service: SERVICES[service] });
  radio.attach(phone);
  const { tempIDs } = makeBatch(AUTHORITY_KEY, userId(OWNER), Math.floor(world.clock.now));
  phone.useTempIds(
    Buffer.concat(tempIDs.map((one) => encodeTempId(one.startTime, one.expiryTime, packTempId(one.tempID)!))),
    world.clock.now + 43200,
  );
  phone.start();
  return phone;
}
/** The board of owner 1, under other names or as one of another deployment. */
function loadAs(world: WornWorld, board: VirtualBoard, { org = HAI, model = "device", service = 0 }): void {
  // later ones, so that they are used
  const batch = makeBatch(AUTHORITY_KEY, userId(1), Math.floor(world.clock.now) + 1);
  for (const [i, page] of encodeTempIdPages(batch, { org, model, service }).entries()) loadPage(board, i, page);
}
const pass = (world: WornWorld, seconds: number) =>
  world.clock.drive(new Promise<void>((resolve) => void world.clock.after(seconds, resolve)), { limit: seconds + 1 });

/** What a hub has of the board. */
async function meetingsOf(world: WornWorld, board: VirtualBoard) {
  const store = Store.open(":memory:", { now: () => Math.floor(world.clock.now) });
  await world.talk(board, (link) => pullLog(link, store));
  const meetings = await store.meetings();
  await store.close();
  return meetings;
}

test("only a bundle for a board that reads enough has the reader in it", async () => {
  const [reads, reads52] = await Promise.all(["nrf52840dk", "microbit2"].map((board) => firmwareFor("token", board, {}, [], ["bluetrace"])));
  expect(BOARDS.filter((facts) => !refusal(facts, "token", ["bluetrace"]) && readsPhones(facts, "token")).map(({ id }) => id)).toEqual([
    "nrf52840dk",
  ]);
  expect(reads.text).toContain('"rs"');
  expect(reads52.text).not.toContain('"rs"');
  expect(reads.manifest.variables.atWork - reads.manifest.variables.estimated).toBe(
    reads52.manifest.variables.atWork - reads52.manifest.variables.estimated + 100,
  );
});

describe("a board with S140 and a phone with the app", () => {
  test.each([
    ["Android's service, a packet of 127 bytes", "Pixel 3", 0],
    ["iOS's service, a packet of 130 bytes: as many as a read answers", "iPhone 11 ", 2],
  ])("have each other, once in two cycles; what the board would write is too long (BT-05, BT-07, BT-09): %s", async (_, model, service) => {
    const world = newWorld(1);
    const board = await wearToken(world, 1, { x: 0, y: 0 }, S140);
    if (service) {
      loadAs(world, board, { service });
      // it offers another service with its next TempID
      world.pass(900);
    }
    const phone = startPhone(world, { model, service });
    await pass(world, 900);
    phone.stop();
    expect(phone.records.length).toBeGreaterThan(2);
    // none of them as a peripheral: nothing was written
    for (const record of phone.records) expect(record).toMatchObject({ org: HAI, modelP: "device", modelC: model, v: 2, txPower: 0 });
    const { me, er } = status(board);
    expect(me).toEqual([expect.any(Number), 0, 0, 0]);
    expect(er).toEqual([0, 0, 0]);
    const meetings = await meetingsOf(world, board);
    expect(meetings.length).toBe(me![0]);
    expect(meetings.length).toBeGreaterThan(2);
    // by address and by TempID, of which there are two or three in this time
    expect(meetings.length).toBeLessThanOrEqual(9 + 2);
    for (const { tempId, central, rssi, txPower, authority } of meetings) {
      expect(openTempId([AUTHORITY_KEY], encodeBase64(tempId))?.uid).toBe(userId(OWNER));
      expect({ central, txPower, authority }).toEqual({ central: true, txPower: 0, authority: HAI });
      expect(rssi).toBeLessThan(-30);
      expect(rssi).toBeGreaterThan(-90);
    }
  });

  test.each([
    ["is a byte longer than a read answers", { model: "SM-G973F/DS" }],
    ["is another authority's", { model: "Pixel 3", org: "ZZ_HAI" }],
    ["has the right name's beginning only", { model: "Pixel 3", org: "QX_HA" }],
  ])("whose packet %s: nothing is stored, each reading is counted, and the phone has the board as ever (BT-05, BT-07, COM-03)", async (_, options) => {
    const world = newWorld(2);
    const board = await wearToken(world, 1, { x: 0, y: 0 }, S140);
    const phone = startPhone(world, options);
    await pass(world, 600);
    phone.stop();
    expect(phone.records.length).toBeGreaterThan(1);
    const { me } = status(board);
    expect(me).toEqual([0, expect.any(Number), 0, 0]);
    expect(me![1]).toBeGreaterThan(1);
    // left in peace like any other: in ten minutes six times at most, and once more for each new address
    expect(me![1]).toBeLessThanOrEqual(6 + 2);
    expect(await meetingsOf(world, board)).toEqual([]);
  });

  test("write to each other's log where the board's own packet is short enough: model and authority of five characters", async () => {
    const world = newWorld(3);
    const board = await wearToken(world, 1, { x: 0, y: 0 }, S140);
    loadAs(world, board, { org: "QX", model: "abc" });
    const phone = startPhone(world, { model: "Pixel 3", org: "QX" });
    await pass(world, 600);
    phone.stop();
    const told = phone.records.filter(({ modelC }) => modelC === "abc");
    expect(told.length).toBeGreaterThan(1);
    for (const { msg, rssi, modelP } of told) {
      expect(openTempId([AUTHORITY_KEY], msg)?.uid).toBe(userId(1));
      expect(rssi).toBeLessThan(-30);
      expect(modelP).toBe("Pixel 3");
    }
    expect(status(board).me).toEqual([told.length, 0, 0, 0]);
  });
});

describe("what only says that it is a phone", () => {
  test("and shows one TempID from ever new addresses counts once in two cycles (BT-09)", async () => {
    const world = newWorld(5);
    const board = await wearToken(world, 1, { x: 0, y: 0 }, S140);
    const phone = new VirtualPhone({ air: world.air, name: "stranger", address: "d0:00:00:00:00:00 random" });
    world.air.place(phone, { x: 0.5, y: 0 });
    const bytes = ascii(encodePacket(tempIdOf(world, OWNER), "x", HAI));
    phone.serve({ [SERVICES[0]]: { [CHARACTERISTICS[0]]: { value: () => bytes, onWrite: () => undefined } } });
    let links = 0;
    phone.onLink = () => links++;
    for (let i = 1; i <= 20; i++) {
      phone.advertise();
      phone.address = `d0:00:00:00:00:${10 + i} random`;
      phone.advertise([encodeAdvertisement(parseUuid(SERVICES[0])!, 0, "abc")]);
      await pass(world, 25);
    }
    const { me } = status(board);
    expect(me).toEqual([expect.any(Number), 0, 0, 0]);
    expect(me![0]).toBeGreaterThan(2);
    expect(me![0]).toBeLessThanOrEqual(5);
    expect(links).toBeGreaterThan(me![0] + 2);
  });

  test.each<[string, Hostility, (id: string) => string | Uint8Array, { refused: boolean; mtu?: number }]>([
    ["answers nothing", { mute: true }, (id) => encodePacket(id, "x", HAI), { refused: false }],
    ["answers each request after three seconds", { answerSeconds: 3 }, (id) => encodePacket(id, "x", HAI), { refused: false }],
    ["demands to pair", { bonding: "demands" }, (id) => encodePacket(id, "x", HAI), { refused: true }],
    ["agrees on 53 bytes only", {}, (id) => encodePacket(id, "x", HAI), { refused: true, mtu: 53 }],
    ["shows brackets", {}, () => new Uint8Array(512).fill(0x5b), { refused: true }],
    ["shows nothing", {}, () => "", { refused: true }],
    ["shows a TempID of another length", {}, (id) => encodePacket(id.slice(0, 80), "x", HAI), { refused: true }],
    ["shows 84 characters that are no base64", {}, (id) => encodePacket(`-${id.slice(1)}`, "x", HAI), { refused: true }],
    ["shows an older version", {}, (id) => encodePacket(id, "x", HAI).replace('"v":2', '"v":1'), { refused: true }],
  ])("and %s costs one timeout: nothing of it is stored, and others are met as ever (BT-05, BT-07, BT-08, BT-11)", async (_, hostile, value, {
    refused,
    mtu,
  }) => {
    const world = newWorld(4);
    const board = await wearToken(world, 1, { x: 0, y: 0 }, S140);
    const other = await wearToken(world, 2, { x: 4, y: 0 }, S140);
    const phone = new VirtualPhone({ air: world.air, name: "stranger", address: "d0:00:00:00:00:99 random", hostile, ...(mtu ? { mtu } : {}) });
    world.air.place(phone, { x: 0.5, y: 0 });
    const shown = value(tempIdOf(world, OWNER));
    const bytes = typeof shown === "string" ? ascii(shown) : shown;
    phone.serve({ [SERVICES[0]]: { [CHARACTERISTICS[0]]: { value: () => bytes, onWrite: () => undefined } } });
    phone.advertise([encodeAdvertisement(parseUuid(SERVICES[0])!, 0, "abc")]);
    let links = 0;
    let tooLong = 0;
    phone.onLink = (link) => {
      links++;
      world.clock.after(8, () => {
        if (link.connected) tooLong++;
      });
    };
    await pass(world, 480);
    expect(links).toBeGreaterThan(1);
    expect(tooLong).toBe(0);
    for (const one of [board, other]) {
      const { me, e } = status(one);
      expect(e).toBe(1);
      expect(me![0]).toBeGreaterThan(1);
      expect(me![1] > 0).toBe(refused);
      for (const { tempId } of await meetingsOf(world, one)) expect(openTempId([AUTHORITY_KEY], encodeBase64(tempId))?.uid).not.toBe(userId(OWNER));
    }
  });
});
