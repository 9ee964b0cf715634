import { afterEach, describe, expect, test } from "vitest";
import { matchStoredContacts } from "../../host-tools/cli/match-contacts.ts";
import { pullLog } from "../../host-tools/device/pull.ts";
import { nodeCrypto } from "../../host-tools/node-crypto.ts";
import { openMeta } from "../../host-tools/opencovidtrace/matching.ts";
import { OpenCovidTracePhone } from "../../host-tools/phones/opencovidtrace-phone.ts";
import { type Hostility, VirtualPhone } from "../../host-tools/simulator/phone.ts";
import type { FoundCharacteristic, PhoneLink } from "../../host-tools/simulator/phone-link.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { decodeKeysOfOthers } from "../../host-tools/store/keys-of-others.ts";
import { Store } from "../../host-tools/store/store.ts";
import { encodeBase64 } from "../../protocols/base64.ts";
import { classify } from "../../protocols/classify.ts";
import { CHARACTERISTIC as EPHID } from "../../protocols/dp3t/advertisement.ts";
import { KEY_OF_OTHERS, KEY_OF_OTHERS_ENDED } from "../../protocols/log-format.ts";
import { CHARACTERISTIC, SERVICE } from "../../protocols/opencovidtrace/advertisement.ts";
import { decodePayload, rollingId } from "../../protocols/opencovidtrace/payload.ts";
import { DP3T_TAG, OPENCOVIDTRACE_TAG } from "../../protocols/protocol-tags.ts";
import { keysOf } from "../support/handed-keys.ts";
import type { Phase } from "../support/observer.ts";
import { toHex } from "../support/vectors.ts";
import { command, configure, DAY, expectQuietConsoles, MORNING, setClock, status, type WearOptions, WornWorld } from "../support/worn-boards.ts";

afterEach(expectQuietConsoles);

const GAEN = 1;
const DP3T = 1 << DP3T_TAG;
const OPEN = 1 << OPENCOVIDTRACE_TAG;
const UART = "6e400001-b5a3-f393-e0a9-e50e24dcca9e";
const ALL: WearOptions = { protocols: ["gaen", "dp3t", "opencovidtrace"], with: ["gatt"], settings: { transmit: OPEN } };

const wait = (world: WornWorld, seconds: number) => new Promise<void>((resolve) => void world.clock.after(seconds, resolve));
/** What the board has on the air now, or had last. */
const latest = (world: WornWorld, board: VirtualBoard): Phase => world.sentBy(board).at(-1)!;

type Work<T> = (link: PhoneLink, found: (uuid: string) => FoundCharacteristic | undefined, all: FoundCharacteristic[]) => Promise<T>;
let visitors = 0;
/** Somebody who connects as soon as the board may be connected to. */
function visit<T>(
  world: WornWorld,
  board: VirtualBoard,
  work: Work<T>,
  options: { hostile?: Hostility; mtu?: number; address?: string } = {},
): Promise<T> {
  const { hostile, mtu = 185, address = `d0:00:00:00:01:${(16 + (visitors++ % 200)).toString(16)} random` } = options;
  const phone = new VirtualPhone({ air: world.air, name: `visitor ${visitors}`, address, mtu, ...(hostile ? { hostile } : {}) });
  world.air.place(phone, { x: 1, y: 0 });
  return world.clock.drive(
    (async () => {
      const link = await phone.connect(latest(world, board).address, { timeout: 30 });
      await link.exchangeMtu();
      const all = await link.discover();
      return work(link, (uuid) => all.find((one) => one.uuid === uuid && one.service !== UART), all);
    })(),
    { limit: 90 },
  );
}
/** The value of a characteristic, whole. */
const readOnce = (world: WornWorld, board: VirtualBoard, uuid: string, mtu = 185) =>
  visit(
    world,
    board,
    async (link, found) => {
      const value = await link.readLong(found(uuid)!.handle);
      link.disconnect();
      await wait(world, 0.5);
      return value;
    },
    { mtu },
  );
