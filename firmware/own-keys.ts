import { SMARTBEACON } from "tracelet:build";
import { readU32, writeInt } from "../protocols/bytes.ts";
import { HIDDEN, KEY_OF_OTHERS, LOCK_KEY, LONG_BYTES, TEK } from "../protocols/log-format.ts";
import { SMARTBEACON_TAG } from "../protocols/protocol-tags.ts";
import { append, deleteRecord, eachOf } from "./encounter-log.ts";

// Secrets of the protocols beside GAEN: some parts of 16 bytes, a record of the log each.

const PART = 16;

/** A secret and the interval number (ENIN) it counts from. */
export interface OwnSecret {
  start: number;
  bytes: Uint8Array;
}

function eachPart(tag: number, callback: (start: number, slot: Uint8Array, address: number) => void): void {
  eachOf(1 << TEK, function (slot, address) {
    const isOurs = slot[22] === KEY_OF_OTHERS || (SMARTBEACON && slot[22] === LOCK_KEY && slot[21] === HIDDEN);
    if (isOurs && slot[23] === tag) callback(readU32(slot, 17), slot, address);
  });
}

/** The newest secret in use of a protocol of which all `parts` are there: a power cut may have left the beginning of a newer one. */
export function findSecret(tag: number, parts: number): OwnSecret | undefined {
  const found: { [start: string]: Uint8Array } = {};
  let best = -1;
  eachPart(tag, function (start, slot) {
    if (!found[start]) found[start] = new Uint8Array(parts * PART + 1);
    const bytes = found[start];
    bytes.set(slot.subarray(1, 1 + PART), slot[24] * PART);
    // which ones are there
    bytes[parts * PART] |= 1 << slot[24];
    if (bytes[parts * PART] === (1 << parts) - 1) best = Math.max(best, start);
  });
  return best < 0 ? undefined : { start: best, bytes: found[best].subarray(0, parts * PART) };
}

/** The record of a part that is in use. What a SmartBeacon is set up with never leaves the board, and no other firmware takes it for its own. */
export function secretSlot(tag: number, start: number, bytes: Uint8Array, part: number): Uint8Array {
  const slot = new Uint8Array(LONG_BYTES);
  slot[0] = TEK;
  slot.set(bytes.subarray(part * PART, part * PART + PART), 1);
  writeInt(slot, 17, 4, start);
  slot.set(SMARTBEACON && tag === SMARTBEACON_TAG ? [HIDDEN, LOCK_KEY, tag, part] : [0, KEY_OF_OTHERS, tag, part], 21);
  return slot;
}
function dropSecrets(tag: number, from: number, to: number): void {
  eachPart(tag, function (began, slot, address) {
    if (began >= from && began < to) deleteRecord(slot, address);
  });
}

/** Writes a secret down. `bytes`: a multiple of 16. */
export function addSecret(tag: number, start: number, bytes: Uint8Array): void {
  // the beginning of one, where the power went
  dropSecrets(tag, start, start + 1);
  for (let part = 0; part * PART < bytes.length; part++) append(secretSlot(tag, start, bytes, part));
}

/** In place of all that began earlier. */
export function replaceSecret(tag: number, start: number, bytes: Uint8Array): void {
  addSecret(tag, start, bytes);
  // only now, so that no power cut forgets one
  dropSecrets(tag, 0, start);
}
