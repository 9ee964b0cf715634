import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { RecordBlock } from "../../host-tools/device/board.ts";
import type { BoardDescription } from "../../host-tools/device/description.ts";
import { pullLog } from "../../host-tools/device/pull.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { decodeBlock, isSealed, splitRecords } from "../../host-tools/store/log-decoder.ts";
import { decodeAdvertisement } from "../../protocols/gaen/advertisement.ts";
import { DENSE, LONG_WORDS, PAGE_WORDS, WORD_BYTES } from "../../protocols/log-format.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { crowd, numberOf } from "../support/crowd.ts";
import { encountersOf, holesOf, keysOf, pagesOf, rawRecordsOf, recordsOf, shownByBoard } from "../support/flash-log.ts";
import { toHex } from "../support/vectors.ts";
import { command, expectQuietConsoles, readLog, status, WornWorld } from "../support/worn-boards.ts";

afterEach(expectQuietConsoles);

/** Numbers of the people whose encounters are in the log, in its order. */
const peopleIn = (board: VirtualBoard) => encountersOf(board).map(({ id }) => numberOf(id));
/** Long records of a page, without settings and clock. */
const RECORDS = Math.floor(PAGE_WORDS / LONG_WORDS) - 2;

test("a Puck.js that nobody empties keeps more than 2,000 encounters, dense, before the first is lost, and hands over each of them", async () => {
  const world = new WornWorld(112);
  const board = await world.wear({ x: 0, y: 0 }, { settings: { cycleTime: 20, recordForm: 1 } });
  const people = crowd(world, 20, 20);
  while (people.passed() < 2150) world.pass(20);
  people.stop();
  world.pass(100);
  const { lo, dr, df } = status(board);
  expect({ lo, dr, df }).toEqual({ lo: 0, dr: 0, df: 1 });
  const kept = encountersOf(board);
  expect(kept.filter(({ kind }) => kind === "dense").length).toBeGreaterThan(2000);
  expect(new Set(peopleIn(board)).size).toBe(kept.length);
  const handedOver = [...readLog(board).values()].filter((record) => (record[0] & 15) === DENSE && isSealed(record));
  expect(handedOver.map((record) => toHex(record.subarray(4, 9)))).toEqual(kept.map(({ id }) => toHex(id)));
}, 30_000);

