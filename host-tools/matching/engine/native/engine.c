#include "engine.h"
#include "sha256.h"
#include "aes-bitsliced.h"
#include "x86.h"
#include "arm64.h"

#define memset __builtin_memset
#define AES 1
#define SHA 2
#define DAY 144
#define EPOCHS 96
// More than any list of DP-3T goes back
#define MOST_DAYS 64
#define FORTY ((uint64_t)0xffffffffff)

static int with_aes;

uint32_t engine_start(uint32_t allowed) {
  uint32_t used = 0;
  start_aes();
  compress = compress_vectors;
#ifdef prefixes_by_instructions
  if ((allowed & AES) && has_aes_instructions()) used |= AES;
  if ((allowed & SHA) && has_sha_instructions()) used |= SHA, compress = compress_by_instructions;
#else
  (void)allowed;
#endif
  with_aes = used & AES;
  start_hkdf();
  return used;
}

// ---- what was heard

static inline int in_bitmap(const struct heard *heard, uint32_t prefix) {
  const uint32_t at = prefix >> heard->bitmap_shift;
  return heard->bitmap[at >> 3] >> (at & 7) & 1;
}

// Is there an identifier with the same first bytes, those that `mask` tells?
static int in_slots(const struct heard *heard, uint64_t beginning, uint64_t mask) {
  const uint32_t size = (uint32_t)1 << (32 - heard->slot_shift);
  const uint32_t at = (uint32_t)beginning * heard->factor >> heard->slot_shift;
  for (uint32_t step = 0; step < size; step++) {
    const uint64_t slot = heard->slots[(at + step) & (size - 1)];
    if (!slot) return 0;
    if (!((slot ^ beginning) & mask)) return 1;
  }
  return 0;
}

static uint64_t beginning_of(const uint32_t identifier[4]) { return ((uint64_t)identifier[1] << 32 | identifier[0]) & FORTY; }

// ---- identifiers that one AES key makes of blocks which differ in their last word

// Were any of `count` identifiers heard, at most DAY? Their blocks: `block` with last[i] as its last word, which mostly differ from the one before in byte `row` alone.
static int any_heard(const struct heard *heard, const uint32_t *key, int key_words, uint32_t block[4], int row, const uint32_t *last, int count) {
  uint32_t prefixes[DAY];
#ifdef prefixes_by_instructions
  if (with_aes) prefixes_by_instructions(key, key_words, block, last, count, prefixes);
  else
#endif
  {
    struct slices slices;
    uint8_t varying[32];
    slices_start(&slices, key, key_words, row);
    const uint32_t rest = ~((uint32_t)0xff << (8 * row));
    for (int i = 0, some; i < count; i += some) {
      block[3] = last[i] & rest;
      for (some = 0; some < 32 && i + some < count && (last[i + some] & rest) == block[3]; some++) varying[some] = (uint8_t)(last[i + some] >> (8 * row));
      slices_prefixes(&slices, block, varying, some, prefixes + i);
    }
  }
  for (int i = 0; i < count; i++) {
    if (!in_bitmap(heard, prefixes[i]) || !in_slots(heard, prefixes[i], 0xffffffff)) continue;
    uint32_t whole[4];
    block[3] = last[i];
    encrypt_block(key, key_words, block, whole);
    if (in_slots(heard, beginning_of(whole), FORTY)) return 1;
  }
  return 0;
}

// ---- intervals

// How many of the `count` intervals from `start` on are wanted.
static uint32_t how_many(const struct wanted *wanted, uint64_t start, uint64_t count) {
  const uint64_t end = start + count, wanted_end = (uint64_t)wanted->first + wanted->count;
  const uint64_t from = start < wanted->first ? wanted->first : start;
  const uint64_t until = end < wanted_end ? end : wanted_end;
  return until > from ? wanted->before[until - wanted->first] - wanted->before[from - wanted->first] : 0;
}

static int is_wanted(const struct wanted *wanted, uint64_t interval) { return how_many(wanted, interval, 1) == 1; }

// ---- the three schedules, each for as many keys at once as there are lanes

struct lanes {
  int used;
  uint32_t number[LANES];
  int found[LANES];
};

static void gaen_lanes(const struct keys *keys, const struct wanted *wanted, const struct heard *heard, struct lanes *lanes) {
  const uint8_t *teks[LANES];
  uint32_t rpiks[LANES][8];
  for (int lane = 0; lane < LANES; lane++) teks[lane] = keys->bytes + 16 * (uint64_t)lanes->number[lane < lanes->used ? lane : 0];
  hkdf(teks, "EN-RPIK", 7, rpiks);
  for (int lane = 0; lane < lanes->used; lane++) {
    // "EN-RPI", six zero bytes, the interval, as little-endian words
    uint32_t key[4], intervals[DAY], padded[4] = {0x522d4e45, 0x00004950, 0, 0};
    const uint32_t start = keys->from[lanes->number[lane]], period = keys->lengths[lanes->number[lane]];
    const int all = how_many(wanted, start, period) == period;
    int count = 0;
    for (uint32_t i = 0; i < period; i++)
      if (all || is_wanted(wanted, start + i)) intervals[count++] = start + i;
    for (int i = 0; i < 4; i++) key[i] = turned(rpiks[lane][i]);
    lanes->found[lane] = any_heard(heard, key, 4, padded, 0, intervals, count);
  }
}

