import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { combineExports, diagnosisKeys } from "../../host-tools/matching/diagnosis-keys.ts";
import { type HeardIdentifier, matchEncounters } from "../../host-tools/matching/matcher.ts";
import { nodeCrypto } from "../../host-tools/node-crypto.ts";
import type { ExposureKey } from "../../protocols/gaen/export-file.ts";
import { metadataKey, rollingProximityIdentifier, rollingProximityIdentifierKey } from "../../protocols/gaen/key-schedule.ts";
import { decryptMetadata, encryptMetadata } from "../../protocols/gaen/metadata.ts";
import { asPublished, exportOf } from "../support/diagnosis-keys.ts";
import { fromHex, loadVectors, type Row, toHex } from "../support/vectors.ts";

const MIDNIGHT = 2652624;
const NOON = MIDNIGHT + 72;

function exposureKey(fill: number, rollingStart = MIDNIGHT, rollingPeriod = 144): ExposureKey {
  return { key: new Uint8Array(16).fill(fill), transmissionRisk: 3, rollingStart, rollingPeriod, reportType: 1 };
}
/** Heard by `board` from `firstSeen` on for `seconds`. */
function heard(
  key: ExposureKey,
  interval: number,
  firstSeen: number,
  more: { seconds?: number; board?: string; metadata?: readonly number[]; maxRssi?: number } = {},
) {
  const rpi = rollingProximityIdentifier(nodeCrypto, rollingProximityIdentifierKey(nodeCrypto, key.key), interval);
  const aem = encryptMetadata(nodeCrypto, metadataKey(nodeCrypto, key.key), rpi, new Uint8Array(more.metadata ?? [0x40, 8, 0, 0]));
  return { rpi, aem, board: more.board ?? "a", firstSeen, lastSeen: firstSeen + (more.seconds ?? 0), maxRssi: more.maxRssi ?? -60 };
}
const match = (keys: ExposureKey[], encounters: HeardIdentifier[]) => matchEncounters(nodeCrypto, diagnosisKeys(keys), encounters);
const reasons = (keys: ExposureKey[], encounters: HeardIdentifier[]) => match(keys, encounters).setApart.map(({ reason, count }) => [reason, count]);

