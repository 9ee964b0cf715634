import fc from "fast-check";
import protobuf from "protobufjs";
import { describe, expect, test } from "vitest";
import {
  decodeExport,
  decodeKey,
  decodeSignatures,
  type ExposureKey,
  encodeExport,
  encodeKey,
  encodeSignatures,
  hasExportHeader,
  isMatchable,
  type KeyExport,
  MAX_KEYS,
  SIGNATURE_ALGORITHM,
} from "../../../protocols/gaen/export-file.ts";
import { fromHex, loadVectors, type Row, toHex } from "../../support/vectors.ts";

const vectors = loadVectors("gaen_export.json");

function keyOf(row: Row): ExposureKey {
  return {
    key: fromHex(row.key),
    transmissionRisk: row.transmission_risk,
    rollingStart: row.rolling_start,
    rollingPeriod: row.rolling_period,
    reportType: row.report_type ?? undefined,
    daysSinceOnset: row.days_since_onset ?? undefined,
  };
}

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const anyKey: fc.Arbitrary<ExposureKey> = fc.record({
  key: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  transmissionRisk: fc.integer({ min: 0, max: 8 }),
  rollingStart: fc.oneof(fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.constant(0)),
  rollingPeriod: fc.integer({ min: 1, max: 144 }),
  reportType: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
  daysSinceOnset: fc.option(int32, { nil: undefined }),
});
const anyInfo = fc.record({
  version: fc.string({ maxLength: 20 }),
  id: fc.string({ unit: "grapheme", maxLength: 8 }),
  algorithm: fc.constant(SIGNATURE_ALGORITHM),
});
const anyExport: fc.Arbitrary<KeyExport> = fc.record({
  start: fc.integer({ min: 0, max: 2 ** 53 - 1 }),
  end: fc.integer({ min: 0, max: 2 ** 32 }),
  region: fc.string({ maxLength: 3 }),
  batchNumber: int32,
  batchSize: fc.integer({ min: 1, max: 9 }),
  signatureInfos: fc.array(anyInfo, { maxLength: 3 }),
  keys: fc.array(anyKey, { maxLength: 6 }),
  revisedKeys: fc.array(anyKey, { maxLength: 3 }),
});

/** The published message definitions, for a reader and writer that is not ours. */
const schema = protobuf.parse(`
  syntax = "proto2";
  message TemporaryExposureKeyExport {
    optional fixed64 start_timestamp = 1; optional fixed64 end_timestamp = 2; optional string region = 3; optional int32 batch_num = 4; optional int32 batch_size = 5;
    repeated SignatureInfo signature_infos = 6; repeated TemporaryExposureKey keys = 7; repeated TemporaryExposureKey revised_keys = 8;
  }
  message SignatureInfo { optional string verification_key_version = 3; optional string verification_key_id = 4; optional string signature_algorithm = 5; }
  message TemporaryExposureKey {
    optional bytes key_data = 1; optional int32 transmission_risk_level = 2; optional int32 rolling_start_interval_number = 3; optional int32 rolling_period = 4 [default = 144];
    optional int32 report_type = 5; optional sint32 days_since_onset_of_symptoms = 6;
  }`).root;
const exportType = schema.lookupType("TemporaryExposureKeyExport");

describe("one key", () => {
  test.each(vectors.key_messages)("is written canonically: $name (GAEN-18)", (row) => {
    expect(toHex(encodeKey(keyOf(row.key)))).toBe(row.encoded);
    expect(decodeKey(fromHex(row.encoded))).toEqual(keyOf(row.key));
  });

  test.each(vectors.key_messages_decode)("is read: $name (GAEN-19)", (row) => {
    expect(decodeKey(fromHex(row.encoded))).toEqual(keyOf(row.key));
  });

  test("of a report type that nobody knows counts as unknown (GAEN-19)", () => {
    expect(decodeKey(fromHex("2809"))?.reportType).toBe(0);
    expect(decodeKey(fromHex("28ffffffffffffffffff01"))?.reportType).toBe(0);
  });

  test.each(vectors.key_checks)("may be looked for or not: $name (GAEN-19)", (row) => {
    expect(isMatchable(keyOf(row.key))).toBe(row.use);
  });

  test.each([
    ["a group", "0b0c"],
    ["wire type 6", "0e00"],
    ["field number 0", "0200"],
    ["a varint of eleven bytes", "10ffffffffffffffffffff01"],
    ["a varint without an end", "10ff"],
    ["half of eight bytes", "0900000000"],
    ["half of four bytes", "0d0000"],
    ["bytes beyond the end", "0a10d10f"],
    ["a length of 1 GB", "0a8080808004"],
    ["a length of 2^31", "0a8080808008"],
    ["a length that leads back to its own field", "0afaffffff0f"],
    ["a length of 2^63", "0a80808080808080808001"],
  ])("that is no message is refused: %s (COM-03)", (_, hex) => {
    expect(decodeKey(fromHex(hex))).toBeUndefined();
  });
});

