import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readStructures, writeStructures } from "../../protocols/advertising-data.ts";
import { classify } from "../../protocols/classify.ts";
import * as tracing from "../../protocols/contact-tracing-v1/advertisement.ts";
import * as dp3t from "../../protocols/dp3t/advertisement.ts";
import { decodeAdvertisement, encodeAdvertisement, FLAGS, serviceDataOffset } from "../../protocols/gaen/advertisement.ts";
import { fromHex, loadVectors, type Row, toHex } from "../support/vectors.ts";

const vectors = loadVectors("ble_adverts.json");
const rows = [...vectors.accept, ...vectors.reject];

/** A claim with its bytes as hex and its names as the vectors write them. */
function plain(packet: Uint8Array): object {
  const claim = classify(packet);
  if (!claim) return { protocol: null };
  const named: { [key: string]: unknown } = {};
  for (const [key, value] of Object.entries(claim)) {
    const name = key === "txPower" ? "tx_power" : key === "uuidListExact" ? "uuid_list_exact" : key;
    named[name] = value instanceof Uint8Array ? toHex(value) : (value ?? null);
  }
  return named;
}

describe("whose packet is it", () => {
  test.each(vectors.accept)("$name (BLE-02, BLE-03)", (row) => {
    expect(fromHex(row.hex)).toHaveLength(row.length);
    expect(plain(fromHex(row.hex))).toEqual(row.expect);
  });

  test.each(vectors.reject)("nobody's: $name (BLE-02, BLE-04, BLE-11)", (row) => {
    expect(plain(fromHex(row.hex))).toEqual(row.expect);
  });

  test.each([
    ["b1", 5, 24, "qb-fragment"],
    ["b2", 5, 24, "qb-fernet-fragment"],
    ["b3", 24, 24, "qb-compact"],
    ["b5", 81, 81, "qb-message"],
  ])("SmartBeacon type %s has %i to %i bytes, anything else is nobody's (BLE-02)", (type, least, most, protocol) => {
    for (let length = 1; length <= 100; length++) {
      const data = new Uint8Array([0x90, 0x05, ...fromHex(type), ...new Uint8Array(length - 1)]);
      const claim = classify(writeStructures([{ type: 0xff, data }], 255));
      expect(claim?.protocol, `${length} bytes`).toBe(length >= least && length <= most ? protocol : undefined);
    }
  });

  test("any bytes at all give a claim or none (COM-03)", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (packet) => void classify(packet)));
    const cut = fc.tuple(fc.constantFrom(...rows), fc.nat(100), fc.nat(100), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(cut, ([row, length, at, byte]) => {
        const packet = fromHex(row.hex).slice(0, length);
        if (at < packet.length) packet[at] = byte;
        classify(packet);
      }),
    );
  });
});

