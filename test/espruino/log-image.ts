import { crc32 } from "node:zlib";
import { isSealed, splitRecords } from "../../host-tools/store/log-decoder.ts";
import { readU32 } from "../../protocols/bytes.ts";
import {
  CLOCK,
  DELETED,
  DELETED_DENSE,
  HEAD_BYTES,
  PAGE_BYTES,
  PAGE_HEADER_BYTES,
  PAGE_MAGIC,
  PAGE_WORDS,
  TEK,
  WORD_BYTES,
} from "../../protocols/log-format.ts";

/** Storage's own header before the log file, 32 bytes, then the head of the log: page 0 begins behind both. */
const PAGE_ZERO = 2 * HEAD_BYTES;

/** What stands in the flash of a board whose first file is a log, read without the firmware. */
export interface LogImage {
  /** Whole records by sequence number, as hex, without those that were deleted. The milliseconds of a CLOCK are left out. */
  records: Map<number, string>;
  /** Records that are neither whole nor blank nor deleted. */
  torn: number[];
  /** Own keys, hex. */
  keys: Set<string>;
}

export function readLogImage(flash: Uint8Array): LogImage {
  const image: LogImage = { records: new Map(), torn: [], keys: new Set() };
  const head = flash.subarray(HEAD_BYTES, PAGE_ZERO);
  const ring = head[12];
  for (let place = 0; place <= ring; place++) {
    const at = place ? place * PAGE_BYTES : PAGE_ZERO;
    const header = flash.subarray(at, at + PAGE_HEADER_BYTES);
    const sum = (crc32(header.subarray(0, 16)) ^ readU32(head, 4)) >>> 0;
    if (readU32(header, 0) !== PAGE_MAGIC || readU32(header, 16) !== sum) continue;
    const page = readU32(header, 4);
    let seq = page * PAGE_WORDS;
    for (const slot of splitRecords(flash.slice(at + PAGE_HEADER_BYTES, at + PAGE_HEADER_BYTES + PAGE_WORDS * WORD_BYTES))) {
      addRecord(image, seq, slot);
      seq += slot.length / WORD_BYTES;
    }
  }
  return image;
}

function addRecord(image: LogImage, seq: number, slot: Uint8Array): void {
  const kind = slot[0] & 15;
  if (slot.every((byte) => byte === 0xff) || kind === DELETED || kind === DELETED_DENSE) return;
  if (!isSealed(slot)) {
    image.torn.push(seq);
    return;
  }
  if (kind === TEK) image.keys.add(Buffer.from(slot.subarray(1, 17)).toString("hex"));
  // two runs set their clocks within the same second, not within the same millisecond; the check covers it too
  if (kind === CLOCK) slot.fill(CLOCK, 0, 1).fill(0, 13, 15).fill(0, 27);
  image.records.set(seq, Buffer.from(slot).toString("hex"));
}
