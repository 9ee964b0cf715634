import { sealRecord } from "../../host-tools/store/log-decoder.ts";
import { ascii, concat, writeInt } from "../../protocols/bytes.ts";
import {
  CLOCK,
  CLOCK_STEP_UNKNOWN,
  DENSE,
  DENSE_BYTES,
  ENCOUNTER,
  LONG_BYTES,
  LONG_WORDS,
  MARK,
  NO_POWER,
  OTHERS,
  OTHERS_DENSE,
  SETTINGS,
  SIGHTING,
} from "../../protocols/log-format.ts";

// Records as a board writes them, from the table in protocols/log-format.ts.

export function slot(kind: number, fill: (payload: Uint8Array) => void): Uint8Array {
  const bytes = new Uint8Array(LONG_BYTES);
  bytes[0] = kind;
  fill(bytes.subarray(1, -1));
  return sealRecord(bytes);
}
export const slots = (...list: Uint8Array[]) => list.reduce(concat, new Uint8Array(0));

/** Sequence number of record `n` of a log that begins at 145, where all are long. */
export const at = (n: number) => 145 + LONG_WORDS * n;

export interface Heard {
  /** Seconds since the base tick, even. */
  first: number;
  seconds?: number;
  count?: number;
  maxRssi?: number;
  below?: number;
}
export function encounterSlot(rpi: Uint8Array, aem: Uint8Array, { first, seconds = 0, count = 1, maxRssi = -60, below = 0 }: Heard): Uint8Array {
  return slot(ENCOUNTER, (payload) => {
    payload.set(rpi, 0);
    payload.set(aem, 16);
    writeInt(payload, 20, 4, (first / 2) | ((seconds / 2) << 19) | (count << 29));
    writeInt(payload, 24, 2, (count >> 3) | (-maxRssi << 4) | (below << 11));
  });
}
/** The same as a dense record. */
export function denseSlot(rpi: Uint8Array, aem: Uint8Array, { first, seconds = 0, maxRssi = -60, below = 0 }: Heard): Uint8Array {
  const bytes = new Uint8Array(DENSE_BYTES);
  const begin = Math.floor(first / 8);
  bytes[0] = DENSE | (Math.min(below, 15) << 4);
  const units = Math.ceil((first + seconds) / 8) - begin;
  writeInt(bytes, 1, 3, begin | (units << 17));
  bytes.set(rpi.subarray(0, 5), 4);
  bytes[9] = aem[1];
  bytes[10] = (units >> 7) | (-maxRssi << 1);
  return sealRecord(bytes);
}
/** An encounter of another protocol: tag, identifier, and the power that the packet told. */
export function othersSlot(tag: number, identifier: Uint8Array, txPower: number | undefined, heard: Heard): Uint8Array {
  const bytes = encounterSlot(identifier, Uint8Array.of(tag, txPower ?? NO_POWER, 0, 0), heard);
  bytes[23] |= OTHERS >> 16;
  return sealRecord(bytes);
}
/** The same as a dense record. */
export function othersDenseSlot(tag: number, identifier: Uint8Array, txPower: number | undefined, heard: Heard): Uint8Array {
  const step = txPower === undefined ? 31 : Math.max(0, Math.min(30, Math.ceil((txPower + 40) / 2)));
  const bytes = denseSlot(identifier, Uint8Array.of(0, tag | (step << 3), 0, 0), heard);
  bytes[3] |= OTHERS_DENSE >> 16;
  return sealRecord(bytes);
}
/** Identifier and metadata of one byte each, repeated. */
export const encounter = (heard: Heard & { rpi?: number; aem?: number }) =>
  encounterSlot(new Uint8Array(16).fill(heard.rpi ?? 1), new Uint8Array(4).fill(heard.aem ?? 2), heard);
export const dense = (heard: Heard & { rpi?: number; aem?: number }) =>
  denseSlot(new Uint8Array(16).fill(heard.rpi ?? 1), new Uint8Array(4).fill(heard.aem ?? 2), heard);
export const sighting = (rpi: number, address: number, rssi: number, offset: number) =>
  slot(SIGHTING, (payload) => {
    payload.fill(rpi, 0, 16);
    payload.fill(address, 16, 22);
    payload[22] = rssi;
    writeInt(payload, 23, 3, offset);
  });
export const clock = (era: number, tick: number, unix: number, more: { ms?: number; why?: number; step?: number; roundTrip?: number } = {}) =>
  slot(CLOCK, (payload) => {
    writeInt(payload, 0, 4, era);
    writeInt(payload, 4, 4, tick);
    writeInt(payload, 8, 4, unix);
    writeInt(payload, 12, 2, more.ms ?? 0);
    writeInt(payload, 14, 4, more.step ?? CLOCK_STEP_UNKNOWN);
    writeInt(payload, 18, 2, more.roundTrip ?? 20);
    payload[20] = more.why ?? 1;
    writeInt(payload, 21, 4, 150);
  });
export const mark = (era: number, base: number) =>
  slot(MARK, (payload) => {
    writeInt(payload, 0, 4, era);
    writeInt(payload, 4, 4, base);
    writeInt(payload, 8, 2, 2970);
    payload[10] = 1;
    payload.set(ascii("0.1.0"), 11);
  });
export const settings = (values: number[]) =>
  slot(SETTINGS, (payload) => {
    values.forEach((value, i) => {
      writeInt(payload, 2 * i, 2, value);
    });
  });
