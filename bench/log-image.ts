import { crc32 } from "node:zlib";
import { decodeLogHead, encodeLogHead } from "../host-tools/device/log-head.ts";
import { isSealed, splitRecords } from "../host-tools/store/log-decoder.ts";
import { readU32 } from "../protocols/bytes.ts";
import { HEAD_BYTES, PAGE_BYTES, PAGE_HEADER_BYTES, PAGE_MAGIC, PAGE_WORDS, WORD_BYTES } from "../protocols/log-format.ts";

// A log's flash as bytes: the page with the head, and the ring. Read by the tables of protocols/log-format.ts and by nothing of the firmware.

const PAGE_ZERO = 2 * HEAD_BYTES;
const LOG_ID = Buffer.from("0102030405060708", "hex");

/** An empty log with so many pages of ring. */
export function emptyImage(ringPages: number): Buffer {
  const image = Buffer.alloc((ringPages + 1) * PAGE_BYTES, 0xff);
  image.set(encodeLogHead(LOG_ID, ringPages), HEAD_BYTES);
  return image;
}

/** A page that has a valid header. */
export interface ImagePage {
  page: number;
  /** Offset of its header. */
  at: number;
}

export function pagesIn(image: Buffer): ImagePage[] {
  const head = image.subarray(HEAD_BYTES, PAGE_ZERO);
  const pages: ImagePage[] = [];
  for (let place = 0; place <= (decodeLogHead(head)?.pages ?? 0); place++) {
    const at = place ? place * PAGE_BYTES : PAGE_ZERO;
    const header = image.subarray(at, at + PAGE_HEADER_BYTES);
    const check = (crc32(header.subarray(0, 16)) ^ readU32(head, 4)) >>> 0;
    if (readU32(header, 0) === PAGE_MAGIC && readU32(header, 16) === check) pages.push({ page: readU32(header, 4), at });
  }
  return pages.sort((a, b) => a.page - b.page);
}

/** Whole records of a page by their offset in the image; those that are neither whole nor deleted nor blank are `torn`. */
export function recordsIn(image: Buffer, { at }: ImagePage): { whole: Map<number, Buffer>; torn: number[] } {
  const whole = new Map<number, Buffer>();
  const torn: number[] = [];
  let offset = at + PAGE_HEADER_BYTES;
  for (const slot of splitRecords(image.subarray(offset, offset + PAGE_WORDS * WORD_BYTES))) {
    const isBlank = slot.length === WORD_BYTES && slot.every((byte) => byte === 0xff);
    if (!isBlank) {
      if (isSealed(slot)) whole.set(offset, Buffer.from(slot));
      else if ((slot[0] & 15) > 1) torn.push(offset);
    }
    offset += slot.length;
  }
  return { whole, torn };
}
