import { randomBytes } from "node:crypto";
import { decodeBase64, encodeBase64 } from "../../protocols/base64.ts";
import { FormatError } from "../errors.ts";
import { IV_BYTES, open, seal } from "./sealed-text.ts";

// What is inside a TempID, 29 bytes. Source: opentrace-cloud-functions, getTempIDs.
// offset 0   21 bytes  user ID, shown as 28 base64 characters
// offset 21  i32       first second, BIG-endian: these times end in 2038
// offset 25  i32       last second, big-endian

export const UID_BYTES = 21;
const PLAIN_BYTES = 29;
/** TempIDs of a batch, seconds of each, seconds that the first begins early, and after how many the device asks again (BT-02). */
export const BATCH_SIZE = 100;
export const VALIDITY = 900;
export const EARLY = 60;
export const REFRESH = 43200;
/** How long a retired key still opens what was sealed with it: records live 21 days, and a TempID is made up to 25 hours before its use (BT-19). */
export const RETIRED_KEY_SECONDS = 21 * 86400 + 25 * 3600;
const LAST_SECOND = 0x7fffffff;

export interface OpenedTempId {
  /** 28 base64 characters. */
  uid: string;
  /** Unix seconds, both inclusive. */
  start: number;
  expiry: number;
}

/**
 * A TempID: 84 base64 characters. `key`: 32 bytes; `uid`: 28 base64 characters; `iv`: fresh random bytes but in tests (BT-02).
 * @throws FormatError for another kind of user ID, or times that 31 bits can't hold.
 */
export function sealTempId(key: Uint8Array, { uid, start, expiry }: OpenedTempId, iv: Uint8Array = randomBytes(IV_BYTES)): string {
  const user = decodeBase64(uid);
  if (user?.length !== UID_BYTES) throw new FormatError("bluetrace_uid", `user ID: 28 base64 characters for 21 bytes, got ${uid.length} characters`);
  for (const time of [start, expiry])
    if (!Number.isInteger(time) || time < 0 || time > LAST_SECOND)
      throw new FormatError("bluetrace_time", `TempID: a time of 0 to ${LAST_SECOND} (January 2038), got ${time}`);
  const plain = Buffer.alloc(PLAIN_BYTES);
  plain.set(user);
  plain.writeInt32BE(start, UID_BYTES);
  plain.writeInt32BE(expiry, UID_BYTES + 4);
  return seal(key, iv, plain);
}

/** Opens a TempID with the first key that fits; `undefined` if none does (BT-01, BT-03). */
export function openTempId(keys: readonly Uint8Array[], tempId: string): OpenedTempId | undefined {
  const plain = open(keys, tempId);
  if (plain?.length !== PLAIN_BYTES) return undefined;
  const view = new DataView(plain.buffer, plain.byteOffset);
  return { uid: encodeBase64(plain.subarray(0, UID_BYTES)), start: view.getInt32(UID_BYTES), expiry: view.getInt32(UID_BYTES + 4) };
}

/** A batch as the server answers it. Times in Unix seconds. */
export interface TempIdBatch {
  tempIDs: { tempID: string; startTime: number; expiryTime: number }[];
  refreshTime: number;
}

/** A day's worth of TempIDs and one hour, each with an IV of its own (BT-02). `now`: Unix seconds. */
export function makeBatch(key: Uint8Array, uid: string, now: number): TempIdBatch {
  const tempIDs = Array.from({ length: BATCH_SIZE }, (_, i) => {
    const start = now + VALIDITY * i - EARLY;
    return { tempID: sealTempId(key, { uid, start, expiry: start + VALIDITY }), startTime: start, expiryTime: start + VALIDITY };
  });
  return { tempIDs, refreshTime: now + REFRESH };
}

/** A key of the authority, kept outside its database (BT-19). */
export interface AuthorityKey {
  /** 32 bytes. */
  key: Uint8Array;
  /** Unix seconds; undefined for the one in use. */
  retiredAt?: number | undefined;
}

/** Keys to open with at `now`: the one in use first, then the retired ones that may still be needed, the latest first. Only the one in use seals. */
export function openingKeys(keys: readonly AuthorityKey[], now: number): Uint8Array[] {
  const age = ({ retiredAt }: AuthorityKey) => (retiredAt === undefined ? -1 : now - retiredAt);
  return keys
    .filter((key) => age(key) <= RETIRED_KEY_SECONDS)
    .sort((a, b) => age(a) - age(b))
    .map(({ key }) => key);
}
