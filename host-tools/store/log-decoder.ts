import { crc32 } from "node:zlib";
import { PROTOCOLS } from "../../boards/capabilities.ts";
import { readU16, readU32 } from "../../protocols/bytes.ts";
import { ROLLING_PERIOD } from "../../protocols/gaen/key-schedule.ts";
import {
  BLANK,
  CLOCK,
  CLOCK_STEP_UNKNOWN,
  DELETED,
  DELETED_DENSE,
  DENSE,
  DENSE_SECONDS,
  ENCOUNTER,
  KEY_OF_OTHERS,
  KEY_OF_OTHERS_ENDED,
  MARK,
  MEETING_PART_AT,
  MEETING_PLACES,
  MEETING_RECORDS,
  MEETING_ROLE_AT,
  NO_POWER,
  OTHERS,
  OTHERS_DENSE,
  PAYLOAD_BYTES,
  PREFIX_BYTES,
  PUBLIC_ADDRESS,
  recordWords,
  SETTINGS,
  SIGHTING,
  TEK,
  WORD_BYTES,
} from "../../protocols/log-format.ts";
import { BLUETRACE_TAG, GAEN_TAG } from "../../protocols/protocol-tags.ts";
import { SETTING_COUNT } from "../../protocols/settings.ts";
import { FormatError } from "../errors.ts";
import type {
  ClockRecord,
  DamagedRecord,
  DenseRecord,
  EncounterRecord,
  LogRecord,
  MarkRecord,
  MeetingAgainRecord,
  MeetingPartRecord,
  MeetingRecord,
  OthersDenseRecord,
  OthersRecord,
  OwnKey,
  Place,
  PulledBlock,
  SightingRecord,
} from "./log-records.ts";

// Records as they lie in a board's flash to typed ones (log-records.ts). The layouts stand in protocols/log-format.ts, each offset below is from there.

export type * from "./log-records.ts";

/** Transmit power in a dense record of another protocol. */
const NO_POWER_STEP = 31;
const LOWEST_STEP_POWER = -40;

const readI32 = (bytes: Uint8Array, offset: number) => readU32(bytes, offset) | 0;
const readI16 = (bytes: Uint8Array, offset: number) => (readU16(bytes, offset) << 16) >> 16;
const readI8 = (bytes: Uint8Array, offset: number) => (bytes[offset] << 24) >> 24;

/** A record with its check: `slot` whole, its kind in byte 0. In place. */
export function sealRecord<T extends Uint8Array>(slot: T): T {
  const own = slot[0] & 1 ? 0xf0 : 0;
  slot[0] &= ~own;
  const crc = crc32(slot.subarray(0, -1));
  slot[0] |= crc & own;
  slot[slot.length - 1] = (crc % 254) + 1;
  return slot;
}

/** Does the check of a whole record hold? */
export function isSealed(slot: Uint8Array): boolean {
  return Buffer.from(slot).equals(sealRecord(new Uint8Array(slot)));
}

/** The bytes of each record of some words that begin with one. The last may be cut. */
export function splitRecords(words: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let at = 0; at < words.length; ) {
    const length = recordWords(words[at]) * WORD_BYTES;
    records.push(words.subarray(at, at + length));
    at += length;
  }
  return records;
}

/**
 * Records of one block, one for each of `splitRecords`, in the order of the log. Era and base of what follows a MARK are the MARK's.
 *
 * What fails its check becomes a `damaged` record: a board may lose power in the middle of a write, and the rest of its log is as good as before.
 * @throws FormatError where the block doesn't end with a record: then it is not what the board sent.
 */
export function decodeBlock(block: PulledBlock): LogRecord[] {
  const slots = splitRecords(block.slots);
  const last = slots.at(-1);
  if (last && last.length !== recordWords(last[0]) * WORD_BYTES) {
    throw new FormatError("bad_block", `block at sequence number ${block.seq}: ${block.slots.length} bytes don't end with a record; pull again`);
  }
  let { seq, era, baseTick } = block;
  return slots.map((slot) => {
    const record = decodeSlot(slot, { seq, era, baseTick });
    seq += slot.length / WORD_BYTES;
    if (record.kind === "mark") ({ era, baseTick } = record);
    return record;
  });
}

