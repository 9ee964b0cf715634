import { afterEach, describe, expect, test } from "vitest";
import { aesEncrypt, nodeCrypto } from "../../host-tools/node-crypto.ts";
import { Dp3tPhone } from "../../host-tools/phones/dp3t-phone.ts";
import { OpenCovidTracePhone } from "../../host-tools/phones/opencovidtrace-phone.ts";
import { type Hostility, type ServedServices, VirtualPhone } from "../../host-tools/simulator/phone.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { readU32 } from "../../protocols/bytes.ts";
import { SERVICE as DP3T_SERVICE, CHARACTERISTIC as EPHID } from "../../protocols/dp3t/advertisement.ts";
import { epochNumber, observationHash } from "../../protocols/dp3t/unlinkable.ts";
import { ENCOUNTER, OTHERS } from "../../protocols/log-format.ts";
import { CHARACTERISTIC, encodeAdvertisement, SERVICE } from "../../protocols/opencovidtrace/advertisement.ts";
import { rollingId } from "../../protocols/opencovidtrace/payload.ts";
import { DP3T_TAG, DP3T_UNLINKABLE_TAG, OPENCOVIDTRACE_TAG } from "../../protocols/protocol-tags.ts";
import { parseUuid, uuidBytes } from "../../protocols/uuid128.ts";
import { pagesOf, rawRecordsOf } from "../support/flash-log.ts";
import { ephIdsOf } from "../support/handed-keys.ts";
import { lifetimesIn, linksIn } from "../support/observer.ts";
import { toHex } from "../support/vectors.ts";
import { DAY, expectQuietConsoles, MORNING, radioOf, status, type WearOptions, WornWorld } from "../support/worn-boards.ts";

const READER: WearOptions = { protocols: ["gaen", "dp3t", "opencovidtrace"], with: ["gatt"], settings: { cycleTime: 60, scanTime: 4 } };
/** Flags and the service, no identifier: an iPhone in the background. */
const BACKGROUND = Uint8Array.of(2, 1, 0x1a, 3, 3, 0x68, 0xfd);
const OPEN = encodeAdvertisement(uuidBytes(SERVICE));
const UART = "6e400001-b5a3-f393-e0a9-e50e24dcca9e";

let phones = 0;
function phone(world: WornWorld, name: string, options: { hostile?: Hostility; mtu?: number; x?: number } = {}): VirtualPhone {
  const { x = 1, ...rest } = options;
  phones++;
  const device = new VirtualPhone({ air: world.air, name, address: `d0:00:00:00:00:${(16 + (phones % 200)).toString(16)} random`, ...rest });
  world.air.place(device, { x, y: 1 });
  return device;
}
/** Serves a value from the start, and says when somebody connected, and for how long. */
function stranger(world: WornWorld, packet: Uint8Array, services: ServedServices, hostile?: Hostility) {
  const device = phone(world, `stranger ${phones}`, { ...(hostile ? { hostile } : {}), x: 0.5 });
  const visits: { from: number; to: number | undefined }[] = [];
  device.serve(services);
  device.advertise([packet]);
  device.onLink = (link) => {
    const visit = { from: world.clock.now, to: undefined as number | undefined };
    visits.push(visit);
    link.onDisconnect = () => {
      visit.to = world.clock.now;
    };
  };
  return { device, visits };
}
const value = (bytes: Uint8Array, packet: Uint8Array = BACKGROUND): ServedServices =>
  packet === OPEN ? { [SERVICE]: { [CHARACTERISTIC]: { value: bytes } } } : { [DP3T_SERVICE]: { [EPHID]: { value: bytes } } };

/** Encounters that are not GAEN's, as they lie in flash. */
function encountersOf(board: VirtualBoard, tag: number) {
  return pagesOf(board)
    .flatMap(rawRecordsOf)
    .filter(({ kind, slot }) => kind === ENCOUNTER && readU32(slot, 21) & OTHERS && slot[17] === tag)
    .map(({ slot }) => ({
      id: toHex(slot.subarray(1, 17)),
      power: (slot[18] << 24) >> 24,
      rest: slot[19] | slot[20],
      seconds: 2 * ((readU32(slot, 21) >> 19) & 1023),
      count: (readU32(slot, 21) >>> 29) | ((slot[25] & 15) << 3),
    }));
}

