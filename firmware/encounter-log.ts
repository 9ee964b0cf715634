import { CT10, DP3T, EXTERNAL_FLASH, STORAGE, TOKEN, VERSION } from "tracelet:build";
import { ascii, readU32, writeInt } from "../protocols/bytes.ts";
import {
  BASE_SPAN,
  BLANK,
  CLOCK,
  CLOCK_ACKNOWLEDGED,
  CLOCK_KEPT,
  CLOCK_OF_NO_ERA,
  CLOCK_REPEATED,
  CLOCK_STEP_UNKNOWN,
  HEAD_BYTES,
  HEAD_MAGIC,
  KEY_OF_OTHERS,
  KEY_OF_OTHERS_ENDED,
  LONG_BYTES,
  LONG_WORDS,
  MARK,
  MEETING_RECORDS,
  PAGE_BYTES,
  PAGE_HEADER_BYTES,
  PAGE_MAGIC,
  PAGE_WORDS,
  recordWords,
  SETTINGS,
  TEK,
  WORD_BYTES,
} from "../protocols/log-format.ts";
import { CT10_TAG, DP3T_TAG } from "../protocols/protocol-tags.ts";
import { RECORD_FORM, RETENTION } from "../protocols/settings.ts";
import { batteryVolts } from "./battery-volts.ts";
import { tick, unixTime } from "./board-clock.ts";
import { settings } from "./settings.ts";

// The ring of flash pages of protocols/log-format.ts. Page number n lives at ring place n % pages; nothing else is needed to find the way.
// There is no state in flash but the pages themselves: opening after a power cut is the same code as opening on any other day.
//
// Flash of the chip takes a word at a time. A chip beside it takes up to 256 bytes in one program operation, and a cut leaves any of their bits unwritten (EXTERNAL_FLASH). There a
// record goes in three operations, so that each is certain before the next begins: the word with its kind, all that follows without the check, and the check.

/** So much of page 0 tells whether anything was written there: its first word where words are written in order, else its header. */
const BEGIN_BYTES = EXTERNAL_FLASH ? PAGE_HEADER_BYTES : 4;
/** The longest encounter, and two of the longest cycles until it is closed. */
const OLDEST_OPEN = 9999;

export const flash = require("Flash");
/** Storage begins here: the header of the log file, 32 bytes, then its head, then page 0. */
const start = process.memory(false).flash_code_start || STORAGE;
/** Flash address of the log file's first byte. */
export const logStart = start + HEAD_BYTES;
const head = flash.read(HEAD_BYTES, logStart);
/** Pages of the ring; page 0 is one more. */
export const pages = head[12];

/** Does Storage begin with a log file of this format? Where not, nothing is ever written. */
export const usable = readU32(head, 0) === HEAD_MAGIC && !(readU32(head, 28) ^ E.CRC32(head.subarray(0, 28)));
/** 8 bytes, as in the head of the file. */
export const logId = head.subarray(4, 12);
export let era = 0;
/** Flash writes that did not read back. */
export let flashErrors = 0;
/** Words of records that were overwritten before the hub had them. */
export let dropped = 0;
/** The hub has everything before this sequence number. */
export let acknowledged = 0;

let newest = -1;
/** First free word of the newest page. */
let cursor = PAGE_WORDS;
let base = 0;

/** Sequence number of the next record. */
export function nextSequence(): number {
  return newest * PAGE_WORDS + cursor;
}
/** The page behind page 0 that the ring still holds. */
function oldestPage(): number {
  return Math.max(1, newest - pages + 1);
}
/** Lowest sequence number from which on nothing is missing. */
export function firstSequence(): number {
  return newest > pages ? oldestPage() * PAGE_WORDS : 0;
}
/** Does the page that goes next hold what the hub has not? Then less than a page is left before something is lost. */
export function nearlyFull(): boolean {
  return newest >= pages && acknowledged < (oldestPage() + 1) * PAGE_WORDS;
}
/** Are new encounters written in 12 bytes? */
export function writesDense(): boolean {
  return settings[RECORD_FORM] > 1 ? nearlyFull() : settings[RECORD_FORM] > 0;
}
/** Flash address of a word of a page. */
export function wordAddress(page: number, word: number): number {
  return start + (page ? PAGE_BYTES * (1 + (page % pages)) : 2 * HEAD_BYTES) + PAGE_HEADER_BYTES + word * WORD_BYTES;
}
function headerCheck(header: Uint8Array): number {
  return (E.CRC32(header.subarray(0, 16)) ^ readU32(logId, 0)) >>> 0;
}
/** Header of the page that should be at the place of `page`; its number is -1 if it did not survive. */
export function readHeader(page: number): { page: number; base: number; era: number } {
  const header = flash.read(PAGE_HEADER_BYTES, wordAddress(page, 0) - PAGE_HEADER_BYTES);
  const whole = readU32(header, 0) === PAGE_MAGIC && readU32(header, 16) === headerCheck(header);
  return { page: whole ? readU32(header, 4) : -1, base: readU32(header, 8), era: readU32(header, 12) };
}