describe("GAEN advertisement", () => {
  test.each(
    vectors.accept.filter((row: { inputs?: { aem?: string } }) => row.inputs?.aem),
  )("is built to the byte: $name (BLE-01, GAEN-08)", (row) => {
    const flags = row.length === 31 ? FLAGS : undefined;
    const built = encodeAdvertisement(fromHex(row.inputs.rpi), fromHex(row.inputs.aem), flags);
    expect(toHex(built)).toBe(row.hex);
    expect(built).toHaveLength(row.length);
  });

  test("reads back what was written, with and without Flags", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.uint8Array({ minLength: 4, maxLength: 4 }),
        fc.option(fc.integer({ min: 0, max: 255 }), { nil: undefined }),
        (rpi, aem, flags) => {
          const packet = encodeAdvertisement(rpi, aem, flags);
          expect(serviceDataOffset(packet)).toBe(flags === undefined ? 8 : 11);
          expect(decodeAdvertisement(packet)).toEqual({ rpi, aem, uuidListExact: true });
        },
      ),
    );
  });

  test("the identifier is found where a walk over whole structures finds it, in any bytes (BLE-02)", () => {
    const walk = (packet: Uint8Array) => {
      const found = readStructures(packet).find(({ type, data }) => type === 0x16 && data.length === 22 && data[0] === 0x6f && data[1] === 0xfd);
      return found ? found.data.byteOffset + 2 - packet.byteOffset : -1;
    };
    for (const row of rows) expect(serviceDataOffset(fromHex(row.hex)), row.name).toBe(walk(fromHex(row.hex)));
    // Bytes of packets, whole and cut.
    const part = fc.oneof(
      fc
        .constantFrom("02011a", "03036ffd", "17166ffd8be6cd371c5c891604bfbe49df84509672033874", "020a00", "0302", "00", "17", "16166ffd")
        .map(fromHex),
      fc.uint8Array({ maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), fc.nat(40), (parts, length) => {
        const packet = Uint8Array.from(parts.flatMap((one) => [...one])).slice(0, length + 10);
        expect(serviceDataOffset(packet)).toBe(walk(packet));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("identifiers of Contact Tracing v1.0 and DP-3T", () => {
  const identifier = fc.uint8Array({ minLength: 16, maxLength: 16 });
  const rowsWith = (input: string) => vectors.accept.filter((row: Row) => row.inputs?.[input] && !row.inputs.aem);

  test.each(rowsWith("rpi"))("are built to the byte: $name (BLE-01)", ({ inputs, hex, length }) => {
    const built = tracing.encodeAdvertisement(fromHex(inputs.rpi));
    expect([toHex(built), built.length]).toEqual([hex, length]);
  });

  test.each(rowsWith("ephid"))("are built to the byte: $name (BLE-01, DP-08)", ({ inputs, hex, length }) => {
    const built = dp3t.encodeAdvertisement(fromHex(inputs.ephid), inputs.tx_power);
    expect([toHex(built), built.length]).toEqual([hex, length]);
  });

  test("read back as they were written", () => {
    fc.assert(
      fc.property(identifier, fc.integer({ min: -127, max: 127 }), (bytes, txPower) => {
        expect(tracing.decodeAdvertisement(tracing.encodeAdvertisement(bytes))).toEqual({ rpi: bytes, uuidListExact: true });
        expect(dp3t.decodeAdvertisement(dp3t.encodeAdvertisement(bytes, txPower))).toEqual({ ephId: bytes, txPower });
        expect(tracing.rpiOffset(tracing.encodeAdvertisement(bytes))).toBe(11);
        expect(dp3t.ephIdOffset(dp3t.encodeAdvertisement(bytes, txPower))).toBe(14);
      }),
    );
  });

  test("are found where a walk over whole structures finds them, in any bytes (BLE-02, DP-08)", () => {
    const walk = (packet: Uint8Array, low: number) => {
      const found = readStructures(packet).find(({ type, data }) => type === 0x16 && data.length === 18 && data[0] === low && data[1] === 0xfd);
      return found ? found.data.byteOffset + 2 - packet.byteOffset : -1;
    };
    const agree = (packet: Uint8Array) => {
      expect(tracing.rpiOffset(packet)).toBe(walk(packet, 0x6f));
      expect(dp3t.ephIdOffset(packet)).toBe(walk(packet, 0x68));
    };
    for (const row of rows) agree(fromHex(row.hex));
    const part = fc.oneof(
      fc
        .constantFrom("02011a", "030368fd", `131668fd${"5a".repeat(16)}`, `13166ffd${"5a".repeat(16)}`, "020a00", "00", "13", "121668fd")
        .map(fromHex),
      fc.uint8Array({ maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), fc.nat(40), (parts, length) => {
        agree(Uint8Array.from(parts.flatMap((one) => [...one])).slice(0, length + 10));
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ["030368fd", true],
    ["030268fd", true],
    ["05036ffd68fd", true],
    ["0403006868fd", false],
    ["03066868fd", false],
    ["03036ffd", false],
  ])("%s offers DP-3T's service: %s (DP-08)", (packet, offered) => {
    expect(dp3t.offersService(fromHex(packet))).toBe(offered);
  });
});

describe("AD structures", () => {
  const structure = fc.record({ type: fc.integer({ min: 0, max: 255 }), data: fc.uint8Array({ maxLength: 12 }) });

  test("read back what was written", () => {
    fc.assert(
      fc.property(fc.array(structure, { maxLength: 8 }), (structures) => {
        const read = readStructures(writeStructures(structures, 255));
        expect(read.map(({ type, data }) => ({ type, data: new Uint8Array(data) }))).toEqual(structures);
      }),
    );
  });

  test("past 31 bytes nothing is built (BLE-01)", () => {
    const ofSize = (size: number) => [{ type: 0xff, data: new Uint8Array(size - 2) }];
    expect(writeStructures(ofSize(31))).toHaveLength(31);
    expect(() => writeStructures(ofSize(32))).toThrow("advertising data: at most 31 bytes, got 32");
    expect(() => writeStructures([{ type: 0xff, data: new Uint8Array(255) }], 1000)).toThrow("AD structure of type 255: at most 254 bytes, got 255");
  });

  test("never reach beyond the packet (COM-03)", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (packet) => {
        const read = readStructures(packet);
        expect(read.reduce((sum, { data }) => sum + data.length + 2, 0)).toBeLessThanOrEqual(packet.length);
      }),
    );
  });
});
