import fc from "fast-check";
import { expect, test } from "vitest";
import { createRpiTable, identifierWords } from "../../host-tools/matching/rpi-table.ts";
import { nodeCrypto } from "../../host-tools/node-crypto.ts";

test("the table finds every entry of an identifier and nothing else, however alike identifiers are", () => {
  const identifier = fc.array(fc.constantFrom(0, 1, 255), { minLength: 16, maxLength: 16 }).map((bytes) => new Uint8Array(bytes));
  fc.assert(
    fc.property(fc.array(identifier, { maxLength: 60 }), fc.array(identifier, { maxLength: 20 }), (entries, others) => {
      const table = createRpiTable(nodeCrypto, entries);
      for (const wanted of [...entries, ...others]) {
        const found: number[] = [];
        for (let entry = table.find(identifierWords(wanted), 0); entry >= 0; entry = table.next(entry)) found.push(entry);
        const expected = entries.flatMap((entry, i) => (Buffer.compare(entry, wanted) === 0 ? [i] : []));
        expect(found.sort((a, b) => a - b)).toEqual(expected);
      }
    }),
    { numRuns: 60 },
  );
});

test("identifiers are read from any place of a larger buffer", () => {
  const bytes = new Uint8Array(40).map((_, i) => i);
  const table = createRpiTable(nodeCrypto, [bytes.subarray(3, 19), bytes.subarray(19, 35)]);
  expect(table.find(identifierWords(bytes.subarray(3, 35)), 1)).toBe(1);
  expect(table.find(identifierWords(bytes.subarray(2, 34)), 0)).toBe(-1);
});
