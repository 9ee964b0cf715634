import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { puckjs } from "../../boards/puckjs.ts";
import type { RecordBlock } from "../../host-tools/device/board.ts";
import { type BoardDescription, pullLog } from "../../host-tools/device/pull.ts";
import type { FlashImage } from "../../host-tools/simulator/flash.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { decodeAdvertisement } from "../../protocols/gaen/advertisement.ts";
import { PAGE_BYTES, PAGE_HEADER_BYTES, SLOT_BYTES, SLOTS } from "../../protocols/log-format.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { crowd, numberOf } from "../support/crowd.ts";
import { keysOf, pagesOf, placeAddress, recordsOf, recordsOfKind } from "../support/flash-log.ts";
import { toHex } from "../support/vectors.ts";
import { command, configure, expectQuietConsoles, install, LOG_ID, status, WornWorld } from "../support/worn-boards.ts";

afterEach(expectQuietConsoles);

/** Numbers of the people whose encounters are in the log, in its order. */
const peopleIn = (board: VirtualBoard) => recordsOfKind(board, "encounter").map(({ rpi }) => numberOf(rpi));

/** All slots that the board hands over by T.r from `from` on, by sequence number. */
function readOut(board: VirtualBoard, from = 0): Map<number, Uint8Array> {
  const slots = new Map<number, Uint8Array>();
  for (let seq = from, end = status(board).hi; seq < end; ) {
    const answer = Buffer.from(command(board, `r(${seq},29)`));
    for (let at = 16; at < answer.length; at += SLOT_BYTES)
      slots.set(answer.readUInt32LE(0) + (at - 16) / SLOT_BYTES, answer.subarray(at, at + SLOT_BYTES));
    if (answer.readUInt32LE(12) <= seq) throw new Error(`T.r(${seq},29) goes on at ${answer.readUInt32LE(12)}`);
    seq = answer.readUInt32LE(12);
  }
  return slots;
}

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
    expect(kept.length).toBeGreaterThan((pages - 1) * SLOTS * 0.95);
    // page 0 keeps the first ones; from the oldest page of the ring on everybody is there
    const ring = recordsOfKind(board, "encounter")
      .filter(({ seq }) => seq >= SLOTS)
      .map(({ rpi }) => numberOf(rpi));
    const whole = Math.min(...ring) + 20;
    expect(ring.filter((number) => number >= whole).sort((a, b) => a - b)).toEqual(heard.filter((number) => number >= whole));
  });

  test("numbers its pages and records without a gap", () => {
    const numbers = pagesOf(board).map(({ page }) => page);
    const newest = numbers.at(-1)!;
    expect(numbers).toEqual([0, ...Array.from({ length: pages }, (_, i) => newest - pages + 1 + i)]);
    const { lo, hi } = status(board);
    expect(lo).toBe((newest - pages + 1) * SLOTS);
    expect(Math.floor((hi - 1) / SLOTS)).toBe(newest);
    const records = recordsOf(board).filter(({ seq }) => seq >= lo);
    expect(records.map(({ seq }) => seq)).toEqual(Array.from({ length: hi - lo }, (_, i) => lo + i));
    expect(records.filter(({ kind }) => kind === "damaged")).toEqual([]);
  });

  test("begins each page with settings and clock, so that it can be read alone", () => {
    for (const { seq } of pagesOf(board)) {
      const kinds = recordsOf(board)
        .filter((record) => record.seq >= seq && record.seq < seq + 2)
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
        for (let page = Math.max(lo, SLOTS); page < one.lo; page += SLOTS) dropped += Math.max(0, Math.min(SLOTS, page + SLOTS - acknowledged));
        lo = one.lo;
      }
      expect(one.dropped, `at ${one.at}`).toBe(dropped);
      if (one === told[9]) acknowledged = status(board).ak;
    }
    expect(dropped).toBeGreaterThan(500);
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
      .flatMap(({ seq, slots }) =>
        Array.from({ length: SLOTS }, (_, i) => ({ seq: seq + i, slot: toHex(slots.subarray(i * SLOT_BYTES, (i + 1) * SLOT_BYTES)) })),
      )
      .filter(({ seq }) => seq < hi);
    const keys = new Set(keysOf(board).map(({ seq }) => seq));
    const pulled = await world.talk(board, (link) => pullLog(link, store));
    expect(pulled).toMatchObject({ from: 0, upTo: hi, damaged: 0 });
    const got = blocks.flatMap(({ seq, slots }) =>
      Array.from({ length: slots.length / SLOT_BYTES }, (_, i) => ({
        seq: seq + i,
        slot: toHex(slots.subarray(i * SLOT_BYTES, (i + 1) * SLOT_BYTES)),
      })),
    );
    expect(got.filter(({ seq }) => seq < hi)).toEqual(
      expected.map(({ seq, slot }) => ({ seq, slot: keys.has(seq) ? "00".repeat(SLOT_BYTES) : slot })),
    );
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
      const records = recordsOf(board).filter(({ seq }) => seq >= after.lo && seq < after.hi);
      expect(records.map(({ seq }) => seq)).toEqual(Array.from({ length: after.hi - after.lo }, (_, k) => after.lo + k));
      expect(records.filter(({ kind }) => kind === "damaged")).toEqual([]);
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
    const now = readOut(board);
    expect(now.size).toBeGreaterThan(0);
    const changed = [...now].filter(([seq, slot]) => known.has(seq) && known.get(seq) !== toHex(slot)).map(([seq]) => seq);
    expect(changed).toEqual([]);
    for (const [seq, slot] of now) known.set(seq, toHex(slot));
    const { lo } = status(board);
    const missing = Array.from({ length: end }, (_, seq) => seq).filter((seq) => seq >= lo && !now.has(seq));
    expect(missing).toEqual([]);
  }
  people.stop();
  const { lo, hi } = status(board);
  const numbers = [...known.keys()].sort((a, b) => a - b);
  expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, i) => i));
  expect(Buffer.from(command(board, `r(${SLOTS},29)`)).readUInt32LE(12)).toBe(lo);
  expect(Buffer.from(command(board, `r(${hi},29)`)).readUInt32LE(12)).toBe(hi);
});

