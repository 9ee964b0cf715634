import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeExport, type ExposureKey, encodeExport } from "../../../protocols/gaen/export-file.ts";
import { decodeExportColumns, type ExportColumns, NOT_TOLD } from "../../../protocols/gaen/key-columns.ts";
import { createWriter, writeBytes, writeNumber, written } from "../../../protocols/protobuf.ts";
import { exportOf } from "../../support/diagnosis-keys.ts";
import { fromHex, loadVectors, toHex } from "../../support/vectors.ts";

/** What columns keep of a key. */
const keptOf = ({ key, rollingStart, rollingPeriod, transmissionRisk, reportType, daysSinceOnset }: ExposureKey) => [
  toHex(key),
  rollingStart,
  rollingPeriod >= 1 && rollingPeriod <= 144 ? rollingPeriod : 0,
  transmissionRisk >= 0 && transmissionRisk <= 8 ? transmissionRisk : 0,
  reportType ?? NOT_TOLD,
  daysSinceOnset !== undefined && Math.abs(daysSinceOnset) <= 14 ? daysSinceOnset : NOT_TOLD,
];
function rowsOf({ file, keys }: ExportColumns, isRevised: number) {
  return Array.from({ length: keys.count }, (_, i) => i)
    .filter((i) => keys.isRevised[i] === isRevised)
    .map((i) => [
      toHex(file.subarray(keys.offset[i], keys.offset[i] + 16)),
      keys.rollingStart[i],
      keys.rollingPeriod[i],
      keys.transmissionRisk[i],
      keys.reportType[i],
      keys.daysSinceOnset[i],
    ]);
}

/** The columns hold what the reader of single keys reads, or both refuse. Answers whether there was something to read. */
function expectTheSame(file: Uint8Array): boolean {
  const single = decodeExport(file);
  const columns = decodeExportColumns(file);
  expect(columns === undefined).toBe(single === undefined);
  if (!single || !columns) return false;
  const { keys, revisedKeys, ...header } = single;
  const { start, end, region, batchNumber, batchSize, signatureInfos } = columns;
  expect({ start, end, region, batchNumber, batchSize, signatureInfos }).toEqual(header);
  const whole = (some: ExposureKey[]) => some.filter(({ key }) => key.length === 16);
  expect(rowsOf(columns, 0)).toEqual(whole(keys).map(keptOf));
  expect(rowsOf(columns, 1)).toEqual(whole(revisedKeys).map(keptOf));
  expect(columns.wrongSize).toBe(keys.length + revisedKeys.length - columns.keys.count);
  return true;
}

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const anyKey: fc.Arbitrary<ExposureKey> = fc.record({
  key: fc.uint8Array({ minLength: 14, maxLength: 17 }),
  transmissionRisk: fc.oneof(fc.nat(8), int32),
  rollingStart: fc.oneof(fc.integer({ min: 2_652_000, max: 2_700_000 }), int32),
  rollingPeriod: fc.oneof(fc.constant(144), fc.integer({ min: -2, max: 300 }), int32),
  reportType: fc.option(fc.oneof(fc.nat(6), int32), { nil: undefined }),
  daysSinceOnset: fc.option(fc.oneof(fc.integer({ min: -16, max: 16 }), int32), { nil: undefined }),
});
const anyFile = fc
  .tuple(fc.array(anyKey, { maxLength: 5 }), fc.array(anyKey, { maxLength: 3 }))
  .map(([keys, revised]) => encodeExport(exportOf(keys, revised)));

test("GAEN-19: columns hold what the reader of single keys reads, whatever the numbers", () => {
  fc.assert(
    fc.property(anyFile, (file) => {
      expect(expectTheSame(file)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test("GAEN-19: and where bytes were changed, cut off or put in, either both refuse or both read the same", () => {
  const change = fc.record({ at: fc.nat(), byte: fc.nat(255), cut: fc.boolean(), insert: fc.uint8Array({ maxLength: 3 }) });
  let read = 0;
  fc.assert(
    fc.property(anyFile, fc.array(change, { maxLength: 3 }), (file, changes) => {
      let changed = Array.from(file);
      for (const { at, byte, cut, insert } of changes) {
        // the header of 16 bytes stays, or nothing is read at all
        const place = 16 + (at % Math.max(changed.length - 16, 1));
        changed = cut ? changed.slice(0, place) : [...changed.slice(0, place), byte, ...insert, ...changed.slice(place + 1)];
      }
      if (expectTheSame(Uint8Array.from(changed))) read++;
    }),
    { numRuns: 2000 },
  );
  expect(read).toBeGreaterThan(100);
});

test("a file that is cut off at any byte is refused, or is shorter by whole fields", () => {
  const file = encodeExport(exportOf([{ key: new Uint8Array(16).fill(3), transmissionRisk: 1, rollingStart: 2_652_624, rollingPeriod: 10 }]));
  const whole = Array.from({ length: file.length + 1 }, (_, length) => length).filter((length) => expectTheSame(file.subarray(0, length)));
  expect(whole.length).toBeGreaterThan(2);
  expect(whole.length).toBeLessThan(12);
});

test("fields in any order, unknown ones among them, and a key given twice", () => {
  const key = (fill: number) => new Uint8Array(16).fill(fill);
  const message = createWriter();
  writeNumber(message, 0x18, 2_652_624);
  writeBytes(message, 0x0a, key(1));
  writeBytes(message, 0x7a, Uint8Array.of(1, 2, 3));
  writeNumber(message, 0x20, 5);
  writeBytes(message, 0x0a, key(2));
  const file = createWriter();
  file.bytes.set(new TextEncoder().encode("EK Export v1    "));
  file.length = 16;
  writeBytes(file, 0x3a, written(message));
  expect(expectTheSame(written(file))).toBe(true);
  const columns = decodeExportColumns(written(file))!;
  expect(rowsOf(columns, 0)).toEqual([[toHex(key(2)), 2_652_624, 5, 0, NOT_TOLD, NOT_TOLD]]);
});

test("a file that stands inside another buffer is read at its place", () => {
  const file = encodeExport(exportOf([{ key: new Uint8Array(16).fill(9), transmissionRisk: 1, rollingStart: 2_652_624, rollingPeriod: 144 }]));
  const larger = new Uint8Array(file.length + 7);
  larger.set(file, 7);
  expect(expectTheSame(larger.subarray(7))).toBe(true);
});

test.each(loadVectors("gaen_export.json").key_messages_decode)("GAEN-19: $name", ({ encoded }) => {
  const file = createWriter();
  file.bytes.set(new TextEncoder().encode("EK Export v1    "));
  file.length = 16;
  writeBytes(file, 0x3a, fromHex(encoded));
  expectTheSame(written(file));
});
