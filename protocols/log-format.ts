/**
 * The log in flash: what a board writes and the hub reads. One Storage file, `tl.log`, the first file of an empty Storage, so that nothing ever moves it.
 *
 *   file offset 0     head: what never changes (see HEAD_*)
 *   file offset 32    page 0: it shares its flash with the file's own 32-byte header, so it can't be erased and is filled once
 *   file offset 4064  the ring: whole flash pages, each PAGE_BYTES long, erased and written as raw flash. Page n > 0 lives at ring place n % ring pages
 *
 * A page is a header and 1,000 words of 4 bytes. Pages carry growing numbers; records are appended, each a whole number of words, and none goes over the end of a page.
 * A record's sequence number is `page number * 1000 + its first word`, so every record has one for ever; sequence numbers count words.
 * The oldest page of the ring is erased when a fresh one is needed; keys still worth keeping are copied first, and every page begins with settings and clock.
 *
 *   page header, 20 bytes; all zero: the page is about to be erased
 *   offset 0   4  magic 'T' 'L' 'P' format version
 *   offset 4   4  page number
 *   offset 8   4  base tick: seconds since the era began, for the records that follow
 *   offset 12  4  era: grows by one at each start of the firmware
 *   offset 16  4  CRC-32 of the 16 bytes before, XOR the first 4 bytes of the log id: a page of an earlier log doesn't pass
 *
 *   record: dense 12 bytes (3 words), all others 28 bytes (7 words)
 *   byte 0     bits 0-3: kind; bits 4-7: of a dense record payload, of the others the bits 4-7 of its CRC
 *   then       payload
 *   last byte  CRC modulo 254, plus 1: neither erased nor zeroed flash passes
 *
 * The CRC is the CRC-32 of all bytes but the last, with the bits 4-7 of byte 0 taken as zero where they belong to the check.
 *
 * The last byte is written last, so a torn record shows. How long a record is shows by its kind alone, and by a torn one as well: writing only clears bits, so the kind
 * of a torn write is the true one with more ones, and that of a torn deletion the true one with more zeros. See `recordWords`.
 * The log ends at the first place for a record behind the last word of the newest page that isn't blank.
 */

export const LOG_FILE = "tl.log";
/** Behind the code, on boards with a screen: the QR code of the label, an image as the interpreter draws it. */
export const LABEL_FILE = "tl.qr";
/** Raised when a reader of the old layout would read nonsense. */
export const LOG_VERSION = 2;
export const PAGE_BYTES = 4096;
export const PAGE_HEADER_BYTES = 20;
/** Words of a page that records take; a step of the page number is as many sequence numbers. */
export const PAGE_WORDS = 1000;
export const WORD_BYTES = 4;
/** Words of a record of any kind but dense. */
export const LONG_WORDS = 7;
export const LONG_BYTES = 28;
export const DENSE_WORDS = 3;
export const DENSE_BYTES = 12;
/** Payload of a long record; it begins behind the byte of the kind. */
export const PAYLOAD_BYTES = 26;
/** 'T' 'L' 'P' version, little-endian. */
export const PAGE_MAGIC = 0x504c54 + LOG_VERSION * 0x1000000;

// head, 32 bytes at the start of the file
// offset 0   4  magic 'T' 'L' 'H' version
// offset 4   8  log id, random, drawn by the hub when it creates the file
// offset 12  1  number of pages in the ring
// offset 13  1  pages behind the ring that are none of the log (bluetrace/temp-id-page.ts); 0xFF: none
// offset 14 14  reserved, 0xFF
// offset 28  4  CRC-32 of the 28 bytes before
export const HEAD_BYTES = 32;
export const HEAD_MAGIC = 0x484c54 + LOG_VERSION * 0x1000000;
export const LOG_ID_BYTES = 8;

// Kinds. Odd: long; even: dense. Kinds that are deleted one day have two ones, so that half a deletion is still of its kind or DELETED; a write that is cut short may look
// like a kind with more ones, but fails its check.

/** A deleted dense record. */
export const DELETED_DENSE = 0;
/** A deleted long record. */
export const DELETED = 1;
/** One merged contact with one identifier. */
export const ENCOUNTER = 3;
/** One report of the radio; only when the raw log is on. */
export const SIGHTING = 5;
/** The clock was set. */
export const CLOCK = 7;
/** A key of our own: never leaves the board but by the explicit command. */
export const TEK = 9;
/** The settings in force from here on. */
export const SETTINGS = 11;
/** A new era, or a new base tick for the records that follow. */
export const MARK = 13;
/** One merged contact with one identifier, in 12 bytes. */
export const DENSE = 14;
/** Nothing was written, or the write was cut in its first word. */
export const BLANK = 15;

