import { describe, expect, test } from "vitest";
import { makeBatch } from "../../host-tools/bluetrace/temp-ids.ts";
import { BlueTracePhone, type BlueTracePhoneOptions } from "../../host-tools/phones/bluetrace-phone.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";
import { decodeAdvertisement, SERVICES } from "../../protocols/bluetrace/advertisement.ts";
import { encodeTempId, packTempId, TEMP_ID_RECORD } from "../../protocols/bluetrace/temp-id.ts";
import { parseUuid } from "../../protocols/uuid128.ts";
import { PhoneAir, type RoomRadio } from "../support/phone-air.ts";

const NOW = 1588320000;
const KEY = new Uint8Array(32).fill(5);

/** A server's batch for the n-th user, as a device keeps it. */
function tempIds(user: number, now: number, count = 100): Uint8Array {
  const uid = Buffer.alloc(21, user).toString("base64");
  const { tempIDs } = makeBatch(KEY, uid, now);
  return Buffer.concat(tempIDs.slice(0, count).map(({ tempID, startTime, expiryTime }) => encodeTempId(startTime, expiryTime, packTempId(tempID)!)));
}

/** Random bytes that repeat themselves from run to run. */
function repeatable(seed: number): (length: number) => Uint8Array {
  let state = seed;
  return (length) =>
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state >>> 24;
    });
}

function room(names: string[], options: Partial<BlueTracePhoneOptions> = {}, mtu?: number) {
  const clock = new VirtualClock(NOW);
  const air = new PhoneAir(clock, mtu);
  const phones = names.map((name, i) => {
    const radio = air.radio(name, -60 - i);
    const phone = new BlueTracePhone({ clock, radio, randomBytes: repeatable(i + 1), org: "QX_HAI", model: name, ...options });
    phone.useTempIds(tempIds(i + 1, NOW), NOW + 43200);
    radio.phone = phone;
    return { phone, radio };
  });
  return { clock, air, phones, start: () => phones.map(({ phone }) => phone.start()) };
}

describe.each([23, 185, 512])("over links with an MTU of %i", (mtu) => {
  test("two phones tell each other's TempID, each side stores it, and neither again before two cycles are over (BT-07, BT-09)", () => {
    const { clock, phones, start } = room(["a", "b"], {}, mtu);
    start();
    clock.advanceTo(NOW + 20);
    const [a, b] = phones.map(({ phone }) => phone.records);
    expect(a).toHaveLength(1);
    expect(b).toHaveLength(1);
    // one was the central, and both keep the RSSI that it received
    expect([a[0].modelP, a[0].modelC].sort()).toEqual(["a", "b"]);
    expect([b[0].modelP, b[0].modelC, b[0].rssi]).toEqual([a[0].modelP, a[0].modelC, a[0].rssi]);
    expect(a[0].msg).not.toBe(b[0].msg);
    expect(a[0]).toMatchObject({ org: "QX_HAI", v: 2 });
    clock.advanceTo(NOW + 99);
    expect([a.length, b.length]).toEqual([1, 1]);
    clock.advanceTo(NOW + 200);
    // once more, or twice if they connected to each other at the same moment
    expect(a.length).toBeGreaterThan(1);
    expect(a.length).toBeLessThanOrEqual(3);
    expect(b).toHaveLength(a.length);
    expect(phones.map(({ radio }) => radio.links)).toEqual([0, 0]);
  });
});

test("an hour of five phones: everybody meets everybody, nobody twice within 100 s (BT-08, BT-09)", () => {
  const { clock, phones, start } = room(["a", "b", "c", "d", "e"]);
  start();
  clock.advanceTo(NOW + 3600);
  for (const { phone } of phones) {
    const last = new Map<string, number>();
    for (const { msg, timestamp, modelP, modelC } of phone.records) {
      // the same central with the same peripheral under the same TempID; with a new one it has a new address too, and is a stranger
      const meeting = `${modelP} ${modelC} ${msg}`;
      expect(timestamp - (last.get(meeting) ?? 0), meeting).toBeGreaterThanOrEqual(99);
      last.set(meeting, timestamp);
    }
    const met = new Set(phone.records.flatMap(({ modelP, modelC }) => [modelP, modelC]));
    expect(met.size).toBe(5);
  }
});

test("scans last 8 s, the pauses 36 to 43, advertising 180 s with a gap of 5 (BT-08)", () => {
  const { clock, air, start } = room(["a"]);
  start();
  clock.advanceTo(NOW + 3600);
  const times = (what: string) => air.log.filter((line) => line.endsWith(` ${what}`)).map((line) => Number(line.split(" ")[1]));
  const [scans, rests] = [times("scan"), times("rest")];
  expect(scans.length).toBeGreaterThan(70);
  for (const [i, rest] of rests.entries()) {
    expect(rest - scans[i]).toBe(8);
    if (i + 1 < scans.length) expect(scans[i + 1] - rest).toBeGreaterThanOrEqual(36);
    if (i + 1 < scans.length) expect(scans[i + 1] - rest).toBeLessThanOrEqual(43);
  }
  expect(new Set(scans.slice(1).map((scan, i) => Math.round((scan - rests[i]) * 10))).size).toBeGreaterThan(20);
  expect(times("silent").slice(0, 2)).toEqual([NOW + 180, NOW + 365]);
  expect(times("advertise").slice(0, 1)).toEqual([NOW + 185]);
});

