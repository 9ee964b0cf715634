import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildAddon } from "../../../host-tools/matching/engine/build-addon.ts";
import type { Find, Schedule } from "../../../host-tools/matching/engine/find.ts";
import { createHeardTable } from "../../../host-tools/matching/engine/heard-table.ts";
import { findInWorkers } from "../../../host-tools/matching/engine/in-workers.ts";
import { createFind, findCandidates, findInRange, type SieveJob } from "../../../host-tools/matching/engine/sieve.ts";
import {
  type Addon,
  AES_INSTRUCTIONS,
  loadAddon,
  openAddon,
  SHA_INSTRUCTIONS,
  sourcesDigest,
} from "../../../host-tools/matching/engine/sieve-native.ts";
import { WASM_SOURCES } from "../../../host-tools/matching/engine/sieve-wasm-code.ts";
import { wantedAround } from "../../../host-tools/matching/engine/wanted.ts";
import { aesEncrypt, nodeCrypto } from "../../../host-tools/node-crypto.ts";
import { rollingProximityIdentifier as v1Identifier } from "../../../protocols/contact-tracing-v1/key-schedule.ts";
import { ephIds, nextSecretKey } from "../../../protocols/dp3t/low-cost.ts";
import { rollingProximityIdentifier, rollingProximityIdentifierKey } from "../../../protocols/gaen/key-schedule.ts";
import { fromHex, loadVectors } from "../../support/vectors.ts";

/** Compiled here, from the sources as they are: whether `npm ci` could do it is another matter. */
const folder = mkdtempSync(join(tmpdir(), "engine-"));
const path = join(folder, "engine.node");
beforeAll(() => {
  expect(buildAddon(path)).toBeUndefined();
});
afterAll(() => rmSync(folder, { recursive: true }));

const addonWith = (allowed: number) => openAddon(path, allowed) as Addon;
const WAYS: { [name: string]: () => Find } = {
  "native, all instructions": () => addonWith(AES_INSTRUCTIONS | SHA_INSTRUCTIONS).find,
  "native, AES instructions": () => addonWith(AES_INSTRUCTIONS).find,
  "native, SHA instructions": () => addonWith(SHA_INSTRUCTIONS).find,
  "native, no instructions": () => addonWith(0).find,
  WebAssembly: () => createFind("wasm"),
};

const NOW = 2_652_624;
const DAY = 144;
const SIZES = { gaen: 16, "contact-tracing-v1": 16, dp3t: 32 };

/** Identifier number `place` of a key, by the protocols' own code. `from`, `place`: intervals and how many after it for gaen, days and which of all of them for the others. */
function identifierOf(schedule: Schedule, key: Uint8Array, from: number, place: number): Uint8Array {
  if (schedule === "gaen") return rollingProximityIdentifier(nodeCrypto, rollingProximityIdentifierKey(nodeCrypto, key), from + place);
  if (schedule === "contact-tracing-v1") return v1Identifier(nodeCrypto, key, place % DAY);
  let sk = key;
  for (let day = Math.floor(place / 96); day > 0; day--) sk = nextSecretKey(nodeCrypto, sk);
  return ephIds(nodeCrypto, aesEncrypt, sk, 96).slice(16 * (place % 96), 16 * (place % 96) + 16);
}
const identifiersOf = (schedule: Schedule, length: number) => (schedule === "gaen" ? length : schedule === "dp3t" ? 96 * length : DAY);

function jobOf(
  schedule: Schedule,
  keys: { key: Uint8Array; from: number; length: number }[],
  heard: Uint8Array[],
  wanted: [number, number][],
): SieveJob {
  const bytes = new Uint8Array(SIZES[schedule] * keys.length);
  keys.forEach(({ key }, i) => {
    bytes.set(key, SIZES[schedule] * i);
  });
  return {
    keys: { schedule, bytes, from: Uint32Array.from(keys, ({ from }) => from), lengths: Uint32Array.from(keys, ({ length }) => length) },
    heard: createHeardTable(nodeCrypto, heard, (identifier) => identifier),
    wanted: wantedAround(
      wanted.map(([first, last]) => ({ firstSeen: first * 600, lastSeen: last * 600 })),
      0,
    ),
  };
}
const found = (find: Find, job: SieveJob) => Array.from(findInRange(find, job, 0, job.keys.from.length));

