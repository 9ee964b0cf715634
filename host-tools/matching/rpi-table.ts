import type { Crypto } from "../../protocols/ports.ts";

const NONE = -1;

/** Finds entries by their 16-byte identifier. Entries are numbered from 0 in the order given. */
export interface RpiTable {
  /** An entry with the identifier that is number `place` in `identifiers` (16 bytes each), or -1. */
  find(identifiers: Uint32Array, place: number): number;
  /** Another entry with the same identifier, or -1 after the last. */
  next(entry: number): number;
}

/** 16-byte identifiers, one after the other, as the four words each that `RpiTable.find` takes. A view where alignment allows. */
export function identifierWords(identifiers: Uint8Array): Uint32Array {
  const aligned = identifiers.byteOffset % 4 === 0 ? identifiers : identifiers.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 2);
}

/**
 * A hash table with open addressing, at most half full: 16 bytes of identifier and 12 to 20 bytes of index an entry, and no object for any of them.
 *
 * Identifiers come from the air, so whoever sends may choose them. The hash takes all four words with factors drawn at random, or a sender could put all of his into one place.
 */
export function createRpiTable(crypto: Crypto, rpis: readonly Uint8Array[]): RpiTable {
  const words = new Uint32Array(4 * rpis.length);
  const bytes = new Uint8Array(words.buffer);
  for (let i = 0; i < rpis.length; i++) bytes.set(rpis[i], 16 * i);

  let size = 16;
  while (size < 2 * rpis.length) size *= 2;
  const heads = new Int32Array(size).fill(NONE);
  const following = new Int32Array(rpis.length).fill(NONE);
  const factors = new Uint32Array(crypto.randomBytes(16).slice().buffer).map((factor) => factor | 1);
  const [f0, f1, f2, f3] = factors;
  const shift = 32 - Math.log2(size);

  const placeOf = (w: Uint32Array, at: number) =>
    (Math.imul(w[at], f0) + Math.imul(w[at + 1], f1) + Math.imul(w[at + 2], f2) + Math.imul(w[at + 3], f3)) >>> shift;
  const same = (w: Uint32Array, at: number, entry: number) =>
    w[at] === words[4 * entry] && w[at + 1] === words[4 * entry + 1] && w[at + 2] === words[4 * entry + 2] && w[at + 3] === words[4 * entry + 3];

  for (let entry = 0; entry < rpis.length; entry++) {
    let place = placeOf(words, 4 * entry);
    while (heads[place] !== NONE && !same(words, 4 * entry, heads[place])) place = (place + 1) & (size - 1);
    following[entry] = heads[place];
    heads[place] = entry;
  }

  return {
    find(identifiers, number) {
      const at = 4 * number;
      let place = placeOf(identifiers, at);
      while (heads[place] !== NONE && !same(identifiers, at, heads[place])) place = (place + 1) & (size - 1);
      return heads[place];
    },
    next: (entry) => following[entry],
  };
}
