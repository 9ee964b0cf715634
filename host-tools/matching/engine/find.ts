/** How identifiers follow from keys. Numbers as in native/engine.h. */
export const SCHEDULES = { gaen: 0, "contact-tracing-v1": 1, dp3t: 2 } as const;
export type Schedule = keyof typeof SCHEDULES;

/** Keys of one schedule, as columns of the same length. */
export interface SieveKeys {
  schedule: Schedule;
  /** 16 bytes each; of dp3t 32. */
  bytes: Uint8Array;
  /** Of gaen the first ten-minute interval since 1970, of the others the first day. */
  from: Uint32Array;
  /** For how many intervals or days; of contact-tracing-v1 1. */
  lengths: Uint32Array;
}

/**
 * What addon and WebAssembly module offer: writes the numbers of candidates, in ascending order, and answers how many. Parameters: see native/engine.h.
 * @throws RangeError for columns that don't fit each other.
 */
export type Find = (
  schedule: number,
  keys: Uint8Array,
  from: Uint32Array,
  lengths: Uint32Array,
  before: Uint32Array,
  first: number,
  bitmap: Uint8Array,
  bitmapShift: number,
  slots: BigUint64Array,
  slotShift: number,
  factor: number,
  candidates: Uint32Array,
) => number;
