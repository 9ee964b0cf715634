import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { nodeCrypto } from "../../host-tools/node-crypto.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { decodeOwnKeys, type OwnKey } from "../../host-tools/store/log-decoder.ts";
import { encodeAdvertisement, FLAGS } from "../../protocols/gaen/advertisement.ts";
import {
  intervalNumber,
  metadataKey,
  rollingProximityIdentifier,
  rollingProximityIdentifierKey,
  rollingStart,
} from "../../protocols/gaen/key-schedule.ts";
import { decodeMetadata, decryptMetadata, encodeMetadata } from "../../protocols/gaen/metadata.ts";
import { addressKind, isUsableAddress, parseAddress, STATIC_RANDOM } from "../../protocols/random-address.ts";
import { type Lifetime, lifetimesIn, linksIn, type Observed, observe } from "../support/observer.ts";
import { fromHex, toHex } from "../support/vectors.ts";
import { command, configure, DAY, expectQuietConsoles, setClock, status, WornWorld } from "../support/worn-boards.ts";

const EVENING = Date.UTC(2026, 2, 2, 21) / 1000;
const MIDNIGHT = EVENING + 3 * 3600;

afterEach(expectQuietConsoles);

/** The key and the interval that an identifier was made of; `at`: about when it came on the air. */
function origin(keys: OwnKey[], { rpi, from }: Lifetime): { key: OwnKey; interval: number } | undefined {
  for (const key of keys) {
    const rpik = rollingProximityIdentifierKey(nodeCrypto, key.tek);
    // the board's clock loses some hundredths with each change
    for (const interval of new Set([intervalNumber(from), intervalNumber(from - 5)]))
      if (toHex(rollingProximityIdentifier(nodeCrypto, rpik, interval)) === rpi) return { key, interval };
  }
  return undefined;
}

describe("a wearable from 21:00 to 01:30 UTC, as a listener hears it", () => {
  let world: WornWorld;
  let board: VirtualBoard;
  let packets: Observed[];
  let lifetimes: Lifetime[];
  let keys: OwnKey[];
  /** By how much the board's clock is behind at midnight. */
  let lag: number;

  beforeAll(async () => {
    world = new WornWorld(7, EVENING);
    board = await world.wear({ x: 0, y: 0 });
    packets = observe(world.air, { x: 1, y: 0 });
    world.clock.advanceTo(MIDNIGHT - 1);
    lag = world.clock.now - status(board).u / 1000;
    world.clock.advanceTo(MIDNIGHT + 5400);
    lifetimes = lifetimesIn(world.sentBy(board));
    keys = decodeOwnKeys(command(board, "k(0)"));
  });

  test("every packet has 31 bytes, is neither connectable nor scannable and comes at the interval that is set (BLE-01, BLE-08, GAEN-08)", () => {
    expect(packets.length).toBeGreaterThan(50_000);
    const sent = new Map(lifetimes.map((one) => [one.rpi, toHex(encodeAdvertisement(fromHex(one.rpi), fromHex(one.aem), FLAGS))]));
    const shapes = new Set(
      packets.map(({ data, connectable, scannable, intervalMs }) => {
        const known = sent.get(toHex(data.subarray(11, 27))) === toHex(data);
        return JSON.stringify({ bytes: data.length, known, connectable, scannable, intervalMs });
      }),
    );
    expect([...shapes]).toEqual([JSON.stringify({ bytes: 31, known: true, connectable: false, scannable: false, intervalMs: 250 })]);
  });

  test("no packet mixes an old address with a new identifier or the other way round (BLE-06, GAEN-05)", () => {
    expect(linksIn(lifetimes)).toEqual([]);
    const pairs = new Set(packets.map(({ address, data }) => `${address} ${toHex(data.subarray(11))}`));
    expect(pairs.size).toBe(lifetimes.length);
    expect(new Set(packets.map(({ address }) => address)).size).toBe(lifetimes.length);
  });

  test("each identifier is gone when the next one comes", () => {
    const last = new Map<string, number>();
    for (const { time, address } of packets) {
      const open = [...last.keys()].at(-1);
      if (open !== undefined && open !== address) expect(last.has(address)).toBe(false);
      last.set(address, time);
    }
  });

  test("addresses are static random ones with a proper random part (BLE-05, BLE-10, GAEN-07)", () => {
    for (const { address } of lifetimes) {
      expect(address).toMatch(/^[0-9a-f:]{17} random$/);
      const bytes = parseAddress(address.slice(0, 17))!;
      expect(addressKind(bytes)).toBe(STATIC_RANDOM);
      expect(isUsableAddress(bytes)).toBe(true);
      expect(address.slice(0, 17)).not.toBe(board.address);
    }
  });

  test("identifiers and metadata are those of the keys that the board hands over (GAEN-02, GAEN-09)", () => {
    for (const lifetime of lifetimes) {
      const found = origin(keys, lifetime);
      expect(found, `identifier that came at ${lifetime.from}`).toBeDefined();
      const { tek, rollingStart: start, rollingPeriod } = found!.key;
      expect(found!.interval).toBeGreaterThanOrEqual(start);
      expect(found!.interval).toBeLessThan(start + rollingPeriod);
      const opened = decryptMetadata(nodeCrypto, metadataKey(nodeCrypto, tek), fromHex(lifetime.rpi), fromHex(lifetime.aem));
      expect(toHex(opened)).toBe(toHex(encodeMetadata(0)));
    }
  });

  test("at midnight UTC a new key takes over at once, and nothing of the old one is sent any more (GAEN-01, GAEN-06)", () => {
    const index = lifetimes.findIndex(({ from }) => from >= MIDNIGHT);
    expect(lifetimes[index].from - (MIDNIGHT + lag)).toBeGreaterThanOrEqual(0);
    expect(lifetimes[index].from - (MIDNIGHT + lag)).toBeLessThan(0.1);
    for (const [i, lifetime] of lifetimes.entries()) {
      const expected = rollingStart(intervalNumber(i < index ? EVENING : MIDNIGHT));
      expect(origin(keys, lifetime)!.key.rollingStart).toBe(expected);
    }
    const old = new Set(lifetimes.slice(0, index).map(({ address }) => address));
    expect(packets.filter(({ time, address }) => time > MIDNIGHT + lag + 0.01 && old.has(address))).toEqual([]);
  });
});

