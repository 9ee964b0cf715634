import { COLLECT, CT10, DP3T, DP3T_UNLINKABLE, GAEN, GUESTS, OPENCOVIDTRACE, READS, SEVERAL } from "tracelet:build";
import { txPowerLevel } from "../../protocols/advertising-data.ts";
import { writeInt } from "../../protocols/bytes.ts";
import { rpiOffset } from "../../protocols/contact-tracing-v1/advertisement.ts";
import { PROOF_ENTRY_BYTES } from "../../protocols/device-link.ts";
import { ephIdOffset } from "../../protocols/dp3t/advertisement.ts";
import { serviceDataOffset } from "../../protocols/gaen/advertisement.ts";
import {
  DENSE,
  DENSE_BYTES,
  ENCOUNTER,
  LONGEST_ENCOUNTER,
  NO_POWER,
  OTHERS,
  OTHERS_DENSE,
  PREFIX_BYTES,
  PUBLIC_ADDRESS,
  SIGHTING,
} from "../../protocols/log-format.ts";
import { SERVICE } from "../../protocols/opencovidtrace/advertisement.ts";
import { CT10_TAG, DP3T_TAG, DP3T_UNLINKABLE_TAG, OPENCOVIDTRACE_TAG } from "../../protocols/protocol-tags.ts";
import { MINIMUM_DURATION, RAW_LOG, RSSI_FLOOR } from "../../protocols/settings.ts";
import { cycleTime } from "../battery.ts";
import { countEncounter } from "../day-count.ts";
import { append, baseTick, emptySlot, writesDense } from "../encounter-log.ts";
import { NEVER } from "../never.ts";
import { settings } from "../settings.ts";
import { collect } from "./collector.ts";
import { observedNow } from "./observation.ts";
import { notePeer } from "./unread.ts";

// Merges what the radio hears into encounters. Between scans nothing is done; while a scan runs each advertisement costs one look-up, one subtraction and one comparison,
// and every step of 2 s the clock is taken over. An identifier is one open encounter: a tally under the hash of its advertisement, and a place in parallel typed arrays.
//
// The hash is the CRC-32 of the whole advertising data, which a known neighbour repeats to the bit: what has been read once is not read again. Who forges one could
// as well repeat the advertisement.
//
// A tally is one number: strongest RSSI * STRENGTH + reports * REPORT + sum of -RSSI. Sum and reports have 24 and 20 bits, so all of it is exact in a double.

/**
 * Open encounters at most. 50 neighbours have 50 identifiers in use and, with a scan every 5 minutes, some 17 given up since the last one; what is older has not been heard
 * for a whole cycle and goes to the log before its time-out when its place is needed.
 */
const PLACES = 73;
/** No report is weaker. */
const WEAKEST = -127;
const STEP = 2;
/** Seconds without a report after which a radio may be deaf. Where nobody lives it is as good as on the first day. */
const SILENCE = 3600;

const FILTERS: object[] = [];
if (SEVERAL && (GAEN || CT10)) FILTERS.push({ serviceData: { fd6f: {} } });
if (DP3T || DP3T_UNLINKABLE) FILTERS.push({ serviceData: { fd68: {} } });
// whom to ask for an identifier that is in no packet
if (READS && (DP3T || DP3T_UNLINKABLE)) FILTERS.push({ services: ["fd68"] });
if (OPENCOVIDTRACE) FILTERS.push({ services: [SERVICE] });
if (COLLECT) FILTERS.push({ manufacturerData: { 1424: {} } });

export let openEncounters = 0;
export let sightings = 0;
/** Scans in which the interpreter's input queue overflowed: advertisements were lost. */
export let overflows = 0;
/** Scans that the radio had refused, or had ended before us. */
export let deadScans = 0;
/** Times the radio stack was restarted because nothing at all had been heard for long. */
export let radioRestarts = 0;
/** Tick of the last step in which anything was heard, or of the last restart for want of it. */
let heardAt = 0;