/** Gives a record its check. Did it have the right one already? `slot`: the whole record, its kind in byte 0. */
export function seal(slot: Uint8Array): boolean {
  const end = slot.length - 1;
  const first = slot[0];
  const last = slot[end];
  const own = first & 1 ? 240 : 0;
  slot[0] = first & ~own;
  const crc = E.CRC32(slot.subarray(0, end));
  slot[0] |= crc & own;
  slot[end] = (crc % 254) + 1;
  return slot[0] === first && slot[end] === last;
}

/** Page with which `eachOf` begins. */
let walkFrom = 0;
/** Calls back for the records of some kinds, oldest first, with a copy of each and its address. `kinds`: bit n for kind n. `all`: also for those that are not whole. */
export function eachOf(kinds: number, callback: (slot: Uint8Array, address: number) => void, all?: boolean): void {
  for (let page = EXTERNAL_FLASH ? walkFrom : 0; page <= newest; page = page ? page + 1 : oldestPage()) {
    if (readHeader(page).page !== page) continue;
    let address = wordAddress(page, 0);
    const end = wordAddress(page, page < newest ? PAGE_WORDS : cursor);
    while (address < end) {
      const first = flash.read(1, address)[0];
      const length = recordWords(first) * WORD_BYTES;
      if ((kinds >> (first & 15)) & 1) {
        const slot = flash.read(length, address);
        if (all || seal(slot)) callback(slot, address);
      }
      address += length;
    }
  }
}

/** Are the records that each page begins with, settings and clock, whole? */
function beginsWhole(page: number): boolean {
  return (
    readHeader(page).page === page &&
    seal(flash.read(LONG_BYTES, wordAddress(page, 0))) &&
    seal(flash.read(LONG_BYTES, wordAddress(page, LONG_WORDS)))
  );
}

/** A long record without payload. */
export function emptySlot(kind: number): Uint8Array {
  const slot = new Uint8Array(LONG_BYTES);
  slot[0] = kind;
  return slot;
}
/** Writes one record, for which there must be room. */
export function put(slot: Uint8Array): void {
  if (!usable) return;
  const address = wordAddress(newest, cursor);
  cursor += slot.length / WORD_BYTES;
  seal(slot);
  if (EXTERNAL_FLASH) {
    const end = slot.length - WORD_BYTES;
    const check = slot[end + 3];
    slot[end + 3] = 255;
    flash.write(slot.subarray(0, WORD_BYTES), address);
    flash.write(slot.subarray(WORD_BYTES), address + WORD_BYTES);
    slot[end + 3] = check;
    flash.write(slot.subarray(end), address + end);
  } else flash.write(slot, address);
  if (!seal(flash.read(slot.length, address))) flashErrors++;
}
function putSettings(): void {
  const slot = emptySlot(SETTINGS);
  for (let i = 0; i < settings.length; i++) writeInt(slot, 1 + i * 2, 2, settings[i]);
  put(slot);
}
function putClock(why: number, step: number, roundTripMs: number): void {
  const slot = emptySlot(CLOCK);
  const unix = unixTime();
  const now = tick() | 0;
  // Unix time of the whole second of the tick
  const at = unix && unix - (tick() - now);
  writeInt(slot, 1, 4, era);
  writeInt(slot, 5, 4, now);
  writeInt(slot, 9, 4, Math.floor(at));
  writeInt(slot, 13, 2, (at % 1) * 1000);
  writeInt(slot, 15, 4, step);
  writeInt(slot, 19, 2, roundTripMs);
  slot[21] = why;
  writeInt(slot, 22, 4, acknowledged);
  put(slot);
}

