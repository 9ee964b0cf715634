import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeBase64, encodeBase64 } from "../../protocols/base64.ts";
import { equalBytes } from "../../protocols/bytes.ts";
import { formatUuid, listedUuid, parseUuid } from "../../protocols/uuid128.ts";
import { fromHex, loadVectors, toHex } from "../support/vectors.ts";

test("base64 is RFC 4648's, both ways (COM-08)", () => {
  for (const row of loadVectors("primitives.json").base64) {
    const bytes = fromHex(row.bytes);
    expect(encodeBase64(bytes)).toBe(row.b64);
    expect(decodeBase64(row.b64)).toEqual(bytes);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(encodeBase64(bytes)).toBe(Buffer.from(bytes).toString("base64"));
      expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes);
    }),
  );
});

test.each([
  "A",
  "AA",
  "AAA",
  "AAA=A",
  "AB==",
  "AAB=",
  "=AAA",
  "A===",
  "AA=A",
  "AA==AAAA",
  "AA AA",
  "AA\nAA",
  "-_-_",
  "AAAÄ",
  "====",
])("a base64 text has one form, and %j is none", (text) => {
  expect(decodeBase64(text)).toBeUndefined();
});

test("a UUID's bytes go out in reverse, and come back as printed", () => {
  expect(toHex(parseUuid("6e400002-b5a3-f393-e0a9-e50e24dcca9f")!)).toBe("9fcadc240ee5a9e093f3a3b50200406e");
  expect(parseUuid("6E400002-B5A3-F393-E0A9-E50E24DCCA9F")).toEqual(parseUuid("6e400002-b5a3-f393-e0a9-e50e24dcca9f"));
  fc.assert(fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => equalBytes(parseUuid(formatUuid(bytes))!, bytes)));
  for (const text of [
    "",
    "6e400002",
    "6e400002b5a3f393e0a9e50e24dcca9f",
    "6e400002-b5a3-f393-e0a9-e50e24dcca9g",
    "6e400002-b5a3-f393-e0a9-e50e24dcca9f0",
  ])
    expect(parseUuid(text)).toBeUndefined();
});

test("a UUID is found at any place of a list, never across its end (BLE-02)", () => {
  const [one, other] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)];
  const list = (type: number, ...bytes: Uint8Array[]) =>
    new Uint8Array([1 + bytes.reduce((sum, b) => sum + b.length, 0), type, ...bytes.flatMap((b) => [...b])]);
  expect(listedUuid(list(7, one, other), [other])).toBe(0);
  expect(listedUuid(list(6, one, other), [other, one])).toBe(1);
  expect(listedUuid(list(5, other), [other])).toBe(-1);
  expect(listedUuid(list(7, other.subarray(0, 15)), [other])).toBe(-1);
  expect(listedUuid(new Uint8Array([16, 7, ...other.subarray(0, 15), 2, 2, 2]), [other])).toBe(-1);
  expect(listedUuid(list(7, other).subarray(0, 17), [other])).toBe(-1);
  expect(listedUuid(new Uint8Array([2, 1, 6, 0, ...list(7, other)]), [other])).toBe(-1);
});
