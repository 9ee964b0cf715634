import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createCandidateCount, DENSE_SLACK, FALSE_PAIR, falseMatchProbability } from "../../host-tools/matching/dense.ts";
import { diagnosisKeys } from "../../host-tools/matching/diagnosis-keys.ts";
import { type Exposure, type HeardIdentifier, matchEncounters } from "../../host-tools/matching/matcher.ts";
import { toleratedTime } from "../../host-tools/matching/sighting-rules.ts";
import { nodeCrypto } from "../../host-tools/node-crypto.ts";
import { decodeSlot } from "../../host-tools/store/log-decoder.ts";
import type { ExposureKey } from "../../protocols/gaen/export-file.ts";
import { metadataKey, rollingProximityIdentifier, rollingProximityIdentifierKey } from "../../protocols/gaen/key-schedule.ts";
import { encryptMetadata } from "../../protocols/gaen/metadata.ts";
import { LONGEST_ENCOUNTER } from "../../protocols/log-format.ts";
import { denseSlot, encounterSlot } from "../store/slots.ts";
import { toHex } from "../support/vectors.ts";

const MIDNIGHT = 2652624;
const HEARD_FROM = (MIDNIGHT - 40) * 600;

/** Whoever is heard: `of` of a key, made for one of its intervals; else a stranger. */
interface Meeting {
  board: string;
  rpi: Uint8Array;
  aem: Uint8Array;
  /** True times, Unix seconds. */
  first: number;
  seconds: number;
  maxRssi: number;
}

/** One meeting as the hub knows it from a record of either form. */
function known(meeting: Meeting, dense: boolean): HeardIdentifier {
  const { board, rpi, aem, first, seconds, maxRssi } = meeting;
  const told = { first: first - HEARD_FROM, seconds, maxRssi };
  const record = decodeSlot(dense ? denseSlot(rpi, aem, told) : encounterSlot(rpi, aem, told), { seq: 0, era: 1, baseTick: 0 });
  if (record.kind !== "encounter" && record.kind !== "dense") throw new Error(record.kind);
  return {
    board,
    rpi: record.kind === "dense" ? record.prefix : record.rpi,
    aem: record.kind === "dense" ? record.power : record.aem,
    firstSeen: HEARD_FROM + record.firstTick,
    lastSeen: HEARD_FROM + record.lastTick,
    maxRssi: record.maxRssi,
  };
}

function meet(key: ExposureKey, interval: number, first: number, more: Partial<Meeting> & { txPower?: number; version?: number } = {}): Meeting {
  const rpi = rollingProximityIdentifier(nodeCrypto, rollingProximityIdentifierKey(nodeCrypto, key.key), interval);
  const metadata = Uint8Array.of(more.version ?? 0x40, more.txPower ?? 8, 0, 0);
  const aem = encryptMetadata(nodeCrypto, metadataKey(nodeCrypto, key.key), rpi, metadata);
  return { board: "a", rpi, aem, first, seconds: 300, maxRssi: -60, ...more };
}
const exposureKey = (key: Uint8Array): ExposureKey => ({ key, transmissionRisk: 3, rollingStart: MIDNIGHT, rollingPeriod: 144, reportType: 1 });
const match = (keys: ExposureKey[], encounters: HeardIdentifier[]) => matchEncounters(nodeCrypto, diagnosisKeys(keys), encounters);

const bytes16 = fc.uint8Array({ minLength: 16, maxLength: 16 });
/** Seconds from the begin of the interval: anywhere near, and around both ends of the two hours in which an identifier counts. */
const offset = fc.oneof(fc.integer({ min: -9000, max: 9000 }), fc.integer({ min: -7220, max: -7180 }), fc.integer({ min: 7780, max: 7820 }));
const meeting = fc.record({
  who: fc.nat(3),
  interval: fc.integer({ min: MIDNIGHT, max: MIDNIGHT + 3 }),
  offset,
  seconds: fc.oneof(fc.nat(40), fc.nat(LONGEST_ENCOUNTER)),
  board: fc.constantFrom("a", "b"),
  maxRssi: fc.integer({ min: -127, max: 0 }),
  txPower: fc.integer({ min: -60, max: 30 }),
});

type Script = { who: number; interval: number; offset: number; seconds: number; board: string; maxRssi: number; txPower: number }[];

/** Meetings with owners of the published keys, and with others; those with one identifier of one board don't overlap, as on a board. */
function play(keys: ExposureKey[], script: Script): Meeting[] {
  return script.map(({ who, interval, offset, txPower, ...rest }) => {
    const key = keys[who] ?? exposureKey(new Uint8Array(16).fill(who));
    return meet(key, interval, interval * 600 + offset, { ...rest, txPower });
  });
}

