import { crc32 } from "node:zlib";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { type ClockTie, stretchesOf, unixOfTick, usableTies } from "../../host-tools/store/era-time.ts";
import { decodeBlock, isSealed, type LogRecord, type PulledBlock, splitRecords } from "../../host-tools/store/log-decoder.ts";
import { readU32 } from "../../protocols/bytes.ts";
import { HEAD_BYTES, LONG_WORDS, PAGE_BYTES, PAGE_HEADER_BYTES, PAGE_MAGIC, PAGE_WORDS, TEK, WORD_BYTES } from "../../protocols/log-format.ts";

// The log as it lies in a board's flash, read by the tables of protocols/log-format.ts and by nothing of the firmware.

/** Flash address at which the log's place 0 to `ring pages` begins: its page header. */
export function placeAddress(board: VirtualBoard, place: number): number {
  const { start } = board.storage;
  return start + (place === 0 ? 2 * HEAD_BYTES : PAGE_BYTES * place);
}

/** Every whole page, oldest first. */
export function pagesOf(board: VirtualBoard): (PulledBlock & { page: number; address: number })[] {
  const { flash, storage } = board;
  const head = flash.read(storage.start + HEAD_BYTES, HEAD_BYTES);
  const pages: (PulledBlock & { page: number; address: number })[] = [];
  for (let place = 0; place <= head[12]; place++) {
    const address = placeAddress(board, place);
    const header = flash.read(address, PAGE_HEADER_BYTES);
    const check = (crc32(header.subarray(0, 16)) ^ readU32(head, 4)) >>> 0;
    if (readU32(header, 0) !== PAGE_MAGIC || readU32(header, 16) !== check) continue;
    const page = readU32(header, 4);
    const slots = flash.read(address + PAGE_HEADER_BYTES, PAGE_WORDS * WORD_BYTES);
    pages.push({ page, address, seq: page * PAGE_WORDS, baseTick: readU32(header, 8), era: readU32(header, 12), slots });
  }
  return pages.sort((a, b) => a.page - b.page);
}

/** A record as it lies in flash. */
export interface RawRecord {
  seq: number;
  address: number;
  kind: number;
  slot: Uint8Array;
}

/** What stands on a page, blank words included. */
export function rawRecordsOf({ seq, address, slots }: { seq: number; address: number; slots: Uint8Array }): RawRecord[] {
  let at = 0;
  return splitRecords(slots).map((slot) => {
    const record = { seq: seq + at / WORD_BYTES, address: address + PAGE_HEADER_BYTES + at, kind: slot[0] & 15, slot };
    at += slot.length;
    return record;
  });
}

/** What T.r shows of a record: ones behind its kind where it is an own key, deleted, or not whole. */
export function shownByBoard(slot: Uint8Array): Uint8Array {
  if (isSealed(slot) && (slot[0] & 15) !== TEK) return slot;
  const hidden = new Uint8Array(slot.length).fill(255);
  hidden[0] = slot[0] | 0xf0;
  return hidden;
}

/** All records, oldest first, without the blank words. */
export function recordsOf(board: VirtualBoard): LogRecord[] {
  return pagesOf(board)
    .flatMap(decodeBlock)
    .filter((record) => record.kind !== "blank");
}

export function recordsOfKind<K extends LogRecord["kind"]>(board: VirtualBoard, kind: K): Extract<LogRecord, { kind: K }>[] {
  return recordsOf(board).filter((record): record is Extract<LogRecord, { kind: K }> => record.kind === kind);
}

/** Encounters of both forms, oldest first. */
export function encountersOf(board: VirtualBoard): { seq: number; kind: "encounter" | "dense"; id: Uint8Array }[] {
  return recordsOf(board).flatMap((record) => {
    if (record.kind === "encounter") return { seq: record.seq, kind: record.kind, id: record.rpi };
    return record.kind === "dense" ? { seq: record.seq, kind: record.kind, id: record.prefix } : [];
  });
}

/** Sequence numbers of words that were left out: blank ones before the end of the log where a record would have had room. */
export function holesOf(board: VirtualBoard): number[] {
  const pages = pagesOf(board);
  return pages.flatMap((page) => {
    const raw = rawRecordsOf(page);
    const isBlank = ({ slot }: RawRecord) => slot.every((byte) => byte === 255);
    const end = page === pages.at(-1) ? raw.findLastIndex((record) => !isBlank(record)) : raw.length;
    return raw
      .slice(0, end)
      .filter((record) => isBlank(record) && record.seq - page.seq <= PAGE_WORDS - LONG_WORDS)
      .map(({ seq }) => seq);
  });
}

/** An own key as it lies in flash. */
export interface StoredKey {
  seq: number;
  tek: Uint8Array;
  rollingStart: number;
  rollingPeriod: number;
  /** Has it come to its end before its day? */
  ended: boolean;
}

export function keysOf(board: VirtualBoard): StoredKey[] {
  return pagesOf(board)
    .flatMap(rawRecordsOf)
    .filter(({ kind, slot }) => kind === TEK && isSealed(slot))
    .map(({ seq, slot }) => ({
      seq,
      tek: slot.slice(1, 17),
      rollingStart: readU32(slot, 17),
      rollingPeriod: slot[21],
      ended: slot[22] === 1,
    }));
}

/** Unix second of a tick of an era, as the hub works it out; undefined while nothing ties the era to time. */
export function timesOf(board: VirtualBoard): (era: number, tick: number) => number | undefined {
  const ties = new Map<number, ClockTie[]>();
  for (const { clockEra, tick, unixMs, why, roundTripMs } of recordsOfKind(board, "clock")) {
    if (unixMs === undefined) continue;
    ties.set(clockEra, [...(ties.get(clockEra) ?? []), { tick, unixMs, why, roundTripMs }]);
  }
  return (era, tick) => unixOfTick(stretchesOf(usableTies(ties.get(era) ?? [])), tick);
}

/** Where `bytes` stand in the board's flash, as addresses. */
export function findInFlash(board: VirtualBoard, bytes: Uint8Array): number[] {
  const { flash } = board;
  const image = Buffer.from(flash.read(flash.base, flash.size));
  const found: number[] = [];
  for (let at = image.indexOf(bytes); at >= 0; at = image.indexOf(bytes, at + 1)) found.push(flash.base + at);
  return found;
}