/** Is this key still needed? */
export function isLiveKey(slot: Uint8Array): boolean {
  // a tracing key of v1.0 is for the life of its device
  if (CT10 && slot[22] === KEY_OF_OTHERS && slot[23] === CT10_TAG) return true;
  let until = readU32(slot, 17) * 600 + (settings[RETENTION] + 1) * 86400;
  // a chain that has ended was used for some days
  if (DP3T && slot[22] === KEY_OF_OTHERS_ENDED && slot[23] === DP3T_TAG) until += slot[21] * 86400;
  return until > unixTime();
}
/** Overwrites a record with zeros; a long one stays long. Where the power went while that was done, it is done again. */
export function deleteRecord(slot: Uint8Array, address: number): void {
  if (E.sum(slot) > 1) {
    if (EXTERNAL_FLASH) {
      // the check alone goes first: what is half deleted is not whole
      const end = slot.length - WORD_BYTES;
      slot[end + 3] = 0;
      flash.write(slot.subarray(end), address + end);
    }
    flash.write(
      slot.map((byte, i) => (i ? 0 : byte & 1)),
      address,
    );
  }
}
/** Own keys leave the page that goes next as soon as the newest one is there. A power cut in between makes two of one at worst. */
function moveKeys(): void {
  if (newest < pages) return;
  for (let i = 0; i < PAGE_WORDS && cursor <= PAGE_WORDS - LONG_WORDS; ) {
    const address = wordAddress(newest + 1, i);
    const slot = flash.read(LONG_BYTES, address);
    i += recordWords(slot[0]);
    if ((slot[0] & 15) !== TEK) continue;
    if (seal(slot) && isLiveKey(slot)) put(slot);
    deleteRecord(slot, address);
  }
}

/** Encounters that are open now began later; they must not be older than the base they are counted from. Even, because they are counted in units of 2 s. */
function earliestBase(): number {
  return Math.max(0, tick() - OLDEST_OPEN) & -2;
}
function openPage(): void {
  newest++;
  dropped += Math.max(0, Math.min(PAGE_WORDS, firstSequence() - acknowledged));
  const header = new Uint8Array(PAGE_HEADER_BYTES);
  const address = wordAddress(newest, 0) - PAGE_HEADER_BYTES;
  if (newest) {
    // struck out first: a page that is half erased must not pass for what it was
    flash.write(header, address);
    flash.erasePage(address);
  }
  base = earliestBase();
  [PAGE_MAGIC, newest, base, era].forEach(function (value, i) {
    writeInt(header, i * 4, 4, value);
  });
  writeInt(header, 16, 4, headerCheck(header));
  flash.write(header, address);
  cursor = 0;
  // every page can be read without its elders
  putSettings();
  putClock(CLOCK_REPEATED, CLOCK_STEP_UNKNOWN, 0);
  moveKeys();
}
/** For a record of any kind, or for all records of a meeting. */
function makeRoom(): void {
  if (usable && cursor > PAGE_WORDS - LONG_WORDS * (TOKEN ? MEETING_RECORDS : 1)) /*@__INLINE__*/ openPage();
}

/** `slot`: a whole record, as in log-format.ts, but for its check. */
export function append(slot: Uint8Array): void {
  makeRoom();
  put(slot);
}
export function appendSettings(): void {
  makeRoom();
  putSettings();
}
/** Writes down what is known of time and up to where the hub has the log. `why`, `step`: see CLOCK in log-format.ts. */
export function appendClock(why: number, step: number, roundTripMs: number): void {
  makeRoom();
  putClock(why, step, roundTripMs);
}
function appendMark(started: number): void {
  const slot = emptySlot(MARK);
  makeRoom();
  base = earliestBase();
  writeInt(slot, 1, 4, era);
  writeInt(slot, 5, 4, base);
  writeInt(slot, 9, 2, /*@__INLINE__*/ batteryVolts() * 1000);
  slot[11] = started;
  slot.set(ascii(VERSION), 12);
  put(slot);
}
/** Base tick of the next record; past the span of a record's time field a new one. The next record, or the next meeting, is sure to find room on the same page. */
export function baseTick(): number {
  makeRoom();
  if (tick() - base > BASE_SPAN) appendMark(0);
  makeRoom();
  return base;
}
export function acknowledge(sequence: number): void {
  acknowledged = sequence;
  appendClock(CLOCK_ACKNOWLEDGED, 0, 0);
}
/**
 * Daily: what is older than the retention is overwritten (COM-05). A record is as old as the first CLOCK after it, and one is written every day,
 * so this holds for times in which the clock was not set as well.
 */