/** Daily key and meta key of a day, as they are handed over. */
function dayKeysOf(board: VirtualBoard, day = Math.floor(MORNING / DAY), state = KEY_OF_OTHERS) {
  const parts = keysOf(board).filter((key) => key.tag === OPENCOVIDTRACE_TAG && key.state === state && key.start === day * 144);
  expect(parts.map(({ part }) => part)).toEqual([0, 1]);
  return { dailyKey: parts[0].key, metaKey: parts[1].key, day };
}
const phases = (world: WornWorld, board: VirtualBoard, from: number) =>
  world.sentBy(board).filter(({ packets, from: begun }) => begun > from && packets.some((packet) => classify(packet)?.protocol === "opencovidtrace"));

describe("OpenCovidTrace", () => {
  test("a phone reads the rolling identifier of the interval, and a meta block that says there is no position (OCT-01, OCT-12)", async () => {
    const world = new WornWorld(1);
    const board = await world.wear({ x: 0, y: 0 }, ALL);
    const device = new VirtualPhone({ air: world.air, name: "oct", address: "d0:00:00:00:00:07 random" });
    world.air.place(device, { x: 1, y: 0 });
    const phone = new OpenCovidTracePhone(device, nodeCrypto);
    phone.start();
    await world.clock.drive(wait(world, 3600), { limit: 3601 });
    const { dailyKey, metaKey } = dayKeysOf(board);
    expect(phone.contacts.length).toBeGreaterThan(40);
    for (const { rollingId: id, meta, at } of phone.contacts) {
      // it changes up to a minute after the interval, and while somebody reads it, not at all
      const [now, before] = [0, 75].map((late) => toHex(rollingId(nodeCrypto, dailyKey, Math.floor((at - late) / 600))));
      expect([now, before]).toContain(toHex(id));
      const opened = openMeta(metaKey, meta);
      expect(opened.position).toBeUndefined();
      expect(at - opened.unix).toBeLessThan(670);
    }
    // and the other way round
    expect(status(board).gr![0]).toBeGreaterThan(8);
    expect(status(board)).toMatchObject({ pr: [GAEN | DP3T | OPEN, OPEN], ad: 1, an: 0, er: [0, 0, 0] });
  });

  test("address and identifier change together, each 10 minutes and at midnight; none comes back, after a start neither (BLE-06, COM-07)", async () => {
    const world = new WornWorld(2, MORNING + 16 * 3600 - 3600);
    const board = await world.wear({ x: 0, y: 0 }, { ...ALL, role: "beacon" });
    const begun = world.clock.now;
    const values = new Map<string, Set<string>>();
    for (let i = 0; i < 22; i++) {
      if (i === 9) world.restart(board);
      if (status(board).ad) {
        const { address } = latest(world, board);
        const { rollingId: id } = decodePayload(await readOnce(world, board, CHARACTERISTIC))!;
        values.set(address, (values.get(address) ?? new Set()).add(toHex(id)));
      }
      world.pass(300);
    }
    const ids = [...values.values()].flatMap((one) => [...one]);
    expect(ids.length).toBeGreaterThan(9);
    // one for each address, and none from two
    expect(new Set(ids).size).toBe(values.size);
    expect(ids.length).toBe(values.size);
    const midnight = Math.ceil(begun / DAY) * DAY;
    expect(phases(world, board, begun).filter(({ from }) => Math.abs(from - midnight) < 1)).toHaveLength(1);
    const keys = [-1, 0].map((later) => dayKeysOf(board, midnight / DAY + later));
    const known = keys.flatMap(({ dailyKey, day }) => Array.from({ length: 144 }, (_, i) => toHex(rollingId(nodeCrypto, dailyKey, day * 144 + i))));
    for (const id of ids) expect(known).toContain(id);
  });

  test("the value is the same for all of a connection, whole at an MTU of 23 and at any offset (OCT-02)", async () => {
    const world = new WornWorld(3);
    const board = await world.wear({ x: 0, y: 0 }, { ...ALL, role: "beacon" });
    world.pass(5);
    // eight seconds from before a change until after it, if it came
    world.pass(600 - (world.clock.now % 600) - 4);
    const values = await visit(
      world,
      board,
      async (link, found) => {
        const { handle } = found(CHARACTERISTIC)!;
        const read: string[] = [];
        for (let i = 0; i < 8 && link.connected; i++) {
          read.push(toHex(await link.readLong(handle)), `${toHex(await link.read(handle, 0))}${toHex(await link.read(handle, 22))}`);
          await wait(world, 1);
        }
        link.disconnect();
        return read;
      },
      { mtu: 23 },
    );
    expect(values.length).toBeGreaterThan(6);
    expect(new Set(values).size).toBe(1);
    expect(values[0]).toHaveLength(64);
  });

  test("keys that were handed over as fresh ones end; a clock that is set back begins others (COM-07)", async () => {
    const world = new WornWorld(4);
    const board = await world.wear({ x: 0, y: 0 }, { ...ALL, role: "beacon" });
    world.pass(700);
    const before = dayKeysOf(board);
    keysOf(board, 1);
    world.pass(1300);
    expect(dayKeysOf(board, before.day, KEY_OF_OTHERS_ENDED)).toEqual(before);
    const after = dayKeysOf(board);
    expect(toHex(after.dailyKey)).not.toBe(toHex(before.dailyKey));
    const { rollingId: id } = decodePayload(await readOnce(world, board, CHARACTERISTIC))!;
    const known = (key: Uint8Array) => Array.from({ length: 144 }, (_, i) => toHex(rollingId(nodeCrypto, key, before.day * 144 + i)));
    expect(known(after.dailyKey)).toContain(toHex(id));
    setClock(board, world.clock.now - 3600);
    world.pass(1300);
    const { rollingId: later } = decodePayload(await readOnce(world, board, CHARACTERISTIC))!;
    expect([...known(after.dailyKey), ...known(before.dailyKey)]).not.toContain(toHex(later));
  });

  test("two boards read each other, and each proves to the hub what the other sends, which is on no air", async () => {
    const world = new WornWorld(5);
    const boards = [];
    for (const x of [0, 1]) boards.push(await world.wear({ x, y: 0 }, { ...ALL, settings: { ...ALL.settings, cycleTime: 60, scanTime: 4 } }));
    world.pass(1500);
    for (const board of boards) {
      expect(status(board).gr![0]).toBeGreaterThan(12);
      expect(status(board)).toMatchObject({ er: [0, 0, 0], e: 1 });
    }
    const proof = command(boards[0], "p(1,2,3,4,0)");
    expect(proof[0]).toBe(1);
    const witness = Buffer.from(command(boards[1], "p(1,2,3,4,1)"));
    expect(witness.includes(Buffer.from(proof.subarray(1, 9)), 9)).toBe(true);
  });
});