test("the address changes in the very second in which the TempID does, the three characters with each start (BT-10)", () => {
  const { clock, air, phones, start } = room(["a"]);
  const [{ radio }] = phones;
  const services = SERVICES.map((uuid) => parseUuid(uuid)!);
  const tails: string[] = [];
  const advertise = radio.advertise.bind(radio);
  radio.advertise = (data, fresh) => {
    tails.push(Buffer.from(decodeAdvertisement(data, services)!.tail!).toString());
    advertise(data, fresh);
  };
  start();
  clock.advanceTo(NOW + 7200);
  const changes = air.log.filter((line) => line.includes("new address")).map((line) => Number(line.split(" ")[1]) - NOW);
  expect(changes).toEqual([0, 840, 1740, 2640, 3540, 4440, 5340, 6240, 7140]);
  expect(new Set(tails).size).toBeGreaterThan(tails.length / 2);
});

test("a value read in parts is of one TempID, even if another is used meanwhile (BT-06)", () => {
  const { clock, phones } = room(["a"]);
  clock.advanceTo(NOW + 839);
  const session = phones[0].phone.connected("c0:00:00:00:00:01")!;
  const first = session.read(0)!.slice(0, 22);
  clock.advanceTo(NOW + 841);
  const whole = Buffer.concat([first, session.read(22)!]).toString();
  const fresh = Buffer.from(phones[0].phone.connected("c0:00:00:00:00:02")!.read(0)!).toString();
  expect(JSON.parse(whole).id).not.toBe(JSON.parse(fresh).id);
  expect(JSON.parse(whole)).toEqual({ id: expect.stringMatching(/^.{84}$/), mp: "a", o: "QX_HAI", v: 2 });
  // at its end a value has no more bytes, past it no such place
  expect(session.read(whole.length)).toHaveLength(0);
  expect(session.read(whole.length + 1)).toBeUndefined();
});

test("without a valid TempID a phone is silent, deaf and has nothing to read; a new batch wakes it (BT-04)", () => {
  let asked = 0;
  const { clock, air, phones, start } = room(["a", "b"], { fetchTempIds: () => asked++ });
  const [{ phone, radio }] = phones;
  phone.useTempIds(tempIds(1, NOW - 8000, 9), NOW);
  start();
  const last = NOW - 8000 - 60 + 9 * 900;
  clock.advanceTo(last);
  expect(radio.advertising).toBeDefined();
  clock.advanceTo(last + 1);
  expect(radio.advertising).toBeUndefined();
  expect(phone.connected("c0:00:00:00:00:01")).toBeUndefined();
  const before = phone.records.length;
  clock.advanceTo(last + 600);
  expect([phone.records.length, air.log.filter((line) => line.startsWith("a") && Number(line.split(" ")[1]) > last + 60)]).toEqual([before, []]);
  expect(asked).toBeGreaterThan(0);
  phone.useTempIds(tempIds(1, clock.now), clock.now + 43200);
  clock.advanceTo(last + 700);
  expect(radio.advertising).toBeDefined();
  expect(phone.records.length).toBeGreaterThan(before);
});

/** A phone among peers that somebody else plays. */
function among(peer: Partial<RoomRadio["phone"] & object>, mtu = 23) {
  const { clock, air, phones, start } = room(["a"], {}, mtu);
  const hostile = air.radio("z");
  const services = parseUuid(SERVICES[0])!;
  hostile.phone = { heard: () => {}, connected: () => undefined, ...peer };
  start();
  const data = new Uint8Array([2, 1, 2, 17, 7, ...services]);
  clock.after(0.5, () => hostile.advertise(data, false));
  return { clock, ...phones[0], hostile };
}
const session = (value: Uint8Array | (() => Uint8Array | undefined)) => ({
  read: (offset: number) => (typeof value === "function" ? value() : value.subarray(offset)),
  write: () => true,
  prepare: () => true,
  execute: () => true,
});

test.each([
  ["answers garbage", () => session(Buffer.from("garbage"))],
  ["answers nothing", () => session(new Uint8Array(0))],
  ["refuses to be read", () => session(() => undefined)],
  ["never comes to an end", () => session(() => new Uint8Array(22).fill(32))],
  ["answers longer than a part", () => session(() => new Uint8Array(600))],
  ["cuts its packet off", () => session(Buffer.from(`{"id":"${"x".repeat(84)}","mp":"z","o":"QX_`))],
])("a peer that %s: nothing is stored, the link ends, and it is left in peace (BT-05, BT-07, BT-09)", (_, connected) => {
  let times = 0;
  const { clock, phone, radio } = among({
    connected: () => {
      times++;
      return connected();
    },
  });
  clock.advanceTo(NOW + 95);
  expect([phone.records.length, radio.links, times]).toEqual([0, 0, 1]);
  clock.advanceTo(NOW + 300);
  expect(times).toBeGreaterThan(1);
});

