// AES without instructions for it: eight blocks at a time, in vectors of 16 bytes of which number b has bit b of all bytes: lane p, bit j is bit b of byte p of block j.
// The S-box is the circuit of J. Boyar and R. Peralta, "A depth-16 circuit for the AES S-box", https://eprint.iacr.org/2011/332, in its names; the shape of the
// vectors is that of E. Käsper and P. Schwabe, "Faster and timing-attack resistant AES-GCM", https://eprint.iacr.org/2009/129. FIPS 197 for the rest.
//
// Our blocks are all alike but for one byte, so the first two rounds cost five look-ups a block, not 32; and of the last round four bytes are wanted, so four groups of
// eight blocks share it.
#pragma once
#include <stdint.h>
#define memcpy __builtin_memcpy

typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef uint64_t halves __attribute__((vector_size(16)));

#if defined(__clang__) || __GNUC__ >= 12
#define SHUFFLE(v, ...) __builtin_shufflevector((bytes16)(v), (bytes16){0}, __VA_ARGS__)
#else
#define SHUFFLE(v, ...) __builtin_shuffle((bytes16)(v), (bytes16){0}, (bytes16){__VA_ARGS__})
#endif

// FIPS 197: byte 4c + r is row r of column c. ShiftRows; and each column turned up by one row or by two, which is a turned number.
#if defined(__wasm__)
// V8 puts a constant pattern together anew for each use: here it is data, which the compiler must not know
#include <wasm_simd128.h>
static uint8_t shift_rows[16] __attribute__((aligned(16), used)) = {0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11};
#define SHIFT_PATTERN v128_t pattern = wasm_v128_load(shift_rows); __asm__("" : "+r"(pattern))
#define SHIFTED(v) ((halves)wasm_i8x16_swizzle((v128_t)(v), pattern))
#else
#define SHIFT_PATTERN
#define SHIFTED(v) ((halves)SHUFFLE(v, 0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11))
#endif
#define TURNED(v, rows) ((halves)((words4)(v) >> (8 * rows) | (words4)(v) << (32 - 8 * rows)))

static uint8_t sbox[256];
// What a byte of row 0 adds to its column: the S-box and MixColumns. Of row r: turned left by 8r bits.
static uint32_t mixed[256];

static uint8_t doubled(uint8_t x) { return (uint8_t)((x << 1) ^ (x & 0x80 ? 0x1b : 0)); }

// FIPS 197, 5.1.1: the inverse in GF(2^8), here by powers of 3, then the affine map.
static void start_aes(void) {
  uint8_t powers[255], logarithm[256] = {0};
  uint8_t power = 1;
  for (int i = 0; i < 255; i++) {
    powers[i] = power;
    logarithm[power] = (uint8_t)i;
    power ^= doubled(power);
  }
  for (int i = 0; i < 256; i++) {
    const uint32_t inverse = i ? powers[(255 - logarithm[i]) % 255] : 0;
    const uint32_t twofold = inverse << 8 | inverse;
    sbox[i] = (uint8_t)(inverse ^ twofold >> 7 ^ twofold >> 6 ^ twofold >> 5 ^ twofold >> 4 ^ 0x63);
  }
  for (int i = 0; i < 256; i++) {
    const uint32_t s = sbox[i], twice = doubled(sbox[i]);
    mixed[i] = twice | s << 8 | s << 16 | (twice ^ s) << 24;
  }
}

#define MOST_ROUNDS 14

// Round keys as words, first byte lowest. `key_words`: 4 or 8. Answers the number of rounds.
static int expand_key(uint32_t w[4 * (MOST_ROUNDS + 1)], const uint32_t *key, int key_words) {
  const int rounds = key_words + 6;
  uint8_t constant = 1;
  memcpy(w, key, 4 * key_words);
  for (int i = key_words; i < 4 * (rounds + 1); i++) {
    uint32_t t = w[i - 1];
    if (i % key_words == 0 || (key_words == 8 && i % 8 == 4)) {
      if (i % key_words == 0) t = t >> 8 | t << 24;
      t = sbox[t & 255] | (uint32_t)sbox[t >> 8 & 255] << 8 | (uint32_t)sbox[t >> 16 & 255] << 16 | (uint32_t)sbox[t >> 24] << 24;
    }
    if (i % key_words == 0) {
      t ^= constant;
      constant = doubled(constant);
    }
    w[i] = w[i - key_words] ^ t;
  }
  return rounds;
}

