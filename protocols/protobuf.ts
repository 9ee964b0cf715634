// As much of Protocol Buffers as lists of keys need, over offsets into one buffer, so that a file of half a million keys is read without a copy of any.
// Source: Protocol Buffers encoding, https://protobuf.dev/programming-guides/encoding/ . A tag is `field number << 3 | wire type`:
//   0  varint: 7 bits a byte, low first, top bit: more to come, at most 10 bytes; negative int32 as 64 bits
//   1  8 bytes little-endian
//   2  length (varint) and as many bytes
//   5  4 bytes little-endian
// Wire types 3 and 4 are long abandoned groups, 6 and 7 never were: errors.
import { readU32, writeInt } from "./bytes.ts";

/**
 * One field of a message.
 * Wire type 0: `value` is its low 32 bits, signed. 1 and 5: `value` is unsigned, exact to 2^53. 2: `value` and `end` are the offsets at which the bytes begin and end.
 */
export type FieldVisitor = (tag: number, value: number, end: number) => void;

/**
 * Visits the fields of a message, the bytes from `start` to `end`, in the order in which they stand. A visitor that doesn't know a tag leaves it alone, which skips the field.
 * Answers `false` for bytes that are no message: then some fields may have been visited. Nothing is allocated, however long a field says it is (COM-03).
 */
export function readFields(bytes: Uint8Array, start: number, end: number, visit: FieldVisitor): boolean {
  let at = start;
  // Set by varint(): it doesn't end, or it takes more than 32 bits, which is right for a negative value and wrong for a tag or a length.
  let broken = false;
  let large = false;

  function varint(): number {
    let low = 0;
    large = false;
    // nearly all are one byte long
    if (at < end && bytes[at] < 0x80) return bytes[at++];
    for (let shift = 0; shift < 70 && at < end; shift += 7) {
      const byte = bytes[at++];
      if (shift < 35) low |= (byte & 0x7f) << shift;
      if (byte & (shift < 28 ? 0 : shift === 28 ? 0x70 : 0x7f)) large = true;
      if (byte < 0x80) return low;
    }
    broken = true;
    return 0;
  }

  while (at < end) {
    const tag = varint();
    if (broken || large || tag >>> 3 === 0) return false;
    const wire = tag & 7;
    let value = at;
    if (wire === 0) {
      value = varint();
    } else if (wire === 1) {
      at += 8;
      if (at <= end) value = readU32(bytes, value) + readU32(bytes, value + 4) * 0x100000000;
    } else if (wire === 2) {
      const length = varint();
      if (large || length < 0) return false;
      value = at;
      at += length;
    } else if (wire === 5) {
      at += 4;
      if (at <= end) value = readU32(bytes, value);
    } else {
      return false;
    }
    if (broken || at > end) return false;
    visit(tag, value, at);
  }
  return true;
}

/**
 * An int64 field that a visitor was shown as a varint ending at `end`: it may be larger than the 32 bits that the visitor gets. `undefined` for what is not 0 to 2^53-1.
 */
export function readInt64(bytes: Uint8Array, end: number): number | undefined {
  let start = end - 1;
  // The byte before is the last of the tag, and has no top bit.
  while (start > 0 && bytes[start - 1] > 0x7f) start--;
  let value = 0;
  for (let i = end - 1; i >= start; i--) {
    value = value * 128 + (bytes[i] & 0x7f);
    if (value > 0x1fffffffffffff) return undefined;
  }
  return value;
}

/** Text of a string field, UTF-8. `undefined` if it isn't UTF-8, or longer than `most` bytes. */
export function readText(bytes: Uint8Array, start: number, end: number, most: number): string | undefined {
  if (end - start > most) return undefined;
  let escaped = "";
  for (let i = start; i < end; i++) escaped += "%" + (bytes[i] + 256).toString(16).slice(1);
  try {
    return decodeURIComponent(escaped);
  } catch (_notUtf8) {
    return undefined;
  }
}

/** A message on its way out: the first `length` of `bytes` are written. */
export interface Writer {
  bytes: Uint8Array;
  length: number;
}

export function createWriter(): Writer {
  return { bytes: new Uint8Array(64), length: 0 };
}

/** What has been written, as a view. */
export function written(writer: Writer): Uint8Array {
  return writer.bytes.subarray(0, writer.length);
}

function makeRoom(writer: Writer, size: number): void {
  if (writer.length + size <= writer.bytes.length) return;
  const grown = new Uint8Array(2 * (writer.length + size));
  grown.set(written(writer));
  writer.bytes = grown;
}

/** `value`: 0 to 2^32-1, or a negative int32, which takes ten bytes. */
function writeVarint(writer: Writer, value: number): void {
  makeRoom(writer, 10);
  let rest = value >>> 0;
  while (rest > 0x7f) {
    writer.bytes[writer.length++] = rest | 0x80;
    rest >>>= 7;
  }
  if (value < 0) {
    // The fifth byte has the top four bits; the 32 one-bits of the upper half follow.
    writer.bytes.set([rest | 0xf0, 0xff, 0xff, 0xff, 0xff, 1], writer.length);
    writer.length += 6;
  } else {
    writer.bytes[writer.length++] = rest;
  }
}

/** An int32, enum or uint32 field. */
export function writeNumber(writer: Writer, tag: number, value: number): void {
  writeVarint(writer, tag);
  writeVarint(writer, value);
}

/** An int64 field of an unsigned integer to 2^53. */
export function writeInt64(writer: Writer, tag: number, value: number): void {
  writeVarint(writer, tag);
  makeRoom(writer, 10);
  let rest = value;
  while (rest > 0x7f) {
    writer.bytes[writer.length++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  writer.bytes[writer.length++] = rest;
}

/** A fixed64 field of an unsigned integer to 2^53. */
export function writeFixed64(writer: Writer, tag: number, value: number): void {
  writeVarint(writer, tag);
  makeRoom(writer, 8);
  writeInt(writer.bytes, writer.length, 4, value % 0x100000000);
  writeInt(writer.bytes, writer.length + 4, 4, Math.floor(value / 0x100000000));
  writer.length += 8;
}

/** A bytes field, or a message that was written by another writer. */
export function writeBytes(writer: Writer, tag: number, bytes: Uint8Array): void {
  writeVarint(writer, tag);
  writeVarint(writer, bytes.length);
  makeRoom(writer, bytes.length);
  writer.bytes.set(bytes, writer.length);
  writer.length += bytes.length;
}

/** A string field, UTF-8. */
export function writeText(writer: Writer, tag: number, text: string): void {
  const escaped = encodeURIComponent(text);
  const bytes = new Uint8Array(escaped.length);
  let length = 0;
  for (let i = 0; i < escaped.length; i++) {
    const isEscape = escaped.charAt(i) === "%";
    bytes[length++] = isEscape ? parseInt(escaped.slice(i + 1, i + 3), 16) : escaped.charCodeAt(i);
    if (isEscape) i += 2;
  }
  writeBytes(writer, tag, bytes.subarray(0, length));
}