static void v1_lanes(const struct keys *keys, const struct wanted *wanted, const struct heard *heard, struct lanes *lanes) {
  uint32_t key[LANES][8] = {{0}}, message[LANES][16], digest[LANES][8];
  struct hmac hmac;
  for (int lane = 0; lane < lanes->used; lane++) words_of(key[lane], keys->bytes + 16 * (uint64_t)lanes->number[lane], 16);
  hmac_start(&hmac, key);
  for (uint32_t interval = 0; interval < DAY; interval++) {
    int wants[LANES] = {0}, any = 0;
    for (int lane = 0; lane < lanes->used; lane++)
      any |= wants[lane] = !lanes->found[lane] && is_wanted(wanted, DAY * keys->from[lanes->number[lane]] + interval);
    if (!any) continue;
    const char text[8] = {'C', 'T', '-', 'R', 'P', 'I', (char)interval};
    same_message(message, text, 7);
    hmac_finish(&hmac, message, digest);
    for (int lane = 0; lane < lanes->used; lane++) {
      const uint32_t identifier[4] = {turned(digest[lane][0]), turned(digest[lane][1])};
      lanes->found[lane] |= wants[lane] && in_bitmap(heard, identifier[0]) && in_slots(heard, beginning_of(identifier), FORTY);
    }
  }
}

static void dp3t_lanes(const struct keys *keys, const struct wanted *wanted, const struct heard *heard, struct lanes *lanes) {
  uint32_t key[LANES][8] = {{0}}, message[LANES][16], stream[LANES][8], counters[EPOCHS], most = 0;
  struct hmac hmac;
  // the counter is a big-endian number: it varies in its last byte
  for (uint32_t i = 0; i < EPOCHS; i++) counters[i] = i << 24;
  for (int lane = 0; lane < lanes->used; lane++) {
    words_of(key[lane], keys->bytes + 32 * (uint64_t)lanes->number[lane], 32);
    if (keys->lengths[lanes->number[lane]] > most) most = keys->lengths[lanes->number[lane]];
  }
  for (uint32_t day = 0; day < most; day++) {
    int wants[LANES] = {0}, any = 0;
    for (int lane = 0; lane < lanes->used; lane++) {
      const uint32_t number = lanes->number[lane];
      any |= wants[lane] = !lanes->found[lane] && day < keys->lengths[number] && how_many(wanted, DAY * (keys->from[number] + day), DAY);
    }
    if (any) {
      hmac_start(&hmac, key);
      same_message(message, "broadcast key", 13);
      hmac_finish(&hmac, message, stream);
    }
    for (int lane = 0; lane < lanes->used; lane++) {
      uint32_t aes_key[8], block[4] = {0};
      if (!wants[lane]) continue;
      for (int i = 0; i < 8; i++) aes_key[i] = turned(stream[lane][i]);
      lanes->found[lane] = any_heard(heard, aes_key, 8, block, 3, counters, EPOCHS);
    }
    // the next day's key: the hash of this one, 32 bytes with nothing before them
    for (int lane = 0; lane < LANES; lane++) {
      memcpy(message[lane], key[lane], 32);
      finish_block(message[lane], 32);
      message[lane][15] = 8 * 32;
      memcpy(key[lane], SHA_START, 32);
    }
    compress(key, message);
  }
}

typedef void schedule_lanes(const struct keys *, const struct wanted *, const struct heard *, struct lanes *);

uint32_t find_candidates(uint32_t schedule, const struct keys *keys, const struct wanted *wanted, const struct heard *heard, uint32_t *candidates) {
  schedule_lanes *const search = schedule == GAEN ? gaen_lanes : schedule == DP3T ? dp3t_lanes : v1_lanes;
  // in these units `from` and `lengths` are told
  const uint64_t unit = schedule == GAEN ? 1 : DAY;
  const uint32_t longest = schedule == GAEN ? DAY : schedule == DP3T ? MOST_DAYS : 1;
  struct lanes lanes = {0};
  uint32_t found = 0;
  for (uint32_t i = 0; i < keys->count; i++) {
    if (keys->lengths[i] <= longest && how_many(wanted, unit * keys->from[i], unit * keys->lengths[i])) lanes.number[lanes.used++] = i;
    if (lanes.used == 0 || (lanes.used < LANES && i + 1 < keys->count)) continue;
    search(keys, wanted, heard, &lanes);
    for (int lane = 0; lane < lanes.used; lane++)
      if (lanes.found[lane]) candidates[found++] = lanes.number[lane];
    memset(&lanes, 0, sizeof lanes);
  }
  return found;
}