describe("a wearable that has met 2,500 people", () => {
  let world: WornWorld;
  let board: VirtualBoard;
  let pages: number;
  let firstKeys: string[];
  const told: { at: number; dropped: number; lo: number }[] = [];

  beforeAll(async () => {
    world = new WornWorld(111);
    board = await world.wear({ x: 0, y: 0 }, { settings: { cycleTime: 20 } });
    pages = (await firmwareFor()).manifest.flash.ringPages;
    world.pass(400);
    command(board, "k(1)");
    world.pass(1);
    firstKeys = keysOf(board).map(({ tek }) => toHex(tek));
    const people = crowd(world, 20, 20);
    for (let i = 0; i < 30; i++) {
      world.pass(85);
      if (i === 10) command(board, `a(${status(board).hi - 20})`);
      const { hi, lo, dr } = status(board);
      told.push({ at: hi, lo, dropped: dr });
    }
    people.stop();
    world.pass(200);
    expect(people.passed()).toBeGreaterThan(2500);
  });

  test("has the newest of them, without a gap, and the oldest pages are gone", () => {
    const heard = [
      ...new Set(
        world
          .heardBy(board)
          .flatMap(({ data }) => decodeAdvertisement(data)?.rpi ?? [])
          .map(numberOf),
      ),
    ].sort((a, b) => a - b);
    const kept = peopleIn(board).sort((a, b) => a - b);
    expect(new Set(kept).size).toBe(kept.length);
    expect(kept.length).toBeGreaterThan((pages - 1) * RECORDS * 0.95);
    // page 0 keeps the first ones; from the oldest page of the ring on everybody is there
    const ring = encountersOf(board)
      .filter(({ seq }) => seq >= PAGE_WORDS)
      .map(({ id }) => numberOf(id));
    const whole = Math.min(...ring) + 20;
    expect(ring.filter((number) => number >= whole).sort((a, b) => a - b)).toEqual(heard.filter((number) => number >= whole));
  });

  test("numbers its pages and records without a gap", () => {
    const numbers = pagesOf(board).map(({ page }) => page);
    const newest = numbers.at(-1)!;
    expect(numbers).toEqual([0, ...Array.from({ length: pages }, (_, i) => newest - pages + 1 + i)]);
    const { lo, hi } = status(board);
    expect(lo).toBe((newest - pages + 1) * PAGE_WORDS);
    expect(Math.floor((hi - 1) / PAGE_WORDS)).toBe(newest);
    expect(holesOf(board)).toEqual([]);
    const last = rawRecordsOf(pagesOf(board).at(-1)!).findLast(({ slot }) => isSealed(slot))!;
    expect(last.seq + last.slot.length / WORD_BYTES).toBe(hi);
    expect(recordsOf(board).filter(({ kind }) => kind === "damaged")).toEqual([]);
  });

  test("begins each page with settings and clock, so that it can be read alone", () => {
    for (const { seq } of pagesOf(board)) {
      const kinds = recordsOf(board)
        .filter((record) => record.seq >= seq && record.seq < seq + 2 * LONG_WORDS)
        .map(({ kind }) => kind);
      expect(kinds).toEqual(["settings", "clock"]);
    }
  });

  test("counts what it dropped before the hub had it", () => {
    let acknowledged = 0;
    let dropped = 0;
    let lo = 0;
    for (const one of told) {
      if (one.lo > lo) {
        // page 0 stays, so nothing of it is dropped
        for (let page = Math.max(lo, PAGE_WORDS); page < one.lo; page += PAGE_WORDS)
          dropped += Math.max(0, Math.min(PAGE_WORDS, page + PAGE_WORDS - acknowledged));
        lo = one.lo;
      }
      expect(one.dropped, `at ${one.at}`).toBe(dropped);
      if (one === told[9]) acknowledged = status(board).ak;
    }
    expect(dropped).toBeGreaterThan(1500);
  });

  test("still has its own keys, ended and in use", () => {
    expect(keysOf(board).map(({ tek }) => toHex(tek))).toEqual(firstKeys);
    expect(keysOf(board).map(({ ended }) => ended)).toEqual([true, false]);
  });

  test("hands all of it over by a pull over the wire, and writes the acknowledgement down", async () => {
    const blocks: RecordBlock[] = [];
    const store = {
      positions: async () => new Map<string, number>(),
      boards: async () => [],
      async commitPull(_: BoardDescription, more: RecordBlock[]) {
        blocks.push(...more);
        return { added: more.length, encounters: 0, upTo: more.at(-1)!.nextSeq, damaged: [] };
      },
    };
    const { hi } = status(board);
    const expected = pagesOf(board)
      .flatMap(rawRecordsOf)
      .filter(({ seq, slot }) => seq < hi && slot.length > WORD_BYTES)
      .map(({ seq, slot }) => ({ seq, slot: toHex(shownByBoard(slot)) }));
    const pulled = await world.talk(board, (link) => pullLog(link, store));
    expect(pulled).toMatchObject({ from: 0, upTo: hi, damaged: 0 });
    const got = blocks.flatMap((block) => decodeBlock(block).map(({ seq }, i) => ({ seq, slot: splitRecords(block.slots)[i] })));
    const withinLog = got.filter(({ seq, slot }) => seq < hi && slot.length > WORD_BYTES);
    expect(withinLog.map(({ seq, slot }) => ({ seq, slot: toHex(slot) }))).toEqual(expected);
    expect(status(board).ak).toBe(hi);
    world.restart(board);
    expect(status(board).ak).toBe(hi);
  });

  test("goes on after restarts and power cuts with the next number, a new era, and nothing lost of what was written", () => {
    for (let i = 0; i < 6; i++) {
      const before = status(board);
      const people = peopleIn(board);
      if (i % 2 === 0) world.restart(board);
      else world.powerCycle(board);
      const after = status(board);
      expect(after.e).toBe(before.e + 1);
      expect(after.hi).toBeGreaterThan(before.hi);
      expect(after.c).toEqual(before.c);
      expect(peopleIn(board)).toEqual(people);
      expect(holesOf(board)).toEqual([]);
      expect(recordsOf(board).filter(({ kind }) => kind === "damaged")).toEqual([]);
      world.pass(37 * (i + 1));
    }
  });
});

test("what is told by T.r of each sequence number stays the same for ever, and what is gone is stepped over", async () => {
  const world = new WornWorld(112);
  const board = await world.wear({ x: 0, y: 0 }, { role: "scanner", ringPages: 3, settings: { cycleTime: 20 } });
  const people = crowd(world, 24, 20);
  const known = new Map<number, string>();
  for (let i = 0; i < 20; i++) {
    world.pass(47);
    const end = status(board).hi;
    const now = readLog(board);
    expect(now.size).toBeGreaterThan(0);
    const changed = [...now].filter(([seq, slot]) => known.has(seq) && known.get(seq) !== toHex(slot)).map(([seq]) => seq);
    expect(changed).toEqual([]);
    for (const [seq, slot] of now) known.set(seq, toHex(slot));
    const { lo } = status(board);
    const there = new Map(pagesOf(board).flatMap((page) => decodeBlock(page).map((record) => [record.seq, record.kind])));
    const missing = [...there].filter(([seq, kind]) => kind !== "blank" && seq >= lo && seq < end && !now.has(seq));
    expect(missing).toEqual([]);
    expect(holesOf(board)).toEqual([]);
  }
  people.stop();
  const { lo, hi } = status(board);
  // each begins where the one before ends, or on the next page
  const numbers = [...known].sort(([a], [b]) => a - b);
  for (const [i, [seq, slot]] of numbers.slice(0, -1).entries()) {
    const next = seq + slot.length / 2 / WORD_BYTES;
    expect([next, Math.ceil(next / PAGE_WORDS) * PAGE_WORDS]).toContain(numbers[i + 1][0]);
  }
  expect(Buffer.from(command(board, `r(${PAGE_WORDS},200)`)).readUInt32LE(12)).toBe(lo);
  expect(Buffer.from(command(board, `r(${hi},200)`)).readUInt32LE(12)).toBe(hi);
});