test("a peer that can't be reached is tried for six seconds, and again at the next scan (BT-08)", () => {
  const tries: number[] = [];
  const { clock, phone } = among({
    connected: () => {
      tries.push(clock.now - NOW);
      return undefined;
    },
  });
  clock.advanceTo(NOW + 100);
  expect(tries.slice(0, 2)).toEqual([0.5, 6.5]);
  expect(tries.length).toBeGreaterThan(2);
  expect(phone.records).toEqual([]);
});

test("a peer under a new address with the TempID of a minute ago is nobody new (BT-09)", () => {
  const packet = Buffer.from('{"id":"the same as before","mp":"z","o":"QX_HAI","v":2}');
  let times = 0;
  const { clock, phone, hostile } = among({
    connected: () => {
      times++;
      return session(packet);
    },
  });
  clock.advanceTo(NOW + 20);
  hostile.advertise(hostile.advertising!, true);
  clock.advanceTo(NOW + 90);
  expect([times, phone.records.length]).toEqual([2, 1]);
});

test.each([
  ["a second packet", [Buffer.from("{}"), Buffer.from("{}")], 0],
  ["a packet of a peripheral", [Buffer.from('{"id":"x","mp":"z","o":"X","v":2}')], 0],
  ["a packet of 513 bytes", [Buffer.from(`{"id":"x","mc":"z","rs":-5,"o":"X","v":2}${" ".repeat(472)}`)], 0],
  ["a packet, then another", [Buffer.from('{"id":"x","mc":"z","rs":-5,"o":"X","v":2}'), Buffer.from('{"id":"y","mc":"z","rs":-5,"o":"X","v":2}')], 1],
])("a central that writes %s (BT-05, BT-07)", (_, writes, stored) => {
  const { phones } = room(["a"]);
  const peripheral = phones[0].phone.connected("c0:00:00:00:00:01")!;
  expect(writes.map((value) => peripheral.write(value)).filter(Boolean)).toHaveLength(stored);
  expect(phones[0].phone.records).toHaveLength(stored);
});

test("a long write counts when it is executed, whole and in order (BT-07)", () => {
  const { phones } = room(["a"]);
  const { phone } = phones[0];
  const packet = Buffer.from('{"id":"x","mc":"z","rs":-5,"o":"X","v":2}');
  const parts = [packet.subarray(0, 18), packet.subarray(18, 36), packet.subarray(36)];
  const connect = () => phone.connected("c0:00:00:00:00:01")!;
  const prepared = (session: ReturnType<typeof connect>, ...order: number[]) => order.map((i) => session.prepare([0, 18, 36][i], parts[i]));
  const swapped = connect();
  expect(prepared(swapped, 0, 2, 1)).toEqual([true, false, false]);
  expect(swapped.execute(true)).toBe(false);
  const cancelled = connect();
  prepared(cancelled, 0, 1, 2);
  expect([cancelled.execute(false), cancelled.execute(true)]).toEqual([true, false]);
  const endless = connect();
  for (let at = 0; at < 512; at += 64) expect(endless.prepare(at, new Uint8Array(64))).toBe(true);
  expect([endless.prepare(512, new Uint8Array(1)), endless.execute(true)]).toEqual([false, false]);
  expect(phone.records).toEqual([]);
  const whole = connect();
  expect(prepared(whole, 0, 1, 2)).toEqual([true, true, true]);
  expect(phone.records).toEqual([]);
  expect(whole.execute(true)).toBe(true);
  expect(phone.records).toMatchObject([{ msg: "x", modelP: "a", modelC: "z", rssi: -5 }]);
});

test("records are purged after 21 days, once a day (BT-13)", () => {
  const { clock, phones } = room(["a"]);
  const { phone } = phones[0];
  phone.start();
  phone.connected("c0:00:00:00:00:01")!.write(Buffer.from('{"id":"x","mc":"z","rs":-5,"o":"X","v":2}'));
  phone.useTempIds(new Uint8Array(0), 0);
  clock.advanceTo(NOW + 21 * 86400 + 1);
  expect(phone.records).toHaveLength(1);
  clock.advanceTo(NOW + 22 * 86400 + 1);
  expect(phone.records).toHaveLength(0);
});

test("a phone that is stopped keeps its records and does nothing more (BT-04)", () => {
  const { clock, air, phones, start } = room(["a", "b"]);
  start();
  clock.advanceTo(NOW + 30);
  for (const { phone } of phones) phone.stop();
  const lines = air.log.length;
  clock.advanceTo(NOW + 1000);
  expect(air.log).toHaveLength(lines);
  expect(phones.map(({ phone }) => phone.records.length)).toEqual([1, 1]);
});

test("a service that is no UUID is refused", () => {
  expect(() => room(["a"], { service: "b82a" })).toThrow(/^BlueTrace service: a UUID of 128 bits, got b82a$/);
  expect(TEMP_ID_RECORD).toBe(69);
});