describe("a peer that doesn't send its identifier", () => {
  afterEach(expectQuietConsoles);

  test("is asked for it after each scan: an iPhone of DP-3T in the background is logged like one whose EphID was heard (DP-08)", async () => {
    const world = new WornWorld(1);
    const board = await world.wear({ x: 0, y: 0 }, READER);
    const iphone = new Dp3tPhone(phone(world, "iphone"), nodeCrypto, aesEncrypt, true);
    iphone.start();
    world.pass(3600);
    const known = ephIdsOf(iphone.first, Math.floor(MORNING / DAY));
    const found = encountersOf(board, DP3T_TAG);
    expect(found.length).toBeGreaterThanOrEqual(3);
    for (const { id, power, seconds, count, rest } of found) {
      expect(known).toContain(id);
      // the packet told none
      expect([power, rest]).toEqual([127, 0]);
      expect(seconds).toBeGreaterThan(600);
      expect(count).toBeGreaterThan(10);
    }
    expect(status(board).gr![0]).toBeGreaterThan(50);
    expect(status(board)).toMatchObject({ er: [0, 0, 0], wd: [0, 0], e: 1 });
  });

  test("and has OpenCovidTrace is logged by its rolling identifier, one encounter for each; its meta is not kept (OCT-01, OCT-05)", async () => {
    const world = new WornWorld(2);
    const board = await world.wear({ x: 0, y: 0 }, READER);
    const other = new OpenCovidTracePhone(phone(world, "oct"), nodeCrypto, { lat: 47, lng: 8, accuracy: 10 });
    other.start();
    world.pass(3600);
    const [{ dailyKey }] = other.days;
    const first = Math.floor(MORNING / 600);
    const known = Array.from({ length: 8 }, (_, i) => toHex(rollingId(nodeCrypto, dailyKey, first + i)));
    const found = encountersOf(board, OPENCOVIDTRACE_TAG);
    expect(found.length).toBeGreaterThanOrEqual(4);
    expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
    for (const { id, power, rest, seconds } of found) {
      expect(known).toContain(id);
      expect([power, rest]).toEqual([127, 0]);
      expect(seconds).toBeGreaterThan(400);
      expect(seconds).toBeLessThanOrEqual(604);
    }
  });

  test("is kept as a hash where the design is the unlinkable one: what was read is in no record (DP-05)", async () => {
    const world = new WornWorld(3);
    const board = await world.wear({ x: 0, y: 0 }, { ...READER, role: "scanner", protocols: ["dp3t-unlinkable"] });
    const iphone = new Dp3tPhone(phone(world, "iphone"), nodeCrypto, aesEncrypt, true);
    iphone.start();
    const sent = new Set<string>();
    for (let i = 0; i < 30; i++) {
      sent.add(toHex(iphone.ephId));
      world.pass(60);
    }
    const hashes = [...sent].flatMap((id) =>
      [0, 1, 2].map((later) => toHex(observationHash(nodeCrypto, Buffer.from(id, "hex"), epochNumber(MORNING) + later).subarray(0, 16))),
    );
    const found = encountersOf(board, DP3T_UNLINKABLE_TAG);
    expect(found.length).toBeGreaterThan(0);
    for (const { id } of found) expect(hashes).toContain(id);
    const flash = toHex(board.flash.read(board.flash.size, 0));
    for (const id of sent) expect(flash).not.toContain(id);
  });

  test("is not asked again within 60 s, of OpenCovidTrace within 5 s (DP-08, OCT-05)", async () => {
    const world = new WornWorld(4);
    await world.wear({ x: 0, y: 0 }, { ...READER, settings: { cycleTime: 24, scanTime: 2 } });
    const dp3t = stranger(world, BACKGROUND, value(new Uint8Array(16).fill(1)));
    const open = stranger(world, OPEN, value(new Uint8Array(32).fill(2), OPEN));
    world.pass(600);
    const pauses = ({ visits }: typeof dp3t) => visits.slice(1).map(({ from }, i) => from - visits[i].from);
    expect(dp3t.visits.length).toBeGreaterThan(6);
    for (const pause of pauses(dp3t)) expect(pause).toBeGreaterThanOrEqual(59.9);
    expect(open.visits.length).toBeGreaterThan(18);
    for (const pause of pauses(open)) expect(pause).toBeGreaterThanOrEqual(5);
  });

  test("is none if it is a console: the UART's service is no peer's, nor is a service without the characteristic (BLE-11, OCT-04)", async () => {
    const world = new WornWorld(5);
    const board = await world.wear({ x: 0, y: 0 }, READER);
    const uart = stranger(world, encodeAdvertisement(parseUuid(UART)!), { [UART]: { [CHARACTERISTIC]: { value: new Uint8Array(32).fill(3) } } });
    world.pass(300);
    expect(uart.visits).toEqual([]);
    expect(status(board).gr).toEqual([0, 0, 0, 0]);
    const pretending = stranger(world, OPEN, { [UART]: { [CHARACTERISTIC]: { value: new Uint8Array(32).fill(3) } } });
    world.pass(300);
    expect(pretending.visits.length).toBeGreaterThan(3);
    expect(status(board).gr).toEqual([0, pretending.visits.length, 0, 0]);
    expect(encountersOf(board, OPENCOVIDTRACE_TAG)).toEqual([]);
  });
});