#define SWAP(a, b, mask, n)                                                                                                            \
  do {                                                                                                                                 \
    const halves t = ((a >> n) ^ b) & mask;                                                                                            \
    b ^= t;                                                                                                                            \
    a ^= t << n;                                                                                                                       \
  } while (0)

// Exchanges bit j of vector b with bit b of vector j, in each byte.
static inline __attribute__((always_inline)) void transpose(halves q[8]) {
  const halves ones = {0x5555555555555555, 0x5555555555555555}, twos = {0x3333333333333333, 0x3333333333333333},
               fours = {0x0f0f0f0f0f0f0f0f, 0x0f0f0f0f0f0f0f0f};
  for (int i = 0; i < 8; i += 2) SWAP(q[i], q[i + 1], ones, 1);
  for (int i = 0; i < 8; i += (i & 1) ? 3 : 1) SWAP(q[i], q[i + 2], twos, 2);
  for (int i = 0; i < 4; i++) SWAP(q[i], q[i + 4], fours, 4);
}

// SubBytes but for the constant 0x63, which is in the round keys: MixColumns leaves it as it is.
static inline __attribute__((always_inline)) void sub_bytes(halves q[8]) {
  const halves x0 = q[7], x1 = q[6], x2 = q[5], x3 = q[4], x4 = q[3], x5 = q[2], x6 = q[1], x7 = q[0];
  const halves y14 = x3 ^ x5, y13 = x0 ^ x6, y9 = x0 ^ x3, y8 = x0 ^ x5, t0 = x1 ^ x2, y1 = t0 ^ x7, y4 = y1 ^ x3, y12 = y13 ^ y14;
  const halves y2 = y1 ^ x0, y5 = y1 ^ x6, y3 = y5 ^ y8, t1 = x4 ^ y12, y15 = t1 ^ x5, y20 = t1 ^ x1, y6 = y15 ^ x7, y10 = y15 ^ t0;
  const halves y11 = y20 ^ y9, y7 = x7 ^ y11, y17 = y10 ^ y11, y19 = y10 ^ y8, y16 = t0 ^ y11, y21 = y13 ^ y16, y18 = x0 ^ y16;
  const halves t2 = y12 & y15, t3 = y3 & y6, t4 = t3 ^ t2, t5 = y4 & x7, t6 = t5 ^ t2, t7 = y13 & y16, t8 = y5 & y1, t9 = t8 ^ t7;
  const halves t10 = y2 & y7, t11 = t10 ^ t7, t12 = y9 & y11, t13 = y14 & y17, t14 = t13 ^ t12, t15 = y8 & y10, t16 = t15 ^ t12;
  const halves t17 = t4 ^ t14, t18 = t6 ^ t16, t19 = t9 ^ t14, t20 = t11 ^ t16, t21 = t17 ^ y20, t22 = t18 ^ y19, t23 = t19 ^ y21;
  const halves t24 = t20 ^ y18, t25 = t21 ^ t22, t26 = t21 & t23, t27 = t24 ^ t26, t28 = t25 & t27, t29 = t28 ^ t22, t30 = t23 ^ t24;
  const halves t31 = t22 ^ t26, t32 = t31 & t30, t33 = t32 ^ t24, t34 = t23 ^ t33, t35 = t27 ^ t33, t36 = t24 & t35, t37 = t36 ^ t34;
  const halves t38 = t27 ^ t36, t39 = t29 & t38, t40 = t25 ^ t39, t41 = t40 ^ t37, t42 = t29 ^ t33, t43 = t29 ^ t40, t44 = t33 ^ t37;
  const halves t45 = t42 ^ t41, z0 = t44 & y15, z1 = t37 & y6, z2 = t33 & x7, z3 = t43 & y16, z4 = t40 & y1, z5 = t29 & y7;
  const halves z6 = t42 & y11, z7 = t45 & y17, z8 = t41 & y10, z9 = t44 & y12, z10 = t37 & y3, z11 = t33 & y4, z12 = t43 & y13;
  const halves z13 = t40 & y5, z14 = t29 & y2, z15 = t42 & y9, z16 = t45 & y14, z17 = t41 & y8;
  const halves t46 = z15 ^ z16, t47 = z10 ^ z11, t48 = z5 ^ z13, t49 = z9 ^ z10, t50 = z2 ^ z12, t51 = z2 ^ z5, t52 = z7 ^ z8;
  const halves t53 = z0 ^ z3, t54 = z6 ^ z7, t55 = z16 ^ z17, t56 = z12 ^ t48, t57 = t50 ^ t53, t58 = z4 ^ t46, t59 = z3 ^ t54;
  const halves t60 = t46 ^ t57, t61 = z14 ^ t57, t62 = t52 ^ t58, t63 = t49 ^ t58, t64 = z4 ^ t59, t65 = t61 ^ t62, t66 = z1 ^ t63;
  const halves s3 = t53 ^ t66;
  q[7] = t59 ^ t63;
  q[1] = t56 ^ t62;
  q[0] = t48 ^ t60;
  q[4] = s3;
  q[3] = t51 ^ t66;
  q[2] = t47 ^ t65;
  q[6] = t64 ^ s3;
  q[5] = t55 ^ t64 ^ t65;
}