describe("matching encounters with published keys", () => {
  test("GAEN-24: an encounter with a published key is an exposure, with interval, power and attenuation", () => {
    const key = exposureKey(1);
    const encounter = heard(key, NOON, NOON * 600 + 5, { seconds: 300 });
    const { exposures, setApart } = match([exposureKey(9), key], [heard(exposureKey(2), NOON, NOON * 600), encounter]);
    expect(exposures).toEqual([
      {
        encounter,
        key,
        interval: NOON,
        firstSeen: NOON * 600 + 5,
        lastSeen: NOON * 600 + 305,
        txPower: 8,
        confidence: 0,
        attenuation: 68,
        falseMatchProbability: 0,
      },
    ]);
    expect(setApart).toEqual([]);
  });

  test("GAEN-24: intervals past the rolling period are not the key's, and a start need not be midnight", () => {
    const key = exposureKey(1, MIDNIGHT + 50, 10);
    const at = (interval: number) => heard(key, interval, interval * 600);
    const found = match([key], [MIDNIGHT + 49, MIDNIGHT + 50, MIDNIGHT + 59, MIDNIGHT + 60].map(at)).exposures.map((exposure) => exposure.interval);
    expect(found).toEqual([MIDNIGHT + 50, MIDNIGHT + 59]);
  });

  test("GAEN-24: an encounter counts for the part that lies within two hours of its interval", () => {
    const key = exposureKey(1);
    const early = (NOON - 12) * 600;
    const late = (NOON + 13) * 600;
    const { exposures } = match([key], [heard(key, NOON, early - 100, { seconds: 150 }), heard(key, NOON, late - 30, { seconds: 90, board: "b" })]);
    expect(exposures.map(({ firstSeen, lastSeen }) => [firstSeen, lastSeen])).toEqual([
      [early, early + 50],
      [late - 30, late - 1],
    ]);
    expect(reasons([key], [heard(key, NOON, early - 100, { seconds: 99 }), heard(key, NOON, late)])).toEqual([
      ["after its time", 1],
      ["before its time", 1],
    ]);
  });

  test("GAEN-25: what one board hears more than 1200 s later is a replay; another board has its own beginning", () => {
    const key = exposureKey(1);
    const start = NOON * 600;
    const encounters = [heard(key, NOON, start + 1201), heard(key, NOON, start, { seconds: 2000 }), heard(key, NOON, start + 1300, { board: "b" })];
    expect(match([key], encounters).exposures.map(({ encounter, lastSeen }) => [encounter.board, lastSeen - start])).toEqual([
      ["a", 1200],
      ["b", 1300],
    ]);
    expect(reasons([key], encounters)).toEqual([["replay", 1]]);
  });

  test("what is heard when the key is public may be anybody's: the part before counts, the rest is told", () => {
    const key = exposureKey(1);
    const start = NOON * 600;
    const keys = combineExports([asPublished({ ...exportOf([key]), start: start - 9999, end: start + 100 })]).keys;
    const encounters = [heard(key, NOON, start + 50, { seconds: 200 }), heard(key, NOON, start + 100, { board: "b" })];
    const { exposures, setApart } = matchEncounters(nodeCrypto, keys, encounters);
    expect(exposures.map(({ firstSeen, lastSeen }) => [firstSeen - start, lastSeen - start])).toEqual([[50, 99]]);
    expect(setApart).toEqual([{ what: "encounter", reason: "after its key was public", count: 1 }]);
  });

  test("an identifier a day from its time is told, so that a wrong clock is seen; one a week away isn't looked for", () => {
    const key = exposureKey(1);
    const far = (days: number) => reasons([key], [heard(key, NOON, NOON * 600 + 86_400 * days)]);
    expect([far(1), far(-1), far(7)]).toEqual([[["after its time", 1]], [["before its time", 1]], []]);
  });

  test.each([
    [[0x40, 0xce, 0, 0], -50, []],
    [[0x40, 0xcd, 0, 0], undefined, [["impossible transmit power", 1]]],
    [[0x40, 20, 0, 0], 20, []],
    [[0x40, 21, 0, 0], undefined, [["impossible transmit power", 1]]],
    [[0x5c, 0, 0, 0], 0, []],
    [[0x80, 0, 0, 0], undefined, [["unknown metadata version", 1]]],
    [[0x00, 0, 0, 0], undefined, [["unknown metadata version", 1]]],
  ])("GAEN-25: metadata %j gives power %s", (metadata, txPower, apart) => {
    const key = exposureKey(1);
    const encounters = [heard(key, NOON, NOON * 600, { metadata })];
    expect(match([key], encounters).exposures.map((exposure) => exposure.txPower)).toEqual(txPower === undefined ? [] : [txPower]);
    expect(reasons([key], encounters)).toEqual(apart);
  });

  test.each(
    loadVectors("gaen_matching.json").end_to_end,
  )("GAEN-25: of a whole log, the published number of sightings counts for each key, row %#", (row) => {
    const keys = row.keys.map((one: Row) => ({ ...exposureKey(0, one.rolling_start, one.rolling_period), key: fromHex(one.key) }));
    const sightings = row.log.map((one: Row) => ({
      rpi: fromHex(one.rpi),
      aem: fromHex(one.aem),
      board: "a",
      firstSeen: one.t,
      lastSeen: one.t,
      maxRssi: one.rssi,
    }));
    const { exposures } = match(keys, sightings);
    const matched = row.keys.map((one: Row) => ({ key: one.key, matched: exposures.filter(({ key }) => toHex(key.key) === one.key).length }));
    expect(matched).toEqual(row.expect.per_key.map(({ key, matched }: Row) => ({ key, matched })));
  });

  test("answers come in the same order however keys and encounters are ordered", () => {
    const keys = [1, 2, 3].map((fill) => exposureKey(fill));
    const encounters = keys.flatMap((key) => [0, 1, 5].map((i) => heard(key, NOON + i, (NOON + i) * 600, { board: `b${i}` })));
    expect(match([...keys].reverse(), [...encounters].reverse())).toEqual(match(keys, encounters));
  });

  test("an empty store and an empty export match nothing", () => {
    expect(match([], [])).toEqual({ exposures: [], setApart: [], dense: { encounters: 0, expectedFalseMatches: 0 } });
    expect(match([exposureKey(1)], []).exposures).toEqual([]);
  });
});

