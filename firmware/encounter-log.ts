import { STORAGE, VERSION } from "tracelet:build";
import { ascii, readU32, writeInt } from "../protocols/bytes.ts";
import {
  BASE_SPAN,
  CLOCK,
  CLOCK_STEP_UNKNOWN,
  DELETED,
  HEAD_BYTES,
  HEAD_MAGIC,
  MARK,
  PAGE_BYTES,
  PAGE_HEADER_BYTES,
  PAGE_MAGIC,
  PAYLOAD_BYTES,
  SETTINGS,
  SLOT_BYTES,
  SLOTS,
  TEK,
} from "../protocols/log-format.ts";
import { RETENTION } from "../protocols/settings.ts";
import { tick, unixTime } from "./board-clock.ts";
import { settings } from "./settings.ts";

// The ring of flash pages of protocols/log-format.ts. Page number n lives at ring place n % pages; nothing else is needed to find the way.
// There is no state in flash but the pages themselves: opening after a power cut is the same code as opening on any other day.

/** The longest encounter, and two of the longest cycles until it is closed. */
const OLDEST_OPEN = 9999;

export const flash = require("Flash");
/** Storage begins here: the header of the log file, 32 bytes, then its head, then page 0. */
const start = process.memory(false).flash_code_start || STORAGE;
const head = flash.read(HEAD_BYTES, start + HEAD_BYTES);
/** Pages of the ring; page 0 is one more. */
export const pages = head[12];

/** Does Storage begin with a log file of this format? Where not, nothing is ever written. */
export const usable = readU32(head, 0) === HEAD_MAGIC && !(readU32(head, 28) ^ E.CRC32(head.subarray(0, 28)));
/** 8 bytes, as in the head of the file. */
export const logId = head.subarray(4, 12);
export let era = 0;
/** Flash writes that did not read back. */
export let flashErrors = 0;
/** Records that were overwritten before the hub had them. */
export let dropped = 0;
/** The hub has everything before this sequence number. */
export let acknowledged = 0;

let newest = -1;
/** First free slot of the newest page. */
let cursor = SLOTS;
let base = 0;

/** Sequence number of the next record. */
export function nextSequence(): number {
  return newest * SLOTS + cursor;
}
/** The page behind page 0 that the ring still holds. */
function oldestPage(): number {
  return Math.max(1, newest - pages + 1);
}
/** Lowest sequence number from which on nothing is missing. */
export function firstSequence(): number {
  return newest > pages ? oldestPage() * SLOTS : 0;
}
/** Flash address of a record's slot. */
export function slotAddress(page: number, slot: number): number {
  return start + (page ? PAGE_BYTES * (1 + (page % pages)) : 2 * HEAD_BYTES) + PAGE_HEADER_BYTES + slot * SLOT_BYTES;
}
function crcOf(header: Uint8Array): number {
  return (E.CRC32(header.subarray(0, 16)) ^ readU32(logId, 0)) >>> 0;
}
/** Header of the page that should be at the place of `page`; its number is -1 if it did not survive. */
export function readHeader(page: number): { page: number; base: number; era: number } {
  const header = flash.read(20, slotAddress(page, 0) - PAGE_HEADER_BYTES);
  const whole = readU32(header, 0) === PAGE_MAGIC && readU32(header, 16) === crcOf(header);
  return { page: whole ? readU32(header, 4) : -1, base: readU32(header, 8), era: readU32(header, 12) };
}

/** Kind of the record whose slot is at `address`. */
export function kindAt(address: number): number {
  return flash.read(1, address + SLOT_BYTES - 1)[0] >> 5;
}
/** Low 13 bits of the CRC-32 of the payload, then the kind. */
function seal(kind: number, slot: Uint8Array): number {
  return (E.CRC32(slot.subarray(0, PAYLOAD_BYTES)) & 0x1fff) | (kind << 13);
}
function isSealed(slot: Uint8Array): boolean {
  return (slot[26] | (slot[27] << 8)) === seal(slot[27] >> 5, slot);
}