/** Words to the next record, from the first byte of this one; of a torn or deleted one as well. One word where not even the kind was written. */
export function recordWords(first: number): number {
  return first & 1 ? ((first & 15) < BLANK ? LONG_WORDS : 1) : DENSE_WORDS;
}

// ENCOUNTER
// offset 1   16 bytes RPI
// offset 17  4 bytes  AEM
// offset 21  u32      bits 0-17 first heard, in units of 2 s since the base tick; bit 18: not GAEN's; bits 19-28 duration in units of 2 s; bits 29-31 count, low bits
// offset 25  u16      bits 0-3 count, high bits (7 bits: 127 means 127 or more); bits 4-10 −max RSSI; bits 11-15 max − mean RSSI (31 means 31 or more)
//
// ENCOUNTER that is not GAEN's
// offset 1   16 bytes identifier; of DP-3T's unlinkable design the first 16 of the observation's hash
// offset 17  u8       protocol-tags.ts
// offset 18  i8       transmit power that the packet tells, dBm; 127: it tells none
// offset 19  2 bytes  zero
//
// ENCOUNTER that is a meeting of BlueTrace: three records, one behind the other on one page; it counts when all three are whole
// offset 1   16 bytes TempID, the first of 61; of the other two 16 of the bytes that follow
// offset 17  u8       4, of protocol-tags.ts
// offset 18  i8       transmit power as above; of the other two the next byte
// offset 19  u8       0, 1, 2: which of the three
// offset 20  u8       0 we were the peripheral, 1 the central; of the other two the next byte
// offset 21  u32      as above, no duration, count 1; of the other two the next bytes, but for offset 23: bit 2 set, as in all that is not GAEN's, the others zero
// offset 25  u16      as above; of the other two the next bytes
// So the second has bytes 16 to 38 of the TempID (offsets 1 to 16, 18, 20, 21, 22, 24, 25, 26), the third 39 to 60 and a zero. The same TempID met again is a DENSE record, whose
// bits 4-7 at offset 0 are 0 or 1 as offset 20 here.
//
// DENSE: an encounter that a match still finds, with 40 bits of the identifier
// offset 0   bits 4-7 max − mean RSSI (15 means 15 or more)
// offset 1   u24      bits 0-15 first heard, in units of 8 s since the base tick, rounded down; bit 16: not GAEN's; bits 17-23 duration in units of 8 s, low bits: rounded up
//                     with what the rounding of the beginning has added, so that the encounter lies inside
// offset 4   5 bytes  RPI, the first 5 of 16
// offset 9   u8       AEM, the second byte of 4: the transmit power; AES-CTR opens each byte by itself. Not GAEN's: bits 0-2 protocol-tags.ts, bits 3-7 transmit power,
//                     2 dB a step from -40 dBm on, rounded up, at most 20; 31: the packet tells none
// offset 10  u8       bit 0 duration, high bit; bits 1-7 −max RSSI
// Each of its words begins with kind or identifier: who takes the wrong word for the begin of a record soon comes upon a right one.
//
// SIGHTING
// offset 1   16 bytes RPI
// offset 17  6 bytes  address, most significant byte first
// offset 23  i8       RSSI
// offset 24  u24      bits 0-22 tick − base tick, in seconds (little-endian); bit 23: the address is public, else random
//
// TEK
// offset 1   16 bytes TEK
// offset 17  u32      rolling start, ENIN
// offset 21  u8       rolling period
// offset 22  u8       255 in use, 1 ended before its day; 2 no TEK but the lock key, 3 and 4 another protocol's secret
// offset 23  4 bytes  reserved, 0xFF
//
// TEK that is 16 bytes of another protocol's secret (firmware/own-keys.ts)
// offset 1   16 bytes of the secret
// offset 17  u32      ENIN of the day it counts from
// offset 21  u8       0; of a daily key 144; of a chain that has ended the days for which it was used after the first, at most 255
// offset 22  u8       3 in use, 4 ended
// offset 23  u8       protocol-tags.ts
// offset 24  u8       which 16 bytes, from 0 on
// offset 25  2 bytes  zero
// Contact Tracing v1.0: the tracing key, 32 bytes; once it has ended the daily keys that may be published, 16 bytes each, and it is deleted. DP-3T low-cost: SK of that day, 32 bytes, then what the order of its EphIDs is drawn with, 16.
// DP-3T unlinkable: what the seeds of that day's epochs are made of, 16.
// OpenCovidTrace: daily key and meta key of that day, 32.
// SmartBeacon: its setup (smartbeacon/setup.ts), 64 bytes; offset 17 0xF0000000 and more, later ones more; offset 21 1, offset 22 2: never handed over, and no firmware without SmartBeacon takes it for its own.
//
// TEK that is the lock key (firmware/lock.ts)
// offset 1   16 bytes key
// offset 17  u32      0xFFFFFFFF: a rolling start that never comes, so that the record doesn't expire
// offset 21  u8       0
// offset 22  u8       2
// offset 23  4 bytes  first bytes of the log id: it can be looked for, and no stranger can have it in an identifier
//
// CLOCK
// offset 1   u32      era
// offset 5   u32      tick at which it was set
// offset 9   u32      Unix seconds of that tick; 0 while the clock is not set
// offset 13  u16      milliseconds beside the Unix seconds
// offset 15  i32      by how many ms the clock was put forward; 0x7FFFFFFF when it had not been set or the step is larger
// offset 19  u16      round trip of the link at that moment, ms; 0xFFFF: not the hub, another tool had moved the clock;
//                     where `why` is 7 or 8 the battery with the receiver on, mV
// offset 21  u8       why: 1 the hub set it, 2 kept over a restart of the firmware, 3 repeated (start of a page, every day), 4 the hub acknowledged,
//                     5 of no era (0): what stands before it was written before that time; after a start without a clock, 6 own keys were handed over,
//                     7 the battery is low: scans are rarer from here on, 8 it has recovered: they are no longer
// offset 22  u32      sequence number up to which the hub had everything (exclusive)
// offset 26  u8       reserved, zero
//
// SETTINGS
// offset 1   26 bytes 13 signed 16-bit settings, in the order of settings.ts; zero those that the firmware didn't know yet
//
// MARK
// offset 1   u32      era
// offset 5   u32      base tick of the records that follow
// offset 9   u16      battery, mV; 0 unknown
// offset 11  u8       1: the firmware has just started
// offset 12  15 bytes firmware version, ASCII, padded with zeros

