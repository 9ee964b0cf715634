import { readU32, writeInt } from "../../protocols/bytes.ts";
import { serviceDataOffset } from "../../protocols/gaen/advertisement.ts";
import { ENCOUNTER, LONGEST_ENCOUNTER, PUBLIC_ADDRESS, SIGHTING, SLOT_BYTES } from "../../protocols/log-format.ts";
import { CYCLE_TIME, MINIMUM_DURATION, RAW_LOG, RSSI_FLOOR } from "../../protocols/settings.ts";
import { append, baseTick } from "../encounter-log.ts";
import { settings } from "../settings.ts";

// Merges what the radio hears into encounters. Between scans nothing is done; while a scan runs each advertisement costs one look-up and one addition,
// and every step of 2 s the sums of the step are taken over. An identifier is one open encounter: a place in parallel typed arrays.

/** Open encounters at most: 50 neighbours that change identifiers every 10 to 20 minutes keep 84 open on average. */
const PLACES = 100;
/** One report in `step`: the count in the upper half, the sum of -RSSI in the lower. */
const ONE = 65536;

// 32 bits of the identifier find its place: it is an AES block, so they are as good as any. 0: free
const keys = new Int32Array(PLACES);
const step = new Int32Array(PLACES);
const strongest = new Int8Array(PLACES);
const ids = new Uint8Array(PLACES * 20);
const first = new Uint32Array(PLACES);
const last = new Uint32Array(PLACES);
const counts = new Uint16Array(PLACES);
const sums = new Int32Array(PLACES);
// only filled while the raw log is on: RSSI and address of the last report
const latest: Advertisement[] = [];
export let openEncounters = 0;
export let sightings = 0;
/** Scans in which the interpreter's input queue overflowed: advertisements were lost. */
export let overflows = 0;

function record(place: number): void {
  const duration = last[place] - first[place];
  if (counts[place] && duration >= settings[MINIMUM_DURATION]) {
    const slot = new Uint8Array(SLOT_BYTES);
    const count = Math.min(counts[place], 127);
    const below = Math.min(Math.round(sums[place] / counts[place]) + strongest[place], 31);
    slot.set(ids.subarray(place * 20, place * 20 + 20));
    writeInt(slot, 20, 4, ((first[place] - baseTick()) >> 1) | ((duration >> 1) << 19) | (count << 29));
    writeInt(slot, 24, 2, (count >> 3) | (-strongest[place] << 4) | (below << 11));
    append(ENCOUNTER, slot);
  }
  keys[place] = counts[place] = 0;
  openEncounters--;
}

/** Crowded: the one that has been silent longest goes to the log. */
function makePlace(): number {
  let place = 0;
  for (let i = 1; i < PLACES; i++) if (last[i] < last[place]) place = i;
  record(place);
  return place;
}
function takePlace(key: number, data: Uint8Array, offset: number): number {
  let place = keys.indexOf(0);
  if (place < 0) place = makePlace();
  keys[place] = key;
  ids.set(data.subarray(offset, offset + 20), place * 20);
  strongest[place] = -128;
  sums[place] = 0;
  openEncounters++;
  return place;
}

/** The radio's handler. It has its own small scope, because the interpreter looks names up one by one. */
export const heard: (device: Advertisement) => void = (function (places: Int32Array, sum: Int32Array, best: Int8Array, limits: number[]) {
  return function (device: Advertisement) {
    const data = new Uint8Array(device.data);
    const offset = serviceDataOffset(data);
    const rssi = device.rssi;
    // a positive RSSI is the radio's word for "unknown" (BLE-09)
    if (offset < 0 || rssi < limits[RSSI_FLOOR] || rssi > 0) return;
    const key = readU32(data, offset) | 1;
    let place = places.indexOf(key);
    if (place < 0) place = takePlace(key, data, offset);
    sum[place] += ONE - rssi;
    if (rssi > best[place]) best[place] = rssi;
    if (limits[RAW_LOG]) latest[place] = device;
  };
})(keys, step, strongest, settings);

function recordSighting(place: number, began: number): void {
  const slot = new Uint8Array(SLOT_BYTES);
  const device = latest[place];
  slot.set(ids.subarray(place * 20, place * 20 + 16));
  for (let i = 0; i < 6; i++) slot[16 + i] = parseInt(device.id.substr(i * 3, 2), 16);
  slot[22] = device.rssi;
  writeInt(slot, 23, 3, (began - baseTick()) | (device.id.indexOf("public") > 0 ? PUBLIC_ADDRESS : 0));
  append(SIGHTING, slot);
}

/** Takes over what was heard in the step that began at tick `began` (whole seconds). */
export function endStep(began: number): void {
  for (let i = 0; i < PLACES; i++) {
    const sum = step[i];
    if (!sum) continue;
    if (!counts[i]) first[i] = began;
    last[i] = began;
    counts[i] += sum >> 16;
    sightings += sum >> 16;
    sums[i] += sum & 0xffff;
    step[i] = 0;
    if (settings[RAW_LOG]) recordSighting(i, began);
    if (began - first[i] >= LONGEST_ENCOUNTER) record(i);
  }
}

/** After a scan: closes what has not been heard for 2 cycles + 10 s (MH, section 4). `now`: tick. */
export function closeEncounters(now: number): void {
  if (E.getErrorFlags().indexOf("FIFO_FULL") >= 0) overflows++;
  for (let i = 0; i < PLACES; i++) if (keys[i] && now - last[i] >= 2 * settings[CYCLE_TIME] + 10) record(i);
}
