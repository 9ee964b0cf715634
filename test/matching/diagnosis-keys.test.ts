import { describe, expect, test } from "vitest";
import { combineExports, diagnosisKey, mayBecome } from "../../host-tools/matching/diagnosis-keys.ts";
import type { ExposureKey } from "../../protocols/gaen/export-file.ts";
import type { ExportColumns } from "../../protocols/gaen/key-columns.ts";
import { asPublished, exportOf } from "../support/diagnosis-keys.ts";
import { fromHex, loadVectors } from "../support/vectors.ts";

const matching = loadVectors("gaen_matching.json");
const exporting = loadVectors("gaen_export.json");

const CONFIRMED = 1;
const CLINICAL = 2;
const SELF_REPORT = 3;
const REVOKED = 5;

function exposureKey(fill: number, reportType: number, rollingPeriod = 144): ExposureKey {
  return { key: new Uint8Array(16).fill(fill), transmissionRisk: 0, rollingStart: 2652624, rollingPeriod, reportType };
}
const exportAt = (start: number, keys: ExposureKey[], revisedKeys: ExposureKey[] = []) => asPublished(exportOf(keys, revisedKeys, start));
function combine(exports: ExportColumns[]) {
  const { keys, setApart } = combineExports(exports);
  return { keys: Array.from({ length: keys.count }, (_, at) => diagnosisKey(keys, at)), setApart };
}

describe("keys of several exports", () => {
  test.each(matching.transitions)("GAEN-29: report type $from to $to after $earlier_transitions changes: $allowed", (row) => {
    expect(mayBecome(row.from, row.to, row.earlier_transitions)).toBe(row.allowed);
  });

  test.each(exporting.key_checks)("GAEN-19: $name", ({ key, use }) => {
    const one = { ...exposureKey(0, key.report_type ?? undefined, key.rolling_period), key: fromHex(key.key) };
    const { keys, setApart } = combine([exportAt(0, [one])]);
    expect(keys.length).toBe(use ? 1 : 0);
    expect(setApart.length).toBe(use ? 0 : 1);
  });

  test("GAEN-29: a key that was revoked later is not looked for, in whatever order the files are given", () => {
    const published = exportAt(1000, [exposureKey(1, CLINICAL), exposureKey(2, CLINICAL)]);
    const revoking = exportAt(9000, [], [exposureKey(1, REVOKED)]);
    for (const files of [
      [published, revoking],
      [revoking, published],
    ]) {
      const { keys, setApart } = combine(files);
      expect(keys.map((key) => key.key[0])).toEqual([2]);
      expect(setApart).toEqual([{ what: "key", reason: "revoked", count: 1 }]);
    }
  });

  test("GAEN-29: a report type changes once; a further change is set apart", () => {
    const { keys, setApart } = combine([
      exportAt(1, [exposureKey(1, SELF_REPORT)]),
      exportAt(2, [], [exposureKey(1, CLINICAL)]),
      exportAt(3, [], [exposureKey(1, CONFIRMED)]),
    ]);
    expect(keys.map((key) => key.reportType)).toEqual([CLINICAL]);
    expect(setApart).toEqual([{ what: "key", reason: "report type may not change so", count: 1 }]);
  });

  test("GAEN-29: a key that comes again with another rolling period keeps the first; the same key twice counts once", () => {
    const { keys, setApart } = combine([
      exportAt(1, [exposureKey(1, CONFIRMED, 100), exposureKey(1, CONFIRMED, 144), exposureKey(1, CONFIRMED, 100)]),
    ]);
    expect(keys.map((key) => key.rollingPeriod)).toEqual([100]);
    expect(setApart).toEqual([
      { what: "key", reason: "again in the same file", count: 1 },
      { what: "key", reason: "known with another time", count: 1 },
    ]);
  });

  test("keys that can't be are set apart with a reason and a number, and never looked for", () => {
    const file = asPublished({
      ...exportOf([
        { ...exposureKey(1, CONFIRMED), key: new Uint8Array(15).fill(1) },
        { ...exposureKey(2, CONFIRMED), key: new Uint8Array(0) },
        exposureKey(3, CONFIRMED, 145),
        exposureKey(4, CONFIRMED, -1),
        exposureKey(5, CONFIRMED, 0),
        exposureKey(6, 4),
        { ...exposureKey(7, CONFIRMED), rollingStart: 2652624 + 144 },
        { ...exposureKey(8, CONFIRMED), rollingStart: -1 },
        { ...exposureKey(9, CONFIRMED), rollingStart: 2 ** 31 - 1 },
        exposureKey(10, CONFIRMED),
        exposureKey(10, CONFIRMED),
        { ...exposureKey(11, CONFIRMED), transmissionRisk: 2 ** 31 - 1, daysSinceOnset: -(2 ** 31) },
      ]),
      end: (2652624 + 144) * 600,
    });
    const { keys, setApart } = combine([file]);
    expect(keys.map(({ key, transmissionRisk, daysSinceOnset }) => [key[0], transmissionRisk, daysSinceOnset])).toEqual([
      [10, 0, undefined],
      [11, 0, undefined],
    ]);
    expect(setApart).toEqual([
      { what: "key", reason: "again in the same file", count: 1 },
      { what: "key", reason: "begins after it was published", count: 3 },
      { what: "key", reason: "recursive", count: 1 },
      { what: "key", reason: "wrong size or rolling period", count: 5 },
    ]);
  });

  test("a file of one key a hundred thousand times is one key, and says so", () => {
    const { keys, setApart } = combine([asPublished(exportOf(Array.from({ length: 100_000 }, () => exposureKey(1, CONFIRMED))))]);
    expect([keys.length, setApart]).toEqual([1, [{ what: "key", reason: "again in the same file", count: 99_999 }]]);
  });
});
