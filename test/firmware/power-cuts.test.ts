import { afterEach, describe, expect, test } from "vitest";
import { SeededRandom } from "../../host-tools/simulator/seeded-random.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { isSealed } from "../../host-tools/store/log-decoder.ts";
import {
  DELETED,
  DENSE_BYTES,
  LONG_BYTES,
  LONG_WORDS,
  PAGE_BYTES,
  PAGE_HEADER_BYTES,
  PAGE_WORDS,
  TEK,
  WORD_BYTES,
} from "../../protocols/log-format.ts";
import { crowd } from "../support/crowd.ts";
import { holesOf, keysOf, pagesOf, rawRecordsOf, recordsOf, shownByBoard } from "../support/flash-log.ts";
import { fromHex, toHex } from "../support/vectors.ts";
import { configure, DAY, expectQuietConsoles, readLog, setClock, status, WornWorld, writeRecords } from "../support/worn-boards.ts";

afterEach(expectQuietConsoles);

/** Every record in flash that was written to its end, by its address; kept up to date by looking over the shoulder of the flash. */
function watchSlots(board: VirtualBoard): Map<number, string> {
  const written = new Map<number, string>();
  const { flash } = board;
  const write = flash.write.bind(flash);
  const erase = flash.erase.bind(flash);
  flash.write = (address, bytes) => {
    write(address, bytes);
    if (bytes.length === LONG_BYTES || bytes.length === DENSE_BYTES) written.set(address, toHex(bytes));
  };
  flash.erase = (address) => {
    const page = address - (address % PAGE_BYTES);
    for (const slot of written.keys()) if (slot >= page && slot < page + PAGE_BYTES) written.delete(slot);
    erase(address);
  };
  return written;
}

/** What T.r hands over of the whole log, as hex by sequence number. */
const readOut = (board: VirtualBoard) => new Map([...readLog(board)].map(([seq, slot]) => [seq, toHex(slot)]));

const kindOf = (slot: string) => Number.parseInt(slot.slice(0, 2), 16) & 15;

/** Arms a cut somewhere in what is written next, lets the board live until it comes, and gives it power again. */
function cut(world: WornWorld, board: VirtualBoard, arm: () => void): void {
  arm();
  for (let tries = 0; board.powered && tries < 400; tries++) {
    // among those of the people who pass
    writeRecords(board, 5);
    world.pass(1);
  }
  expect(board.powered, "the power was not cut").toBe(false);
  board.flash.keepPower();
}

