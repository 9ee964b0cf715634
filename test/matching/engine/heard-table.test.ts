import fc from "fast-check";
import { expect, test } from "vitest";
import { createHeardTable } from "../../../host-tools/matching/engine/heard-table.ts";
import { createFinder } from "../../../host-tools/matching/identifier-finder.ts";
import { nodeCrypto } from "../../../host-tools/node-crypto.ts";

test("the finder finds every entry of an identifier and nothing else, however alike identifiers are, dense ones by their beginning", () => {
  const identifier = fc.array(fc.constantFrom(0, 1, 255), { minLength: 16, maxLength: 16 }).map((bytes) => new Uint8Array(bytes));
  const kept = fc.tuple(identifier, fc.boolean()).map(([bytes, isDense]) => bytes.subarray(0, isDense ? 5 : 16));
  fc.assert(
    fc.property(fc.array(kept, { maxLength: 60 }), fc.array(identifier, { maxLength: 20 }), (entries, others) => {
      const { find } = createFinder(nodeCrypto, entries, (entry) => entry);
      const looked = [...entries.filter(({ length }) => length === 16), ...others];
      const expected = looked.flatMap((one, number) =>
        entries.flatMap((entry) => (Buffer.compare(entry, one.subarray(0, entry.length)) === 0 ? [{ entry, number }] : [])),
      );
      const all = new Uint8Array(16 * looked.length);
      looked.forEach((one, i) => {
        all.set(one, 16 * i);
      });
      const found = find(all);
      expect(found).toHaveLength(expected.length);
      for (const one of expected) expect(found.some(({ entry, number }) => entry === one.entry && number === one.number)).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test("identifiers are read from any place of a larger buffer", () => {
  const bytes = new Uint8Array(40).map((_, i) => i);
  const table = createHeardTable(nodeCrypto, [bytes.subarray(3, 19), bytes.subarray(19, 35)], (entry) => entry);
  expect(table.find(bytes, 19)).toBe(1);
  expect(table.find(bytes, 18)).toBe(-1);
});

test("a hundred thousand identifiers that a sender chose to be alike take no longer than others", () => {
  const entries = Array.from({ length: 100_000 }, (_, i) => Uint8Array.of(7, 7, 7, 7, 7, i & 255, i >> 8, i >> 16, 0, 0, 0, 0, 0, 0, 0, 0));
  const table = createHeardTable(nodeCrypto, entries, (entry) => entry);
  // one slot for them all, so whoever looks for another identifier passes one entry at most
  expect(table.slots.filter((slot) => slot !== 0n)).toHaveLength(1);
  let count = 0;
  for (let at = table.find(entries[0], 0); at >= 0; at = table.next(at)) count++;
  expect(count).toBe(100_000);
});

test("an empty table says no to everything", () => {
  const table = createHeardTable(nodeCrypto, [], () => new Uint8Array(16));
  expect(table.find(new Uint8Array(16), 0)).toBe(-1);
  expect(table.bitmap.some((byte) => byte !== 0)).toBe(false);
});
