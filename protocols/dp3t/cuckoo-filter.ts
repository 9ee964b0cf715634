import { ascii, readU32BE, writeU32BE } from "../bytes.ts";
import { sortedHashes } from "./hash-list.ts";

// A fifth of the size of the list of hash-list.ts, at the price of wrong positives: some 8 in 2^48 for fingerprints of 6 bytes, where the paper asks for 2^-42.
// Source: Fan and others, "Cuckoo Filter: Practically Better Than Bloom", 2014, for the method; layout and hash functions: this project's own, for the DP-3T paper fixes none.
// offset 0  4 bytes  "DP3C"
// offset 4  u8       version: 1
// offset 5  u8       bytes of a fingerprint: 1 to 8; 6 for publication
// offset 6  u8       n: there are 2^n buckets, at most 2^24
// offset 7  u32      number of hashes, big-endian
// offset 11          buckets of 4 fingerprints each, ascending within a bucket; zeros: empty
//
// A hash (32 bytes, of `observationHash`) has as bucket its first four bytes modulo 2^n, and as fingerprint the bytes from 8 on, the last of which is 1 if all are zero.
// Its other bucket is the first one XOR the fingerprint's first three bytes (zeros where there are fewer) times 40503 modulo 2^n. All numbers big-endian.

const HEADER = ascii("DP3C\x01");
const HEADER_BYTES = 11;
const SLOTS = 4;
const MOST_BUCKETS_LOG2 = 24;
export const FINGERPRINT_BYTES = 6;
/** A hash that has pushed so many others on finds no place: the filter is made twice as large. */
const MOST_KICKS = 500;

export interface CuckooFilter {
  fingerprintBytes: number;
  bucketsLog2: number;
  count: number;
  /** 2^n buckets of 4 fingerprints. */
  slots: Uint8Array;
}

function fingerprintOf(hash: Uint8Array, size: number): Uint8Array {
  const fingerprint = new Uint8Array(hash.subarray(8, 8 + size));
  let bits = 0;
  for (let i = 0; i < size; i++) bits |= fingerprint[i];
  if (!bits) fingerprint[size - 1] = 1;
  return fingerprint;
}

function otherBucket(filter: CuckooFilter, bucket: number, fingerprint: Uint8Array): number {
  const number = ((fingerprint[0] << 16) | (fingerprint[1] << 8) | fingerprint[2]) * 40503;
  return bucket ^ (number % (1 << filter.bucketsLog2));
}

function firstBucket(filter: CuckooFilter, hash: Uint8Array): number {
  return readU32BE(hash, 0) % (1 << filter.bucketsLog2);
}

/** Offset of a slot of the bucket that holds `fingerprint`, -1 if none does. Zeros find an empty one. */
function slotWith(filter: CuckooFilter, bucket: number, fingerprint: Uint8Array): number {
  const size = filter.fingerprintBytes;
  for (let slot = 0; slot < SLOTS; slot++) {
    const at = (bucket * SLOTS + slot) * size;
    let same = 0;
    while (same < size && filter.slots[at + same] === fingerprint[same]) same++;
    if (same === size) return at;
  }
  return -1;
}

/** Puts a fingerprint into one of its buckets and pushes others on where both are full. `false`: one of them found no place. */
function insert(filter: CuckooFilter, hash: Uint8Array): boolean {
  const size = filter.fingerprintBytes;
  const empty = new Uint8Array(size);
  let fingerprint = fingerprintOf(hash, size);
  let bucket = firstBucket(filter, hash);
  for (let kicks = 0; kicks < MOST_KICKS; kicks++) {
    const at = slotWith(filter, bucket, empty);
    if (at >= 0) {
      filter.slots.set(fingerprint, at);
      return true;
    }
    // The first turn only looks at the other bucket.
    if (kicks > 0) {
      const victim = (bucket * SLOTS + (kicks % SLOTS)) * size;
      const pushed = new Uint8Array(filter.slots.subarray(victim, victim + size));
      filter.slots.set(fingerprint, victim);
      fingerprint = pushed;
    }
    bucket = otherBucket(filter, bucket, fingerprint);
  }
  return false;
}