describe("flash that has changed by itself", () => {
  let image: FlashImage;
  beforeAll(async () => {
    const world = new WornWorld(113);
    const board = await world.wear({ x: 0, y: 0 }, { role: "scanner", ringPages: 4, settings: { cycleTime: 20 } });
    const people = crowd(world, 24, 20);
    world.pass(560);
    people.stop();
    world.pass(100);
    expect(pagesOf(board)).toHaveLength(5);
    image = board.flash.clone();
  });
  /** A board with that flash in it. */
  async function filled(): Promise<{ world: WornWorld; board: VirtualBoard }> {
    const world = new WornWorld(114);
    return { world, board: await world.wear({ x: 0, y: 0 }, { role: "scanner", flash: image.clone() }) };
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
    const before = readOut(board);
    flip(board, lost.address + 4);
    world.restart(board);
    const after = readOut(board);
    const { lo } = status(board);
    const wrong = [...before].filter(([seq, slot]) => {
      if (seq >= SLOTS && seq < lo) return false;
      const now = after.get(seq);
      return Math.floor(seq / SLOTS) === lost.page ? now !== undefined : !now || toHex(now) !== toHex(slot);
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
    for (const [i, slot] of slots.entries()) flip(board, page.address + PAGE_HEADER_BYTES + slot * SLOT_BYTES + 7 * i);
    world.restart(board);
    const after = recordsOf(board).slice(0, before.length);
    const isHit = ({ seq }: { seq: number }) => slots.includes(seq - page.seq);
    expect(after.filter(isHit).map(({ kind }) => kind)).toEqual(slots.map(() => "damaged"));
    expect(after.filter((record) => !isHit(record))).toEqual(before.filter((record) => !isHit(record)));
    expect(status(board).e).toBe(3);
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
    const stillThere = (record: { seq: number }) => record.seq < SLOTS || (record.seq >= lo && record.seq < newest.seq);
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
    expect(status(board).hi).toBeLessThan(8);
    expect(readOut(board).size).toBe(status(board).hi);
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
    head.write("TLH\x01", "latin1");
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
