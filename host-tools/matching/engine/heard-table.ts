import type { Crypto } from "../../../protocols/ports.ts";

const NONE = -1;
const USED = 0x80000000;
/** Bits of the bitmap for an identifier: one in 32 of those that nobody heard gets through. */
const BITS_EACH = 32;
const FEWEST_BITS = 12;
/** 128 MiB of bitmap, and 16 GiB of slots: more identifiers than fit into a machine. */
const MOST_BITS = 30;

/** By so many of their first bytes identifiers are found: all that a dense encounter keeps. */
export const BEGINNING = 5;

/**
 * Identifiers that were heard, by their first 5 bytes: a bitmap that says no to nearly all others, and open addressing, at most half full. The sieve reads the columns
 * (native/engine.h); here they are asked one by one. Entries are numbered from 0 in the order given.
 */
export interface HeardTable {
  bitmap: Uint8Array;
  /** The first four bytes as a number, shifted by so many bits, are the place in the bitmap; times `factor`, shifted by `slotShift`, the first place in the slots. */
  bitmapShift: number;
  slots: BigUint64Array;
  slotShift: number;
  factor: number;
  /** The last of the entries that begin with the 5 bytes at `at`, or -1. */
  find(bytes: Uint8Array, at: number): number;
  /** One before it with the same beginning, or -1. */
  next(entry: number): number;
}

function lowOf(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

/** Never 0: that is an empty slot. */
function highOf(bytes: Uint8Array, at: number): number {
  return (bytes[at + 4] | USED) >>> 0;
}

/**
 * Identifiers come from the air, so whoever sends may choose them: places follow from a factor drawn at random, and those with one beginning share a slot, so nobody can
 * make a table slow.
 */
export function createHeardTable<E>(crypto: Crypto, entries: readonly E[], identifierOf: (entry: E) => Uint8Array): HeardTable {
  const bits = Math.min(Math.max(FEWEST_BITS, Math.ceil(Math.log2(BITS_EACH * Math.max(entries.length, 1)))), MOST_BITS);
  const slotBits = Math.max(4, Math.ceil(Math.log2(2 * Math.max(entries.length, 1))));
  const bitmap = new Uint8Array(2 ** (bits - 3));
  const slots = new BigUint64Array(2 ** slotBits);
  // two words a slot, the low one first: as every machine that Node.js runs on keeps them
  const words = new Uint32Array(slots.buffer);
  const heads = new Int32Array(slots.length).fill(NONE);
  const following = new Int32Array(entries.length);
  const [random] = new Uint32Array(crypto.randomBytes(4).slice().buffer);
  const factor = (random | 1) >>> 0;
  const bitmapShift = 32 - bits;
  const slotShift = 32 - slotBits;
  const last = slots.length - 1;

  /** The slot of a beginning, or the empty one where it would be. */
  function placeOf(low: number, high: number): number {
    let place = Math.imul(low, factor) >>> slotShift;
    while (words[2 * place + 1] !== 0 && (words[2 * place] !== low || words[2 * place + 1] !== high)) place = (place + 1) & last;
    return place;
  }

  for (let entry = 0; entry < entries.length; entry++) {
    const identifier = identifierOf(entries[entry]);
    const low = lowOf(identifier, 0);
    const high = highOf(identifier, 0);
    const bit = low >>> bitmapShift;
    bitmap[bit >>> 3] |= 1 << (bit & 7);
    const place = placeOf(low, high);
    words[2 * place] = low;
    words[2 * place + 1] = high;
    following[entry] = heads[place];
    heads[place] = entry;
  }

  return {
    bitmap,
    bitmapShift,
    slots,
    slotShift,
    factor,
    find: (bytes, at) => heads[placeOf(lowOf(bytes, at), highOf(bytes, at))],
    next: (entry) => following[entry],
  };
}