/** One record, of 28, 12 or 4 bytes. A MARK's own place already has the era and base that it brings. */
export function decodeSlot(slot: Uint8Array, place: Place): LogRecord {
  const kind = slot[0] & 15;
  if (kind === DELETED || kind === DELETED_DENSE) return { kind: "deleted", ...place };
  if (slot.every((byte) => byte === 0xff)) return { kind: "blank", ...place };
  const sealed = kind !== BLANK && isSealed(slot);
  // a board hands keys over by T.k only, and shows ones where they are. One that shows up in the log all the same is not kept
  if (kind === TEK && (sealed || slot.subarray(1).every((byte) => byte === 0xff))) return { kind: "deleted", ...place };
  if (!sealed) return { kind: "damaged", reason: "not whole: a write was cut short, or the flash has changed", ...place };
  switch (kind) {
    case ENCOUNTER:
      return decodeEncounter(slot.subarray(1), place);
    case DENSE:
      return decodeDense(slot, place);
    case SIGHTING:
      return decodeSighting(slot.subarray(1), place);
    case CLOCK:
      return decodeClock(slot.subarray(1), place);
    case SETTINGS:
      return { kind: "settings", ...place, values: Array.from({ length: SETTING_COUNT }, (_, i) => readI16(slot, 1 + 2 * i)) };
    case MARK:
      return decodeMark(slot.subarray(1, -1), place);
    default:
      return { kind: "damaged", reason: "unknown kind " + kind, ...place };
  }
}

// Long records: payload, so 1 less than the offset in the record

function decodeSighting(payload: Uint8Array, place: Place): SightingRecord {
  return {
    kind: "sighting",
    ...place,
    rpi: payload.slice(0, 16),
    address: Array.from(payload.subarray(16, 22), (byte) => byte.toString(16).padStart(2, "0")).join(":"),
    addressType: payload[25] & (PUBLIC_ADDRESS >> 16) ? "public" : "random",
    rssi: readI8(payload, 22),
    tick: place.baseTick + ((readU16(payload, 23) | (payload[25] << 16)) & (PUBLIC_ADDRESS - 1)),
  };
}

/** Name of a protocol that is not GAEN; undefined for a number that no protocol we know has. */
export function otherProtocol(tag: number): string | undefined {
  return tag === GAEN_TAG ? undefined : Object.keys(PROTOCOLS).find((name) => PROTOCOLS[name].tag === tag);
}

const unknownProtocol = (tag: number, place: Place): DamagedRecord => ({ kind: "damaged", reason: "unknown protocol " + tag, ...place });

function decodeDense(slot: Uint8Array, place: Place): DenseRecord | OthersDenseRecord | MeetingAgainRecord | DamagedRecord {
  const times = readU32(slot, 1);
  const firstTick = place.baseTick + DENSE_SECONDS * (times & (OTHERS_DENSE - 1));
  const duration = ((times >> 17) & 0x7f) | ((slot[10] & 1) << 7);
  const maxRssi = 0 - (slot[10] >> 1);
  const prefix = slot.slice(4, 4 + PREFIX_BYTES);
  const heard = { ...place, firstTick, lastTick: firstTick + DENSE_SECONDS * duration, maxRssi, meanRssi: maxRssi - (slot[0] >> 4) };
  if (!(times & OTHERS_DENSE)) return { kind: "dense", ...heard, prefix, power: slot.slice(9, 10) };
  const protocol = otherProtocol(slot[9] & 7);
  if (protocol === undefined) return unknownProtocol(slot[9] & 7, place);
  const step = slot[9] >> 3;
  const txPower = step === NO_POWER_STEP ? undefined : LOWEST_STEP_POWER + 2 * step;
  if ((slot[9] & 7) === BLUETRACE_TAG)
    return { kind: "meeting-again", ...place, tick: firstTick, begin: prefix, rssi: maxRssi, txPower, central: slot[0] >> 4 === 1 };
  return { kind: "others-dense", ...heard, protocol, prefix, txPower };
}

/** `slot`: whole, as the offsets of a meeting count from its begin. */
function decodeMeetingPart(slot: Uint8Array, place: Place): MeetingPartRecord | DamagedRecord {
  const part = slot[MEETING_PART_AT];
  if (part >= MEETING_RECORDS) return { kind: "damaged", reason: "unknown part of a meeting", ...place };
  return { kind: "meeting-part", ...place, part, bytes: Uint8Array.from(MEETING_PLACES, (at) => slot[at]) };
}

