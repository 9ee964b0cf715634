import { openTempId } from "./temp-ids.ts";

/** Seconds that a record is kept: 21 days (BT-13). */
export const RETENTION = 21 * 86400;
/** Timestamps above are milliseconds: as seconds they would be the year 2286. */
const LARGEST_SECONDS = 1e10;

/** What a device stores of an encounter, and uploads. */
export interface EncounterRecord {
  /** Unix seconds, or milliseconds. */
  timestamp: number;
  /** The peer's TempID. */
  msg: string;
  /** The health authority that made it. */
  org: string;
  modelP: string;
  modelC: string;
  /** dBm, as the central received the peripheral. */
  rssi: number;
  txPower?: number | undefined;
  v: number;
}

/** What an authority finds out about a record, under the names that it is stored and answered with. */
export interface RecordVerdict {
  isValid: boolean;
  invalidReason?: "no_msg" | "failed_decryption" | "expired_id";
  /** User ID; of a TempID that can't be opened the TempID itself. */
  contactId?: string;
  contactIdValidFrom?: number;
  contactIdValidTo?: number;
}

/** Unix seconds of a record's timestamp. */
export function recordSeconds(timestamp: number): number {
  return timestamp > LARGEST_SECONDS ? timestamp / 1000 : timestamp;
}

/** Whose TempID a record holds and whether it was heard in its time, both ends included (BT-03). `keys`: 32 bytes each, tried in order. */
export function judgeRecord(keys: readonly Uint8Array[], record: Pick<EncounterRecord, "timestamp" | "msg">): RecordVerdict {
  if (!record.msg) return { isValid: false, invalidReason: "no_msg" };
  const opened = openTempId(keys, record.msg);
  if (!opened) return { isValid: false, invalidReason: "failed_decryption", contactId: record.msg };
  const { uid, start, expiry } = opened;
  const heard = recordSeconds(record.timestamp);
  const found = { contactId: uid, contactIdValidFrom: start, contactIdValidTo: expiry };
  return start <= heard && heard <= expiry ? { isValid: true, ...found } : { isValid: false, ...found, invalidReason: "expired_id" };
}

/** May a record of `timestamp` still be kept at `now`, Unix seconds (BT-13)? */
export function isKept(timestamp: number, now: number): boolean {
  return now - recordSeconds(timestamp) <= RETENTION;
}
