import { decodeBase64, encodeBase64 } from "../base64.ts";
import { readU32, writeInt } from "../bytes.ts";

// A board's TempIDs, 69 bytes each, in any order. The health authority sends 84 base64 characters; the 61 bytes behind them are all a board keeps.
// offset 0   u32       first second, little-endian
// offset 4   u32       last second
// offset 8   61 bytes  ciphertext, IV, tag, which only the authority can open

export const TEMP_ID_BYTES = 61;
export const TEMP_ID_RECORD = 69;
/** Ask for new ones when fewer are left (BT-04): two hours' worth. */
export const FEWEST_TEMP_IDS = 8;

/** The 61 bytes of a TempID; `undefined` for a text of any other kind, which other authorities may use and only text can keep. */
export function packTempId(text: string): Uint8Array | undefined {
  if (text.length !== 84) return undefined;
  const bytes = decodeBase64(text);
  return bytes && bytes.length === TEMP_ID_BYTES ? bytes : undefined;
}

/** A record: `start` and `expiry` in Unix seconds, `packed` 61 bytes. */
export function encodeTempId(start: number, expiry: number, packed: Uint8Array): Uint8Array {
  const record = new Uint8Array(TEMP_ID_RECORD);
  writeInt(record, 0, 4, start);
  writeInt(record, 4, 4, expiry);
  record.set(packed, 8);
  return record;
}

/** Offset of the record to use at `unix`: of those with start <= unix <= expiry the one that lasts longest. -1 if there is none: then the device is silent (BT-04). */
export function currentTempId(records: Uint8Array, unix: number): number {
  let found = -1;
  for (let at = 0; at + TEMP_ID_RECORD <= records.length; at += TEMP_ID_RECORD)
    if (readU32(records, at) <= unix && unix <= readU32(records, at + 4) && (found < 0 || readU32(records, found + 4) < readU32(records, at + 4)))
      found = at;
  return found;
}

/** The TempID at `offset` as it is sent: 84 characters. */
export function tempIdText(records: Uint8Array, offset: number): string {
  return encodeBase64(records.subarray(offset + 8, offset + TEMP_ID_RECORD));
}

/** Is it time to ask for more? After `refreshTime`, or with fewer than eight that have not expired. All times in Unix seconds. */
export function needsTempIds(records: Uint8Array, refreshTime: number, unix: number): boolean {
  let left = 0;
  for (let at = 0; at + TEMP_ID_RECORD <= records.length; at += TEMP_ID_RECORD) if (unix <= readU32(records, at + 4)) left++;
  return unix >= refreshTime || left < FEWEST_TEMP_IDS;
}