test("what a board has read matches the keys that the other hands over, on their day alone; each is exported, and marked as safe like any other (OCT-03, OCT-10)", async () => {
  const world = new WornWorld(11);
  const cycle = { ...ALL, settings: { ...ALL.settings, cycleTime: 60, scanTime: 4 } };
  const [board, other] = [await world.wear({ x: 0, y: 0 }, cycle), await world.wear({ x: 1, y: 0 }, cycle)];
  world.pass(1500);
  other.powerOff();
  world.pass(300);
  const store = Store.open(":memory:", { now: () => Math.floor(world.clock.now) });
  await world.talk(board, (link) => pullLog(link, store));
  other.powerOn();
  world.pass(2);
  setClock(other, world.clock.now);
  const { keys: own } = decodeKeysOfOthers(await world.talk(other, (link) => link.keys(false)));
  const days = own.filter(({ protocol }) => protocol === "opencovidtrace");
  expect(days.map(({ key, startDay, lastDay, ended }) => [key.length, startDay, lastDay, ended])).toContainEqual([
    32,
    days[0].startDay,
    days[0].startDay,
    days[0].ended,
  ]);
  const file = (day: number) => {
    const keys = days.map(({ key }) => ({ value: encodeBase64(key.subarray(0, 16)), day, meta: encodeBase64(key.subarray(16)) }));
    return [{ path: "keys.json", bytes: Buffer.from(JSON.stringify({ opencovidtrace: keys })) }];
  };
  const today = Math.floor(MORNING / DAY);
  const { heard, exposures } = await matchStoredContacts(store, file(today), 0);
  expect(exposures).toEqual([]);
  expect(heard.exposures.length).toBeGreaterThanOrEqual(2);
  expect(heard.exposures.length).toBe(heard.encounters);
  for (const one of heard.exposures) {
    expect(one).toMatchObject({ keyDay: today, txPower: null, attenuation: null, form: "full", falseMatchProbability: 0 });
    expect(one.durationSeconds).toBeLessThan(700);
    expect(one.maxRssi).toBeLessThan(-30);
  }
  expect((await matchStoredContacts(store, file(today + 1), 12)).heard.exposures).toEqual([]);
  await store.addMark({
    board: heard.exposures[0].board!,
    protocol: "opencovidtrace",
    identifier: null,
    from: MORNING,
    to: MORNING + 7200,
    note: null,
  });
  expect((await matchStoredContacts(store, file(today), 0)).heard).toMatchObject({ exposures: [], safe: { length: heard.exposures.length } });
  await store.close();
});

