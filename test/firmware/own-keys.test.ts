import { afterEach, describe, expect, test } from "vitest";
import { nodeCrypto } from "../../host-tools/node-crypto.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { decodeOwnKeys } from "../../host-tools/store/log-decoder.ts";
import { BLOCK_HEADER_BYTES } from "../../protocols/device-link.ts";
import { rollingProximityIdentifiers } from "../../protocols/gaen/identifier-series.ts";
import { intervalNumber, rollingProximityIdentifierKey, rollingStart } from "../../protocols/gaen/key-schedule.ts";
import { LONG_BYTES, LONG_WORDS, PAGE_WORDS, TEK, WORD_BYTES } from "../../protocols/log-format.ts";
import { findInFlash, keysOf, pagesOf, rawRecordsOf, type StoredKey, shownByBoard } from "../support/flash-log.ts";
import { type Lifetime, lifetimesIn, linksIn } from "../support/observer.ts";
import { toHex } from "../support/vectors.ts";
import { command, DAY, expectQuietConsoles, MORNING, readLog, setClock, status, WornWorld, writeRecords } from "../support/worn-boards.ts";

afterEach(expectQuietConsoles);

/** All 144 identifiers of a key, in hex. */
function identifiersOf({ tek, rollingStart: first }: { tek: Uint8Array; rollingStart: number }): string[] {
  const all = rollingProximityIdentifiers(nodeCrypto, rollingProximityIdentifierKey(nodeCrypto, tek), first, 144);
  return Array.from({ length: 144 }, (_, i) => toHex(all.subarray(16 * i, 16 * i + 16)));
}
/** Which of the keys each identifier was made of, as an index; -1: none of them. */
function keyIndexes(lifetimes: Lifetime[], keys: { tek: Uint8Array; rollingStart: number }[]): number[] {
  const series = keys.map((key) => new Set(identifiersOf(key)));
  return lifetimes.map(({ rpi }) => series.findIndex((one) => one.has(rpi)));
}
/** All that T.r hands over, in one piece. */
const readOut = (board: VirtualBoard) => Buffer.concat([...readLog(board).values()]);

describe("a key is in the log before its first identifier is sent (GAEN-01)", () => {
  test("so it is still there when the power goes with the first advertisement; then a fresh one begins, for nobody knows how far ahead the clock was (COM-07)", async () => {
    const world = new WornWorld(21);
    const board = await world.wear({ x: 0, y: 0 }, { clockSet: false });
    setClock(board, world.clock.now);
    while (lifetimesIn(world.sentBy(board)).length === 0) world.clock.step();
    board.powerOff();
    const [key] = keysOf(board);
    expect(key.rollingStart).toBe(rollingStart(intervalNumber(MORNING)));
    world.pass(60);
    board.powerOn();
    world.pass(30);
    setClock(board, world.clock.now);
    world.pass(4000);
    const keys = keysOf(board);
    expect(keys.map(({ tek, ended }) => [toHex(tek) === toHex(key.tek), ended])).toEqual([
      [true, true],
      [false, false],
    ]);
    const lifetimes = lifetimesIn(world.sentBy(board));
    expect(lifetimes.length).toBeGreaterThan(3);
    expect(new Set(keyIndexes(lifetimes.slice(0, 1), keys))).toEqual(new Set([0]));
    expect(new Set(keyIndexes(lifetimes.slice(1), keys))).toEqual(new Set([1]));
    expect(linksIn(lifetimes)).toEqual([]);
  });

  test("wherever the power is cut while it is written", async () => {
    for (let bytes = 0; bytes < 110; bytes += 9) {
      const world = new WornWorld(22);
      const board = await world.wear({ x: 0, y: 0 }, { clockSet: false });
      board.flash.cutAfter(bytes);
      try {
        setClock(board, world.clock.now);
      } catch {
        // the power went before the answer
      }
      world.pass(2);
      board.flash.keepPower();
      if (board.powered) board.powerOff();
      board.powerOn();
      world.pass(1);
      setClock(board, world.clock.now);
      world.pass(1300);
      const lifetimes = lifetimesIn(world.sentBy(board));
      expect(lifetimes.length, `cut after ${bytes} bytes`).toBeGreaterThan(0);
      expect(keyIndexes(lifetimes, keysOf(board)), `cut after ${bytes} bytes`).not.toContain(-1);
    }
  });
});

