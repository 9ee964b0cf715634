// The sieve as an addon of Node.js, through Node-API, which is the same for every release from 12 on.
#include <node_api.h>
#include "engine.h"

// Arguments of findCandidates, in this order; sieve-native.ts calls it.
enum argument { SCHEDULE, KEYS, FROM, LENGTHS, BEFORE, FIRST, BITMAP, BITMAP_SHIFT, SLOTS, SLOT_SHIFT, FACTOR, CANDIDATES, ARGUMENTS };

struct column {
  void *data;
  size_t length;
};

static int read_column(napi_env env, napi_value value, napi_typedarray_type type, struct column *column) {
  napi_typedarray_type given;
  bool is_column = false;
  if (napi_is_typedarray(env, value, &is_column) != napi_ok || !is_column) return 0;
  return napi_get_typedarray_info(env, value, &given, &column->length, &column->data, NULL, NULL) == napi_ok && given == type;
}

static napi_value number(napi_env env, uint32_t value) {
  napi_value result = NULL;
  napi_create_uint32(env, value, &result);
  return result;
}

static napi_value start(napi_env env, napi_callback_info info) {
  napi_value argument;
  size_t count = 1;
  uint32_t allowed = 0;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok || count < 1 || napi_get_value_uint32(env, argument, &allowed) != napi_ok) {
    napi_throw_type_error(env, NULL, "start: the instructions allowed, a number");
    return NULL;
  }
  return number(env, engine_start(allowed));
}

static napi_value find(napi_env env, napi_callback_info info) {
  napi_value arguments[ARGUMENTS];
  size_t count = ARGUMENTS;
  uint32_t numbers[ARGUMENTS] = {0};
  struct column bytes, from, lengths, before, bitmap, slots, candidates;
  int sound = napi_get_cb_info(env, info, &count, arguments, NULL, NULL) == napi_ok && count == ARGUMENTS;
  const enum argument numeric[] = {SCHEDULE, FIRST, BITMAP_SHIFT, SLOT_SHIFT, FACTOR};
  for (size_t i = 0; sound && i < sizeof numeric / sizeof *numeric; i++)
    sound = napi_get_value_uint32(env, arguments[numeric[i]], &numbers[numeric[i]]) == napi_ok;
  sound = sound && read_column(env, arguments[KEYS], napi_uint8_array, &bytes) && read_column(env, arguments[FROM], napi_uint32_array, &from) &&
          read_column(env, arguments[LENGTHS], napi_uint32_array, &lengths) && read_column(env, arguments[BEFORE], napi_uint32_array, &before) &&
          read_column(env, arguments[BITMAP], napi_uint8_array, &bitmap) && read_column(env, arguments[SLOTS], napi_biguint64_array, &slots) &&
          read_column(env, arguments[CANDIDATES], napi_uint32_array, &candidates);
  // Nothing is read or written beyond what was given, whatever was given.
  sound = sound && numbers[SCHEDULE] <= DP3T && numbers[BITMAP_SHIFT] >= 1 && numbers[BITMAP_SHIFT] <= 29 && numbers[SLOT_SHIFT] >= 1 &&
          numbers[SLOT_SHIFT] <= 31 && lengths.length == from.length && candidates.length >= from.length && before.length >= 1 &&
          bytes.length >= from.length * (numbers[SCHEDULE] == DP3T ? 32 : 16) && bitmap.length << 3 == (size_t)1 << (32 - numbers[BITMAP_SHIFT]) &&
          slots.length == (size_t)1 << (32 - numbers[SLOT_SHIFT]);
  if (!sound) {
    napi_throw_range_error(env, NULL, "findCandidates: columns that don't fit each other");
    return NULL;
  }
  const struct keys keys = {bytes.data, from.data, lengths.data, (uint32_t)from.length};
  const struct wanted wanted = {before.data, numbers[FIRST], (uint32_t)before.length - 1};
  const struct heard heard = {bitmap.data, numbers[BITMAP_SHIFT], slots.data, numbers[SLOT_SHIFT], numbers[FACTOR]};
  return number(env, find_candidates(numbers[SCHEDULE], &keys, &wanted, &heard, candidates.data));
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "start", NAPI_AUTO_LENGTH, start, NULL, &function);
  napi_set_named_property(env, exports, "start", function);
  napi_create_function(env, "findCandidates", NAPI_AUTO_LENGTH, find, NULL, &function);
  napi_set_named_property(env, exports, "findCandidates", function);
  return exports;
}