describe("the power is cut while the log is written", () => {
  test("60 times, after any number of bytes or in an erase: what was complete is there, at most the record being written is not", async () => {
    const world = new WornWorld(131);
    const random = new SeededRandom(131);
    const board = await world.wear({ x: 0, y: 0 }, { ringPages: 3, settings: { cycleTime: 20 } });
    const written = watchSlots(board);
    crowd(world, 10, 20);
    world.pass(100);
    let pageTurns = 0;
    let damaged = 0;
    for (let i = 0; i < 60; i++) {
      const newestBefore = pagesOf(board).at(-1)!.page;
      const era = status(board).e;
      cut(world, board, () => (i % 6 === 5 ? board.flash.cutInErase(1) : board.flash.cutAfter(Math.floor(random.next() * 2500))));
      const complete = new Map(written);
      const numbers = new Map(pagesOf(board).map(({ address, page }) => [address, page]));
      board.powerOn();
      world.pass(1);
      // T.r finds every complete record at its place, unaltered; own keys read as zero
      const { e, lo } = status(board);
      expect(e).toBe(era + 1);
      const handed = readOut(board);
      const lost: number[] = [];
      for (const { seq, address, page } of pagesOf(board)) {
        // a start may begin a page, over the oldest one
        if (numbers.get(address) !== page) continue;
        if (page > 0) expect(seq).toBeGreaterThanOrEqual(lo);
        for (let word = 0; word < PAGE_WORDS; word++) {
          const before = complete.get(address + PAGE_HEADER_BYTES + word * WORD_BYTES);
          if (before === undefined) continue;
          const now = handed.get(seq + word);
          // moved to the newest page at this start
          const moved = now !== undefined && kindOf(before) === TEK && kindOf(now) === DELETED;
          if (!moved && now !== toHex(shownByBoard(fromHex(before)))) lost.push(seq + word);
        }
      }
      expect(lost, `cut ${i}`).toEqual([]);
      // and nothing is left out
      expect(holesOf(board), `cut ${i}`).toEqual([]);
      // and nobody else's flash was written
      const damagedBefore = damaged;
      damaged = recordsOf(board).filter(({ kind }) => kind === "damaged").length;
      expect(damaged - damagedBefore, `cut ${i}`).toBeLessThanOrEqual(1);
      expect(board.storage.files().map(({ name }) => name.replaceAll("\0", ""))).toEqual(["tl.log", ".bootcde"]);
      expect(status(board).er[1]).toBe(0);
      if (pagesOf(board).at(-1)!.page > newestBefore) pageTurns++;
    }
    expect(pageTurns).toBeGreaterThan(12);
    // nor is anything shown of what was torn
    const torn = pagesOf(board)
      .flatMap(rawRecordsOf)
      .filter(({ slot }) => slot.length > WORD_BYTES && !isSealed(slot));
    expect(torn.length).toBeGreaterThan(0);
    const shown = readOut(board);
    for (const { seq } of torn) expect(shown.get(seq)).toMatch(/^..(ff)+$/);
  });

  test("at each byte of the turn of a page: settings, clock and own keys are there afterwards", async () => {
    const world = new WornWorld(132);
    const board = await world.wear({ x: 0, y: 0 }, { role: "beacon", ringPages: 2, settings: { txPower: -8, retention: 7 } });
    world.pass(2 * DAY);
    const keys = new Set(keysOf(board).map(({ tek }) => toHex(tek)));
    for (let bytes = 0; bytes < 420; bytes += 23) {
      writeRecords(board, Math.max(0, Math.floor((PAGE_WORDS - (status(board).hi % PAGE_WORDS)) / LONG_WORDS) - 3));
      setClock(board, world.clock.now);
      cut(world, board, () => board.flash.cutAfter(bytes));
      board.powerOn();
      world.pass(1);
      expect(status(board).c).toEqual([300, 2, 250, -8, 0, -127, 0, 7, 2, 0, 2200, 0, 0]);
      setClock(board, world.clock.now);
      const held = new Set(keysOf(board).map(({ tek }) => toHex(tek)));
      expect([...keys].filter((key) => !held.has(key))).toEqual([]);
      expect(status(board).er[1]).toBe(0);
    }
  });

  test("at the very first start: the log begins all the same", async () => {
    for (let bytes = 0; bytes < 120; bytes += 7) {
      const world = new WornWorld(133);
      const board = await world.wear({ x: 0, y: 0 }, { clockSet: false });
      // an erased log again
      const { storage, flash } = board;
      const head = flash.read(storage.start, 64);
      const code = storage.read(".bootcde")!;
      board.powerOff();
      storage.eraseAll();
      flash.write(storage.start, head);
      storage.write(".bootcde", code);
      flash.cutAfter(bytes);
      board.powerOn();
      flash.keepPower();
      if (!board.powered) board.powerOn();
      world.pass(1);
      setClock(board, world.clock.now);
      configure(board, { cycleTime: 20 });
      world.pass(100);
      expect(status(board), `cut after ${bytes} bytes`).toMatchObject({ ad: 1, er: [0, 0, 0] });
      expect(recordsOf(board).filter(({ kind }) => kind === "damaged").length).toBeLessThanOrEqual(1);
      expect(keysOf(board)).toHaveLength(1);
    }
  });
});