static inline __attribute__((always_inline)) void mix_shifted_columns(halves q[8]) {
  halves turned[8], both[8];
  SHIFT_PATTERN;
  for (int b = 0; b < 8; b++) {
    const halves shifted = SHIFTED(q[b]);
    turned[b] = TURNED(shifted, 1);
    both[b] = shifted ^ turned[b];
  }
  for (int b = 0; b < 8; b++) {
    q[b] = turned[b] ^ TURNED(both[b], 2) ^ both[b ? b - 1 : 7];
    if (b == 1 || b == 3 || b == 4) q[b] ^= both[7];
  }
}

// The bits of a round key: all ones in the lanes whose byte has bit b. The S-box's constant goes with it.
static void slice_key(halves sliced[8], const uint32_t words[4]) {
  bytes16 key;
  memcpy(&key, words, 16);
  key ^= 0x63;
  for (int b = 0; b < 8; b++) sliced[b] = (halves)((key & (uint8_t)(1 << b)) != 0);
}

// A key, expanded once, for blocks that differ in byte `row` + 12 only, which is row `row` of the last column.
struct slices {
  int rounds, row;
  uint32_t w[4 * (MOST_ROUNDS + 1)];
  halves sliced[MOST_ROUNDS + 1][8];
};

static void slices_start(struct slices *s, const uint32_t *key, int key_words, int row) {
  s->rounds = expand_key(s->w, key, key_words);
  s->row = row;
  for (int round = 3; round <= s->rounds; round++) slice_key(s->sliced[round], s->w + 4 * round);
}

static uint32_t rolled(uint32_t word, int by) { return by ? word << by | word >> (32 - by) : word; }
static uint32_t byte_of(uint32_t word, int row) { return word >> (8 * row) & 255; }

// `columns`: what the first round makes of the block without its varying byte, whose place then is in column 3 - row.
static void first_round(const struct slices *s, const uint32_t block[4], uint32_t columns[4]) {
  for (int c = 0; c < 4; c++) {
    columns[c] = s->w[4 + c];
    for (int r = 0; r < 4; r++) {
      const int from = (c + r) & 3;
      if (from == 3 && r == s->row) continue;
      columns[c] ^= rolled(mixed[byte_of(block[from] ^ s->w[from], r)], 8 * r);
    }
  }
}

