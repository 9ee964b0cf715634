import { expect, test } from "vitest";
import { isSafe, type Mark, setSafeApart } from "../../host-tools/matching/safe.ts";

const any: Mark = { board: "a", protocol: null, identifier: null, from: null, to: null };
const identifier = new Uint8Array(16).map((_, i) => i);
const encounter = { board: "a", protocol: "gaen", identifier, firstSeen: 100, lastSeen: 200 };

test.each<[string, Partial<Mark>, boolean]>([
  ["of its time, to the second", { from: 100, to: 200 }, true],
  ["that begins before it", { from: 101, to: 300 }, false],
  ["that goes on after it", { from: 0, to: 199 }, false],
  ["of another board", { board: "b", from: 0, to: 300 }, false],
  ["of its protocol", { protocol: "gaen", from: 0, to: 300 }, true],
  ["of another protocol", { protocol: "dp3t", from: 0, to: 300 }, false],
  ["whose identifier begins so", { identifier: identifier.subarray(0, 5) }, true],
  ["whose identifier begins otherwise", { identifier: new Uint8Array(5) }, false],
])("a mark holds for an encounter %s: %s %s (OCT-10)", (_, mark, safe) => {
  expect(isSafe([{ ...any, ...mark }], encounter)).toBe(safe);
});

test("of a dense encounter the five bytes are compared that are known; one without a time is held by no time (OCT-10)", () => {
  expect(isSafe([{ ...any, identifier }], { ...encounter, identifier: identifier.slice(0, 5) })).toBe(true);
  expect(isSafe([{ ...any, from: 0, to: 300 }], { ...encounter, firstSeen: null, lastSeen: null })).toBe(false);
  expect(isSafe([{ ...any, identifier }], { ...encounter, firstSeen: null, lastSeen: null })).toBe(true);
});

test("what is marked after it matched is told apart, whatever the order of mark and match (OCT-10)", () => {
  const other = { ...encounter, firstSeen: 150, lastSeen: 400 };
  const marks = [{ ...any, from: 0, to: 300 }];
  expect(setSafeApart(marks, [other, encounter], (one) => one)).toEqual({ counting: [other], safe: [encounter] });
  expect(setSafeApart([], [other, encounter], (one) => one)).toEqual({ counting: [other, encounter], safe: [] });
});
