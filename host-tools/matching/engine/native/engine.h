// Which of many keys may have made an identifier that was heard: what the addon (addon.c) and the WebAssembly module both offer. It is a sieve: it looks at the first 40
// bits of identifiers, so it may let a wrong key through, and never holds a right one back. What comes through is looked at again, by other code.
#pragma once
#include <stdint.h>

// Numbers that JavaScript knows too: sieve.ts.
enum schedule {
  // keys of Exposure Notification, 16 bytes, of `lengths` ten-minute intervals, at most 144, from interval `from` on
  GAEN = 0,
  // daily keys of Contact Tracing v1.0, 16 bytes, of day `from` since 1970; `lengths`: 1
  CONTACT_TRACING_V1 = 1,
  // secret keys of DP-3T's low-cost design, 32 bytes: the first of `lengths` days, of which the first is day `from`
  DP3T = 2,
};

struct keys {
  const uint8_t *bytes;
  const uint32_t *from, *lengths;
  uint32_t count;
};

// The identifiers that were heard, as heard-table.ts lays them out.
struct heard {
  // one bit for each value of the first bits of an identifier, its first four bytes as a little-endian number; set where one begins so
  const uint8_t *bitmap;
  uint32_t bitmap_shift;
  // open addressing: the first five bytes as a little-endian number, and bit 63; 0 where nothing is. At least one is empty.
  const uint64_t *slots;
  uint32_t slot_shift, factor;
};

// Ten-minute intervals since 1970 whose identifiers matter: before[i] is how many of those below first + i do; there are count + 1 of these numbers.
struct wanted {
  const uint32_t *before;
  uint32_t first, count;
};

// To be called first. Answers which instructions there are, of those that are allowed: bit 0 for AES, bit 1 for SHA-256.
uint32_t engine_start(uint32_t allowed);

// Writes the numbers of the keys that may have been heard, in ascending order, to `candidates`, which has room for all; answers how many.
uint32_t find_candidates(uint32_t schedule, const struct keys *keys, const struct wanted *wanted, const struct heard *heard, uint32_t *candidates);