// The second round of all that doesn't hang on the varying column.
static void second_round(const struct slices *s, const uint32_t columns[4], uint32_t after[4]) {
  for (int c = 0; c < 4; c++) {
    after[c] = s->w[8 + c];
    for (int r = 0; r < 4; r++) {
      if (((c + r) & 3) == 3 - s->row) continue;
      after[c] ^= rolled(mixed[byte_of(columns[(c + r) & 3], r)], 8 * r);
    }
  }
}

// The first four bytes, first lowest, of `count` blocks, at most 32: all like `block`, with `varying[i]` in the byte that varies.
// A function of its own: V8 makes better code of a function that is busy, and takes it at the next call.
__attribute__((noinline)) static void slices_prefixes(const struct slices *s, const uint32_t block[4], const uint8_t *varying, int count, uint32_t *prefixes) {
  uint32_t columns[4], base[4];
  first_round(s, block, columns);
  second_round(s, columns, base);
  const int column = 3 - s->row;
  const uint32_t whitening = byte_of(s->w[3], s->row);
  halves last[8] = {{0}};
  for (int group = 0; 8 * group < count; group++) {
    halves q[8];
    for (int j = 0; j < 8; j++) {
      const int i = 8 * group + j < count ? 8 * group + j : count - 1;
      uint32_t words[4];
      memcpy(words, base, 16);
      const uint32_t varied = columns[column] ^ rolled(mixed[varying[i] ^ whitening], 8 * s->row);
      for (int r = 0; r < 4; r++) words[(column - r) & 3] ^= rolled(mixed[byte_of(varied, r)], 8 * r);
      memcpy(&q[j], words, 16);
    }
    transpose(q);
    for (int round = 3; round < s->rounds; round++) {
      sub_bytes(q);
      mix_shifted_columns(q);
      for (int b = 0; b < 8; b++) q[b] ^= s->sliced[round][b];
    }
    // The last ShiftRows puts bytes 0, 5, 10 and 15 into the first column: that of each group into a column of its own.
    for (int b = 0; b < 8; b++) {
      switch (group) {
        case 0: last[b] |= (halves)SHUFFLE(q[b], 0, 5, 10, 15, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16); break;
        case 1: last[b] |= (halves)SHUFFLE(q[b], 16, 16, 16, 16, 0, 5, 10, 15, 16, 16, 16, 16, 16, 16, 16, 16); break;
        case 2: last[b] |= (halves)SHUFFLE(q[b], 16, 16, 16, 16, 16, 16, 16, 16, 0, 5, 10, 15, 16, 16, 16, 16); break;
        default: last[b] |= (halves)SHUFFLE(q[b], 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 0, 5, 10, 15);
      }
    }
  }
  sub_bytes(last);
  for (int b = 0; b < 8; b++) last[b] ^= (halves)SHUFFLE(s->sliced[s->rounds][b], 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3);
  transpose(last);
  for (int i = 0; i < count; i++) memcpy(prefixes + i, (uint8_t *)&last[i & 7] + 4 * (i >> 3), 4);
}

// One block, whole: for the few that are looked at twice.
static void encrypt_block(const uint32_t *key, int key_words, const uint32_t block[4], uint32_t out[4]) {
  uint32_t w[4 * (MOST_ROUNDS + 1)], state[4], next[4];
  const int rounds = expand_key(w, key, key_words);
  for (int c = 0; c < 4; c++) state[c] = block[c] ^ w[c];
  for (int round = 1; round <= rounds; round++) {
    for (int c = 0; c < 4; c++) {
      next[c] = w[4 * round + c];
      for (int r = 0; r < 4; r++) {
        const uint32_t byte = byte_of(state[(c + r) & 3], r);
        next[c] ^= round < rounds ? rolled(mixed[byte], 8 * r) : (uint32_t)sbox[byte] << (8 * r);
      }
    }
    memcpy(state, next, 16);
  }
  memcpy(out, state, 16);
}
