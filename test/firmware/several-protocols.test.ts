import { createHmac } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { nodeCrypto } from "../../host-tools/node-crypto.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { readU32 } from "../../protocols/bytes.ts";
import { rollingProximityIdentifier } from "../../protocols/contact-tracing-v1/key-schedule.ts";
import { ENCOUNTER, KEY_IN_USE, KEY_OF_OTHERS, KEY_OF_OTHERS_ENDED, OTHERS, TEK } from "../../protocols/log-format.ts";
import { CT10_TAG, DP3T_TAG, DP3T_UNLINKABLE_TAG } from "../../protocols/protocol-tags.ts";
import { pagesOf, rawRecordsOf } from "../support/flash-log.ts";
import { chainOf, ephIdsOf, keysOf } from "../support/handed-keys.ts";
import { type Voice, voicesIn } from "../support/observer.ts";
import { toHex } from "../support/vectors.ts";
import { command, configure, DAY, expectQuietConsoles, MORNING, setClock, status, type WearOptions, WornWorld } from "../support/worn-boards.ts";

afterEach(expectQuietConsoles);

const BOTH = { protocols: ["gaen", "dp3t"] };
const GAEN = 1;
const CT10 = 1 << CT10_TAG;
const DP3T = 1 << DP3T_TAG;
const UNLINKABLE = 1 << DP3T_UNLINKABLE_TAG;

async function worn(options: WearOptions, seed = 1) {
  const world = new WornWorld(seed);
  const board = await world.wear({ x: 0, y: 0 }, options);
  return { world, board, voices: () => voicesIn(world.sentBy(board)) };
}
const of = (voices: Voice[], protocol: string) => voices.filter((voice) => voice.protocol === protocol);
/** Identifiers of a protocol that were sent from more than one address, or came back. */
const repeated = (voices: Voice[]) => voices.filter(({ id }, i) => voices.findIndex((other) => other.id === id) < i);

/** Encounters of protocols other than GAEN as they lie in flash: tag, identifier, transmit power. */
function othersOf(board: VirtualBoard) {
  return pagesOf(board)
    .flatMap(rawRecordsOf)
    .filter(({ kind, slot }) => kind === ENCOUNTER && readU32(slot, 21) & OTHERS)
    .map(({ slot }) => ({ tag: slot[17], id: toHex(slot.subarray(1, 17)), power: (slot[18] << 24) >> 24, rest: slot[19] | slot[20] }));
}

