import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { puckjs } from "../../boards/puckjs.ts";
import type { FlashImage } from "../../host-tools/simulator/flash.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { DENSE_WORDS, LOG_VERSION, LONG_BYTES, LONG_WORDS, PAGE_BYTES, PAGE_HEADER_BYTES, PAGE_WORDS } from "../../protocols/log-format.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { crowd, numberOf } from "../support/crowd.ts";
import { encountersOf, pagesOf, placeAddress, recordsOf } from "../support/flash-log.ts";
import { toHex } from "../support/vectors.ts";
import { command, configure, expectQuietConsoles, install, LOG_ID, readLog, status, WornWorld } from "../support/worn-boards.ts";

afterEach(expectQuietConsoles);

/** Numbers of the people whose encounters are in the log, in its order. */
const peopleIn = (board: VirtualBoard) => encountersOf(board).map(({ id }) => numberOf(id));

describe("flash that has changed by itself", () => {
  /** By the form of their records. */
  const images: FlashImage[] = [];
  beforeAll(async () => {
    for (const recordForm of [0, 1]) {
      const world = new WornWorld(113);
      const ringPages = recordForm ? 2 : 4;
      const board = await world.wear({ x: 0, y: 0 }, { role: "scanner", ringPages, settings: { cycleTime: 20, recordForm } });
      const people = crowd(world, 24, 20);
      world.pass(recordForm ? 700 : 560);
      people.stop();
      world.pass(100);
      expect(pagesOf(board)).toHaveLength(ringPages + 1);
      images.push(board.flash.clone());
    }
  });
  /** A board with such flash in it. */
  async function filled(recordForm = 0): Promise<{ world: WornWorld; board: VirtualBoard }> {
    const world = new WornWorld(114);
    return { world, board: await world.wear({ x: 0, y: 0 }, { role: "scanner", flash: images[recordForm].clone() }) };
  }
  /** Clears the lowest bit that is set at `address` or behind it. */
  function flip(board: VirtualBoard, address: number): void {
    let at = address;
    while (board.flash.byteAt(at) === 0) at++;
    const byte = board.flash.byteAt(at);
    board.flash.write(at, Uint8Array.of(byte & (byte - 1)));
  }

  test("a page whose header is damaged is stepped over, the rest is read and written on", async () => {
    const { world, board } = await filled();
    const lost = pagesOf(board)[2];
    const before = readLog(board);
    flip(board, lost.address + 4);
    world.restart(board);
    const after = readLog(board);
    const { lo } = status(board);
    const wrong = [...before].filter(([seq, slot]) => {
      if (seq >= PAGE_WORDS && seq < lo) return false;
      const now = after.get(seq);
      return Math.floor(seq / PAGE_WORDS) === lost.page ? now !== undefined : !now || toHex(now) !== toHex(slot);
    });
    expect(wrong.map(([seq]) => seq)).toEqual([]);
    const people = crowd(world, 24, 20);
    world.pass(600);
    people.stop();
    // the ring came round, and the place of the lost page holds a new one
    expect(pagesOf(board).map(({ address }) => address)).toContain(lost.address);
    expect(recordsOf(board).filter(({ kind }) => kind === "damaged")).toEqual([]);
  });

  test("records with a changed bit are damaged, their neighbours are not", async () => {
    const { world, board } = await filled();
    const before = recordsOf(board);
    const [page] = pagesOf(board).slice(1);
    const slots = [5, 6, 40, 141];
    for (const [i, slot] of slots.entries()) flip(board, page.address + PAGE_HEADER_BYTES + slot * LONG_BYTES + 7 * i + 2);
    world.restart(board);
    const after = recordsOf(board).slice(0, before.length);
    const isHit = ({ seq }: { seq: number }) => slots.includes((seq - page.seq) / LONG_WORDS);
    expect(after.filter(isHit).map(({ kind }) => kind)).toEqual(slots.map(() => "damaged"));
    expect(after.filter((record) => !isHit(record))).toEqual(before.filter((record) => !isHit(record)));
    expect(status(board).e).toBe(3);
  });

  test("a changed kind, which tells how long a record is, costs some records beside it, not the page, and nothing is written over", async () => {
    for (const form of [0, 1]) {
      const { world, board } = await filled(form);
      const words = form ? DENSE_WORDS : LONG_WORDS;
      const before = new Map(recordsOf(board).map((record) => [record.seq, record]));
      const pages = pagesOf(board).slice(1);
      for (const [i, page] of pages.entries()) {
        // an encounter in the middle of the page, that of the newest one as well
        const at = page.address + PAGE_HEADER_BYTES + (LONG_WORDS * 2 + words * (10 + 3 * i)) * 4;
        const byte = board.flash.byteAt(at);
        const image = board.flash.read(at - (at % PAGE_BYTES), PAGE_BYTES);
        image[at % PAGE_BYTES] = byte ^ (form ? 1 : 12);
        board.flash.erase(at);
        board.flash.write(at - (at % PAGE_BYTES), image);
      }
      const { hi } = status(board);
      world.restart(board);
      expect(status(board).hi).toBeGreaterThanOrEqual(hi + LONG_WORDS);
      const after = new Map(recordsOf(board).map((record) => [record.seq, record]));
      const kept = [...before].filter(([seq]) => JSON.stringify(after.get(seq)) === JSON.stringify(before.get(seq)));
      expect(kept.length).toBeGreaterThan(before.size - 20 * pages.length);
      // what stands there now and did not before is damaged, or new
      const strange = [...after.values()].filter(({ seq, kind }) => seq < hi && kind !== "damaged" && kind !== "deleted" && !before.has(seq));
      expect(strange).toEqual([]);
      expect(status(board).er[1]).toBe(0);
    }
  });

  test("where the newest page is damaged the log goes on with another one", async () => {
    const { world, board } = await filled();
    const newest = pagesOf(board).at(-1)!;
    const kept = recordsOf(board).filter(({ seq }) => seq < newest.seq);
    flip(board, newest.address);
    world.restart(board);
    const people = crowd(world, 20, 20);
    world.pass(100);
    people.stop();
    const after = recordsOf(board);
    const { lo } = status(board);
    const stillThere = (record: { seq: number }) => record.seq < PAGE_WORDS || (record.seq >= lo && record.seq < newest.seq);
    expect(after.filter(stillThere)).toEqual(kept.filter(stillThere));
    expect(after.filter(({ kind }) => kind === "damaged")).toEqual([]);
    expect(peopleIn(board).length).toBeGreaterThan(40);
  });

  test("where the first page is damaged before there is another, the log goes on behind it", async () => {
    const world = new WornWorld(116);
    const board = await world.wear({ x: 0, y: 0 }, { role: "scanner", settings: { cycleTime: 20 } });
    flip(board, placeAddress(board, 0));
    world.restart(board);
    configure(board, { cycleTime: 20 });
    const people = crowd(world, 20, 20);
    world.pass(300);
    people.stop();
    world.pass(100);
    expect(pagesOf(board).map(({ page }) => page)).toEqual(pagesOf(board).map((_, i) => i + 1));
    expect(recordsOf(board).filter(({ kind }) => kind === "damaged")).toEqual([]);
    expect(status(board).er[1]).toBe(0);
    expect(peopleIn(board).length).toBeGreaterThan(100);
  });

  test("pages of an earlier log are none of this one's", async () => {
    const { world, board } = await filled();
    const { flash, storage } = board;
    const head = flash.read(storage.start, 64);
    // as the hub does it: the page of the head is erased and written with another id
    flash.erase(storage.start);
    flash.write(storage.start, head.subarray(0, 32));
    const fresh = new WornWorld(118).addBoard(board.facts, { x: 0, y: 0 });
    install(fresh, await firmwareFor("scanner"), 4, Buffer.from("a1a2a3a4a5a6a7a8", "hex"));
    flash.write(storage.start + 32, fresh.flash.read(fresh.storage.start + 32, 32));
    world.restart(board);
    expect(status(board)).toMatchObject({ id: "a1a2a3a4a5a6a7a8", e: 1, lo: 0 });
    expect(status(board).hi).toBeLessThan(8 * LONG_WORDS);
    expect(readLog(board).size).toBe(status(board).hi / LONG_WORDS);
    expect(peopleIn(board)).toEqual([]);
    configure(board, { cycleTime: 20 });
    const people = crowd(world, 24, 20);
    world.pass(900);
    people.stop();
    world.pass(100);
    const [first, ...others] = pagesOf(board).map(({ page }) => page);
    expect(first).toBe(0);
    expect(others).toEqual(others.map((_, i) => others[0] + i));
    expect(peopleIn(board).length).toBeGreaterThan(300);
  });
});

