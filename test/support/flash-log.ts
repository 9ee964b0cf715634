import { crc32 } from "node:zlib";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { type ClockTie, stretchesOf, unixOfTick, usableTies } from "../../host-tools/store/era-time.ts";
import { decodeBlock, type LogRecord, type PulledBlock } from "../../host-tools/store/log-decoder.ts";
import { readU16, readU32 } from "../../protocols/bytes.ts";
import { HEAD_BYTES, PAGE_BYTES, PAGE_HEADER_BYTES, PAGE_MAGIC, PAYLOAD_BYTES, SLOT_BYTES, SLOTS, TEK } from "../../protocols/log-format.ts";

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
    const slots = flash.read(address + PAGE_HEADER_BYTES, SLOTS * SLOT_BYTES);
    pages.push({ page, address, seq: page * SLOTS, baseTick: readU32(header, 8), era: readU32(header, 12), slots });
  }
  return pages.sort((a, b) => a.page - b.page);
}

/** All records, oldest first, without the blank slots. */
export function recordsOf(board: VirtualBoard): LogRecord[] {
  return pagesOf(board)
    .flatMap(decodeBlock)
    .filter((record) => record.kind !== "blank");
}

export function recordsOfKind<K extends LogRecord["kind"]>(board: VirtualBoard, kind: K): Extract<LogRecord, { kind: K }>[] {
  return recordsOf(board).filter((record): record is Extract<LogRecord, { kind: K }> => record.kind === kind);
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
  return pagesOf(board).flatMap(({ seq, slots }) => {
    const keys: StoredKey[] = [];
    for (let i = 0; i < SLOTS; i++) {
      const slot = slots.subarray(i * SLOT_BYTES, (i + 1) * SLOT_BYTES);
      const word = readU16(slot, PAYLOAD_BYTES);
      if (word >> 13 !== TEK || (word & 0x1fff) !== (crc32(slot.subarray(0, PAYLOAD_BYTES)) & 0x1fff)) continue;
      keys.push({ seq: seq + i, tek: slot.slice(0, 16), rollingStart: readU32(slot, 16), rollingPeriod: slot[20], ended: slot[21] === 1 });
    }
    return keys;
  });
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
