/**
 * The log in flash: what a board writes and the hub reads. One Storage file, `tl.log`, the first file of an empty Storage, so that nothing ever moves it.
 *
 *   file offset 0     head: what never changes (see HEAD_*)
 *   file offset 32    page 0: it shares its flash with the file's own 32-byte header, so it can't be erased and is filled once
 *   file offset 4064  the ring: whole flash pages, each PAGE_BYTES long, erased and written as raw flash. Page n > 0 lives at ring place n % ring pages
 *
 * A page is a header and 142 slots. Pages carry growing numbers; a slot's sequence number is `page number * 142 + slot`, so every record has one for ever.
 * The oldest page of the ring is erased when a fresh one is needed; keys still worth keeping are copied first, and every page begins with settings and clock.
 *
 *   page header, 36 bytes
 *   offset 0   4  magic 'T' 'L' 'P' format version
 *   offset 4   4  page number
 *   offset 8   4  base tick: seconds since the era began, for the records that follow
 *   offset 12  4  era: grows by one at each start of the firmware
 *   offset 16  4  CRC-32 of the 16 bytes before, XOR the first 4 bytes of the log id: a page of an earlier log doesn't pass
 *   offset 20 16  reserved, 0xFF
 *
 *   slot, 28 bytes: 26 of payload and a u16
 *   offset 26  bits 0-12: low 13 bits of the CRC-32 of the payload; bits 13-15: kind
 *
 * The last word of a slot is written last, so a torn record shows: its kind is FREE or its check fails. All zero is a deleted record.
 */

export const LOG_FILE = "tl.log";
/** Behind the code, on boards with a screen: the QR code of the label, an image as the interpreter draws it. */
export const LABEL_FILE = "tl.qr";
/** Raised when a reader of the old layout would read nonsense. */
export const LOG_VERSION = 1;
export const PAGE_BYTES = 4096;
export const PAGE_HEADER_BYTES = 36;
export const SLOT_BYTES = 28;
export const PAYLOAD_BYTES = 26;
export const SLOTS = 142;
/** 'T' 'L' 'P' version, little-endian. */
export const PAGE_MAGIC = 0x504c54 + LOG_VERSION * 0x1000000;

// head, 32 bytes at the start of the file
// offset 0   4  magic 'T' 'L' 'H' version
// offset 4   8  log id, random, drawn by the hub when it creates the file
// offset 12  1  number of pages in the ring
// offset 13 15  reserved, 0xFF
// offset 28  4  CRC-32 of the 28 bytes before
export const HEAD_BYTES = 32;
export const HEAD_MAGIC = 0x484c54 + LOG_VERSION * 0x1000000;
export const LOG_ID_BYTES = 8;

export const DELETED = 0;
/** One merged contact with one identifier. */
export const ENCOUNTER = 1;
/** One report of the radio; only when the raw log is on. */
export const SIGHTING = 2;
/** A key of our own: never leaves the board but by the explicit command. */
export const TEK = 3;
/** The clock was set. */
export const CLOCK = 4;
/** The settings in force from here on. */
export const SETTINGS = 5;
/** A new era, or a new base tick for the records that follow. */
export const MARK = 6;
export const FREE = 7;

// ENCOUNTER payload
// offset 0  16 bytes  RPI
// offset 16  4 bytes  AEM
// offset 20  u32      bits 0-18 first heard, in units of 2 s since the base tick; bits 19-28 duration in units of 2 s; bits 29-31 count, low bits
// offset 24  u16      bits 0-3 count, high bits (7 bits: 127 means 127 or more); bits 4-10 −max RSSI; bits 11-15 max − mean RSSI (31 means 31 or more)
//
// SIGHTING payload
// offset 0  16 bytes  RPI
// offset 16  6 bytes  address, most significant byte first
// offset 22  i8       RSSI
// offset 23  u24      bits 0-22 tick − base tick, in seconds (little-endian); bit 23: the address is public, else random
//
// TEK payload
// offset 0  16 bytes  TEK
// offset 16  u32      rolling start, ENIN
// offset 20  u8       rolling period
// offset 21  u8       1 when it has been handed over to the hub for an upload
// offset 22  4 bytes  reserved, 0xFF
//
// CLOCK payload
// offset 0   u32      era
// offset 4   u32      tick at which it was set
// offset 8   u32      Unix seconds of that tick; 0 while the clock is not set
// offset 12  u16      milliseconds beside the Unix seconds
// offset 14  i32      by how many ms the clock was put forward; 0x7FFFFFFF when it had not been set or the step is larger
// offset 18  u16      round trip of the link at that moment, ms; 0xFFFF: not the hub, another tool had moved the clock;
//                     where `why` is 7 or 8 the battery with the receiver on, mV
// offset 20  u8       why: 1 the hub set it, 2 kept over a restart of the firmware, 3 repeated (start of a page, every day), 4 the hub acknowledged,
//                     5 of no era (0): what stands before it was written before that time; after a start without a clock,
//                     7 the battery is low: scans are rarer from here on, 8 it has recovered: they are no longer
// offset 21  u32      sequence number up to which the hub had everything (exclusive)
// offset 25  u8       reserved, 0xFF
//
// SETTINGS payload
// offset 0   22 bytes 11 signed 16-bit settings, in the order of settings.ts
// offset 22  4 bytes  reserved, zero
//
// MARK payload
// offset 0   u32      era
// offset 4   u32      base tick of the records that follow
// offset 8   u16      battery, mV; 0 unknown
// offset 10  u8       1: the firmware has just started
// offset 11  15 bytes firmware version, ASCII, padded with zeros

/** Ticks that 19 bits of 2 s hold: 12 days. Past it a MARK gives a new base. */
export const BASE_SPAN = 0xffffe;
/** An encounter longer than this is closed and begins anew. */
export const LONGEST_ENCOUNTER = 2046;
/** In the time field of a SIGHTING. */
export const PUBLIC_ADDRESS = 0x800000;
export const CLOCK_STEP_UNKNOWN = 0x7fffffff;
export const CLOCK_UNMEASURED = 0xffff;
