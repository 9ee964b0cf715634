import { crc32 } from "node:zlib";
import { slotWord } from "../../host-tools/store/log-decoder.ts";
import { readU32 } from "../../protocols/bytes.ts";
import { CLOCK, DELETED, HEAD_BYTES, PAGE_BYTES, PAGE_HEADER_BYTES, PAGE_MAGIC, SLOT_BYTES, SLOTS, TEK } from "../../protocols/log-format.ts";

/** Storage's own header before the log file, 32 bytes, then the head of the log: page 0 begins behind both. */
const PAGE_ZERO = 2 * HEAD_BYTES;

/** What stands in the flash of a board whose first file is a log, read without the firmware. */
export interface LogImage {
  /** Whole records by sequence number, as hex, without those that were deleted. The milliseconds of a CLOCK are left out. */
  records: Map<number, string>;
  /** Slots that are neither whole nor blank. */
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
    for (let i = 0; i < SLOTS; i++) {
      const begin = at + PAGE_HEADER_BYTES + i * SLOT_BYTES;
      addSlot(image, page * SLOTS + i, flash.slice(begin, begin + SLOT_BYTES));
    }
  }
  return image;
}

function addSlot(image: LogImage, seq: number, slot: Uint8Array): void {
  if (slot.every((byte) => byte === 0xff)) return;
  const kind = slot[27] >> 5;
  if (kind === DELETED && slot.every((byte) => byte === 0)) return;
  const word = slot[26] | (slot[27] << 8);
  if (word !== slotWord(kind, slot.subarray(0, 26))) {
    image.torn.push(seq);
    return;
  }
  if (kind === TEK) image.keys.add(Buffer.from(slot.subarray(0, 16)).toString("hex"));
  // two runs set their clocks within the same second, not within the same millisecond; the check covers it too
  if (kind === CLOCK) slot.fill(0, 12, 14).fill(0, 26);
  image.records.set(seq, Buffer.from(slot).toString("hex"));
}
