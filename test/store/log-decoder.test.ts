import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeBlock, decodeOwnKeys, type PulledBlock } from "../../host-tools/store/log-decoder.ts";
import { writeInt } from "../../protocols/bytes.ts";
import { FREE, SLOT_BYTES, TEK } from "../../protocols/log-format.ts";
import { clock, encounter, mark, settings, sighting, slot, slots } from "./slots.ts";

const block = (bytes: Uint8Array, more: Partial<PulledBlock> = {}): PulledBlock => ({ seq: 145, era: 3, baseTick: 1000, slots: bytes, ...more });
const decodeOne = (bytes: Uint8Array) => decodeBlock(block(bytes))[0];

describe("records of a board's log", () => {
  test("an encounter keeps its identifier and counts its times from the base tick", () => {
    const bytes = encounter({ rpi: 7, aem: 9, first: 1_048_574, seconds: 2046, count: 127, maxRssi: -127, below: 31 });
    expect(decodeOne(bytes)).toEqual({
      kind: "encounter",
      seq: 145,
      era: 3,
      baseTick: 1000,
      rpi: new Uint8Array(16).fill(7),
      aem: new Uint8Array(4).fill(9),
      firstTick: 1_049_574,
      lastTick: 1_051_620,
      count: 127,
      maxRssi: -127,
      meanRssi: -158,
    });
    expect(decodeOne(encounter({ first: 4, seconds: 10, count: 5, maxRssi: -40, below: 3 }))).toMatchObject({
      firstTick: 1004,
      lastTick: 1014,
      count: 5,
      meanRssi: -43,
    });
  });

  test("a sighting has address, its kind, and a signed signal", () => {
    expect(decodeOne(sighting(1, 0xab, -77, 70_000))).toMatchObject({
      kind: "sighting",
      address: "ab:ab:ab:ab:ab:ab",
      addressType: "random",
      rssi: -77,
      tick: 71_000,
    });
    expect(decodeOne(sighting(1, 1, -1, 0x800005))).toMatchObject({ addressType: "public", tick: 1005 });
  });

  test("a clock record says when its own era's tick was; unset clocks and unknown steps stay unknown", () => {
    expect(decodeOne(clock(8, 500, 4_294_967_295, { ms: 999, step: -250, roundTrip: 31, why: 4 }))).toMatchObject({
      kind: "clock",
      era: 3,
      clockEra: 8,
      tick: 500,
      unixMs: 4_294_967_295_999,
      stepMs: -250,
      roundTripMs: 31,
      why: 4,
      acknowledged: 150,
    });
    expect(decodeOne(clock(8, 500, 0))).toMatchObject({ unixMs: undefined, stepMs: undefined });
  });

  test("era and base tick of a MARK hold for what follows it, until the block ends", () => {
    const records = decodeBlock(block(slots(encounter({ first: 2 }), mark(4, 50), encounter({ first: 2 }), settings([300, 2, -5]))));
    expect(records.map(({ kind, seq, era, baseTick }) => [kind, seq, era, baseTick])).toEqual([
      ["encounter", 145, 3, 1000],
      ["mark", 146, 4, 50],
      ["encounter", 147, 4, 50],
      ["settings", 148, 4, 50],
    ]);
    expect(records[1]).toMatchObject({ batteryMv: 2970, started: true, firmware: "0.1.0" });
    expect(records[2]).toMatchObject({ firstTick: 52 });
    expect(records[3]).toMatchObject({ values: [300, 2, -5, 0, 0, 0, 0, 0, 0, 0, 0] });
  });

  test("zeros are a deleted record, erased flash is blank, and an own key that slipped through is not shown", () => {
    expect(decodeOne(new Uint8Array(SLOT_BYTES)).kind).toBe("deleted");
    expect(decodeOne(new Uint8Array(SLOT_BYTES).fill(255)).kind).toBe("blank");
    const key = decodeOne(slot(TEK, (payload) => payload.fill(0x5a)));
    expect(Object.keys(key).sort()).toEqual(["baseTick", "era", "kind", "seq"]);
    expect(key.kind).toBe("deleted");
  });

  test("a torn or flipped slot is reported with its sequence number, and the records beside it are read", () => {
    const torn = encounter({ first: 2 });
    writeInt(torn, 26, 2, 0xffff);
    const flipped = encounter({ first: 2 });
    flipped[3] ^= 1;
    const free = slot(FREE, (payload) => payload.fill(1));
    const records = decodeBlock(block(slots(encounter({ first: 2 }), torn, flipped, free, encounter({ first: 4 }))));
    expect(records.map((record) => record.kind)).toEqual(["encounter", "damaged", "damaged", "damaged", "encounter"]);
    expect(records[2]).toMatchObject({ seq: 147, reason: "the checksum is wrong" });
  });

  test("COM-03: any bytes decode to one record a slot", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 10 }), fc.uint8Array({ minLength: SLOT_BYTES, maxLength: SLOT_BYTES }), (few, bytes) => {
        expect(decodeBlock(block(bytes)).length).toBe(1);
        if (few.length > 0) expect(() => decodeBlock(block(few))).toThrow("multiple of 28 bytes");
      }),
    );
  });
});

describe("own keys", () => {
  const payload = (fill: number, start: number, period: number) => {
    const bytes = new Uint8Array(26).fill(255);
    bytes.fill(fill, 0, 16);
    writeInt(bytes, 16, 4, start);
    bytes[20] = period;
    return bytes;
  };

  test("GAEN-12: each payload is a key with its period; a key without an interval is left out", () => {
    expect(decodeOwnKeys(slots(payload(1, 2652624, 144), payload(2, 2652768, 0), payload(3, 2652768, 17)))).toEqual([
      { tek: new Uint8Array(16).fill(1), rollingStart: 2652624, rollingPeriod: 144 },
      { tek: new Uint8Array(16).fill(3), rollingStart: 2652768, rollingPeriod: 17 },
    ]);
  });

  test("an answer of a wrong length or period is refused, and no key is in the message", () => {
    expect(() => decodeOwnKeys(payload(0xab, 1, 144).subarray(1))).toThrow("multiple of 26 bytes expected, got 25");
    expect(() => decodeOwnKeys(payload(0xab, 1, 145))).toThrow(/^own key 1: rolling period 1 to 144 expected, got 145; ask the board again$/);
  });
});