/** The rules read literally: each second of each encounter against each identifier of each key. */
function reference(keys: ExposureKey[], encounters: HeardIdentifier[]): string[] {
  const found: string[] = [];
  for (const { key, rollingStart, rollingPeriod } of keys) {
    const rpik = rollingProximityIdentifierKey(nodeCrypto, key);
    for (let i = rollingStart; i < rollingStart + rollingPeriod; i++) {
      const rpi = toHex(rollingProximityIdentifier(nodeCrypto, rpik, i));
      const same = encounters.filter((encounter) => toHex(encounter.rpi) === rpi);
      const seconds = (encounter: HeardIdentifier) =>
        Array.from({ length: encounter.lastSeen - encounter.firstSeen + 1 }, (_, n) => encounter.firstSeen + n).filter((t) => {
          const now = Math.floor(t / 600);
          return i - 12 <= now && now < i + 13;
        });
      for (const encounter of same) {
        const begin = Math.min(...same.filter((other) => other.board === encounter.board).flatMap(seconds));
        const counted = seconds(encounter).filter((t) => t - begin <= 1200);
        const [first, power] = decryptMetadata(nodeCrypto, metadataKey(nodeCrypto, key), encounter.rpi, encounter.aem);
        const txPower = power > 127 ? power - 256 : power;
        if (counted.length === 0 || (first & 0xc0) !== 0x40 || txPower < -50 || txPower > 20) continue;
        const loss = Math.max(0, txPower - encounter.maxRssi);
        found.push([toHex(key), i, encounter.board, counted[0], counted[counted.length - 1], txPower, loss].join(" "));
      }
    }
  }
  return found.sort();
}

test("GAEN-24, GAEN-25: the matcher finds what a literal reading of the rules finds, in any world", () => {
  const world = fc.record({
    keys: fc.uniqueArray(fc.record({ fill: fc.nat(5), start: fc.nat(20), period: fc.integer({ min: 1, max: 12 }) }), {
      selector: (key) => key.fill,
      maxLength: 4,
    }),
    heard: fc.array(
      fc.record({
        fill: fc.nat(5),
        interval: fc.nat(32),
        late: fc.oneof(fc.integer({ min: -9000, max: 9000 }), fc.constantFrom(-7201, -7200, 0, 1200, 1201, 7799, 7800)),
        seconds: fc.nat(1500),
        board: fc.constantFrom("a", "b"),
        metadata: fc.constantFrom([0x40, 8, 0, 0], [0x50, 0xec, 0, 0], [0x40, 60, 0, 0], [0xc0, 0, 0, 0]),
        maxRssi: fc.integer({ min: -110, max: 10 }),
      }),
      { maxLength: 8 },
    ),
  });
  fc.assert(
    fc.property(world, (drawn) => {
      const keys = drawn.keys.map(({ fill, start, period }) => exposureKey(fill, MIDNIGHT + start, period));
      const encounters = drawn.heard.map(({ fill, interval, late, ...more }) =>
        heard(exposureKey(fill), MIDNIGHT + interval, (MIDNIGHT + interval) * 600 + late, more),
      );
      const found = match(keys, encounters).exposures.map((e) =>
        [toHex(e.key.key), e.interval, e.encounter.board, e.firstSeen, e.lastSeen, e.txPower, e.attenuation].join(" "),
      );
      expect(found.sort()).toEqual(reference(keys, encounters));
    }),
    { numRuns: 150 },
  );
});