describe("what is sent", () => {
  test("one protocol alone as long as nothing else is said, the first built in, and v1.0 never (MUX-01, CT-06)", async () => {
    const both = await worn(BOTH);
    both.world.pass(7200);
    expect(new Set(both.voices().map(({ protocol }) => protocol))).toEqual(new Set(["gaen"]));
    expect(status(both.board)).toMatchObject({ pr: [GAEN | DP3T, GAEN], ad: 1 });
    const old = await worn({ protocols: ["ct10"], role: "beacon" });
    old.world.pass(3600);
    expect(old.voices()).toEqual([]);
    expect(status(old.board)).toMatchObject({ pr: [CT10, 0], ad: 0 });
  });

  test("several from one address: all change in the same moment, and no address or identifier is ever used again (BLE-06, BLE-07, MUX-02)", async () => {
    const { world, board, voices } = await worn({ ...BOTH, settings: { transmit: GAEN | DP3T } });
    world.pass(DAY + 7200);
    const sent = voices();
    const [gaen, dp3t] = [of(sent, "gaen"), of(sent, "dp3t")];
    expect(gaen.length).toBeGreaterThan(90);
    expect(dp3t.length).toBeGreaterThan(90);
    expect(repeated(gaen)).toEqual([]);
    expect(repeated(dp3t)).toEqual([]);
    // one address has one identifier of each
    for (const voices of [gaen, dp3t]) expect(new Set(voices.map(({ address }) => address)).size).toBe(voices.length);
    const common = gaen.filter(({ address }) => dp3t.some((other) => other.address === address));
    expect(common.length).toBeGreaterThan(90);
    for (const { from, to } of common.slice(1, -1)) {
      expect(to! - from).toBeGreaterThan(600);
      expect(to! - from).toBeLessThan(1200);
    }
    expect(status(board)).toMatchObject({ pr: [GAEN | DP3T, GAEN | DP3T], er: [0, 0, 0] });
  });

  test("several in turns where addresses are private: no address ever has two identifiers, and each protocol keeps its own time (MUX-02, BLE-06)", async () => {
    const { world, board, voices } = await worn({ ...BOTH, built: { privateAddress: 1, transmit: GAEN | DP3T } });
    world.pass(3 * 3600);
    const sent = voices();
    const addresses = new Map<string, Set<string>>();
    for (const { address, id } of sent) addresses.set(address, (addresses.get(address) ?? new Set()).add(id));
    expect([...addresses.values()].filter((ids) => ids.size > 1)).toEqual([]);
    const lengths = (protocol: string) => {
      const first = new Map<string, number>();
      for (const { id, from } of of(sent, protocol)) if (!first.has(id)) first.set(id, from);
      const times = [...first.values()];
      return times.slice(1).map((time, i) => Math.round(time - times[i]));
    };
    for (const length of lengths("gaen").slice(1)) expect(length).toBeGreaterThan(600);
    for (const length of lengths("gaen")) expect(length).toBeLessThan(1205);
    // epochs of a quarter of an hour, entered up to a minute late
    for (const length of lengths("dp3t").slice(1)) expect(Math.abs(length - 900)).toBeLessThan(64);
    // none is silent for longer than a turn of the other
    for (const protocol of ["gaen", "dp3t"]) {
      const voices = of(sent, protocol).slice(50, -1);
      for (const [i, voice] of voices.slice(1).entries()) expect(voice.from - voices[i].to!).toBeLessThan(2);
    }
    expect(status(board)).toMatchObject({ an: 1, er: [0, 0, 0] });
  });

  test("where the radio stack refuses private addresses the first protocol goes on alone", async () => {
    const world = new WornWorld(5);
    const board = await world.wear({ x: 0, y: 0 }, { ...BOTH, built: { privateAddress: 1, transmit: GAEN | DP3T }, clockSet: false });
    board.evaluate("E.nativeCall=function(){throw 'no'}");
    setClock(board, world.clock.now);
    world.pass(4 * 3600);
    const sent = voicesIn(world.sentBy(board));
    expect(of(sent, "gaen").length).toBeGreaterThan(10);
    // it may have had the first turn
    expect(of(sent, "dp3t").length).toBeLessThan(2);
    expect(repeated(sent)).toEqual([]);
  });

  test("what is sent changes on the running board, at once", async () => {
    const { world, board, voices } = await worn(BOTH);
    world.pass(3600);
    configure(board, { transmit: DP3T });
    world.pass(1000);
    expect(of(voices(), "dp3t").length).toBeGreaterThan(0);
    const changed = voices().filter(({ from }) => from > MORNING + 3605);
    expect(new Set(changed.map(({ protocol }) => protocol))).toEqual(new Set(["dp3t"]));
    // one of two that is wanted no longer is gone at once, with the address they had in common
    configure(board, { transmit: GAEN | DP3T });
    world.pass(2 * 3600);
    expect(of(voices(), "gaen").at(-1)!.to).toBeUndefined();
    configure(board, { transmit: DP3T });
    world.pass(2);
    expect(of(voices(), "gaen").at(-1)!.to).toBeDefined();
    expect(repeated(voices())).toEqual([]);
    configure(board, { transmit: 128 });
    world.pass(10);
    expect(status(board)).toMatchObject({ ad: 0, pr: [GAEN | DP3T, 128] });
  });
});

