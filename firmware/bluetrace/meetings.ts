import { blacklisted, isBlacklisted } from "../../protocols/bluetrace/blacklist.ts";
import { writeInt } from "../../protocols/bytes.ts";
import {
  DENSE,
  DENSE_BYTES,
  ENCOUNTER,
  MEETING_PART_AT,
  MEETING_PLACES,
  MEETING_RECORDS,
  MEETING_ROLE_AT,
  NO_POWER,
  OTHERS,
  OTHERS_DENSE,
  PREFIX_BYTES,
} from "../../protocols/log-format.ts";
import { BLUETRACE_TAG } from "../../protocols/protocol-tags.ts";
import { tick } from "../board-clock.ts";
import { countEncounter } from "../day-count.ts";
import { baseTick, emptySlot, put } from "../encounter-log.ts";

// Writes meetings down. A TempID is good for a quarter of an hour, in which two boards meet ten times: it goes to the log whole with the first meeting, 84 bytes, and with each further
// one only its beginning, 12 bytes.

/** A TempID is good for 900 s; who sends it for longer is written whole again. */
const WHOLE_SECONDS = 1000;
/** TempIDs of others in full while one of our own is in use: nobody who invents some fills the log in an hour. */
const MOST_WHOLE = 64;

/** Meetings since the start, and messages that were not stored: torn, of another authority, or more than anybody can meet. */
export let meetings = 0;
export let refused = 0;
/** TempIDs that the log has in full, by their beginnings: a list of blacklist.ts. */
let whole = "";
let wholeLeft = MOST_WHOLE;

export function refuse(): void {
  refused++;
}
/** Our own TempID is another one. */
export function newQuarter(): void {
  wholeLeft = MOST_WHOLE;
}
/** By which a TempID is known again. */
export function keyOf(id: Uint8Array): string {
  let key = "";
  for (let i = 0; i < 8; i++) key += String.fromCharCode(id[i]);
  return key;
}

/** `id`: the peer's TempID, 61 bytes; `rssi`: dBm; `power`: dBm that its advertisement told, NO_POWER: none; `central`: 1 where we connected, 0 where it did. */
export function writeMeeting(id: Uint8Array, rssi: number, power: number, central: number): void {
  const now = tick() | 0;
  const key = keyOf(id);
  // first: it may begin a page
  const since = now - baseTick();
  // a positive one is the radio's word for "unknown"
  const weakness = Math.max(0, -rssi);
  if (isBlacklisted(whole, key, now, WHOLE_SECONDS)) {
    const slot = new Uint8Array(DENSE_BYTES);
    const units = ((since & 7) + 7) >> 3;
    slot[0] = DENSE | (central << 4);
    writeInt(slot, 1, 3, (since >> 3) | (units << 17) | OTHERS_DENSE);
    slot.set(id.subarray(0, PREFIX_BYTES), 4);
    slot[9] = BLUETRACE_TAG | ((power < NO_POWER ? Math.max(0, Math.min(30, (power + 41) >> 1)) : 31) << 3);
    slot[10] = weakness << 1;
    put(slot);
  } else {
    if (!wholeLeft) {
      refused++;
      return;
    }
    wholeLeft--;
    const slots: Uint8Array[] = [];
    for (let part = 0; part < MEETING_RECORDS; part++) {
      const slot = emptySlot(ENCOUNTER);
      slot[17] = BLUETRACE_TAG;
      slot[MEETING_PART_AT] = part;
      if (part) {
        writeInt(slot, 21, 4, OTHERS);
        // past its end are zeros
        for (let i = 0; i < MEETING_PLACES.length; i++) slot[MEETING_PLACES[i]] = id[part * 23 - 7 + i];
      } else {
        slot.set(id.subarray(0, 16), 1);
        slot[18] = power;
        slot[MEETING_ROLE_AT] = central;
        writeInt(slot, 21, 4, (since >> 1) | OTHERS | (1 << 29));
        writeInt(slot, 25, 2, weakness << 4);
      }
      slots.push(slot);
    }
    slots.forEach(put);
    whole = blacklisted(whole, key, now);
  }
  meetings++;
  countEncounter();
}