/** Brings the fingerprints of each bucket into ascending order, so that nothing tells in which one they came; empty ones first. */
function sortBuckets(filter: CuckooFilter): void {
  const size = filter.fingerprintBytes;
  for (let start = 0; start < filter.slots.length; start += SLOTS * size) {
    const held: Uint8Array[] = [];
    for (let slot = 0; slot < SLOTS; slot++) held.push(new Uint8Array(filter.slots.subarray(start + slot * size, start + (slot + 1) * size)));
    held.sort(function (a, b) {
      let i = 0;
      while (i < size - 1 && a[i] === b[i]) i++;
      return a[i] - b[i];
    });
    for (let slot = 0; slot < SLOTS; slot++) filter.slots.set(held[slot], start + slot * size);
  }
}

/**
 * A filter of hashes of 32 bytes; the same one for the same hashes in any order.
 * @throws Error for more hashes than 2^24 buckets hold, and for a size of fingerprints out of 1 to 8.
 */
export function buildFilter(hashes: Uint8Array[], fingerprintBytes: number): CuckooFilter {
  if (!(fingerprintBytes >= 1 && fingerprintBytes <= 8)) throw new Error("fingerprint: 1 to 8 bytes, got " + fingerprintBytes);
  const sorted = sortedHashes(hashes);
  let bucketsLog2 = 0;
  // Up to 95 % full it can be made; a little less saves most of the pushing.
  while (SLOTS * (1 << bucketsLog2) * 0.93 < sorted.length) bucketsLog2++;
  for (; bucketsLog2 <= MOST_BUCKETS_LOG2; bucketsLog2++) {
    const filter: CuckooFilter = {
      fingerprintBytes: fingerprintBytes,
      bucketsLog2: bucketsLog2,
      count: sorted.length,
      slots: new Uint8Array(SLOTS * (1 << bucketsLog2) * fingerprintBytes),
    };
    let placed = 0;
    while (placed < sorted.length && insert(filter, sorted[placed])) placed++;
    if (placed === sorted.length) {
      sortBuckets(filter);
      return filter;
    }
  }
  throw new Error("filter: " + sorted.length + " hashes are more than its largest size holds");
}

/** May `hash`, or its first 16 bytes, be one of the filter's? No more of it is looked at. Never `false` for one that is. */
export function mayHaveHash(filter: CuckooFilter, hash: Uint8Array): boolean {
  const fingerprint = fingerprintOf(hash, filter.fingerprintBytes);
  const bucket = firstBucket(filter, hash);
  return slotWith(filter, bucket, fingerprint) >= 0 || slotWith(filter, otherBucket(filter, bucket, fingerprint), fingerprint) >= 0;
}

/** The filter as a file. */
export function encodeFilter(filter: CuckooFilter): Uint8Array {
  const file = new Uint8Array(HEADER_BYTES + filter.slots.length);
  file.set(HEADER);
  file[5] = filter.fingerprintBytes;
  file[6] = filter.bucketsLog2;
  writeU32BE(file, 7, filter.count);
  file.set(filter.slots, HEADER_BYTES);
  return file;
}

/** A filter whose slots are a view into the file; `undefined` for what is none, has another length than it says, or claims more hashes than there are slots. */
export function decodeFilter(file: Uint8Array): CuckooFilter | undefined {
  for (let i = 0; i < HEADER.length; i++) if (file[i] !== HEADER[i]) return undefined;
  const size = file[5];
  const bucketsLog2 = file[6];
  if (!(size >= 1 && size <= 8) || bucketsLog2 > MOST_BUCKETS_LOG2) return undefined;
  const slots = SLOTS * (1 << bucketsLog2);
  const count = readU32BE(file, 7);
  if (file.length !== HEADER_BYTES + slots * size || count > slots) return undefined;
  return { fingerprintBytes: size, bucketsLog2: bucketsLog2, count: count, slots: file.subarray(HEADER_BYTES) };
}