describe("DP-3T, low-cost", () => {
  const ALONE: WearOptions = { protocols: ["dp3t"], role: "beacon" };

  test("each epoch has an EphID of the day's SK, each is used once, in an order that is no order (DP-01, DP-02, DP-03)", async () => {
    const { world, board, voices } = await worn(ALONE);
    world.pass(3 * DAY);
    const chain = chainOf(board);
    expect(chain.day).toBe(Math.floor(MORNING / DAY));
    const sent = voices();
    expect(repeated(sent)).toEqual([]);
    expect(sent.length).toBeGreaterThan(280);
    const numbers = sent.map(({ id, from }) => ephIdsOf(chain, Math.floor(from / DAY)).indexOf(id));
    expect(numbers).not.toContain(-1);
    const second = numbers.filter((_, i) => Math.floor(sent[i].from / DAY) === chain.day + 1);
    expect(new Set(second).size).toBe(96);
    const ascents = second.slice(1).filter((n, i) => n > second[i]).length;
    expect(ascents).toBeGreaterThan(30);
    expect(ascents).toBeLessThan(65);
    for (const { from, to } of sent.slice(1, -1)) {
      // a minute, and what restarts of the radio stack cost the clock in three days
      expect(from % 900).toBeLessThan(75);
      expect(to! - from).toBeLessThan(965);
    }
  });

  test("a restart goes on with the day's order: no EphID of before comes back", async () => {
    const { world, board, voices } = await worn(ALONE, 3);
    for (let i = 0; i < 8; i++) {
      world.pass(5000);
      world.restart(board);
    }
    world.pass(7200);
    expect(repeated(voices())).toEqual([]);
    const days = new Set(voices().map(({ from }) => Math.floor(from / DAY)));
    const all = [...days].flatMap((day) => ephIdsOf(chainOf(board), day));
    for (const { id } of voices()) expect(all).toContain(id);
  });

  test("the chain begins with the oldest day that may still be published, older SKs are gone (COM-05)", async () => {
    const { world, board } = await worn({ ...ALONE, settings: { retention: 3 } });
    world.pass(5);
    const first = chainOf(board);
    world.pass(6 * DAY);
    const today = Math.floor(world.clock.now / DAY);
    const chain = chainOf(board);
    expect(chain.day).toBe(today - 3);
    // the same chain
    expect(ephIdsOf(chain, today)).toEqual(ephIdsOf(first, today));
    const raw = pagesOf(board).flatMap(rawRecordsOf);
    expect(raw.filter(({ kind, slot }) => kind === TEK && toHex(slot.subarray(1, 17)) === toHex(first.sk.subarray(0, 16)))).toEqual([]);
  });

  test("keys that were handed over as fresh ones end, and a new SK begins (DP-04)", async () => {
    const { world, board, voices } = await worn(ALONE);
    world.pass(7200);
    const before = chainOf(board);
    keysOf(board, 1);
    world.pass(7200);
    expect(chainOf(board, KEY_OF_OTHERS_ENDED)).toEqual(before);
    const after = chainOf(board);
    expect(toHex(after.sk)).not.toBe(toHex(before.sk));
    const day = Math.floor(MORNING / DAY);
    const late = voices().filter(({ from }) => from > MORNING + 7210);
    expect(late.length).toBeGreaterThan(5);
    for (const { id } of late) expect(ephIdsOf(after, day)).toContain(id);
  });

  test("a clock that is set back brings fresh identifiers (COM-07)", async () => {
    const { world, board, voices } = await worn(ALONE);
    world.pass(7200);
    setClock(board, world.clock.now - 3600);
    world.pass(7200);
    expect(repeated(voices())).toEqual([]);
    expect(voices().length).toBeGreaterThan(14);
  });

  test("the SK survives a power cut in the middle of its daily step: the old one, or the new one", async () => {
    for (let bytes = 1; bytes < 190; bytes += 17) {
      const world = new WornWorld(4);
      const board = await world.wear({ x: 0, y: 0 }, { ...ALONE, settings: { retention: 1 } });
      world.pass(2 * DAY - (MORNING % DAY) - 100);
      const before = chainOf(board);
      const tomorrow = Math.floor(world.clock.now / DAY) + 1;
      board.flash.cutAfter(bytes);
      try {
        world.pass(300);
      } catch {
        // the board is off
      }
      board.flash.keepPower();
      if (board.powered) board.powerOff();
      world.pass(60);
      board.powerOn();
      world.pass(5);
      setClock(board, world.clock.now);
      world.pass(3600);
      const states = keysOf(board).filter(({ tag }) => tag === DP3T_TAG);
      const chains = [KEY_OF_OTHERS_ENDED, KEY_OF_OTHERS].map((state) => states.filter((key) => key.state === state));
      // the clock was lost, so a new chain is in use; the one before is still there to be published
      const whole = [...new Set(chains[0].map(({ start }) => start))]
        .map((start) => chains[0].filter((key) => key.start === start))
        .filter((parts) => new Set(parts.map(({ part }) => part)).size === 3);
      expect(whole.length, `cut after ${bytes} bytes`).toBeGreaterThan(0);
      const kept = { sk: Buffer.concat([0, 1].map((n) => whole[0].find(({ part }) => part === n)!.key)), day: whole[0][0].start / 144 };
      expect(ephIdsOf(kept, tomorrow), `cut after ${bytes} bytes`).toEqual(ephIdsOf(before, tomorrow));
    }
  });
});

