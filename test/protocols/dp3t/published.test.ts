import fc from "fast-check";
import protobuf from "protobufjs";
import { describe, expect, test } from "vitest";
import { nodeCrypto } from "../../../host-tools/node-crypto.ts";
import { buildFilter, decodeFilter, encodeFilter, FINGERPRINT_BYTES, mayHaveHash } from "../../../protocols/dp3t/cuckoo-filter.ts";
import {
  decodeExposedList,
  type ExposedList,
  encodeExposedList,
  exposedListFromJson,
  exposedListToJson,
  isBatchRelease,
  MOST_EXPOSED,
} from "../../../protocols/dp3t/exposed-list.ts";
import { decodeHashList, encodeHashList, hasHash } from "../../../protocols/dp3t/hash-list.ts";
import { fromBase64, fromHex, loadVectors, type Row, toBase64, toHex } from "../../support/vectors.ts";

const vectors = loadVectors("dp3t.json");

/** Hash number `n`, as far from the next as any two are. */
const hashOf = (n: number) => nodeCrypto.sha256(Uint8Array.of(n >> 24, n >> 16, n >> 8, n));
const hashes = (count: number, from = 0) => Array.from({ length: count }, (_, n) => hashOf(from + n));

describe("list of exposed keys (DP-10)", () => {
  const listOf = ({ batch_release_ms, exposed }: Row): ExposedList => ({
    batchReleaseMs: batch_release_ms,
    exposed: exposed.map(({ key, key_date_ms }: Row) => ({ key: fromHex(key), keyDateMs: key_date_ms })),
  });
  const anyList = fc.record({
    batchReleaseMs: fc.integer({ min: 1, max: 1_000_000 }).map((n) => n * 7_200_000),
    exposed: fc.array(
      fc.record({ key: fc.uint8Array({ minLength: 32, maxLength: 32 }), keyDateMs: fc.integer({ min: 1, max: 60_000 }).map((n) => n * 86_400_000) }),
      { maxLength: 5 },
    ),
  });

  test.each(vectors.exposed_list)("released at $batch_release_ms is written and read to the byte", (row) => {
    expect(toBase64(encodeExposedList(listOf(row)))).toBe(row.protobuf_b64);
    expect(decodeExposedList(fromBase64(row.protobuf_b64))).toEqual(listOf(row));
  });

  test.each(vectors.batch_release)("$ms is a release time: $valid", ({ ms, valid }) => {
    expect(isBatchRelease(ms)).toBe(valid);
    const list = { batchReleaseMs: ms, exposed: [] };
    expect(decodeExposedList(encodeExposedList(list)) !== undefined).toBe(valid);
    expect(exposedListFromJson(exposedListToJson(list)) !== undefined).toBe(valid);
  });

  test("says the same as a message, as JSON, and to a reader that is not ours", () => {
    const type = protobuf
      .parse(
        `syntax = "proto3";
        message ProtoExposedList { int64 batchReleaseTime = 1; repeated ProtoExposee exposed = 2; }
        message ProtoExposee { bytes key = 2; int64 keyDate = 3; }`,
      )
      .root.lookupType("ProtoExposedList");
    fc.assert(
      fc.property(anyList, (list) => {
        const message = encodeExposedList(list);
        expect(decodeExposedList(message)).toEqual(list);
        expect(exposedListFromJson(exposedListToJson(list))).toEqual(list);
        expect(type.toObject(type.decode(message), { longs: Number, bytes: String, arrays: true })).toEqual(JSON.parse(exposedListToJson(list)));
      }),
    );
  });

  test("with a wrong key, day, release time or form is refused", () => {
    const list = listOf(vectors.exposed_list[0]);
    const [first] = list.exposed;
    const wrong: ExposedList[] = [
      { ...list, exposed: [{ ...first, key: first.key.subarray(1) }] },
      { ...list, exposed: [{ ...first, keyDateMs: first.keyDateMs + 1 }] },
      { ...list, batchReleaseMs: 0 },
      { ...list, batchReleaseMs: 7_200_000 * 2 ** 40 },
      { ...list, exposed: [{ ...first, keyDateMs: 86_400_000 * 2 ** 40 }] },
      { ...list, exposed: Array(MOST_EXPOSED + 1).fill(first) },
    ];
    for (const bad of wrong) {
      expect(decodeExposedList(encodeExposedList(bad))).toBeUndefined();
      expect(exposedListFromJson(exposedListToJson(bad))).toBeUndefined();
    }
    for (const text of ["", "null", "[]", "{}", "{", '{"batchReleaseTime":7200000}', '{"batchReleaseTime":7200000,"exposed":[null]}'])
      expect(exposedListFromJson(text), text).toBeUndefined();
    expect(exposedListFromJson('{"batchReleaseTime":7200000,"exposed":[{"key":"AAAA","keyDate":0}]}')).toBeUndefined();
  });
});

describe("list of hashes (DP-05)", () => {
  test("has a header, a number, and the hashes ascending, each once, in whatever order they come", () => {
    const some = hashes(50);
    const file = encodeHashList([...some, ...some.toReversed()]);
    expect(toHex(file.subarray(0, 9))).toBe(`${Buffer.from("DP3U").toString("hex")}0100000032`);
    expect(file).toHaveLength(9 + 50 * 32);
    expect(toHex(file.subarray(9))).toBe(some.map(toHex).sort().join(""));
    expect(toHex(decodeHashList(file)!)).toBe(toHex(file.subarray(9)));
    for (const hash of some) expect(hasHash(decodeHashList(file)!, hash)).toBe(true);
    for (const hash of [...hashes(200, 50), some[0].subarray(1), new Uint8Array(0)]) expect(hasHash(decodeHashList(file)!, hash)).toBe(false);
    expect(decodeHashList(encodeHashList([]))).toHaveLength(0);
  });

  test("cut short, out of order, with one twice or of another version is refused", () => {
    const file = encodeHashList(hashes(3));
    const swapped = Uint8Array.of(...file.subarray(0, 9), ...file.subarray(41, 73), ...file.subarray(9, 41), ...file.subarray(73));
    const twice = Uint8Array.of(...file.subarray(0, 41), ...file.subarray(9, 41), ...file.subarray(73));
    for (const bad of [
      file.subarray(0, file.length - 1),
      Uint8Array.of(...file, 0),
      swapped,
      twice,
      file.with(4, 2),
      file.with(0, 0),
      file.subarray(0, 8),
    ])
      expect(decodeHashList(bad)).toBeUndefined();
  });
});