describe("without a log of its own", () => {
  const files: [string, (board: VirtualBoard) => void][] = [
    ["no file at all before the code", () => undefined],
    ["another file in its place", (board) => void board.storage.write("notes.json", Buffer.from(JSON.stringify({ text: "x".repeat(5000) })))],
    ["a log of a later format", (board) => void withHead(board, (head) => (head[3] += 1))],
    ["a log whose head is damaged", (board) => void withHead(board, (head) => (head[12] = 255))],
    ["a log whose head was never written", (board) => void board.storage.write("tl.log", new Uint8Array(0), undefined, 0, 5 * PAGE_BYTES - 32)],
  ];
  function withHead(board: VirtualBoard, change: (head: Uint8Array) => void): void {
    const other = new WornWorld(119).addBoard(board.facts, { x: 0, y: 0 });
    other.storage.write("x", Uint8Array.of(1));
    const head = Buffer.alloc(32, 255);
    head.write(`TLH${String.fromCharCode(LOG_VERSION)}`, "latin1");
    LOG_ID.copy(head, 4);
    head[12] = 4;
    head.writeUInt32LE(0x12345678, 28);
    change(head);
    board.storage.write("tl.log", head, undefined, 0, 5 * PAGE_BYTES - 32);
  }

  test.each(files)("%s: nothing is written, scanned or sent, and only the status is told", async (_, prepare) => {
    for (const role of ["wearable", "scanner"]) {
      const world = new WornWorld(120);
      const firmware = await firmwareFor(role);
      const board = world.addBoard(puckjs, { x: 0, y: 0 });
      prepare(board);
      board.storage.write(".bootcde", Buffer.from(firmware.code, "latin1"));
      const people = crowd(world, 5, 20);
      board.powerOn();
      const image = toHex(board.flash.read(board.flash.base, board.flash.size));
      world.pass(1);
      for (const call of ["t(1772438400,0,0)", "c(0,20)", "c(99,0)", "a(0)", "r(0,29)", "k(0)", "k(1)"])
        expect(() => command(board, call)).toThrow("refused: log");
      expect(status(board)).toMatchObject({ id: "", hi: 0, ad: 0, n: 0 });
      board.evaluate(`setTime(${world.clock.now})`);
      board.pressButton(100);
      world.pass(1);
      expect(board.lights.LED1 + board.lights.LED2 + board.lights.LED3).toBeGreaterThanOrEqual(0);
      board.pressButton(2500);
      world.pass(5);
      expect(world.air.station(board.address).emission?.advertising.connectable).toBe(true);
      world.pass(3 * 3600);
      people.stop();
      expect(world.air.station(board.address).emission).toBeUndefined();
      expect(world.air.station(board.address).airTime.scanSeconds).toBe(0);
      expect(toHex(board.flash.read(board.flash.base, board.flash.size)) === image).toBe(true);
      expect(status(board)).toMatchObject({ id: "", hi: 0, ad: 0, n: 0, op: 0, er: [0, 0, 0] });
    }
  });

  test("the button shows red", async () => {
    const world = new WornWorld(121);
    const board = world.addBoard(puckjs, { x: 0, y: 0 });
    board.storage.write(".bootcde", Buffer.from((await firmwareFor()).code, "latin1"));
    board.powerOn();
    board.pressButton(100);
    const lit = new Set<string>();
    for (let i = 0; i < 60; i++) {
      world.pass(0.01);
      for (const [name, level] of Object.entries(board.lights)) if (level > 0) lit.add(name);
    }
    expect([...lit]).toEqual(["LED1"]);
  });
});