describe("DP-3T, unlinkable", () => {
  const ALONE: WearOptions = { protocols: ["dp3t-unlinkable"] };

  test("each epoch has a seed of its own, made of the day's key; the EphID is its hash (DP-05)", async () => {
    const { world, board, voices } = await worn({ ...ALONE, role: "beacon" });
    world.pass(DAY + 3600);
    const keys = keysOf(board).filter(({ tag }) => tag === DP3T_UNLINKABLE_TAG);
    expect(keys.map(({ start }) => start / 144)).toEqual([Math.floor(MORNING / DAY), Math.floor(MORNING / DAY) + 1]);
    const sent = voices();
    expect(sent.length).toBeGreaterThan(95);
    expect(repeated(sent)).toEqual([]);
    for (const { id, from } of sent) {
      const epoch = Math.floor(from / 900);
      const number = Buffer.alloc(4);
      number.writeUInt32BE(epoch);
      const { key } = keys.find(({ start }) => start === Math.floor(epoch / 96) * 144)!;
      const seed = createHmac("sha256", key).update(number).digest();
      expect(toHex(nodeCrypto.sha256(seed).slice(0, 16))).toBe(id);
    }
  });

  test("what is heard is kept as the hash of EphID and epoch, never as it was (DP-05)", async () => {
    const { world, board } = await worn(ALONE);
    const other = await world.wear({ x: 2, y: 0 }, { protocols: ["dp3t"], role: "beacon", settings: { txPower: -4 } });
    world.pass(3 * 3600);
    const kept = othersOf(board);
    expect(kept.length).toBeGreaterThan(7);
    const sent = voicesIn(world.sentBy(other));
    const hashes = sent.flatMap(({ id, from }) =>
      [0, 1].map((later) => {
        const epoch = Buffer.alloc(4);
        epoch.writeUInt32BE(Math.floor(from / 900) + later);
        return toHex(nodeCrypto.sha256(Buffer.concat([Buffer.from(id, "hex"), epoch])).slice(0, 16));
      }),
    );
    for (const { tag, id, power, rest } of kept) {
      expect([tag, power, rest]).toEqual([DP3T_UNLINKABLE_TAG, -4, 0]);
      expect(hashes).toContain(id);
    }
  });
});