describe("Cuckoo filter", () => {
  test("has every hash that was put into it, at every size", () => {
    for (const count of [0, 1, 3, 4, 5, 100, 3800, 3810, 20_000]) {
      const filter = decodeFilter(encodeFilter(buildFilter(hashes(count), FINGERPRINT_BYTES)))!;
      expect(filter.count).toBe(count);
      expect(hashes(count).every((hash) => mayHaveHash(filter, hash))).toBe(true);
      // less than half empty, but for the smallest
      if (count > 4) expect(filter.slots.length / FINGERPRINT_BYTES).toBeLessThan(2.3 * count);
    }
  });

  test("takes 6 to 13 bytes a hash, where the list takes 32", () => {
    expect(encodeFilter(buildFilter(hashes(3800), FINGERPRINT_BYTES)).length / 3800).toBeCloseTo(6.47, 2);
    expect(encodeFilter(buildFilter(hashes(3810), FINGERPRINT_BYTES)).length / 3810).toBeCloseTo(12.9, 2);
  });

  test("is the same whatever the order of the hashes, and holds each once", () => {
    const some = hashes(1000);
    const file = encodeFilter(buildFilter(some, FINGERPRINT_BYTES));
    expect(encodeFilter(buildFilter([...some.toReversed(), ...some], FINGERPRINT_BYTES))).toEqual(file);
  });

  test.each([
    [1, 50_000],
    [2, 250_000],
  ])("with fingerprints of %i bytes errs as often as 8 in 2^(8 n), times its fill", (size, probes) => {
    const filter = buildFilter(hashes(3800), size);
    const fill = 3800 / (filter.slots.length / size);
    let wrong = 0;
    for (let n = 0; n < probes; n++) if (mayHaveHash(filter, hashOf(1_000_000 + n))) wrong++;
    const expected = (probes * 8 * fill) / 256 ** size;
    // Five standard deviations, and what two fingerprints that are made one, and slots that agree by chance, make of short ones.
    expect(Math.abs(wrong - expected)).toBeLessThan(5 * Math.sqrt(expected) + 0.05 * expected);
    expect(wrong).toBeGreaterThan(0);
  });

  test("with fingerprints of 6 bytes errs less than once in 2^42 (DP-05)", () => {
    expect((8 * 1) / 256 ** FINGERPRINT_BYTES).toBeLessThan(2 ** -42);
    const filter = buildFilter(hashes(3800), FINGERPRINT_BYTES);
    expect(hashes(100_000, 1_000_000).some((hash) => mayHaveHash(filter, hash))).toBe(false);
  });

  test("has each fingerprint in one of the two buckets that the layout names, as a reading of its table in other words finds them", () => {
    const file = encodeFilter(buildFilter(hashes(900), FINGERPRINT_BYTES));
    const buckets = 2 ** file[6];
    const held = (bucket: number, digits: string) =>
      [0, 1, 2, 3].some((slot) => toHex(file.subarray(11 + (4 * bucket + slot) * 6, 17 + (4 * bucket + slot) * 6)) === digits);
    let moved = 0;
    for (const hash of hashes(900)) {
      const digits = toHex(hash.subarray(8, 14));
      const first = Number(BigInt(`0x${toHex(hash.subarray(0, 4))}`) % BigInt(buckets));
      const other = first ^ Number((BigInt(`0x${digits.slice(0, 6)}`) * 40503n) % BigInt(buckets));
      expect(held(first, digits) || held(other, digits)).toBe(true);
      if (!held(first, digits)) moved++;
    }
    expect(moved).toBeGreaterThan(50);
  });

  test("a fingerprint of zeros is found, and is not an empty place", () => {
    const zeros = hashOf(1).fill(0, 8, 14);
    const filter = buildFilter([zeros], FINGERPRINT_BYTES);
    expect(mayHaveHash(filter, zeros)).toBe(true);
    expect(mayHaveHash(buildFilter(hashes(1), FINGERPRINT_BYTES), zeros)).toBe(false);
  });

  test("more hashes of one place than it has room for are refused, not looped over", () => {
    const same = Array.from({ length: 9 }, (_, n) => hashOf(7).with(31, n));
    expect(() => buildFilter(same, 1)).toThrow("9 hashes are more than its largest size holds");
  });

  test("a file that is cut, too long, or says what can't be is refused", () => {
    const file = encodeFilter(buildFilter(hashes(100), FINGERPRINT_BYTES));
    const bad = [file.subarray(0, file.length - 1), Uint8Array.of(...file, 0), file.with(4, 2), file.with(5, 0), file.with(5, 9), file.with(6, 25)];
    for (const one of [...bad, file.with(8, 1), file.subarray(0, 10), new Uint8Array(0)]) expect(decodeFilter(one)).toBeUndefined();
    expect(() => buildFilter([], 9)).toThrow("fingerprint: 1 to 8 bytes, got 9");
  });
});
