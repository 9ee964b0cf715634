import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PROTOCOLS } from "../../boards/capabilities.ts";
import {
  decodeBlock,
  decodeOwnKeys,
  type OthersDenseRecord,
  type OthersRecord,
  type PulledBlock,
  sealRecord,
  splitRecords,
} from "../../host-tools/store/log-decoder.ts";
import { writeInt } from "../../protocols/bytes.ts";
import { DELETED, DELETED_DENSE, DENSE, DENSE_BYTES, ENCOUNTER, LONG_BYTES, TEK } from "../../protocols/log-format.ts";
import { clock, dense, encounter, mark, othersDenseSlot, othersSlot, settings, sighting, slot, slots } from "./slots.ts";

const block = (bytes: Uint8Array, more: Partial<PulledBlock> = {}): PulledBlock => ({ seq: 145, era: 3, baseTick: 1000, slots: bytes, ...more });
const decodeOne = (bytes: Uint8Array) => decodeBlock(block(bytes))[0];

describe("records of a board's log", () => {
  test("an encounter keeps its identifier and counts its times from the base tick", () => {
    const bytes = encounter({ rpi: 7, aem: 9, first: 524_286, seconds: 2032, count: 127, maxRssi: -127, below: 31 });
    expect(decodeOne(bytes)).toEqual({
      kind: "encounter",
      seq: 145,
      era: 3,
      baseTick: 1000,
      rpi: new Uint8Array(16).fill(7),
      aem: new Uint8Array(4).fill(9),
      firstTick: 525_286,
      lastTick: 527_318,
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

  test("a dense record keeps 40 bits of the identifier, and its times hold the true ones", () => {
    const bytes = dense({ rpi: 7, aem: 9, first: 524_285, seconds: 2032, maxRssi: -127, below: 31 });
    expect(bytes).toHaveLength(DENSE_BYTES);
    expect(decodeOne(bytes)).toEqual({
      kind: "dense",
      seq: 145,
      era: 3,
      baseTick: 1000,
      prefix: new Uint8Array(5).fill(7),
      power: Uint8Array.of(9),
      firstTick: 1000 + 524_280,
      lastTick: 1000 + 526_320,
      maxRssi: -127,
      meanRssi: -142,
    });
    fc.assert(
      fc.property(fc.nat(524_286), fc.nat(2032), fc.nat(127), fc.nat(40), (first, seconds, strength, below) => {
        const record = decodeOne(dense({ first, seconds, maxRssi: -strength, below }));
        if (record.kind !== "dense") throw new Error(record.kind);
        const { firstTick, lastTick, maxRssi, meanRssi } = record;
        const [begin, end] = [firstTick - 1000, lastTick - 1000];
        expect(begin <= first && first - begin < 8 && end >= first + seconds && end - first - seconds < 8).toBe(true);
        expect([maxRssi, meanRssi]).toEqual([0 - strength, 0 - strength - Math.min(below, 15)]);
      }),
    );
  });

  test("MUX-03: encounters of other protocols have their name, the whole identifier or 5 bytes, and the power that the packet told", () => {
    const identifier = fc.uint8Array({ minLength: 16, maxLength: 16 });
    // meetings of BlueTrace have a form of their own: meetings.test.ts
    const names = Object.keys(PROTOCOLS).filter((name) => name !== "gaen" && name !== "bluetrace");
    const power = fc.option(fc.integer({ min: -128, max: 126 }), { nil: undefined });
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        identifier,
        power,
        fc.nat(262_143),
        fc.nat(1016),
        fc.nat(127),
        (protocol, id, txPower, half, long, strong) => {
          const heard = { first: 2 * half, seconds: 2 * long, maxRssi: -strong, below: 3 };
          const { tag } = PROTOCOLS[protocol];
          const full = decodeOne(othersSlot(tag, id, txPower, heard));
          expect(full).toMatchObject({ kind: "others", protocol, firstTick: 1000 + heard.first, lastTick: 1000 + heard.first + heard.seconds });
          expect(full).toMatchObject({ identifier: id, maxRssi: 0 - strong, meanRssi: 0 - strong - 3 });
          expect((full as OthersRecord).txPower).toBe(txPower);
          const dense = decodeOne(othersDenseSlot(tag, id, txPower, heard)) as OthersDenseRecord;
          expect(dense).toMatchObject({ kind: "others-dense", protocol, prefix: id.slice(0, 5), maxRssi: 0 - strong, meanRssi: 0 - strong - 3 });
          expect(dense.firstTick <= 1000 + heard.first && dense.lastTick >= 1000 + heard.first + heard.seconds).toBe(true);
          if (txPower === undefined) expect(dense.txPower).toBeUndefined();
          else expect(Math.abs(dense.txPower! - Math.max(-40, Math.min(20, txPower + 0.5)))).toBeLessThan(1);
        },
      ),
    );
  });

  test("a protocol that nobody here knows is told with its number, and the records around it are as good as before", () => {
    const id = new Uint8Array(16).fill(5);
    const records = decodeBlock(
      block(
        slots(
          encounter({ first: 2 }),
          othersSlot(77, id, 0, { first: 4 }),
          othersDenseSlot(7, id, 0, { first: 8 }),
          othersSlot(0, id, 0, { first: 4 }),
          dense({ first: 8 }),
        ),
      ),
    );
    expect(records.map((record) => (record.kind === "damaged" ? record.reason : record.kind))).toEqual([
      "encounter",
      "unknown protocol 77",
      "unknown protocol 7",
      "unknown protocol 0",
      "dense",
    ]);
    expect(records.map(({ seq }) => seq)).toEqual([145, 152, 159, 162, 169]);
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
      ["mark", 152, 4, 50],
      ["encounter", 159, 4, 50],
      ["settings", 166, 4, 50],
    ]);
    expect(records[1]).toMatchObject({ batteryMv: 2970, started: true, firmware: "0.1.0" });
    expect(records[2]).toMatchObject({ firstTick: 52 });
    expect(records[3]).toMatchObject({ values: [300, 2, -5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] });
  });

  test("what is deleted shows by its kind, erased flash is blank, and an own key is not shown, whole or in ones", () => {
    for (const kind of [DELETED, DELETED_DENSE]) {
      const gone = new Uint8Array(kind === DELETED ? LONG_BYTES : DENSE_BYTES);
      gone[0] = kind;
      expect(decodeBlock(block(gone)).map((record) => record.kind)).toEqual(["deleted"]);
    }
    expect(decodeBlock(block(new Uint8Array(8).fill(255))).map(({ kind, seq }) => [kind, seq])).toEqual([
      ["blank", 145],
      ["blank", 146],
    ]);
    const hidden = new Uint8Array(LONG_BYTES).fill(255);
    hidden[0] = TEK | 0xf0;
    for (const bytes of [slot(TEK, (payload) => payload.fill(0x5a)), hidden]) {
      const key = decodeOne(bytes);
      expect(Object.keys(key).sort()).toEqual(["baseTick", "era", "kind", "seq"]);
      expect(key.kind).toBe("deleted");
    }
  });

  test("a torn or flipped record is reported with its sequence number, and the records beside it are read", () => {
    const torn = encounter({ first: 2 });
    torn.fill(0xff, 9);
    const flipped = encounter({ first: 2 });
    flipped[3] ^= 1;
    // not even its kind was written
    const begun = Uint8Array.of(0x7f, 0xff, 0xff, 0xff);
    const tornDense = dense({ first: 8 });
    tornDense[DENSE_BYTES - 1] = 0xff;
    const records = decodeBlock(
      block(slots(encounter({ first: 2 }), torn, begun, flipped, dense({ first: 16 }), tornDense, encounter({ first: 4 }))),
    );
    expect(records.map(({ kind, seq }) => [kind, seq])).toEqual([
      ["encounter", 145],
      ["damaged", 152],
      ["damaged", 159],
      ["damaged", 160],
      ["dense", 167],
      ["damaged", 170],
      ["encounter", 173],
    ]);
    expect(records[2]).toMatchObject({ reason: expect.stringContaining("not whole") });
  });

  test("a write that stops after any of its bytes is never taken for a record, and its length is known as soon as it matters", () => {
    const bytes = fc.uint8Array({ minLength: LONG_BYTES, maxLength: LONG_BYTES });
    fc.assert(
      fc.property(bytes, fc.constantFrom(DENSE, ENCOUNTER, TEK), fc.nat(LONG_BYTES), (random, kind, written) => {
        const whole = random.slice(0, kind === DENSE ? DENSE_BYTES : LONG_BYTES);
        whole[0] = (whole[0] & 0xf0) | kind;
        sealRecord(whole);
        if (written >= whole.length) return;
        const torn = whole.slice().fill(0xff, written);
        const [first, ...rest] = decodeBlock(block(torn));
        if (written === 0) expect([first, ...rest].every(({ kind }) => kind === "blank")).toBe(true);
        else {
          // what was written behind the kind may itself look blank
          const kindAlone = torn.subarray(1).every((byte) => byte === 0xff);
          expect([first.kind, rest.length]).toEqual([kind === TEK && kindAlone ? "deleted" : "damaged", 0]);
        }
      }),
    );
  });

  test("a byte of a record of which only some bits were written makes it look like nothing shorter or longer, or like a single torn word", () => {
    for (const kind of [1, 3, 5, 7, 9, 11, 13, 14]) {
      for (let more = 0; more < 16; more++) {
        const torn = kind | more;
        const { length } = splitRecords(new Uint8Array(LONG_BYTES).fill(torn))[0];
        expect(length).toBe(torn === 15 ? 4 : kind & 1 ? LONG_BYTES : DENSE_BYTES);
      }
    }
    // and of a deletion only some: bits 1 to 3 of the kind go, in any order
    for (const kind of [3, 5, 9]) for (let left = 0; left < 16; left++) expect([kind, DELETED]).toContain((kind & left) | 1);
    for (let left = 0; left < 16; left++) expect(splitRecords(new Uint8Array(LONG_BYTES).fill(DENSE & left))[0]).toHaveLength(DENSE_BYTES);
  });

  test("COM-03: any words decode, or are refused as not ending with a record", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const parts = splitRecords(bytes);
        expect(Buffer.concat(parts).equals(bytes)).toBe(true);
        let records: unknown[] | undefined;
        try {
          records = decodeBlock(block(bytes));
        } catch (error) {
          expect((error as Error).message).toContain("don't end with a record; pull again");
        }
        if (records) expect(records).toHaveLength(parts.length);
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