describe("export.bin", () => {
  test("reads back as it was written, and is what protobufjs reads and writes (GAEN-18, GAEN-19)", () => {
    fc.assert(
      fc.property(anyExport, (content) => {
        const file = encodeExport(content);
        expect(decodeExport(file)).toEqual(content);
        const decoded = exportType.decode(file.subarray(16));
        expect(toHex(exportType.encode(decoded).finish())).toBe(toHex(file.subarray(16)));
        const theirs = exportType.toObject(decoded, { longs: Number, defaults: true, arrays: true });
        expect([theirs.startTimestamp, theirs.endTimestamp, theirs.region, theirs.batchNum]).toEqual([
          content.start,
          content.end,
          content.region,
          content.batchNumber,
        ]);
        expect(theirs.keys.map((key: Row) => [toHex(key.keyData), key.rollingPeriod, key.rollingStartIntervalNumber])).toEqual(
          content.keys.map((key) => [toHex(key.key), key.rollingPeriod, key.rollingStart]),
        );
      }),
    );
  });

  test("of any bytes gives keys or nothing, never an error (COM-03)", () => {
    const header = fromHex("454b204578706f727420763120202020");
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeExport(bytes)));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeExport(new Uint8Array([...header, ...bytes]))));
    fc.assert(
      fc.property(anyExport, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat(), (content, at, byte, length) => {
        const file = encodeExport(content);
        file[at % file.length] = byte;
        decodeExport(file.subarray(0, length % (file.length + 1)));
      }),
    );
  });

  test("names ten signers at most, and no more than ten are read (GAEN-20)", () => {
    const info = { version: "v1", id: "310", algorithm: SIGNATURE_ALGORITHM };
    const content = { start: 0, end: 1, region: "QX", batchNumber: 1, batchSize: 1, signatureInfos: Array(6).fill(info), keys: [], revisedKeys: [] };
    const file = encodeExport(content);
    expect(decodeExport(new Uint8Array([...file, ...file.subarray(16)]))?.signatureInfos).toHaveLength(10);
    expect(() => encodeExport({ ...content, signatureInfos: Array(11).fill(info) })).toThrow("export: at most 10 signatures, got 11");
  });

  test("without its header is refused", () => {
    const file = encodeExport({ start: 0, end: 1, region: "QX", batchNumber: 1, batchSize: 1, signatureInfos: [], keys: [], revisedKeys: [] });
    expect(hasExportHeader(file)).toBe(true);
    for (let i = 0; i < 16; i++) {
      const changed = file.slice();
      changed[i] ^= 1;
      expect(decodeExport(changed)).toBeUndefined();
    }
    expect(decodeExport(file.subarray(0, 15))).toBeUndefined();
  });

  test("cut off anywhere is refused or has whole keys only (COM-03)", () => {
    const file = encodeExport({
      start: 1591574400,
      end: 1591660800,
      region: "QX",
      batchNumber: 1,
      batchSize: 1,
      signatureInfos: [{ version: "v1", id: "310", algorithm: SIGNATURE_ALGORITHM }],
      keys: [1, 2, 3].map((n) => ({ key: new Uint8Array(16).fill(n), transmissionRisk: 1, rollingStart: 2652336, rollingPeriod: 144 })),
      revisedKeys: [],
    });
    for (let length = 0; length < file.length; length++) {
      const decoded = decodeExport(file.subarray(0, length));
      for (const { key } of decoded?.keys ?? []) expect(key).toHaveLength(16);
    }
  });

  test("of more keys than a real file can hold is refused before they fill the memory (COM-03)", () => {
    const file = new Uint8Array(16 + 2 * (MAX_KEYS + 1));
    file.set(fromHex("454b204578706f727420763120202020"));
    for (let at = 16; at < file.length; at += 2) file[at] = 0x3a;
    expect(decodeExport(file)).toBeUndefined();
    expect(decodeExport(file.subarray(0, 16 + 2 * 1000))?.keys).toHaveLength(1000);
  });

  test("with text that is no UTF-8, or longer than anybody's, is refused (COM-03)", () => {
    const header = "454b204578706f727420763120202020";
    expect(decodeExport(fromHex(`${header}1a02c3a9`))?.region).toBe("é");
    expect(decodeExport(fromHex(`${header}1a01ff`))).toBeUndefined();
    expect(decodeExport(fromHex(`${header}1a8102${"41".repeat(257)}`))).toBeUndefined();
  });
});

describe("export.sig", () => {
  const signature = fc.record({
    info: anyInfo,
    batchNumber: fc.integer({ min: 1, max: 9 }),
    batchSize: fc.integer({ min: 1, max: 9 }),
    signature: fc.uint8Array({ maxLength: 80 }),
  });

  test("reads back as it was written, and any bytes at all give signatures or nothing (GAEN-20, COM-03)", () => {
    fc.assert(fc.property(fc.array(signature, { maxLength: 10 }), (list) => void expect(decodeSignatures(encodeSignatures(list))).toEqual(list)));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeSignatures(bytes)));
  });

  test("has ten signatures at most, and no more than ten are read (GAEN-20)", () => {
    const one = { info: { version: "v1", id: "310", algorithm: SIGNATURE_ALGORITHM }, batchNumber: 1, batchSize: 1, signature: new Uint8Array(70) };
    const six = encodeSignatures(Array(6).fill(one));
    expect(decodeSignatures(new Uint8Array([...six, ...six]))).toHaveLength(10);
    expect(() => encodeSignatures(Array(11).fill(one))).toThrow("export: at most 10 signatures, got 11");
  });
});
