// The same with the instructions of x86 processors for AES (since 2010) and SHA-256 (since 2016). Source: Intel 64 and IA-32 Architectures Software Developer's Manual,
// volume 2, AESENC, AESKEYGENASSIST, SHA256RNDS2, SHA256MSG1, SHA256MSG2.
#pragma once
#if defined(__x86_64__)
#include <immintrin.h>

#define SHA_FOUR_ROUNDS(t, w0)                                                                                                         \
  do {                                                                                                                                 \
    const __m128i sum = _mm_add_epi32(w0, _mm_load_si128((const __m128i *)(SHA_K + 4 * (t))));                                         \
    cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);                                                                                     \
    abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));                                                            \
  } while (0)
#define SHA_SCHEDULE(w0, w1, w2, w3) w0 = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4)), w3)

// One lane after the other: none waits for another, so the processor works on two at once.
__attribute__((target("sha,sse4.1"))) static void compress_x86(uint32_t state[LANES][8], const uint32_t block[LANES][16]) {
  for (int lane = 0; lane < LANES; lane++) {
    uint32_t *s = state[lane];
    const __m128i *words = (const __m128i *)block[lane];
    // the instructions want the words so, the first highest
    __m128i abef = _mm_set_epi32((int)s[0], (int)s[1], (int)s[4], (int)s[5]), cdgh = _mm_set_epi32((int)s[2], (int)s[3], (int)s[6], (int)s[7]);
    const __m128i abef_before = abef, cdgh_before = cdgh;
    __m128i w0 = _mm_loadu_si128(words), w1 = _mm_loadu_si128(words + 1), w2 = _mm_loadu_si128(words + 2), w3 = _mm_loadu_si128(words + 3);
    for (int t = 0; t < 16; t += 4) {
      if (t) SHA_SCHEDULE(w0, w1, w2, w3);
      SHA_FOUR_ROUNDS(t, w0);
      if (t) SHA_SCHEDULE(w1, w2, w3, w0);
      SHA_FOUR_ROUNDS(t + 1, w1);
      if (t) SHA_SCHEDULE(w2, w3, w0, w1);
      SHA_FOUR_ROUNDS(t + 2, w2);
      if (t) SHA_SCHEDULE(w3, w0, w1, w2);
      SHA_FOUR_ROUNDS(t + 3, w3);
    }
    uint32_t low[4], high[4];
    _mm_storeu_si128((__m128i *)low, _mm_add_epi32(abef, abef_before));
    _mm_storeu_si128((__m128i *)high, _mm_add_epi32(cdgh, cdgh_before));
    s[0] = low[3], s[1] = low[2], s[2] = high[3], s[3] = high[2], s[4] = low[1], s[5] = low[0], s[6] = high[1], s[7] = high[0];
  }
}

#define AES_KEY_STEP(from, with, constant, which)                                                                                      \
  key = from, assist = _mm_shuffle_epi32(_mm_aeskeygenassist_si128(with, constant), which);                                            \
  key = _mm_xor_si128(key, _mm_slli_si128(key, 4));                                                                                    \
  key = _mm_xor_si128(key, _mm_slli_si128(key, 8));                                                                                    \
  key = _mm_xor_si128(key, assist)

__attribute__((target("aes,sse4.1"))) static void expand_128_x86(__m128i w[11], const uint32_t *words) {
  __m128i key, assist;
  w[0] = _mm_loadu_si128((const __m128i *)words);
#define AES_128_STEP(i, constant)                                                                                                      \
  AES_KEY_STEP(w[(i) - 1], w[(i) - 1], constant, 0xff);                                                                                \
  w[i] = key
  AES_128_STEP(1, 0x01);
  AES_128_STEP(2, 0x02);
  AES_128_STEP(3, 0x04);
  AES_128_STEP(4, 0x08);
  AES_128_STEP(5, 0x10);
  AES_128_STEP(6, 0x20);
  AES_128_STEP(7, 0x40);
  AES_128_STEP(8, 0x80);
  AES_128_STEP(9, 0x1b);
  AES_128_STEP(10, 0x36);
}

__attribute__((target("aes,sse4.1"))) static void expand_256_x86(__m128i w[15], const uint32_t *words) {
  __m128i key, assist;
  w[0] = _mm_loadu_si128((const __m128i *)words);
  w[1] = _mm_loadu_si128((const __m128i *)words + 1);
#define AES_256_EVEN(i, constant)                                                                                                      \
  AES_KEY_STEP(w[(i) - 2], w[(i) - 1], constant, 0xff);                                                                                \
  w[i] = key
#define AES_256_ODD(i)                                                                                                                 \
  AES_KEY_STEP(w[(i) - 2], w[(i) - 1], 0, 0xaa);                                                                                       \
  w[i] = key
  AES_256_EVEN(2, 0x01);
  AES_256_ODD(3);
  AES_256_EVEN(4, 0x02);
  AES_256_ODD(5);
  AES_256_EVEN(6, 0x04);
  AES_256_ODD(7);
  AES_256_EVEN(8, 0x08);
  AES_256_ODD(9);
  AES_256_EVEN(10, 0x10);
  AES_256_ODD(11);
  AES_256_EVEN(12, 0x20);
  AES_256_ODD(13);
  AES_256_EVEN(14, 0x40);
}

#define AT_ONCE 8

// First four bytes of `count` blocks: `block` with last[i] as its last word.
__attribute__((target("aes,sse4.1"))) static void prefixes_x86(const uint32_t *key, int key_words, const uint32_t block[4],
                                                               const uint32_t *last, int count, uint32_t *prefixes) {
  __m128i w[15];
  const int rounds = key_words + 6;
  if (key_words == 4) expand_128_x86(w, key);
  else expand_256_x86(w, key);
  const __m128i base = _mm_loadu_si128((const __m128i *)block);
  for (int i = 0; i < count; i += AT_ONCE) {
    __m128i b[AT_ONCE];
    for (int j = 0; j < AT_ONCE; j++) b[j] = _mm_xor_si128(_mm_insert_epi32(base, (int)last[i + j < count ? i + j : count - 1], 3), w[0]);
    for (int round = 1; round < rounds; round++)
      for (int j = 0; j < AT_ONCE; j++) b[j] = _mm_aesenc_si128(b[j], w[round]);
    for (int j = 0; j < AT_ONCE; j++) b[j] = _mm_aesenclast_si128(b[j], w[rounds]);
    for (int j = 0; j < AT_ONCE && i + j < count; j++) prefixes[i + j] = (uint32_t)_mm_cvtsi128_si32(b[j]);
  }
}

static int has_aes_instructions(void) { return __builtin_cpu_supports("aes") && __builtin_cpu_supports("sse4.1"); }

static int has_sha_instructions(void) {
  // __builtin_cpu_supports doesn't know "sha" before GCC 14: leaf 7, bit 29 of EBX
  uint32_t eax = 7, ebx = 0, ecx = 0, edx = 0;
  if (!__builtin_cpu_supports("sse4.1")) return 0;
  __asm__("cpuid" : "=a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx) : "a"(0), "c"(0));
  if (eax < 7) return 0;
  __asm__("cpuid" : "=a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx) : "a"(7), "c"(0));
  return ebx >> 29 & 1;
}

#define prefixes_by_instructions prefixes_x86
#define compress_by_instructions compress_x86
#endif