describe.each(Object.keys(WAYS))("the sieve, %s", (way) => {
  const find = () => WAYS[way]();

  test("GAEN-02: knows each of the 144 official identifiers, and no other interval's", () => {
    const { tek, rolling_start: i0, rows } = loadVectors("gaen_v12.json").official;
    expect(rows).toHaveLength(144);
    const run = find();
    for (const { rpi, enin: i } of rows) {
      const at = (from: number, length: number) =>
        found(run, jobOf("gaen", [{ key: fromHex(tek), from, length }], [fromHex(rpi)], [[i0 - 1, i0 + 200]]));
      expect(at(i0, 144)).toEqual([0]);
      expect(at(i, 1)).toEqual([0]);
      expect(at(i + 1, 144)).toEqual([]);
      if (i > i0) expect(at(i0, i - i0)).toEqual([]);
    }
  });

  test.each([
    "gaen",
    "contact-tracing-v1",
    "dp3t",
  ] as const)("of %s lets through the keys that were heard in wanted time, and nothing else", (schedule) => {
    const length = schedule === "gaen" ? fc.integer({ min: 1, max: 144 }) : schedule === "dp3t" ? fc.integer({ min: 1, max: 4 }) : fc.constant(1);
    const world = fc.record({
      keys: fc.array(
        fc.record({
          seed: fc.uint8Array({ minLength: 32, maxLength: 32 }),
          start: fc.integer({ min: 0, max: 300 }),
          length,
          heard: fc.option(fc.nat(), { nil: undefined }),
          isDense: fc.boolean(),
        }),
        { minLength: 1, maxLength: 11 },
      ),
      wanted: fc.array(fc.tuple(fc.nat(700), fc.nat(600)), { minLength: 1, maxLength: 3 }),
    });
    const run = find();
    let hits = 0;
    fc.assert(
      fc.property(world, ({ keys, wanted }) => {
        const spans = wanted.map(([first, more]): [number, number] => [NOW + first, NOW + first + more]);
        const inSpans = (from: number, count: number) => spans.some(([first, last]) => from <= last && from + count > first);
        const drawn = keys.map(({ seed, start, length: long, heard, isDense }) => {
          const key = seed.slice(0, SIZES[schedule]);
          const from = schedule === "gaen" ? NOW + start : NOW / DAY + (start % 5);
          const place = heard === undefined ? undefined : heard % identifiersOf(schedule, long);
          const identifier = place === undefined ? undefined : identifierOf(schedule, key, from, place).subarray(0, isDense ? 5 : 16);
          // of DP-3T the order of a day's identifiers is secret: any of them matters if any time of the day does
          const isWanted =
            place !== undefined &&
            (schedule === "gaen"
              ? inSpans(from + place, 1)
              : schedule === "dp3t"
                ? inSpans(DAY * (from + Math.floor(place / 96)), DAY)
                : inSpans(DAY * from + place, 1));
          return { key, from, length: long, identifier, isWanted };
        });
        const heard = drawn.flatMap(({ identifier }) => identifier ?? []);
        const expected = drawn.flatMap(({ isWanted }, i) => (isWanted ? [i] : []));
        hits += expected.length;
        expect(found(run, jobOf(schedule, drawn, heard, spans))).toEqual(expected);
      }),
      { numRuns: 100 },
    );
    expect(hits).toBeGreaterThan(60);
  });

  test("goes on over a carry into any byte of the interval, and to the last one that 32 bits can tell", () => {
    const run = find();
    const key = nodeCrypto.randomBytes(16);
    for (const border of [0x2800 * 256, 0x30_0000, 0x100_0000 - 5]) {
      const from = border - 20;
      for (const place of [0, 19, 20, 21, 99]) {
        const job = jobOf("gaen", [{ key, from, length: 100 }], [identifierOf("gaen", key, from, place)], [[NOW, NOW]]);
        job.wanted = { first: from, before: Uint32Array.from({ length: 101 }, (_, i) => i) };
        expect(found(run, job)).toEqual([0]);
      }
    }
  });

  test("refuses columns that don't fit each other, whatever they are, and touches nothing", () => {
    const job = jobOf("gaen", [{ key: new Uint8Array(16), from: NOW, length: 144 }], [new Uint8Array(16)], [[NOW, NOW + 144]]);
    const { keys, heard, wanted } = job;
    const sound = () =>
      [
        0,
        keys.bytes,
        keys.from,
        keys.lengths,
        wanted.before,
        wanted.first,
        heard.bitmap,
        heard.bitmapShift,
        heard.slots,
        heard.slotShift,
        heard.factor,
        new Uint32Array(1),
      ] as Parameters<Find>;
    const run = find();
    expect(run(...sound())).toBe(0);
    const spoilt: [number, unknown][] = [
      [1, new Uint8Array(15)],
      [2, new Uint32Array(2)],
      [3, new Uint32Array(0)],
      [4, new Uint32Array(0)],
      [6, new Uint8Array(heard.bitmap.length - 1)],
      [7, heard.bitmapShift - 1],
      [8, new BigUint64Array(heard.slots.length - 1)],
      [9, heard.slotShift - 1],
      [11, new Uint32Array(0)],
    ];
    for (const [place, value] of spoilt) {
      const given = sound() as unknown[];
      given[place] = value;
      expect(() => run(...(given as Parameters<Find>)), `argument ${place}`).toThrow("columns that don't fit each other");
    }
  });
});