describe("a match of dense records (docs/log.md)", () => {
  const script = fc.record({
    keys: fc.uniqueArray(bytes16, { minLength: 3, maxLength: 3, selector: toHex }),
    meetings: fc.array(meeting, { maxLength: 12 }),
  });

  test("finds whatever full records find: same key, interval and attenuation, and no shorter", () => {
    let found = 0;
    fc.assert(
      fc.property(script, ({ keys: random, meetings }) => {
        // the fourth one's key is not published
        const keys = random.map(exposureKey);
        const all = play(keys, meetings);
        const full = all.map((one) => known(one, false));
        const dense = all.map((one) => known(one, true));
        const inDense = match(keys, dense).exposures;
        for (const exposure of match(keys, full).exposures) {
          const place = full.indexOf(exposure.encounter);
          const same = inDense.filter(
            ({ encounter, key, interval }) =>
              encounter === dense[place] && toHex(key.key) === toHex(exposure.key.key) && interval === exposure.interval,
          );
          expect(same).toHaveLength(1);
          const [other] = same as [Exposure<HeardIdentifier>];
          expect([other.attenuation, other.txPower]).toEqual([exposure.attenuation, exposure.txPower]);
          expect(other.firstSeen <= exposure.firstSeen && other.lastSeen >= exposure.lastSeen).toBe(true);
          found++;
        }
      }),
      { numRuns: 300 },
    );
    expect(found).toBeGreaterThan(300);
  });

  test("finds nothing else, but for up to 8 s beside the two hours or the 20 minutes of a full record's rules", () => {
    fc.assert(
      fc.property(script, ({ keys: random, meetings }) => {
        const keys = random.map(exposureKey);
        const all = play(keys, meetings);
        const dense = all.map((one) => known(one, true));
        for (const { encounter, key, interval, firstSeen, lastSeen } of match(keys, dense).exposures) {
          const true_ = all[dense.indexOf(encounter)];
          expect(toHex(true_.rpi)).toBe(toHex(meet(key, interval, 0).rpi));
          const { from, until } = toleratedTime(interval);
          expect(true_.first - DENSE_SLACK < until && true_.first + true_.seconds + DENSE_SLACK >= from).toBe(true);
          // what touches the time by a few seconds only may have been out of it, and begins nothing
          const begins = all
            .filter(({ rpi, board }) => toHex(rpi) === toHex(true_.rpi) && board === true_.board)
            .filter(({ first, seconds }) => first + seconds - 2 * DENSE_SLACK >= from && first + 2 * DENSE_SLACK < until);
          const begin = Math.min(...begins.map(({ first }) => Math.max(first, from)));
          expect(firstSeen).toBeLessThanOrEqual(begin + 1200 + DENSE_SLACK);
          expect(firstSeen > true_.first - 8 && lastSeen < true_.first + true_.seconds + 8).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("and full ones of the same identifier, as where a log became nearly full on the way, count together", () => {
    const key = exposureKey(new Uint8Array(16).fill(9));
    const parts = [0, 400, 800, 1300].map((after) => meet(key, MIDNIGHT + 5, (MIDNIGHT + 5) * 600 + 3 + after, { seconds: 60 }));
    const mixed = parts.map((one, i) => known(one, i % 2 === 1));
    const { exposures, setApart } = match([key], mixed);
    expect(exposures.map(({ encounter }) => mixed.indexOf(encounter))).toEqual([0, 1, 2]);
    expect(exposures.map(({ confidence, falseMatchProbability }) => [confidence, falseMatchProbability > 0])).toEqual([
      [0, false],
      [null, true],
      [0, false],
    ]);
    expect(setApart).toEqual([{ what: "encounter", reason: "replay", count: 1 }]);
  });

  test("takes a stranger with the same 40 bits for the owner of a key, which a full one doesn't, and says how probable that was", () => {
    const key = exposureKey(new Uint8Array(16).fill(9));
    const honest = meet(key, MIDNIGHT + 5, (MIDNIGHT + 5) * 600);
    const stranger = { ...honest, rpi: honest.rpi.map((byte, i) => (i < 5 ? byte : byte ^ 0x55)) };
    expect(match([key], [known(stranger, false)]).exposures).toEqual([]);
    const { exposures, dense } = match([key], [known(stranger, true)]);
    expect(exposures).toHaveLength(1);
    // the key begins five intervals before, so 12 after, 5 before and its own
    expect(exposures[0].falseMatchProbability / FALSE_PAIR).toBeCloseTo(18, 6);
    expect(dense).toEqual({ encounters: 1, expectedFalseMatches: exposures[0].falseMatchProbability });
  });
});

describe("the number of false matches", () => {
  test("follows from the identifiers that an encounter is compared with, counted as by hand", () => {
    const keys = fc.array(fc.tuple(fc.integer({ min: 1000, max: 1200 }), fc.integer({ min: 1, max: 144 })), { maxLength: 6 });
    fc.assert(
      fc.property(keys, fc.integer({ min: 980 * 600, max: 1400 * 600 }), fc.nat(3000), (some, first, seconds) => {
        let count = 0;
        for (const [start, period] of some) {
          for (let i = start; i < start + period; i++) {
            const { from, until } = toleratedTime(i);
            if (first < until && first + seconds >= from) count++;
          }
        }
        const [starts, periods] = [some.map(([start]) => start), some.map(([, period]) => period)];
        expect(createCandidateCount(starts, periods)(first, first + seconds)).toBe(count);
      }),
    );
  });

  test("is 0.0013 for 2,000 encounters among 100,000 keys a day", () => {
    const starts = [-1, 0, 1].map((day) => MIDNIGHT + 144 * day);
    const candidates = createCandidateCount(starts, [144, 144, 144])((MIDNIGHT + 70) * 600, (MIDNIGHT + 70) * 600 + 300);
    expect(candidates).toBe(25);
    expect(2000 * falseMatchProbability(100_000 * candidates)).toBeCloseTo(0.00126, 5);
  });

  test("is as many as come by chance where the prefix is so short that some do", () => {
    // the same arithmetic with 12 bits: 2^-12 · 71/256 for a pair
    const pair = (2 ** -12 * 71) / 256;
    let hits = 0;
    const random = nodeCrypto.randomBytes(3 * 400_000);
    for (let i = 0; i < random.length; i += 3) {
      const prefix = random[i] | ((random[i + 1] & 15) << 8);
      const power = (random[i + 2] << 24) >> 24;
      if (prefix === 0x5a5 && power >= -50 && power <= 20) hits++;
    }
    const expected = 400_000 * pair;
    expect(Math.abs(hits - expected)).toBeLessThan(6 * Math.sqrt(expected));
  });
});
