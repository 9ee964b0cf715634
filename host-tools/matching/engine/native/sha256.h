// SHA-256 of four texts at once, a block each, and HMAC and HKDF over it. Source: FIPS 180-4, section 6.2; RFC 2104; RFC 5869.
//
// Keys are looked for by the thousand, so there are always four to work on. With instructions for SHA-256 they are hashed one after the other, otherwise side by side in
// vectors of four words. Words are numbers here: who has bytes turns them (the hash counts big-endian).
#pragma once
#include <stdint.h>
#define memcpy __builtin_memcpy

#define LANES 4

typedef uint32_t words4 __attribute__((vector_size(16)));

static const uint32_t SHA_START[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
static const uint32_t SHA_K[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

#define ROTATE(x, n) (((x) >> (n)) | ((x) << (32 - (n))))

// A round in which nothing moves: the callers give the eight words in turned order.
#define SHA_ROUND(a, b, c, d, e, f, g, h, t)                                                                                           \
  do {                                                                                                                                 \
    words4 sum = h + (ROTATE(e, 6) ^ ROTATE(e, 11) ^ ROTATE(e, 25)) + (g ^ (e & (f ^ g))) + SHA_K[(t)] + w[(t) & 15];                  \
    d += sum;                                                                                                                          \
    h = sum + (ROTATE(a, 2) ^ ROTATE(a, 13) ^ ROTATE(a, 22)) + ((a & b) | (c & (a | b)));                                              \
  } while (0)

static void compress_vectors(uint32_t state[LANES][8], const uint32_t block[LANES][16]) {
  words4 w[16], s[8];
  for (int i = 0; i < 16; i++) w[i] = (words4){block[0][i], block[1][i], block[2][i], block[3][i]};
  for (int i = 0; i < 8; i++) s[i] = (words4){state[0][i], state[1][i], state[2][i], state[3][i]};
  words4 a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
  for (int t = 0; t < 64; t += 8) {
    if (t >= 16) {
      for (int i = t; i < t + 8; i++) {
        words4 w15 = w[(i + 1) & 15], w2 = w[(i + 14) & 15];
        w[i & 15] += (ROTATE(w15, 7) ^ ROTATE(w15, 18) ^ (w15 >> 3)) + w[(i + 9) & 15] + (ROTATE(w2, 17) ^ ROTATE(w2, 19) ^ (w2 >> 10));
      }
    }
    SHA_ROUND(a, b, c, d, e, f, g, h, t);
    SHA_ROUND(h, a, b, c, d, e, f, g, t + 1);
    SHA_ROUND(g, h, a, b, c, d, e, f, t + 2);
    SHA_ROUND(f, g, h, a, b, c, d, e, t + 3);
    SHA_ROUND(e, f, g, h, a, b, c, d, t + 4);
    SHA_ROUND(d, e, f, g, h, a, b, c, t + 5);
    SHA_ROUND(c, d, e, f, g, h, a, b, t + 6);
    SHA_ROUND(b, c, d, e, f, g, h, a, t + 7);
  }
  const words4 after[8] = {a, b, c, d, e, f, g, h};
  for (int i = 0; i < 8; i++)
    for (int lane = 0; lane < LANES; lane++) state[lane][i] = s[i][lane] + after[i][lane];
}

// Which of the ways this processor has; set once by engine_start().
static void (*compress)(uint32_t state[LANES][8], const uint32_t block[LANES][16]) = compress_vectors;

static uint32_t turned(uint32_t word) { return __builtin_bswap32(word); }

// So many bytes, a multiple of four, as words of the hash.
static void words_of(uint32_t *words, const uint8_t *bytes, int count) {
  for (int i = 0; i < count; i += 4) {
    uint32_t word;
    memcpy(&word, bytes + i, 4);
    words[i >> 2] = turned(word);
  }
}

// An HMAC of which the key has gone in. Keys: 32 bytes as words; a shorter one with zeros behind, which is what the pad would add.
struct hmac {
  uint32_t inner[LANES][8], outer[LANES][8];
};

static void hmac_start(struct hmac *hmac, const uint32_t key[LANES][8]) {
  uint32_t pad[LANES][16];
  for (int side = 0; side < 2; side++) {
    uint32_t(*state)[8] = side ? hmac->outer : hmac->inner;
    const uint32_t filler = side ? 0x5c5c5c5c : 0x36363636;
    for (int lane = 0; lane < LANES; lane++) {
      memcpy(state[lane], SHA_START, sizeof SHA_START);
      for (int i = 0; i < 16; i++) pad[lane][i] = filler ^ (i < 8 ? key[lane][i] : 0);
    }
    compress(state, pad);
  }
}

// One block of a message: `length` bytes of it, at most 55, then the padding (5.1.1), behind a first block of 64 bytes.
static void finish_block(uint32_t block[16], int length) {
  for (int i = (length >> 2) + 1; i < 16; i++) block[i] = 0;
  const int shift = 24 - 8 * (length & 3);
  if (length & 3) block[length >> 2] &= ~(uint32_t)0 << (shift + 8);
  else block[length >> 2] = 0;
  block[length >> 2] |= (uint32_t)0x80 << shift;
  block[15] = 8 * (64 + length);
}

// `message`: one padded block a lane. The hmac stays as it is, for the next message.
static void hmac_finish(const struct hmac *hmac, const uint32_t message[LANES][16], uint32_t digest[LANES][8]) {
  uint32_t state[LANES][8], block[LANES][16];
  memcpy(state, hmac->inner, sizeof state);
  compress(state, message);
  for (int lane = 0; lane < LANES; lane++) {
    memcpy(block[lane], state[lane], 32);
    finish_block(block[lane], 32);
  }
  memcpy(digest, hmac->outer, sizeof state);
  compress(digest, block);
}

// The same text of at most 55 bytes to all lanes.
static void same_message(uint32_t message[LANES][16], const char *text, int length) {
  uint8_t bytes[64] = {0};
  memcpy(bytes, text, length);
  words_of(message[0], bytes, 64);
  finish_block(message[0], length);
  for (int lane = 1; lane < LANES; lane++) memcpy(message[lane], message[0], sizeof message[0]);
}

// The first 32 bytes of HKDF without salt of keys of 16 bytes. `info`: at most 54 bytes.
static struct hmac no_salt;
static void hkdf(const uint8_t *const keys[LANES], const char *info, int info_length, uint32_t out[LANES][8]) {
  uint32_t message[LANES][16];
  char text[64];
  for (int lane = 0; lane < LANES; lane++) {
    words_of(message[lane], keys[lane], 16);
    finish_block(message[lane], 16);
  }
  hmac_finish(&no_salt, message, out);
  struct hmac hmac;
  hmac_start(&hmac, out);
  memcpy(text, info, info_length);
  text[info_length] = 1;
  same_message(message, text, info_length + 1);
  hmac_finish(&hmac, message, out);
}

static void start_hkdf(void) {
  const uint32_t zeros[LANES][8] = {{0}};
  hmac_start(&no_salt, zeros);
}