describe("own keys never leave by the log", () => {
  test("the answers of T.r have ones where they stand, and everything else as it is in flash", async () => {
    const world = new WornWorld(23);
    const board = await world.wear({ x: 0, y: 0 });
    await world.wear({ x: 2, y: 0 });
    world.pass(2 * DAY);
    const keys = keysOf(board);
    expect(keys).toHaveLength(3);
    const answers = readOut(board);
    for (const { tek } of keys) for (let at = 0; at <= 8; at++) expect(answers.includes(Buffer.from(tek.subarray(at, at + 8)))).toBe(false);
    // T.r's answers without their headers, against flash
    const { hi } = status(board);
    const records = pagesOf(board)
      .flatMap(rawRecordsOf)
      .filter(({ seq, slot }) => seq < hi && slot.length > WORD_BYTES);
    expect(records.filter(({ kind }) => kind === TEK)).toHaveLength(3);
    const shown = records.map(({ seq }) => toHex(command(board, `r(${seq},1)`).subarray(BLOCK_HEADER_BYTES)));
    expect(shown).toEqual(records.map(({ slot }) => toHex(shownByBoard(slot))));
  });

  test("not even of a write that was cut short", async () => {
    const world = new WornWorld(24);
    const board = await world.wear({ x: 0, y: 0 });
    world.pass(60);
    const [{ tek }] = keysOf(board);
    // the ended form of the key goes to the log when a fresh one is asked for: the power goes before its last byte
    board.flash.cutAfter(LONG_BYTES - 1);
    expect(() => command(board, "k(1)")).toThrow();
    board.flash.keepPower();
    expect(board.powered).toBe(false);
    expect(findInFlash(board, tek)).toHaveLength(2);
    board.powerOn();
    world.pass(1);
    expect(readOut(board).includes(Buffer.from(tek.subarray(0, 8)))).toBe(false);
  });
});

