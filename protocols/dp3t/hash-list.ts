import { ascii, readU32BE, writeU32BE } from "../bytes.ts";

// What the unlinkable design publishes: the hashes of `observationHash` as they are. The paper publishes a Cuckoo filter; its hash functions are fixed nowhere, so this list is the exact
// form, and the filter of cuckoo-filter.ts the short one. Source: this project's own design.
// offset 0  4 bytes       "DP3U"
// offset 4  u8            version: 1
// offset 5  u32           number of hashes, big-endian
// offset 9  32 bytes each hashes, ascending, each once

const HEADER = ascii("DP3U\x01");
const HEADER_BYTES = 9;
export const HASH_BYTES = 32;

/** Negative, zero or positive, as the bytes from `a` and from `b` on compare. */
function compareHashes(left: Uint8Array, a: number, right: Uint8Array, b: number): number {
  for (let i = 0; i < HASH_BYTES; i++) if (left[a + i] !== right[b + i]) return left[a + i] - right[b + i];
  return 0;
}

/** Hashes of 32 bytes in ascending order, each once: the order in which they came would tell who published together. */
export function sortedHashes(hashes: Uint8Array[]): Uint8Array[] {
  const sorted = hashes.slice().sort(function (a, b) {
    return compareHashes(a, 0, b, 0);
  });
  return sorted.filter(function (hash, i) {
    return i === 0 || compareHashes(hash, 0, sorted[i - 1], 0) !== 0;
  });
}

/** The list as a file. */
export function encodeHashList(hashes: Uint8Array[]): Uint8Array {
  const sorted = sortedHashes(hashes);
  const file = new Uint8Array(HEADER_BYTES + HASH_BYTES * sorted.length);
  file.set(HEADER);
  writeU32BE(file, 5, sorted.length);
  for (let i = 0; i < sorted.length; i++) file.set(sorted[i], HEADER_BYTES + HASH_BYTES * i);
  return file;
}

/** The hashes of a list, 32 bytes each in a row, as a view; `undefined` for what is no list, is cut short, or isn't ascending. */
export function decodeHashList(file: Uint8Array): Uint8Array | undefined {
  for (let i = 0; i < HEADER.length; i++) if (file[i] !== HEADER[i]) return undefined;
  if (file.length < HEADER_BYTES || file.length !== HEADER_BYTES + HASH_BYTES * readU32BE(file, 5)) return undefined;
  const hashes = file.subarray(HEADER_BYTES);
  for (let at = HASH_BYTES; at < hashes.length; at += HASH_BYTES) if (compareHashes(hashes, at - HASH_BYTES, hashes, at) >= 0) return undefined;
  return hashes;
}

/** Is `hash` one of the `hashes` of `decodeHashList`? */
export function hasHash(hashes: Uint8Array, hash: Uint8Array): boolean {
  let low = 0;
  let high = hashes.length / HASH_BYTES;
  while (low < high) {
    const middle = (low + high) >> 1;
    const order = compareHashes(hashes, middle * HASH_BYTES, hash, 0);
    if (order === 0) return hash.length === HASH_BYTES;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return false;
}
