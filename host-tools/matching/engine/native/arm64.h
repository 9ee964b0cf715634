// The same with the instructions of 64-bit ARM processors for AES and SHA-256: a Raspberry Pi 5 and any Mac has them, a Raspberry Pi 4 has not.
// Source: ARM C Language Extensions, "Crypto intrinsics".
#pragma once
#if defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>
#if defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#if defined(__clang__)
#define WITH_CRYPTO __attribute__((target("aes,sha2")))
#else
#define WITH_CRYPTO __attribute__((target("+crypto")))
#endif

WITH_CRYPTO static void compress_arm64(uint32_t state[LANES][8], const uint32_t block[LANES][16]) {
  for (int lane = 0; lane < LANES; lane++) {
    uint32x4_t abcd = vld1q_u32(state[lane]), efgh = vld1q_u32(state[lane] + 4);
    const uint32x4_t abcd_before = abcd, efgh_before = efgh;
    uint32x4_t w[4];
    for (int i = 0; i < 4; i++) w[i] = vld1q_u32(block[lane] + 4 * i);
    for (int t = 0; t < 16; t++) {
      if (t >= 4) w[t & 3] = vsha256su1q_u32(vsha256su0q_u32(w[t & 3], w[(t + 1) & 3]), w[(t + 2) & 3], w[(t + 3) & 3]);
      const uint32x4_t sum = vaddq_u32(w[t & 3], vld1q_u32(SHA_K + 4 * t)), abcd_then = abcd;
      abcd = vsha256hq_u32(abcd, efgh, sum);
      efgh = vsha256h2q_u32(efgh, abcd_then, sum);
    }
    vst1q_u32(state[lane], vaddq_u32(abcd, abcd_before));
    vst1q_u32(state[lane] + 4, vaddq_u32(efgh, efgh_before));
  }
}

#define AT_ONCE 8

WITH_CRYPTO static void prefixes_arm64(const uint32_t *key, int key_words, const uint32_t block[4], const uint32_t *last, int count,
                                       uint32_t *prefixes) {
  uint32_t words[4 * (MOST_ROUNDS + 1)];
  uint8x16_t w[MOST_ROUNDS + 1];
  const int rounds = expand_key(words, key, key_words);
  for (int round = 0; round <= rounds; round++) w[round] = vld1q_u8((const uint8_t *)(words + 4 * round));
  const uint32x4_t base = vld1q_u32(block);
  for (int i = 0; i < count; i += AT_ONCE) {
    uint8x16_t b[AT_ONCE];
    for (int j = 0; j < AT_ONCE; j++) b[j] = vreinterpretq_u8_u32(vsetq_lane_u32(last[i + j < count ? i + j : count - 1], base, 3));
    // here the key goes in before the S-box, not after
    for (int round = 0; round < rounds - 1; round++)
      for (int j = 0; j < AT_ONCE; j++) b[j] = vaesmcq_u8(vaeseq_u8(b[j], w[round]));
    for (int j = 0; j < AT_ONCE; j++) b[j] = veorq_u8(vaeseq_u8(b[j], w[rounds - 1]), w[rounds]);
    for (int j = 0; j < AT_ONCE && i + j < count; j++) prefixes[i + j] = vgetq_lane_u32(vreinterpretq_u32_u8(b[j]), 0);
  }
}

#if defined(__linux__)
static int has_aes_instructions(void) { return (getauxval(AT_HWCAP) & HWCAP_AES) != 0; }
static int has_sha_instructions(void) { return (getauxval(AT_HWCAP) & HWCAP_SHA2) != 0; }
#elif defined(__APPLE__)
static int has_aes_instructions(void) { return 1; }
static int has_sha_instructions(void) { return 1; }
#else
static int has_aes_instructions(void) { return 0; }
static int has_sha_instructions(void) { return 0; }
#endif

#define prefixes_by_instructions prefixes_arm64
#define compress_by_instructions compress_arm64
#endif