describe("a peer that means harm", () => {
  test("and advertises what looks like an identifier that was read puts none into the log: those come over links alone (BLE-02, OCT-01)", async () => {
    const world = new WornWorld(9);
    const board = await world.wear({ x: 0, y: 0 }, READER);
    // a zero ends an advertisement for us; for the interpreter's filter service data follows it
    const packet = Uint8Array.of(0, 15, 0x16, 0x6f, 0xfd, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    const liar = phone(world, "liar", { x: 0.5 });
    liar.advertise([packet], { connectable: false });
    world.pass(600);
    liar.advertise();
    world.pass(3600);
    expect(encountersOf(board, OPENCOVIDTRACE_TAG)).toEqual([]);
  });

  test.each<[string, Uint8Array, ServedServices, Hostility]>([
    ["answers nothing", BACKGROUND, value(new Uint8Array(16).fill(1)), { mute: true }],
    ["answers nothing", OPEN, value(new Uint8Array(32).fill(1), OPEN), { mute: true }],
    ["answers each request after four seconds", BACKGROUND, value(new Uint8Array(16).fill(1)), { answerSeconds: 4 }],
    ["demands to pair", BACKGROUND, value(new Uint8Array(16).fill(1)), { bonding: "demands" }],
    ["shows 512 bytes", BACKGROUND, value(new Uint8Array(512).fill(1)), {}],
    ["shows 512 bytes", OPEN, value(new Uint8Array(512).fill(1), OPEN), {}],
    ["shows 15 bytes", BACKGROUND, value(new Uint8Array(15).fill(1)), {}],
    ["shows 17 bytes", BACKGROUND, value(new Uint8Array(17).fill(1)), {}],
    ["shows 31 bytes", OPEN, value(new Uint8Array(31).fill(1), OPEN), {}],
    ["shows 33 bytes", OPEN, value(new Uint8Array(33).fill(1), OPEN), {}],
    ["shows nothing", BACKGROUND, value(new Uint8Array(0)), {}],
    ["has no such service", OPEN, {}, {}],
  ])("and %s costs one attempt: nothing of it is stored, all else goes on (DP-08, OCT-01, OCT-05)", async (_, packet, services, hostile) => {
    const world = new WornWorld(6);
    const board = await world.wear({ x: 0, y: 0 }, READER);
    const beacon = await world.wear({ x: 2, y: 0 }, { role: "beacon" });
    const { visits } = stranger(world, packet, services, hostile);
    const iphone = new Dp3tPhone(phone(world, "iphone", { x: 3 }), nodeCrypto, aesEncrypt, true);
    iphone.start();
    const from = world.clock.now;
    world.pass(1900);
    expect(visits.length).toBeGreaterThan(10);
    for (const visit of visits) expect((visit.to ?? world.clock.now) - visit.from).toBeLessThan(16);
    const known = ephIdsOf(iphone.first, Math.floor(MORNING / DAY));
    const found = encountersOf(board, DP3T_TAG);
    expect(found.length).toBeGreaterThan(0);
    for (const { id } of found) expect(known).toContain(id);
    expect(encountersOf(board, OPENCOVIDTRACE_TAG)).toEqual([]);
    const [reads, unreadable, unreached, cut] = status(board).gr!;
    expect(reads).toBeGreaterThan(15);
    expect(unreadable + unreached + cut).toBeGreaterThanOrEqual(visits.length - 1);
    // what GAEN has of it: advertised nearly always, rotated in time, heard as ever
    const own = world.sentBy(board).filter(({ to }) => to === undefined || to > from);
    expect(linksIn(lifetimesIn(own))).toEqual([]);
    for (const { from: begun, to } of lifetimesIn(own).slice(1, -1)) expect(to! - begun).toBeLessThan(1202);
    for (const [i, { from: next }] of own.slice(1).entries()) expect(next - own[i].to!).toBeLessThan(0.2);
    expect(status(board)).toMatchObject({ ad: 1, er: [0, 0, 0], e: 1 });
    expect(status(board).n).toBeGreaterThan(200);
    expect(world.sentBy(beacon).length).toBeGreaterThan(1);
  });

  test("and can't be connected to, or is gone, costs four seconds of an attempt", async () => {
    const world = new WornWorld(7);
    const board = await world.wear({ x: 0, y: 0 }, READER);
    const { device, visits } = stranger(world, BACKGROUND, {});
    device.advertise([BACKGROUND], { connectable: false });
    const iphone = new Dp3tPhone(phone(world, "iphone", { x: 3 }), nodeCrypto, aesEncrypt, true);
    iphone.start();
    world.pass(1800);
    expect(visits).toEqual([]);
    const [reads, , unreached, cut] = status(board).gr!;
    expect([reads > 20, unreached > 20, cut]).toEqual([true, true, 0]);
    expect(status(board)).toMatchObject({ er: [0, 0, 0], e: 1 });
  });

  test("and leaves as soon as it is connected to costs no more, again and again", async () => {
    const world = new WornWorld(8);
    const board = await world.wear({ x: 0, y: 0 }, READER);
    const { device } = stranger(world, BACKGROUND, value(new Uint8Array(16).fill(1)));
    let links = 0;
    device.onLink = (link) => {
      links++;
      world.clock.after(0.03 * (1 + (links % 5)), () => link.disconnect());
    };
    const other = stranger(world, OPEN, value(new Uint8Array(32).fill(2), OPEN));
    world.pass(1800);
    expect(links).toBeGreaterThan(20);
    expect(other.visits.length).toBeGreaterThan(20);
    expect(status(board).gr![0]).toBeGreaterThan(20);
    expect(status(board)).toMatchObject({ er: [0, 0, 0], e: 1 });
  });

  test("in a crowd of forty, all with the same packet, leaves the others their turn: sixteen a scan at most", async () => {
    const world = new WornWorld(9);
    const board = await world.wear({ x: 0, y: 0 }, { ...READER, settings: { cycleTime: 120, scanTime: 4 } });
    const ids = new Set<string>();
    for (let i = 0; i < 40; i++) {
      const id = new Uint8Array(32).fill(i + 1);
      ids.add(toHex(id.subarray(0, 16)));
      const device = phone(world, `crowd ${i}`, { x: 1 + i / 8, ...(i % 8 === 0 ? { hostile: { mute: true } } : {}) });
      device.serve(value(id, OPEN));
      device.advertise([OPEN]);
    }
    const before = radioOf(board).activity.centralConnections;
    world.pass(120);
    expect(radioOf(board).activity.centralConnections - before).toBeLessThanOrEqual(16);
    world.pass(1500);
    world.restart(board);
    const found = new Set(encountersOf(board, OPENCOVIDTRACE_TAG).map(({ id }) => id));
    for (const id of found) expect(ids).toContain(id);
    expect(found.size).toBeGreaterThan(20);
    expect(status(board)).toMatchObject({ e: 2 });
  });
});