describe("DP-3T", () => {
  test("the characteristic answers the EphID that is advertised now, whenever it is read (DP-12)", async () => {
    const world = new WornWorld(6);
    const board = await world.wear({ x: 0, y: 0 }, { ...ALL, role: "beacon", settings: { transmit: DP3T } });
    world.pass(900 - (world.clock.now % 900) - 40);
    const seen = new Set<string>();
    for (let i = 0; i < 24; i++) {
      const value = toHex(await readOnce(world, board, EPHID, i % 2 ? 23 : 185));
      const claim = classify(latest(world, board).packets[0]);
      expect(claim).toMatchObject({ protocol: "dp3t" });
      expect(value).toBe(toHex((claim as { ephid: Uint8Array }).ephid));
      seen.add(value);
      world.pass(i % 3 ? 5 : 260);
    }
    expect(seen.size).toBeGreaterThanOrEqual(3);
  });
});

describe("whoever connects", () => {
  test.each<[string, number, string[], boolean]>([
    ["of OpenCovidTrace where that is sent", OPEN, [CHARACTERISTIC], true],
    ["of DP-3T where that is sent", DP3T, [EPHID], true],
    ["of both where both are sent from one address", DP3T | OPEN, [EPHID, CHARACTERISTIC], true],
    ["nothing where GAEN alone is sent", GAEN, [], false],
  ])("finds the characteristic %s, no console, no name, no pairing; and so it is after each change of the setting (MUX-04, BLE-08, BLE-11)", async (_, transmit, expected, connectable) => {
    const world = new WornWorld(7);
    const board = await world.wear({ x: 0, y: 0 }, { ...ALL, role: "beacon" });
    world.pass(10);
    configure(board, { transmit });
    // what was sent in this interval already comes with the next
    world.pass(transmit & OPEN ? 1000 : 10);
    const sent = latest(world, board);
    expect([sent.connectable, sent.to]).toEqual([connectable, undefined]);
    expect(status(board).ad).toBe(1);
    if (!connectable) return;
    expect(sent.scanResponse ?? []).toHaveLength(0);
    const { own, uuids, name, paired } = await visit(world, board, async (link, found, all) => {
      const name = Buffer.from(await link.read(found("2a00")!.handle)).toString("latin1");
      const paired = await Promise.race([link.pair(), wait(world, 2).then(() => false)]);
      link.disconnect();
      return { own: all.filter(({ service }) => !service.startsWith("18")), uuids: all.map(({ service }) => service), name, paired };
    });
    expect(own.map(({ uuid }) => uuid).sort()).toEqual([...expected].sort());
    for (const { properties } of own) expect(properties).toMatchObject({ read: true, write: false, notify: false });
    expect(uuids).not.toContain(UART);
    expect([name, paired]).toEqual(["-", false]);
  });

  test("and never leaves is shown out after 10 s, silences nothing, and holds no identifier beyond its time", async () => {
    const world = new WornWorld(8);
    const board = await world.wear({ x: 0, y: 0 }, { ...ALL, role: "beacon", settings: { transmit: OPEN } });
    world.pass(5);
    const begun = world.clock.now;
    const stays: number[] = [];
    const clings = async () => {
      const address = "d0:00:00:00:02:01 random";
      const phone = new VirtualPhone({ air: world.air, name: "clinger", address, hostile: { staysConnected: true } });
      world.air.place(phone, { x: 1, y: 0 });
      while (world.clock.now < begun + 1500) {
        const link = await phone.connect(latest(world, board).address, { timeout: 20 }).catch(() => undefined);
        const since = world.clock.now;
        while (link?.connected) await wait(world, 0.1);
        if (link) stays.push(world.clock.now - since);
      }
    };
    await world.clock.drive(clings(), { limit: 1600 });
    expect(stays.length).toBeGreaterThan(100);
    for (const stay of stays) expect(stay).toBeLessThan(10.5);
    const sent = phases(world, board, begun - 10);
    const times = new Map<string, number[]>();
    for (const { address, from, to } of sent) times.set(address, [...(times.get(address) ?? []), from, to ?? world.clock.now]);
    expect(times.size).toBeGreaterThanOrEqual(3);
    for (const at of times.values()) expect(Math.max(...at) - Math.min(...at)).toBeLessThan(665);
    // while somebody is there it goes on, not to be connected to
    expect(sent.filter(({ connectable }) => !connectable).length).toBeGreaterThan(100);
    for (const [i, { from }] of sent.slice(1).entries()) expect(from - sent[i].to!).toBeLessThan(2.2);
  });

  test("gets the console for a minute after a long press of the button, also in the middle of a reading, and the identifier again after it", async () => {
    const world = new WornWorld(9);
    const board = await world.wear({ x: 0, y: 0 }, { ...ALL, settings: { ...ALL.settings, cycleTime: 60, scanTime: 4 } });
    const mute = new VirtualPhone({ air: world.air, name: "mute", address: "d0:00:00:00:03:01 random", hostile: { answerSeconds: 1 } });
    world.air.place(mute, { x: 1, y: 1 });
    mute.advertise([Uint8Array.of(2, 1, 0x1a, 3, 3, 0x68, 0xfd)]);
    while (mute.links.length === 0) world.pass(0.5);
    board.pressButton(3000);
    world.pass(12);
    const all = await visit(world, board, async (link, _, all) => {
      link.disconnect();
      await wait(world, 1);
      return all.map(({ service }) => service);
    });
    expect(all).toContain(UART);
    expect(all).not.toContain(SERVICE);
    world.pass(700);
    expect(decodePayload(await readOnce(world, board, CHARACTERISTIC))).toBeDefined();
    expect(status(board)).toMatchObject({ er: [0, 0, 0], e: 1 });
  });

  test("does so to no private address: several protocols take no turns, and the first is sent alone (BLE-07, BLE-10)", async () => {
    const world = new WornWorld(10);
    const board = await world.wear({ x: 0, y: 0 }, { ...ALL, settings: { transmit: GAEN | OPEN, privateAddress: 1 } });
    const begun = world.clock.now + 5;
    world.pass(1800);
    const sent = world.sentBy(board).filter(({ from }) => from > begun);
    expect(sent.length).toBeGreaterThan(1);
    for (const { packets } of sent) expect(packets.map((packet) => classify(packet)?.protocol)).toEqual(["gaen"]);
    expect(status(board)).toMatchObject({ an: 1, ad: 1 });
    configure(board, { transmit: OPEN });
    world.pass(700);
    expect(latest(world, board)).toMatchObject({ connectable: true, to: undefined });
    expect(status(board)).toMatchObject({ an: 0, ad: 1 });
  });
});
