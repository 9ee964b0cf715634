import { decodeBase64, encodeBase64 } from "../base64.ts";
import { createWriter, readFields, readInt64, writeBytes, writeInt64, written } from "../protobuf.ts";

// What a backend of the low-cost design releases every two hours, as a Protocol Buffers message and as JSON (DP-10). Source: DP-3T SDK backend, 2020.
//
// ProtoExposedList                          ProtoExposee
// 1  int64    batchReleaseTime, Unix ms     2  bytes  key: SK of the first contagious day, 32 bytes
// 2  message  ProtoExposee, repeated        3  int64  keyDate: Unix ms of the UTC midnight at which that day begins
//
// JSON: {"batchReleaseTime": ms, "exposed": [{"key": Base64, "keyDate": ms}, …]}

/** Release times are multiples of this, ms. */
export const BATCH_MS = 7200000;
const DAY_MS = 86400000;
const KEY_BYTES = 32;
/** Past it numbers are no longer exact, and JSON could say what a message can't. */
const MOST_MS = 0x1fffffffffffff;
/** No list is longer: a day of a large country has fewer. */
export const MOST_EXPOSED = 100000;

const RELEASE_TIME = (1 << 3) | 0;
const EXPOSEE = (2 << 3) | 2;
const KEY = (2 << 3) | 2;
const KEY_DATE = (3 << 3) | 0;

export interface Exposee {
  /** SK of the day, 32 bytes; those of all later days follow from it. */
  key: Uint8Array;
  /** Unix ms of a UTC midnight. */
  keyDateMs: number;
}

export interface ExposedList {
  batchReleaseMs: number;
  exposed: Exposee[];
}

/** Is `ms` a time at which a batch may be released (DP-10)? */
export function isBatchRelease(ms: number): boolean {
  return ms > 0 && ms <= MOST_MS && ms % BATCH_MS === 0;
}

function isExposee(exposee: Exposee): boolean {
  return exposee.key.length === KEY_BYTES && exposee.keyDateMs >= 0 && exposee.keyDateMs <= MOST_MS && exposee.keyDateMs % DAY_MS === 0;
}

/** The list as a message. */
export function encodeExposedList(list: ExposedList): Uint8Array {
  const writer = createWriter();
  writeInt64(writer, RELEASE_TIME, list.batchReleaseMs);
  for (let i = 0; i < list.exposed.length; i++) {
    const exposee = createWriter();
    writeBytes(exposee, KEY, list.exposed[i].key);
    writeInt64(exposee, KEY_DATE, list.exposed[i].keyDateMs);
    writeBytes(writer, EXPOSEE, written(exposee));
  }
  return new Uint8Array(written(writer));
}

function decodeExposee(bytes: Uint8Array, start: number, end: number): Exposee | undefined {
  let key = new Uint8Array(0);
  let keyDateMs: number | undefined;
  const whole = readFields(bytes, start, end, function (tag, value, fieldEnd) {
    if (tag === KEY) key = new Uint8Array(bytes.subarray(value, fieldEnd));
    else if (tag === KEY_DATE) keyDateMs = readInt64(bytes, fieldEnd);
  });
  if (!whole || keyDateMs === undefined) return undefined;
  const exposee = { key: key, keyDateMs: keyDateMs };
  return isExposee(exposee) ? exposee : undefined;
}

/** A list from its message; `undefined` for what is none: a release time off the two hours, a key of another length, a day that doesn't begin at midnight, too many keys. */
export function decodeExposedList(bytes: Uint8Array): ExposedList | undefined {
  let batchReleaseMs: number | undefined;
  const exposed: Exposee[] = [];
  let wrong = false;
  const whole = readFields(bytes, 0, bytes.length, function (tag, value, end) {
    if (tag === RELEASE_TIME) batchReleaseMs = readInt64(bytes, end);
    if (tag !== EXPOSEE || wrong) return;
    const exposee = exposed.length < MOST_EXPOSED ? decodeExposee(bytes, value, end) : undefined;
    if (exposee) exposed.push(exposee);
    else wrong = true;
  });
  if (!whole || wrong || batchReleaseMs === undefined || !isBatchRelease(batchReleaseMs)) return undefined;
  return { batchReleaseMs: batchReleaseMs, exposed: exposed };
}

/** The list as JSON. */
export function exposedListToJson(list: ExposedList): string {
  const exposed = list.exposed.map(function (exposee) {
    return { key: encodeBase64(exposee.key), keyDate: exposee.keyDateMs };
  });
  return JSON.stringify({ batchReleaseTime: list.batchReleaseMs, exposed: exposed });
}

/** A list from its JSON, by the same rules as from its message. */
export function exposedListFromJson(text: string): ExposedList | undefined {
  let json: { batchReleaseTime?: unknown; exposed?: unknown } | null;
  try {
    json = JSON.parse(text);
  } catch (_notJson) {
    return undefined;
  }
  const release = json && json.batchReleaseTime;
  const entries = json && json.exposed;
  if (typeof release !== "number" || !isBatchRelease(release) || !Array.isArray(entries) || entries.length > MOST_EXPOSED) return undefined;
  const exposed: Exposee[] = [];
  for (let i = 0; i < entries.length; i++) {
    const entry: { key?: unknown; keyDate?: unknown } | null = entries[i];
    if (!entry || typeof entry.key !== "string" || typeof entry.keyDate !== "number") return undefined;
    const exposee = { key: decodeBase64(entry.key) || new Uint8Array(0), keyDateMs: entry.keyDate };
    if (!isExposee(exposee)) return undefined;
    exposed.push(exposee);
  }
  return { batchReleaseMs: release, exposed: exposed };
}