/** Has nothing been heard for long? Then the radio stack is to be restarted, and for a while the answer is no. `now`: tick. */
export function isDeaf(now: number): boolean {
  if (now - heardAt < SILENCE) return false;
  heardAt = now;
  radioRestarts++;
  return true;
}

/** Begins a scan, or ends it. A stack that has refused one says so once more at its end, and not before then is the interpreter ready for the next. */
export function listen(heard?: (device: Advertisement) => void): void {
  try {
    NRF.setScan(heard, { filters: SEVERAL ? FILTERS : [{ serviceData: { fd6f: {} } }] });
  } catch (_e) {
    if (!heard) deadScans++;
  }
}

/** Takes what was read of a peer, as a packet, in a step that begins at the tick `now`, whole seconds; while no scan runs. Of builds that read. */
export let takeRead: (device: Advertisement, now: number) => void;

/** State and functions have a scope of their own, what the handler needs first, because the interpreter looks names up one by one. */
export const scanner = /*@__PURE__*/ (function () {
  const tallies: { [hash: number]: number } = {};
  const crc: (data: ArrayBuffer) => number = E.CRC32;
  const REPORT = 0x1000000;
  const STRENGTH = 0x100000000000;
  const floor = Math.floor;
  // 0: free. The last place is the guests', and free between any two of them
  const hashes = new Int32Array(PLACES + 1);
  /** Low byte of the number of reports at the end of the last step. */
  const counted = new Uint8Array(PLACES + 1);
  const last = new Int32Array(PLACES + 1);
  const first = new Int32Array(PLACES + 1);
  const ids = new Uint8Array(PLACES * 20 + 20);
  /** Whose identifier it is: protocol-tags.ts. What is not GAEN's has in the place of the metadata tag and transmit power, as in the log. */
  const tags = SEVERAL ? new Uint8Array(PLACES + 1) : [];
  let guests: number[] = [];
  /** RSSI and address of the last report of the step, by hash; only while the raw log is on. */
  let latest: { [hash: string]: string } = {};
  /** Tick at which this step began, whole seconds. */
  let began = 0;
  /** Was it read of a peer, not heard? */
  let isRead = false;
  /** No place from here on is in use. */
  let end = 0;
  /** Seconds from one scan to the next, as it was when this one began: a longer or shorter one holds from the next on, so that no encounter is cut in two. */
  let cycle = 0;

  function record(place: number): void {
    const duration = Math.min(last[place] - first[place], LONGEST_ENCOUNTER);
    const tally = tallies[hashes[place]];
    const strongest = floor(tally / STRENGTH);
    const sum = tally - strongest * STRENGTH;
    const reports = floor(sum / REPORT);
    const count = Math.min(reports, 127);
    const below = Math.round((sum - reports * REPORT) / reports) + strongest;
    if (duration >= settings[MINIMUM_DURATION]) {
      // first: it may begin a page, and then the form may change
      const since = first[place] - baseTick();
      let slot = emptySlot(ENCOUNTER);
      if (writesDense()) {
        slot = new Uint8Array(DENSE_BYTES);
        const units = ((since & 7) + duration + 7) >> 3;
        slot[0] = DENSE | (Math.min(below, 15) << 4);
        writeInt(slot, 1, 3, (since >> 3) | (units << 17) | (SEVERAL && tags[place] ? OTHERS_DENSE : 0));
        slot.set(ids.subarray(place * 20, place * 20 + PREFIX_BYTES), 4);
        slot[9] = ids[place * 20 + 17];
        if (SEVERAL && tags[place]) {
          const power = (slot[9] << 24) >> 24;
          slot[9] = tags[place] | ((power < NO_POWER ? Math.max(0, Math.min(30, (power + 41) >> 1)) : 31) << 3);
        }
        slot[10] = (units >> 7) | (-strongest << 1);
      } else {
        slot.set(ids.subarray(place * 20, place * 20 + 20), 1);
        writeInt(slot, 21, 4, (since >> 1) | ((duration >> 1) << 19) | (count << 29) | (SEVERAL && tags[place] ? OTHERS : 0));
        writeInt(slot, 25, 2, (count >> 3) | (-strongest << 4) | (Math.min(below, 31) << 11));
      }
      append(slot);
      /*@__INLINE__*/ countEncounter();
    }
    delete tallies[hashes[place]];
    hashes[place] = counted[place] = 0;
    openEncounters--;
  }

  function open(device: Advertisement): void {
    const data = new Uint8Array(device.data);
    const hash = ~crc(device.data);
    let offset = GAEN ? /*@__INLINE__*/ serviceDataOffset(data) : -1;
    const rssi = device.rssi;
    let tag = 0;
    let hashed: Uint8Array | undefined;
    if (CT10 && offset < 0) {
      offset = rpiOffset(data);
      tag = CT10_TAG;
    }
    if ((DP3T || DP3T_UNLINKABLE) && offset < 0) {
      offset = ephIdOffset(data);
      tag = DP3T ? DP3T_TAG : DP3T_UNLINKABLE_TAG;
      if (DP3T_UNLINKABLE && offset >= 0) {
        hashed = observedNow(data.subarray(offset, offset + 16));
        offset = hashed ? 0 : -1;
      }
    }
    // what reader.ts makes of a value; the air may bring the same bytes, and no identifier with them
    if (OPENCOVIDTRACE && READS && isRead && data.length === 17) {
      offset = 1;
      tag = OPENCOVIDTRACE_TAG;
    }
    delete tallies[hash];
    if (READS && offset < 0 && notePeer(device, data)) return;
    if (offset < 0) {
      if (COLLECT) {
        collect(device.id, data);
        // looked at once a scan
        if (guests.length < GUESTS) {
          tallies[hash] = 0;
          guests.push(hash);
        }
      }
      return;
    }
    // a positive RSSI is the radio's word for "unknown" (BLE-09)
    if (rssi > 0 || !hash) return;
    let place = hashes.indexOf(0);
    if (place === PLACES) {
      // crowded: the one that has been silent longest goes to the log, unless it was there in the scan before; else each would drive out the next
      let silent = 0;
      for (let i = 1; i < PLACES; i++) if (last[i] < last[silent]) silent = i;
      if (began - last[silent] > cycle + STEP) {
        record(silent);
        place = silent;
      } else if (guests.length === GUESTS) return;
    }
    if (place < PLACES) end = Math.max(end, place + 1);
    hashes[place] = hash;
    ids.set((DP3T_UNLINKABLE && hashed ? hashed : data).subarray(offset, offset + 20), place * 20);
    if (SEVERAL) {
      const power = txPowerLevel(data);
      tags[place] = tag;
      if (tag) ids.set([tag, power === undefined ? NO_POWER : power, 0, 0], place * 20 + 16);
    }
    first[place] = last[place] = began;
    tallies[hash] = Math.max(rssi, WEAKEST) * STRENGTH + REPORT - rssi;
    openEncounters++;
    if (place === PLACES) {
      record(place);
      // not heard again before this scan is over
      tallies[hash] = 0;
      guests.push(hash);
      sightings++;
    }
  }

  /** Stronger than before, or of unknown strength; or new, then there was no tally, and it is not a number now. */
  function isKnown(device: Advertisement): boolean {
    const hash = ~crc(device.data);
    const rssi = device.rssi;
    const tally = tallies[hash];
    tallies[hash] += rssi > 0 ? rssi - REPORT : (rssi - floor(tally / STRENGTH)) * STRENGTH;
    return tally < STRENGTH;
  }
  function heard(device: Advertisement): void {
    // biome-ignore lint/suspicious/noAssignInExpressions: a second look-up costs the board a fifth more
    const isWeaker = (tallies[~crc(device.data)] -= device.rssi - REPORT) >= device.rssi * STRENGTH;
    // what stands here is skimmed for every advertisement: calls, not bodies
    if (!isWeaker && !(/*@__NOINLINE__*/ isKnown(device))) /*@__NOINLINE__*/ open(device);
  }

  /** With a floor or the raw log. */
  function heardInDetail(device: Advertisement): void {
    if (device.rssi < settings[RSSI_FLOOR]) return;
    heard(device);
    if (settings[RAW_LOG] && device.rssi <= 0) latest[~crc(device.data)] = device.rssi + device.id;
  }
  function recordSighting(hash: string): void {
    const place = hashes.indexOf(+hash);
    // a sighting has no room for more than GAEN's
    if (place < 0 || (SEVERAL && tags[place])) return;
    const slot = emptySlot(SIGHTING);
    const report = latest[hash];
    const address = report.indexOf(":") - 2;
    slot.set(ids.subarray(place * 20, place * 20 + 16), 1);
    for (let i = 0; i < 6; i++) slot[17 + i] = parseInt(report.substr(address + i * 3, 2), 16);
    slot[23] = parseInt(report.substr(0, address), 10);
    writeInt(slot, 24, 3, (began - baseTick()) | (report.indexOf("public") > 0 ? PUBLIC_ADDRESS : 0));
    append(slot);
  }

  if (READS)
    takeRead = function (device, now) {
      began = now;
      isRead = true;
      heard(device);
      isRead = false;
    };
  return {
    /** Who is there: an RPI for each open encounter into `blocks` from its second block on, −max RSSI and seconds since the last sighting into the entries of `answer` (device-link.ts). `now`: tick. */
    testify: function (now: number, blocks: Uint8Array, answer: Uint8Array): void {
      let at = 0;
      for (let place = end; place--; ) {
        if (!hashes[place]) continue;
        at++;
        blocks.set(ids.subarray(place * 20, place * 20 + 16), at * 16);
        answer[at * PROOF_ENTRY_BYTES + 6] = -floor(tallies[hashes[place]] / STRENGTH);
        writeInt(answer, at * PROOF_ENTRY_BYTES + 7, 2, Math.min(now - last[place], 65535));
      }
    },
    /** Begins a scan and its first step. `now`: tick, whole seconds. */
    start: function (now: number): void {
      began = now;
      cycle = cycleTime();
      listen(settings[RAW_LOG] || settings[RSSI_FLOOR] > WEAKEST ? heardInDetail : heard);
    },

    /**
     * Takes over what was heard in the step that ends. `ends`: 1 after the last one of a scan, which closes what has not been heard for 2 cycles + 10 s (MH, section 4);
     * 2 when the firmware ends, which closes everything.
     */
    endStep: function (ends: number): void {
      // what began before would be too long for its record if it were heard once more; scans may be late
      const tooEarly = ends > 1 ? NEVER : began + (ends ? cycle + 10 : STEP) - LONGEST_ENCOUNTER;
      const silent = ends > 1 ? NEVER : began - 2 * cycle - 10;
      let place = end;
      let reports = 0;
      let more = 0;
      for (const hash in latest) recordSighting(hash);
      latest = {};
      while (place--) {
        reports = floor(tallies[hashes[place]] / REPORT) & 255;
        if (reports !== counted[place]) {
          more += (reports - counted[place]) & 255;
          counted[place] = reports;
          last[place] = began;
          if (first[place] < tooEarly) record(place);
        } else if (ends && last[place] <= silent && hashes[place]) record(place);
      }
      sightings += more;
      // what is collected has no place
      if (more || (COLLECT && guests.length)) heardAt = began;
      began += STEP;
      if (!ends) return;
      for (let i = 0; i < guests.length; i++) delete tallies[guests[i]];
      guests = [];
      while (end && !hashes[end - 1]) end--;
      if (E.getErrorFlags().indexOf("FIFO_FULL") >= 0) overflows++;
    },
  };
})();