/** Calls back for each whole record of `kind`, oldest first, with a copy of its slot and its address. */
export function eachRecord(kind: number, callback: (slot: Uint8Array, address: number) => void): void {
  for (let page = 0; page <= newest; page = page ? page + 1 : oldestPage()) {
    if (readHeader(page).page !== page) continue;
    const end = page < newest ? SLOTS : cursor;
    for (let i = 0; i < end; i++) {
      const address = slotAddress(page, i);
      if (kindAt(address) !== kind) continue;
      const slot = flash.read(SLOT_BYTES, address);
      if (isSealed(slot)) callback(slot, address);
    }
  }
}

/** 28 zeros. */
export function emptySlot(): Uint8Array {
  return new Uint8Array(SLOT_BYTES);
}
/** Writes one record. `slot`: 28 bytes, the first 26 are the payload. */
function put(kind: number, slot: Uint8Array): void {
  if (!usable) return;
  const sealed = seal(kind, slot);
  slot[26] = sealed;
  slot[27] = sealed >> 8;
  const address = slotAddress(newest, cursor);
  cursor++;
  flash.write(slot, address);
  if (!isSealed(flash.read(SLOT_BYTES, address))) flashErrors++;
}
function putSettings(): void {
  const slot = emptySlot();
  for (let i = 0; i < settings.length; i++) writeInt(slot, i * 2, 2, settings[i]);
  put(SETTINGS, slot);
}
function putClock(why: number, step: number, roundTripMs: number): void {
  const slot = emptySlot();
  const unix = unixTime();
  const now = tick() | 0;
  // Unix time of the whole second of the tick
  const at = unix && unix - (tick() - now);
  writeInt(slot, 0, 4, era);
  writeInt(slot, 4, 4, now);
  writeInt(slot, 8, 4, Math.floor(at));
  writeInt(slot, 12, 2, (at % 1) * 1000);
  writeInt(slot, 14, 4, step);
  writeInt(slot, 18, 2, roundTripMs);
  slot[20] = why;
  writeInt(slot, 21, 4, acknowledged);
  put(CLOCK, slot);
}

/** Is this key still needed? */
export function isLiveKey(slot: Uint8Array): boolean {
  return readU32(slot, 16) * 600 + (settings[RETENTION] + 1) * 86400 > unixTime();
}
/** Overwrites a record with zeros. */
export function deleteRecord(address: number): void {
  flash.write(emptySlot(), address);
}
/** Own keys leave the page that goes next as soon as the newest one is there. A power cut in between makes two of one at worst. */
function moveKeys(): void {
  if (newest < pages) return;
  for (let i = 0; i < SLOTS && cursor < SLOTS; i++) {
    const address = slotAddress(newest + 1, i);
    if (kindAt(address) !== TEK) continue;
    const slot = flash.read(SLOT_BYTES, address);
    if (isSealed(slot) && isLiveKey(slot)) put(TEK, slot);
    deleteRecord(address);
  }
}

/** Encounters that are open now began later; they must not be older than the base they are counted from. Even, because they are counted in units of 2 s. */
function earliestBase(): number {
  return Math.max(0, tick() - OLDEST_OPEN) & -2;
}
function openPage(): void {
  newest++;
  dropped += Math.max(0, Math.min(SLOTS, firstSequence() - acknowledged));
  const header = new Uint8Array(20);
  const address = slotAddress(newest, 0) - PAGE_HEADER_BYTES;
  base = earliestBase();
  writeInt(header, 0, 4, PAGE_MAGIC);
  writeInt(header, 4, 4, newest);
  writeInt(header, 8, 4, base);
  writeInt(header, 12, 4, era);
  writeInt(header, 16, 4, crcOf(header));
  if (newest) flash.erasePage(address);
  flash.write(header, address);
  cursor = 0;
  // every page can be read without its elders
  putSettings();
  putClock(3, CLOCK_STEP_UNKNOWN, 0);
  moveKeys();
}
function makeRoom(): void {
  if (usable && cursor >= SLOTS) /*@__INLINE__*/ openPage();
}