/** Bytes of the identifier that a DENSE record keeps. */
export const PREFIX_BYTES = 5;
/** Unit of the times of a DENSE record, seconds. */
export const DENSE_SECONDS = 8;
/** Ticks that 18 bits of 2 s and 16 bits of 8 s hold: 6 days. Past it a MARK gives a new base. */
export const BASE_SPAN = 0x7fffe;
/** Bit of the time field of an ENCOUNTER, of a DENSE: not GAEN's. */
export const OTHERS = 1 << 18;
export const OTHERS_DENSE = 1 << 16;
/** Offset of the number among the three records of a meeting of BlueTrace, and of who was the central. */
export const MEETING_PART_AT = 19;
export const MEETING_ROLE_AT = 20;
/** Records of a meeting; where the second and the third have the bytes of the TempID beyond the first 16, 23 each. */
export const MEETING_RECORDS = 3;
export const MEETING_PLACES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 21, 22, 24, 25, 26];
/** No transmit power is told. */
export const NO_POWER = 127;
/** An encounter longer than this is closed and begins anew: 8 bits of 8 s, less what rounding adds. */
export const LONGEST_ENCOUNTER = 2032;
/** In the time field of a SIGHTING. */
export const PUBLIC_ADDRESS = 0x800000;
export const CLOCK_STEP_UNKNOWN = 0x7fffffff;
/** Round trip of a CLOCK record: not the hub, another tool had moved the clock. */
export const CLOCK_UNMEASURED = 0xffff;
// State of a TEK record, at offset 22.
export const KEY_IN_USE = 255;
/** Before its day was over: nothing is sent from it again. */
export const KEY_ENDED = 1;
/** No key of ours, but the lock key. Never handed over. */
export const LOCK_KEY = 2;
/** A part of a secret of another protocol, in use or no longer. */
/** Period, at offset 21, of a LOCK_KEY that is none, but a part of a secret that never leaves the board. */
export const HIDDEN = 1;
export const KEY_OF_OTHERS = 3;
export const KEY_OF_OTHERS_ENDED = 4;
/** The lock key's period and state; what follows is the beginning of the log id. */
export const LOCK_MARK = "\x00\x02";
/** Where it stands in its record. */
export const LOCK_MARK_AT = 21;
// `why` of a CLOCK record
export const CLOCK_SET = 1;
export const CLOCK_KEPT = 2;
export const CLOCK_REPEATED = 3;
export const CLOCK_ACKNOWLEDGED = 4;
export const CLOCK_OF_NO_ERA = 5;
export const KEYS_HANDED_OVER = 6;
export const BATTERY_LOW = 7;
export const BATTERY_RECOVERED = 8;
