import fc from "fast-check";
import { expect, test } from "vitest";
import {
  addressKind,
  addressKindName,
  formatAddress,
  isUsableAddress,
  NON_RESOLVABLE_PRIVATE,
  parseAddress,
  randomAddress,
  reverseAddress,
  STATIC_RANDOM,
} from "../../protocols/random-address.ts";
import { loadVectors, toHex } from "../support/vectors.ts";

const anyAddress = fc.uint8Array({ minLength: 6, maxLength: 6 });

/** Gives the drawn bytes in turn. */
function drawing(...draws: number[][]): () => Uint8Array {
  return () => new Uint8Array(draws.shift() ?? []);
}

test.each(loadVectors("ble_adverts.json").addresses)("$address is $kind, usable: $valid (BLE-05, GAEN-07)", (row) => {
  const address = parseAddress(row.address);
  if (!address) throw new Error("not read");
  expect(addressKindName(address)).toBe(row.kind);
  expect(isUsableAddress(address)).toBe(row.valid);
  expect(toHex(reverseAddress(address))).toBe(row.little_endian);
  expect(formatAddress(address)).toBe(row.address);
});

test.each([NON_RESOLVABLE_PRIVATE, STATIC_RANDOM] as const)("addresses drawn for kind %i are of that kind and usable (BLE-05)", (kind) => {
  fc.assert(
    fc.property(anyAddress, (draw) => {
      const address = randomAddress(drawing([...draw], [1, 2, 3, 4, 5, 6]), kind);
      expect(addressKind(address)).toBe(kind);
      expect(isUsableAddress(address)).toBe(true);
    }),
  );
});

test("a draw of equal bits is drawn again (BLE-05)", () => {
  const zeros = [0x00, 0, 0, 0, 0, 0];
  const ones = [0xff, 255, 255, 255, 255, 255];
  expect(formatAddress(randomAddress(drawing(zeros, ones, [0x81, 2, 3, 4, 5, 6]), STATIC_RANDOM))).toBe("c1:02:03:04:05:06");
  expect(formatAddress(randomAddress(drawing(ones, zeros, [0x81, 2, 3, 4, 5, 6]), NON_RESOLVABLE_PRIVATE))).toBe("01:02:03:04:05:06");
});

test("an address reads back as it was printed, and nothing else is an address", () => {
  fc.assert(fc.property(anyAddress, (address) => void expect(parseAddress(formatAddress(address))).toEqual(address)));
  expect(parseAddress("C0:0A:00:00:00:01")).toEqual(new Uint8Array([0xc0, 10, 0, 0, 0, 1]));
  for (const text of [
    "",
    "c0:00:00:00:00",
    "c0:00:00:00:00:01:02",
    "c0:00:00:00:00:0g",
    "c0:00:00:00:00:1",
    "c0-00-00-00-00-01",
    " c0:00:00:00:00:01",
  ]) {
    expect(parseAddress(text), text).toBeUndefined();
  }
  fc.assert(fc.property(fc.string(), (text) => void parseAddress(text)));
});
