import fc from "fast-check";
import { expect, test } from "vitest";
import {
  COMPACT_BYTES,
  compactRssi,
  compactTempId,
  encodeCompact,
  FIRST_CHARACTERISTIC,
  FIRST_PIECE,
  isCompact,
  NO_RSSI,
  SECOND_CHARACTERISTIC,
} from "../../../protocols/bluetrace/compact.ts";
import { parseUuid } from "../../../protocols/uuid128.ts";

const tempId = fc.uint8Array({ minLength: 61, maxLength: 61 });
const org = fc.integer({ min: 0, max: 0xffffffff });

test("a central's message has its RSSI and TempID, and is one for its authority alone (BT-05)", () => {
  fc.assert(
    fc.property(tempId, org, org, fc.integer({ min: -127, max: 20 }), (id, tag, other, rssi) => {
      const message = encodeCompact(rssi, tag, id);
      expect(message).toHaveLength(COMPACT_BYTES);
      expect(isCompact(message, tag, true)).toBe(true);
      expect(isCompact(message, tag, false)).toBe(false);
      expect(isCompact(message, other, true)).toBe(other === tag);
      expect(compactRssi(message)).toBe(rssi);
      expect(compactTempId(message)).toEqual(id);
    }),
  );
});

test("a peripheral's message has no RSSI, and is taken from a peripheral only", () => {
  fc.assert(
    fc.property(tempId, org, (id, tag) => {
      const message = encodeCompact(NO_RSSI, tag, id);
      expect([isCompact(message, tag, false), isCompact(message, tag, true)]).toEqual([true, false]);
    }),
  );
});

test("any other bytes are none, whatever their length (BT-07)", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), org, fc.boolean(), (bytes, tag, fromCentral) => {
      const looksRight = bytes.length === COMPACT_BYTES && bytes[0] === 1;
      expect(isCompact(bytes, tag, fromCentral) && !looksRight).toBe(false);
    }),
  );
  const message = encodeCompact(-60, 7, new Uint8Array(61));
  for (const length of [0, 1, FIRST_PIECE, COMPACT_BYTES - 1]) expect(isCompact(message.subarray(0, length), 7, true)).toBe(false);
});

test("each piece fits what an nRF52832 reads and writes at once, and both characteristics are one UUID to its radio stack", () => {
  expect(FIRST_PIECE).toBeLessThanOrEqual(50);
  expect(COMPACT_BYTES - FIRST_PIECE).toBeLessThanOrEqual(50);
  const [first, second] = [FIRST_CHARACTERISTIC, SECOND_CHARACTERISTIC].map((uuid) => parseUuid(uuid)!);
  // digits five to eight are bytes 12 and 13 on the air
  expect([...first].map((byte, i) => (byte === second[i] ? 0 : i)).filter(Boolean)).toEqual([12]);
});
