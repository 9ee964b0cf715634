import { expect, test } from "vitest";
import { currentTempId, encodeTempId, needsTempIds, packTempId, TEMP_ID_RECORD, tempIdText } from "../../../protocols/bluetrace/temp-id.ts";
import { loadVectors, toHex } from "../../support/vectors.ts";

const vectors = loadVectors("bluetrace.json");
const NOW = vectors.batch.now;

/** A batch of `count` as the health authority makes them; the i-th begins with the byte i. */
function batch(count: number): Uint8Array {
  const records = new Uint8Array(count * TEMP_ID_RECORD);
  for (let i = 0; i < count; i++) records.set(encodeTempId(NOW + 900 * i - 60, NOW + 900 * i + 840, new Uint8Array(61).fill(i)), i * TEMP_ID_RECORD);
  return records;
}
const chosen = (records: Uint8Array, unix: number) => currentTempId(records, unix) / TEMP_ID_RECORD;

test.each(vectors.tempid)("the TempID of $uid is kept as 61 bytes and sent as 84 characters (BT-01)", ({ tempid, wire, start, expiry }) => {
  expect(toHex(packTempId(tempid)!)).toBe(wire);
  const record = encodeTempId(start, expiry, packTempId(tempid)!);
  expect(record).toHaveLength(69);
  expect(tempIdText(record, 0)).toBe(tempid);
});

test("a TempID of another shape stays text (BT-01)", () => {
  for (const name of ["60 bytes", "62 bytes", "not base64", "base64 of other text"])
    expect(packTempId(vectors.tempid_bad.find((row) => row.name === name)!.tempid), name).toBeUndefined();
  expect(packTempId("A".repeat(84))).toBeUndefined();
});

test("at each second of a batch the TempID is one that is valid, the newer one where two are; before and after there is none (BT-04)", () => {
  const records = batch(100);
  expect(chosen(records, NOW - 61)).toBeLessThan(0);
  expect(chosen(records, NOW - 60)).toBe(0);
  expect(chosen(records, NOW + 839)).toBe(0);
  expect(chosen(records, NOW + 840)).toBe(1);
  expect(chosen(records, NOW + 900 * 99 + 840)).toBe(99);
  expect(chosen(records, NOW + 900 * 99 + 841)).toBeLessThan(0);
  expect(currentTempId(new Uint8Array(0), NOW)).toBe(-1);
  expect(currentTempId(records.subarray(0, 68), NOW)).toBe(-1);
  for (let unix = NOW; unix < NOW + 7200; unix += 7) {
    const at = chosen(records, unix);
    expect(NOW + 900 * at - 60 <= unix && unix <= NOW + 900 * at + 840).toBe(true);
  }
});

test("new ones are asked for once the refresh time has come or fewer than eight are left (BT-04)", () => {
  const refresh = NOW + 43200;
  expect(needsTempIds(batch(100), refresh, NOW)).toBe(false);
  expect(needsTempIds(batch(100), refresh, refresh - 1)).toBe(false);
  expect(needsTempIds(batch(100), refresh, refresh)).toBe(true);
  expect(needsTempIds(batch(8), refresh, NOW)).toBe(false);
  expect(needsTempIds(batch(8), refresh, NOW + 840)).toBe(false);
  expect(needsTempIds(batch(8), refresh, NOW + 841)).toBe(true);
  expect(needsTempIds(batch(0), refresh, NOW)).toBe(true);
});

test("times of TempIDs are right up to 2^32 - 1, beyond the 2038 of a server's (BT-04)", () => {
  const record = encodeTempId(4294966395, 4294967295, new Uint8Array(61));
  expect(currentTempId(record, 4294967295)).toBe(0);
  expect(currentTempId(record, 4294966394)).toBe(-1);
});