test("keys of impossible lengths are no candidates", () => {
  const key = nodeCrypto.randomBytes(32);
  const rpi = identifierOf("gaen", key.slice(0, 16), NOW, 0);
  for (const length of [0, 145, 4_000_000_000]) {
    for (const way of Object.values(WAYS))
      expect(found(way(), jobOf("gaen", [{ key: key.slice(0, 16), from: NOW, length }], [rpi], [[NOW, NOW]]))).toEqual([]);
  }
  const eph = identifierOf("dp3t", key, NOW / DAY, 0);
  for (const way of Object.values(WAYS)) expect(found(way(), jobOf("dp3t", [{ key, from: NOW / DAY, length: 65 }], [eph], [[NOW, NOW]]))).toEqual([]);
});

test("workers answer what one thread answers, in either way, and tell how far they are", async () => {
  const keys = Array.from({ length: 40_000 }, (_, i) => ({ key: nodeCrypto.randomBytes(16), from: NOW + (i % 3), length: 3 }));
  const heard = keys.filter((_, i) => i % 501 === 7).map(({ key, from }) => identifierOf("gaen", key, from, 2));
  const job = jobOf("gaen", keys, heard, [[NOW, NOW + 10]]);
  const alone = findCandidates(job, "wasm");
  expect(Array.from(alone)).toEqual(keys.flatMap((_, i) => (i % 501 === 7 ? [i] : [])));
  for (const way of loadAddon() ? (["native", "wasm"] as const) : (["wasm"] as const)) {
    const told: number[] = [];
    expect(Array.from(await findInWorkers(job, way, 3, (done) => told.push(done)))).toEqual(Array.from(alone));
    expect(told.at(-1)).toBe(keys.length);
    expect([...told].sort((a, b) => a - b)).toEqual(told);
  }
});

test("workers that begin spoil nothing of what another thread is looking for", async () => {
  const keys = Array.from({ length: 2_000 }, () => ({ key: nodeCrypto.randomBytes(16), from: NOW, length: 1 }));
  const heard = keys.map(({ key }) => identifierOf("gaen", key, NOW, 0));
  const job = jobOf("gaen", keys, heard, [[NOW, NOW]]);
  const way = loadAddon() ? "native" : "wasm";
  const find = createFind(way);
  let fewest = keys.length;
  for (let round = 0; round < 10; round++) {
    const others = findInWorkers(job, way, 8);
    // this thread is busy for as long as theirs take to begin
    for (let i = 0; i < 60; i++) fewest = Math.min(fewest, findInRange(find, job, 0, keys.length).length);
    expect(await others).toHaveLength(keys.length);
  }
  expect(fewest).toBe(keys.length);
});

test("the WebAssembly module was made of the C sources that are here: npm run build:wasm", () => {
  expect(WASM_SOURCES).toBe(sourcesDigest());
});

test("without a compiler the reason is told, and nothing is left behind", () => {
  const before = process.env.CC;
  process.env.CC = "no-such-compiler";
  try {
    expect(buildAddon(join(folder, "other.node"))).toContain("no C compiler: no-such-compiler can't be run");
    process.env.CC = "false";
    expect(buildAddon(join(folder, "other.node"))).toBe("false failed: exit code 1");
  } finally {
    if (before === undefined) delete process.env.CC;
    else process.env.CC = before;
  }
  expect(openAddon(join(folder, "other.node"))).toBeNull();
});