export function append(kind: number, slot: Uint8Array): void {
  makeRoom();
  put(kind, slot);
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
  const slot = emptySlot();
  makeRoom();
  base = earliestBase();
  writeInt(slot, 0, 4, era);
  writeInt(slot, 4, 4, base);
  writeInt(slot, 8, 2, NRF.getBattery() * 1000);
  slot[10] = started;
  slot.set(ascii(VERSION), 11);
  put(MARK, slot);
}
/** Base tick of the next record; past the span of a record's time field a new one. The next record is sure to find room on the same page. */
export function baseTick(): number {
  makeRoom();
  if (tick() - base > BASE_SPAN) appendMark(0);
  makeRoom();
  return base;
}
export function acknowledge(sequence: number): void {
  acknowledged = sequence;
  appendClock(4, 0, 0);
}
/**
 * Daily: what is older than the retention is overwritten (COM-05). A record is as old as the first CLOCK after it, and one is written every day,
 * so this holds for times in which the clock was not set as well.
 */
export function deleteExpired(): void {
  // a minute is granted: the record that dates a day was written when its cleaning was done
  const limit = unixTime() - settings[RETENTION] * 86400 + 60;
  let done = false;
  for (let page = newest; page >= 0; page = page > 1 && page === oldestPage() ? 0 : page - 1) {
    if (readHeader(page).page !== page) continue;
    for (let i = page < newest ? SLOTS - 1 : cursor - 1; i >= 0; i--) {
      const address = slotAddress(page, i);
      const kind = kindAt(address);
      // marks and settings are needed to read what stays
      if (kind === DELETED || kind === SETTINGS || kind === MARK) continue;
      const slot = flash.read(SLOT_BYTES, address);
      const at = readU32(slot, 8);
      if (kind === CLOCK) done = done || (at > 0 && at < limit && isSealed(slot));
      else if (kind === TEK ? !isLiveKey(slot) : done) deleteRecord(address);
    }
  }
  appendClock(3, CLOCK_STEP_UNKNOWN, 0);
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
  if (newest < 0 && readU32(flash.read(4, slotAddress(0, 0) - PAGE_HEADER_BYTES), 0) < 0xffffffff) newest = 0;
  else if (newest >= 0) {
    // slots are filled in order, so the first blank one is found by halving; a torn one is not blank and is passed over
    let low = 0;
    while (low < cursor) {
      const middle = (low + cursor) >> 1;
      if (E.sum(flash.read(SLOT_BYTES, slotAddress(newest, middle))) === SLOT_BYTES * 255) cursor = middle;
      else low = middle + 1;
    }
  }
  eachRecord(MARK, function (slot) {
    era = readU32(slot, 0);
  });
  let known = 0;
  eachRecord(CLOCK, function (slot) {
    acknowledged = readU32(slot, 21);
    known = readU32(slot, 0) && readU32(slot, 8);
  });
  eachRecord(SETTINGS, function (slot) {
    for (let i = 0; i < settings.length; i++) settings[i] = ((slot[i * 2] | (slot[i * 2 + 1] << 8)) << 16) >> 16;
  });
  era++;
  // a power cut may have come before they were moved
  moveKeys();
  appendMark(1);
  if (unixTime()) appendClock(2, CLOCK_STEP_UNKNOWN, 0);
  else if (known) {
    // nobody knows for how long there was no power, but while there was, a day did not pass without a clock record
    const slot = emptySlot();
    writeInt(slot, 8, 4, known + 86400);
    slot[20] = 5;
    writeInt(slot, 21, 4, acknowledged);
    makeRoom();
    put(CLOCK, slot);
  }
}