function decodeEncounter(payload: Uint8Array, place: Place): EncounterRecord | OthersRecord | MeetingRecord | MeetingPartRecord | DamagedRecord {
  if (readU32(payload, 20) & OTHERS && payload[16] === BLUETRACE_TAG && payload[MEETING_PART_AT - 1] > 0)
    return decodeMeetingPart(Buffer.concat([Uint8Array.of(0), payload]), place);
  const times = readU32(payload, 20);
  const signal = readU16(payload, 24);
  const firstTick = place.baseTick + 2 * (times & (OTHERS - 1));
  const maxRssi = 0 - ((signal >> 4) & 0x7f);
  const heard = {
    ...place,
    firstTick,
    lastTick: firstTick + 2 * ((times >>> 19) & 0x3ff),
    count: (times >>> 29) | ((signal & 15) << 3),
    maxRssi,
    meanRssi: maxRssi - (signal >> 11),
  };
  const identifier = payload.slice(0, 16);
  if (!(times & OTHERS)) return { kind: "encounter", ...heard, rpi: identifier, aem: payload.slice(16, 20) };
  const protocol = otherProtocol(payload[16]);
  if (protocol === undefined) return unknownProtocol(payload[16], place);
  const power = readI8(payload, 17);
  if (payload[16] === BLUETRACE_TAG)
    return {
      kind: "meeting",
      ...place,
      tick: heard.firstTick,
      begin: identifier,
      rssi: maxRssi,
      txPower: power === NO_POWER ? undefined : power,
      central: payload[MEETING_ROLE_AT - 1] === 1,
    };
  return { kind: "others", ...heard, protocol, identifier, txPower: power === NO_POWER ? undefined : power };
}

function decodeClock(payload: Uint8Array, place: Place): ClockRecord {
  const step = readI32(payload, 14);
  const seconds = readU32(payload, 8);
  return {
    kind: "clock",
    ...place,
    clockEra: readU32(payload, 0),
    tick: readU32(payload, 4),
    unixMs: seconds === 0 ? undefined : seconds * 1000 + readU16(payload, 12),
    stepMs: step === CLOCK_STEP_UNKNOWN ? undefined : step,
    roundTripMs: readU16(payload, 18),
    why: payload[20],
    acknowledged: readU32(payload, 21),
  };
}

function decodeMark(payload: Uint8Array, place: Place): MarkRecord {
  let firmware = "";
  for (const byte of payload.subarray(11)) {
    if (byte === 0) break;
    firmware += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "?";
  }
  return {
    kind: "mark",
    seq: place.seq,
    era: readU32(payload, 0),
    baseTick: readU32(payload, 4),
    batteryMv: readU16(payload, 8) || undefined,
    started: payload[10] === 1,
    firmware,
  };
}

/** The payloads of `T.k`'s answer. @throws FormatError for a length that isn't that of whole ones. */
export function splitPayloads(payloads: Uint8Array): Uint8Array[] {
  if (payloads.length % PAYLOAD_BYTES !== 0) {
    throw new FormatError("bad_keys", `own keys: a multiple of ${PAYLOAD_BYTES} bytes expected, got ${payloads.length}; ask the board again`);
  }
  return Array.from({ length: payloads.length / PAYLOAD_BYTES }, (_, i) => payloads.subarray(i * PAYLOAD_BYTES, (i + 1) * PAYLOAD_BYTES));
}

/** Is a payload of `T.k` a part of another protocol's secret? Those are read by keys-of-others.ts. */
export const isOfOthers = (payload: Uint8Array) => payload[21] === KEY_OF_OTHERS || payload[21] === KEY_OF_OTHERS_ENDED;

/**
 * Own keys of GAEN from the answer of `T.k`: payloads of 26 bytes, one after the other.
 * A key of period 0 was drawn in the interval that still runs and has nothing to publish yet: it is left out.
 * @throws FormatError for another length, or a rolling period that no key has.
 */
export function decodeOwnKeys(payloads: Uint8Array): OwnKey[] {
  const keys: OwnKey[] = [];
  for (const [i, payload] of splitPayloads(payloads).entries()) {
    if (isOfOthers(payload)) continue;
    const rollingPeriod = payload[20];
    if (rollingPeriod > ROLLING_PERIOD) {
      throw new FormatError(
        "bad_keys",
        `own key ${i + 1}: rolling period 1 to ${ROLLING_PERIOD} expected, got ${rollingPeriod}; ask the board again`,
      );
    }
    if (rollingPeriod === 0) continue;
    keys.push({ tek: payload.slice(0, 16), rollingStart: readU32(payload, 16), rollingPeriod });
  }
  return keys;
}