export function deleteExpired(): void {
  // a minute is granted: the record that dates a day was written when its cleaning was done
  const limit = unixTime() - settings[RETENTION] * 86400 + 60;
  let last = 0;
  eachOf(1 << CLOCK, function (slot, address) {
    const at = readU32(slot, 9);
    if (at && at < limit) last = address;
  });
  eachOf(
    // marks and settings are needed to read what stays; the rest may be torn or half deleted
    last ? 0xffff - (1 << SETTINGS) - (1 << MARK) - (1 << BLANK) : 1 << TEK,
    function (slot, address) {
      const kind = slot[0] & 15;
      // what follows is younger
      if (address === last) last = 0;
      else if (kind === TEK ? !isLiveKey(slot) : last && kind !== CLOCK) deleteRecord(slot, address);
    },
    true,
  );
  appendClock(CLOCK_REPEATED, CLOCK_STEP_UNKNOWN, 0);
}

/** Finds the end of the log and begins a new era. */
export function openLog(): void {
  if (!usable) return;
  for (let i = 0; i <= pages; i++) {
    const found = readHeader(i);
    if (found.page > newest) {
      newest = found.page;
      era = found.era;
    }
  }
  // a first page that begins with anything else can't be filled: its bits can't be set again
  if (newest < 0 && E.sum(flash.read(BEGIN_BYTES, wordAddress(0, 0) - PAGE_HEADER_BYTES)) < BEGIN_BYTES * 255) newest = 0;
  else if (newest >= 0) {
    const begin = wordAddress(newest, 0);
    let end = begin + PAGE_WORDS * WORD_BYTES;
    for (let size = 500; size; size = (size / 5) & -WORD_BYTES) {
      while (end > begin && E.sum(flash.read(size, end - size)) === size * 255) end -= size;
    }
    // behind the last word that isn't blank; a torn record keeps its length
    cursor = 0;
    while (begin + cursor * WORD_BYTES < end) cursor += recordWords(flash.read(1, begin + cursor * WORD_BYTES)[0]);
  }
  let known = 0;
  if (EXTERNAL_FLASH) {
    // a large ring: what is looked for stands in the youngest page that begins with settings and clock, and behind it
    walkFrom = newest;
    while (walkFrom > 0 && !(/*@__INLINE__*/ beginsWhole(walkFrom))) walkFrom = walkFrom > oldestPage() ? walkFrom - 1 : 0;
    if (walkFrom < 0) walkFrom = 0;
  }
  eachOf((1 << MARK) | (1 << CLOCK) | (1 << SETTINGS), function (slot) {
    const kind = slot[0] & 15;
    if (kind === MARK) era = readU32(slot, 1);
    else if (kind === CLOCK) {
      // of a record that was cut in its last bits the check may be right by chance; more than there is nobody can have
      const claimed = readU32(slot, 22);
      if (claimed <= nextSequence()) acknowledged = claimed;
      known = readU32(slot, 1) && readU32(slot, 9);
    } else for (let i = 0; i < settings.length; i++) settings[i] = ((slot[i * 2 + 1] | (slot[i * 2 + 2] << 8)) << 16) >> 16;
  });
  if (EXTERNAL_FLASH) walkFrom = 0;
  era++;
  // a power cut may have come before they were moved
  moveKeys();
  appendMark(1);
  if (unixTime()) appendClock(CLOCK_KEPT, CLOCK_STEP_UNKNOWN, 0);
  else if (known) {
    // nobody knows for how long there was no power, but while there was, a day did not pass without a clock record
    const slot = emptySlot(CLOCK);
    writeInt(slot, 9, 4, known + 86400);
    slot[21] = CLOCK_OF_NO_ERA;
    writeInt(slot, 22, 4, acknowledged);
    append(slot);
  }
}