describe("handing over own keys for an upload (GAEN-12)", () => {
  test("is refused while the clock is not set", async () => {
    const world = new WornWorld(25);
    const board = await world.wear({ x: 0, y: 0 }, { clockSet: false });
    expect(() => command(board, "k(0)")).toThrow("refused: clk");
    expect(() => command(board, "k(1)")).toThrow("refused: clk");
  });

  test("gives each day's key, today's with the intervals that have begun, and changes nothing", async () => {
    const world = new WornWorld(26);
    const board = await world.wear({ x: 0, y: 0 }, { role: "beacon" });
    world.pass(2 * DAY + 1000);
    const keys = decodeOwnKeys(command(board, "k(0)"));
    const today = rollingStart(intervalNumber(MORNING)) + 288;
    const now = intervalNumber(status(board).u / 1000);
    expect(keys.map(({ rollingStart: first, rollingPeriod }) => [first, rollingPeriod])).toEqual([
      [today - 288, 144],
      [today - 144, 144],
      [today, now - today + 1],
    ]);
    world.pass(3600);
    expect(keysOf(board)).toHaveLength(3);
    expect(keysOf(board).some(({ ended }) => ended)).toBe(false);
  });

  test("T.k(1) ends today's key with the elapsed period, and a fresh one is used at once", async () => {
    const world = new WornWorld(27);
    const board = await world.wear({ x: 0, y: 0 });
    world.pass(3700);
    const handed = decodeOwnKeys(command(board, "k(1)"));
    const at = world.clock.now;
    const now = intervalNumber(at);
    expect(handed).toHaveLength(1);
    expect(handed[0].rollingStart + handed[0].rollingPeriod).toBe(now + 1);
    world.pass(8000);
    const lifetimes = lifetimesIn(world.sentBy(board));
    const keys = keysOf(board);
    expect(keys.map(({ ended, rollingPeriod }) => [ended, rollingPeriod])).toEqual([
      [true, handed[0].rollingPeriod],
      [false, 144],
    ]);
    for (const [i, index] of keyIndexes(lifetimes, keys).entries()) expect(index).toBe(lifetimes[i].from < at + 0.001 ? 0 : 1);
    const first = lifetimes.find(({ from }) => from >= at)!;
    expect(first.from - at).toBeLessThan(0.2);
    expect(linksIn(lifetimes)).toEqual([]);
    // and the next day both are handed over as they are
    world.pass(DAY);
    const periods = decodeOwnKeys(command(board, "k(0)")).map(({ rollingPeriod }) => rollingPeriod);
    expect(periods.slice(0, 2)).toEqual([handed[0].rollingPeriod, 144]);
  });

  test("an ended key stays ended over a restart, wherever the power was cut", async () => {
    for (let bytes = 0; bytes < 130; bytes += 11) {
      const world = new WornWorld(28);
      const board = await world.wear({ x: 0, y: 0 });
      world.pass(100);
      const before = lifetimesIn(world.sentBy(board)).length;
      board.flash.cutAfter(bytes);
      let handed: StoredKey[] | undefined;
      try {
        handed = decodeOwnKeys(command(board, "k(1)")) as StoredKey[];
      } catch {
        // nothing was handed over
      }
      world.pass(2);
      board.flash.keepPower();
      if (board.powered) board.powerOff();
      board.powerOn();
      world.pass(1);
      setClock(board, world.clock.now);
      world.pass(700);
      const later = lifetimesIn(world.sentBy(board)).slice(before);
      expect(later.length).toBeGreaterThan(0);
      // what was handed over is not sent from any more; what was not is not lost
      if (handed) expect(keyIndexes(later, handed)).not.toContain(0);
      expect(keyIndexes(lifetimesIn(world.sentBy(board)), keysOf(board)), `cut after ${bytes} bytes`).not.toContain(-1);
    }
  });

  test("the answer is a legal one also when the clock was in the future for a while (COM-07)", async () => {
    const world = new WornWorld(29);
    const board = await world.wear({ x: 0, y: 0 });
    world.pass(1000);
    setClock(board, world.clock.now + 3 * DAY);
    world.pass(1000);
    setClock(board, world.clock.now);
    world.pass(1000);
    for (const { rollingStart: first, rollingPeriod } of decodeOwnKeys(command(board, "k(0)")))
      expect(first + rollingPeriod).toBeLessThanOrEqual(intervalNumber(world.clock.now) + 1);
  });
});

describe("retention of own keys (GAEN-11, GAEN-12)", () => {
  test("15 days of keys are kept and handed over, older ones are gone from flash", async () => {
    const world = new WornWorld(30);
    const board = await world.wear({ x: 0, y: 0 }, { role: "beacon", settings: { advertisingInterval: 1000 } });
    const seen = new Map<number, Uint8Array>();
    for (let day = 0; day < 19; day++) {
      world.pass(DAY);
      // between midnight and the daily cleaning
      const keys = decodeOwnKeys(command(board, "k(0)"));
      expect(keys.length, `day ${day}`).toBeLessThanOrEqual(15);
      const first = rollingStart(intervalNumber(world.clock.now));
      expect(Math.min(...keys.map((key) => key.rollingStart))).toBe(Math.max(rollingStart(intervalNumber(MORNING)), first - 14 * 144));
      for (const { rollingStart: start, tek } of keysOf(board)) seen.set(start, tek);
      world.pass(60);
      for (const [start, tek] of seen) {
        const expired = start + 15 * 144 < intervalNumber(world.clock.now - 600);
        expect(findInFlash(board, tek).length, `key of ${start} on day ${day}`).toBe(expired ? 0 : 1);
      }
      if (day === 10) world.restart(board);
    }
    expect(seen.size).toBe(20);
  });
});

/** Writes records that say nothing new until at most `left` more fit on the newest page, at least one. */
function fillPage(board: VirtualBoard, left: number): void {
  writeRecords(board, Math.max(0, roomLeft(board) - left));
}
/** Records for which the newest page has room. */
function roomLeft(board: VirtualBoard): number {
  return Math.floor((PAGE_WORDS - (status(board).hi - pagesOf(board).at(-1)!.seq)) / LONG_WORDS);
}
/** Until a fresh page has been begun. */
function turnPage(board: VirtualBoard): void {
  const last = pagesOf(board).at(-1)!.page;
  writeRecords(board, roomLeft(board) + 1);
  if (board.powered && pagesOf(board).at(-1)!.page === last) throw new Error(`no page after page ${last}`);
}