test("lifetimes lie between 601 and 1199 s and are spread over that range (GAEN-05)", async () => {
  const world = new WornWorld(8, EVENING);
  const board = await world.wear({ x: 0, y: 0 }, { role: "beacon" });
  world.pass(3 * DAY);
  const lifetimes = lifetimesIn(world.sentBy(board)).slice(0, -1);
  const midnights = lifetimes.filter(({ to }) => to! % DAY < 15);
  expect(midnights).toHaveLength(3);
  const seconds = lifetimes.filter((one) => !midnights.includes(one)).map(({ from, to }) => to! - from);
  expect(seconds.length).toBeGreaterThan(200);
  expect(Math.min(...seconds)).toBeGreaterThan(600);
  expect(Math.max(...seconds)).toBeLessThan(1200);
  for (let tenth = 0; tenth < 10; tenth++) {
    const inTenth = seconds.filter((one) => one >= 600 + 60 * tenth && one < 660 + 60 * tenth);
    expect(inTenth.length, `lifetimes from ${600 + 60 * tenth} s on`).toBeGreaterThan(seconds.length / 30);
  }
  expect(linksIn(lifetimes)).toEqual([]);
});

test("two boards share neither keys nor addresses (COM-01)", async () => {
  const world = new WornWorld(9);
  const one = await world.wear({ x: 0, y: 0 });
  const other = await world.wear({ x: 1, y: 0 });
  world.pass(7200);
  const both = [...lifetimesIn(world.sentBy(one)), ...lifetimesIn(world.sentBy(other))];
  expect(linksIn(both)).toEqual([]);
});

test("the metadata always tells the power that is really sent with, also after it was changed (GAEN-09)", async () => {
  const world = new WornWorld(10);
  const board = await world.wear({ x: 0, y: 0 });
  for (const txPower of [-8, 4, -40, 0, 3]) {
    configure(board, { txPower });
    world.pass(1300);
    expect(world.sentBy(board).at(-1)!.txPower).toBe(txPower);
  }
  const keys = decodeOwnKeys(command(board, "k(0)"));
  const aemk = metadataKey(nodeCrypto, keys[0].tek);
  const lifetimes = lifetimesIn(world.sentBy(board));
  const told = lifetimes.map(({ rpi, aem }) => decodeMetadata(decryptMetadata(nodeCrypto, aemk, fromHex(rpi), fromHex(aem))).txPower);
  expect(told).toEqual(lifetimes.map(({ txPower }) => txPower));
  expect(new Set(told)).toEqual(new Set([0, -8, 4, -40, 3]));
});

test("the advertising interval is the one that is set, from the next change of identifier on (GAEN-08)", async () => {
  const world = new WornWorld(11);
  const board = await world.wear({ x: 0, y: 0 }, { built: { advertisingInterval: 200 } });
  world.pass(100);
  expect(world.sentBy(board).at(-1)!.intervalMs).toBe(200);
  configure(board, { advertisingInterval: 1000 });
  world.pass(1300);
  expect(world.sentBy(board).at(-1)!.intervalMs).toBe(1000);
});

describe("an identifier is never sent from two addresses (BLE-06)", () => {
  test.each([0, 1, -1, 20, -20, -60, 300])("when the clock is put right by %i s again and again", async (seconds) => {
    const world = new WornWorld(12);
    const board = await world.wear({ x: 0, y: 0 });
    for (let i = 0; i < 8; i++) {
      world.pass(317);
      setClock(board, status(board).u / 1000 + seconds);
    }
    world.pass(1300);
    const lifetimes = lifetimesIn(world.sentBy(board));
    expect(lifetimes.length).toBeGreaterThan(3);
    expect(linksIn(lifetimes)).toEqual([]);
    expect(status(board).ad).toBe(1);
  });

  test("when the firmware is started anew", async () => {
    const world = new WornWorld(13);
    const board = await world.wear({ x: 0, y: 0 });
    for (let i = 0; i < 12; i++) {
      world.pass(110);
      world.restart(board);
    }
    world.pass(1300);
    const lifetimes = lifetimesIn(world.sentBy(board));
    expect(linksIn(lifetimes)).toEqual([]);
    expect(lifetimes.at(-1)!.to).toBeUndefined();
  });

  test("when a key is handed over and a fresh one begins", async () => {
    const world = new WornWorld(14);
    const board = await world.wear({ x: 0, y: 0 });
    for (let i = 0; i < 3; i++) {
      world.pass(100);
      command(board, "k(1)");
      world.pass(1);
    }
    const lifetimes = lifetimesIn(world.sentBy(board));
    expect(lifetimes).toHaveLength(4);
    expect(linksIn(lifetimes)).toEqual([]);
  });
});