describe("Contact Tracing v1.0", () => {
  const ASKED: WearOptions = { protocols: ["gaen", "ct10"], settings: { transmit: CT10 } };

  test("its RPIs are those of the daily keys that are handed over; the tracing key never is (CT-01, CT-04)", async () => {
    const { world, board, voices } = await worn({ ...ASKED, role: "beacon" });
    world.pass(2 * DAY);
    const handed = keysOf(board).filter(({ tag }) => tag === CT10_TAG);
    const days = handed.map(({ start }) => start / 144);
    expect(days).toEqual([0, 1, 2].map((later) => Math.floor(MORNING / DAY) + later).slice(0, days.length));
    expect(handed.map(({ state, period }) => [state, period])).toEqual(handed.map(() => [KEY_OF_OTHERS_ENDED, 144]));
    const sent = voices();
    expect(sent.length).toBeGreaterThan(150);
    expect(repeated(sent)).toEqual([]);
    for (const { id, from, protocol } of sent) {
      expect(protocol).toBe("ct10");
      const { key } = handed.find(({ start }) => start === Math.floor(from / DAY) * 144)!;
      const interval = Math.floor((from % DAY) / 600);
      // the board's clock is some seconds late by the second day
      expect([interval, interval - 1].map((at) => toHex(rollingProximityIdentifier(nodeCrypto, key, at)))).toContain(id);
    }
    const secret = pagesOf(board)
      .flatMap(rawRecordsOf)
      .filter(({ kind, slot }) => kind === TEK && slot[22] === KEY_OF_OTHERS)
      .map(({ slot }) => toHex(slot.subarray(1, 17)));
    expect(secret).toHaveLength(2);
    for (const part of secret) expect(toHex(command(board, "k(0)"))).not.toContain(part);
  });

  test("a clock that is set back ends the tracing key, and its daily keys can still be published (COM-07)", async () => {
    const { world, board, voices } = await worn({ ...ASKED, role: "beacon" });
    world.pass(DAY);
    const before = keysOf(board).filter(({ tag }) => tag === CT10_TAG);
    setClock(board, world.clock.now - 3600);
    world.pass(4000);
    const after = keysOf(board).filter(({ tag }) => tag === CT10_TAG);
    for (const { key } of before) expect(after.map((one) => toHex(one.key))).toContain(toHex(key));
    expect(after.length).toBeGreaterThan(before.length);
    expect(repeated(voices())).toEqual([]);
  });
});

test("boards of all protocols hear each other; each is logged under its own, and GAEN's as ever (MUX-03, BLE-02, CT-05)", async () => {
  const world = new WornWorld(9);
  const all = await world.wear({ x: 0, y: 0 }, { protocols: ["gaen", "dp3t", "ct10"] });
  const gaen = await world.wear({ x: 1, y: 0 }, { role: "beacon" });
  const dp3t = await world.wear({ x: 0, y: 1 }, { protocols: ["dp3t"], role: "beacon" });
  const old = await world.wear({ x: 1, y: 1 }, { protocols: ["ct10"], role: "beacon", settings: { transmit: CT10 } });
  world.pass(2 * 3600);
  const others = othersOf(all);
  const sentBy = (board: VirtualBoard) => voicesIn(world.sentBy(board)).map(({ id }) => id);
  for (const { tag, id, power } of others) {
    expect(sentBy(tag === DP3T_TAG ? dp3t : old)).toContain(id);
    expect(power).toBe(tag === DP3T_TAG ? 0 : 127);
  }
  expect(new Set(others.map(({ tag }) => tag))).toEqual(new Set([DP3T_TAG, CT10_TAG]));
  const own = pagesOf(all)
    .flatMap(rawRecordsOf)
    .filter(({ kind, slot }) => kind === ENCOUNTER && !(readU32(slot, 21) & OTHERS));
  expect(own.length).toBeGreaterThan(4);
  for (const { slot } of own) expect(sentBy(gaen)).toContain(toHex(slot.subarray(1, 17)));
  expect(keysOf(gaen).every(({ state }) => state === KEY_IN_USE)).toBe(true);
  expect(UNLINKABLE).toBe(8);
});