describe("keys survive the wrap of the ring", () => {
  test("and an ended key does not come back from the page that is erased", async () => {
    const world = new WornWorld(31);
    const board = await world.wear({ x: 0, y: 0 }, { role: "beacon", ringPages: 2 });
    world.pass(10);
    turnPage(board);
    command(board, "k(1)");
    world.pass(1);
    const [first] = keysOf(board);
    expect(first.ended).toBe(true);
    const fresh = keysOf(board)[1];
    // now it is the fresh key that stands on the page that goes next: it is ended there
    turnPage(board);
    turnPage(board);
    command(board, "k(1)");
    for (let page = 0; page < 4; page++) {
      turnPage(board);
      const copies = keysOf(board).filter(({ tek }) => toHex(tek) === toHex(fresh.tek));
      expect(copies.length, `page ${page}`).toBeGreaterThan(0);
      expect(copies.filter(({ ended }) => !ended)).toEqual([]);
    }
    world.restart(board);
    world.pass(1300);
    const later = lifetimesIn(world.sentBy(board)).filter(({ from }) => from > world.clock.now - 1300);
    expect(keyIndexes(later, [first, fresh])).not.toContain(1);
  });

  test.each([1, 2, 3, 4])("also when a fresh key is asked for with room for %i records left before a page is erased", async (left) => {
    const world = new WornWorld(32);
    const board = await world.wear({ x: 0, y: 0 }, { role: "beacon", ringPages: 2 });
    world.pass(10);
    turnPage(board);
    command(board, "k(1)");
    world.pass(1);
    const [, key] = keysOf(board);
    turnPage(board);
    fillPage(board, left);
    const handed = decodeOwnKeys(command(board, "k(1)"));
    expect(handed.map(({ tek }) => toHex(tek))).toContain(toHex(key.tek));
    world.pass(1);
    const keys = keysOf(board);
    expect(keys.filter(({ ended }) => !ended)).toHaveLength(1);
    expect(keys.filter(({ tek }) => toHex(tek) === toHex(key.tek)).map(({ ended }) => ended)).toEqual([true]);
    expect(keyIndexes(lifetimesIn(world.sentBy(board)), keys)).not.toContain(-1);
    const newest = pagesOf(board).at(-1)!;
    const used = status(board).hi - newest.seq;
    expect(newest.slots.subarray(used * WORD_BYTES).every((byte) => byte === 255)).toBe(true);
  });

  test("a power cut while keys are copied neither loses one nor writes past the page", async () => {
    const world = new WornWorld(33);
    const board = await world.wear({ x: 0, y: 0 }, { role: "beacon", ringPages: 2 });
    // page 0 is never erased: the keys have to stand behind it
    turnPage(board);
    world.pass(13 * DAY);
    const keys = new Set(keysOf(board).map(({ tek }) => toHex(tek)));
    expect(keys.size).toBe(14);
    const code = toHex(board.storage.read(".bootcde")!);
    for (let cut = 3; cut < 1500; cut += 67) {
      fillPage(board, 20);
      board.flash.cutAfter(20 * LONG_BYTES + cut - 400);
      turnPage(board);
      writeRecords(board, 20);
      board.flash.keepPower();
      if (!board.powered) board.powerOn();
      turnPage(board);
      expect(new Set(keysOf(board).map(({ tek }) => toHex(tek))), `cut ${cut}`).toEqual(keys);
      expect(toHex(board.storage.read(".bootcde") ?? new Uint8Array(0)) === code, `the code after cut ${cut}`).toBe(true);
    }
    setClock(board, world.clock.now);
    const handed = decodeOwnKeys(command(board, "k(0)"));
    expect(new Set(handed.map(({ tek }) => toHex(tek)))).toEqual(keys);
  });
});
