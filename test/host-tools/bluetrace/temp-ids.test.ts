import fc from "fast-check";
import { expect, test } from "vitest";
import { open, seal } from "../../../host-tools/bluetrace/sealed-text.ts";
import { type AuthorityKey, makeBatch, openingKeys, openTempId, RETIRED_KEY_SECONDS, sealTempId } from "../../../host-tools/bluetrace/temp-ids.ts";
import { packTempId } from "../../../protocols/bluetrace/temp-id.ts";
import { fromHex, loadVectors, toHex } from "../../support/vectors.ts";

const vectors = loadVectors("bluetrace.json");
const parameters = loadVectors("parameters.json").bluetrace.tempid;
const KEY = fromHex(vectors.tempid[0].key);
const { uid: UID } = vectors.tempid[0];

test.each(vectors.tempid)("the TempID of $uid from $start on, sealed and opened (BT-01)", (row) => {
  const { uid, start, expiry, tempid } = row;
  const key = fromHex(row.key);
  expect(sealTempId(key, { uid, start, expiry }, fromHex(row.iv))).toBe(tempid);
  expect(openTempId([key], tempid)).toEqual({ uid, start, expiry });
  expect(toHex(open([key], tempid)!)).toBe(row.plaintext);
  expect(row.ciphertext + row.iv + row.tag).toBe(row.wire);
  expect(toHex(packTempId(tempid)!)).toBe(row.wire);
});

test.each(vectors.tempid_bad)("never opened: $name (BT-01)", ({ keys, tempid }) => {
  expect(openTempId(keys.map(fromHex), tempid)).toBeUndefined();
});

test("AES-256-GCM with IVs of 16 bytes is the published one (COM-08)", () => {
  for (const row of loadVectors("primitives.json").aes256_gcm) {
    if (row.iv.length !== 32 || row.aad) continue;
    const text = Buffer.from(row.ciphertext + row.iv + row.tag, "hex").toString("base64");
    expect(seal(fromHex(row.key), fromHex(row.iv), fromHex(row.plaintext)), row.name).toBe(text);
    expect(toHex(open([fromHex(row.key)], text)!), row.name).toBe(row.plaintext);
  }
});

test("a batch covers 25 hours without a gap, each TempID under an IV of its own (BT-02)", () => {
  const { now, size, validity_s, refresh_time, rows } = vectors.batch;
  const { tempIDs, refreshTime } = makeBatch(KEY, UID, now);
  expect(tempIDs).toHaveLength(size);
  expect(refreshTime).toBe(refresh_time);
  for (const { i, start, expiry } of rows) expect(tempIDs[i]).toMatchObject({ startTime: start, expiryTime: expiry });
  for (const { tempID, startTime, expiryTime } of tempIDs) {
    expect(expiryTime - startTime).toBe(validity_s);
    expect(openTempId([KEY], tempID)).toEqual({ uid: UID, start: startTime, expiry: expiryTime });
  }
  const ivs = tempIDs.map(({ tempID }) => toHex(packTempId(tempID)!).slice(58, 90));
  expect(new Set(ivs).size).toBe(size);
  expect([size, validity_s, refresh_time - now]).toEqual([parameters.batch, parameters.validity_s, parameters.refresh_s]);
});

test("a retired key opens for 21 days and 25 hours, after the one in use, and never seals (BT-19)", () => {
  const key = (byte: number, retiredAt?: number): AuthorityKey => ({ key: new Uint8Array(32).fill(byte), retiredAt });
  const at = (now: number) => openingKeys([key(1, 1000), key(2, 2000), key(3)], now).map(([byte]) => byte);
  expect(at(2000)).toEqual([3, 2, 1]);
  expect(at(1000 + RETIRED_KEY_SECONDS)).toEqual([3, 2, 1]);
  expect(at(1001 + RETIRED_KEY_SECONDS)).toEqual([3, 2]);
  expect(RETIRED_KEY_SECONDS).toBe(21 * 86400 + 25 * 3600);
});

test("a key, user ID or time of another shape is refused, and no error tells it (COM-06)", () => {
  const fine = { uid: UID, start: 0, expiry: 900 };
  expect(() => sealTempId(new Uint8Array(16), fine)).toThrow(/^BlueTrace key: 32 bytes, got 16; make one/);
  expect(() => sealTempId(KEY, fine, new Uint8Array(12))).toThrow(/^BlueTrace IV: 16 bytes, got 12$/);
  expect(() => sealTempId(KEY, { ...fine, uid: UID.slice(1) })).toThrow(/^user ID: 28 base64 characters for 21 bytes, got 27 characters$/);
  expect(() => sealTempId(KEY, { ...fine, expiry: 2147483648 })).toThrow(/^TempID: a time of 0 to 2147483647 \(January 2038\), got 2147483648$/);
  expect(() => sealTempId(KEY, { ...fine, start: -1 })).toThrow(/got -1$/);
});

test("the encyclopedia's example identifiers have the lengths that were found, and no key opens them (BT-03)", () => {
  for (const { name, bytes } of vectors.wikipedia_ids.lengths) {
    const { expect: told } = vectors.packets.find((row) => row.name.startsWith(`Wikipedia, ${name}`))!;
    expect(Buffer.from(told.id, "base64")).toHaveLength(bytes);
    expect(openTempId([KEY], told.id)).toBeUndefined();
  }
});

test("what is sealed comes back, and one flipped bit anywhere opens nothing (BT-01)", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(), (plain, place) => {
      const text = seal(KEY, new Uint8Array(16).fill(plain.length), plain);
      expect(open([new Uint8Array(32), KEY], text)).toEqual(plain);
      const wire = Buffer.from(text, "base64");
      wire[place % wire.length] ^= 1 << (place % 8);
      expect(open([KEY], wire.toString("base64"))).toBeUndefined();
    }),
  );
});
