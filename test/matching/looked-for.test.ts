import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { combineExports } from "../../host-tools/matching/diagnosis-keys.ts";
import { findCandidates, type SieveJob } from "../../host-tools/matching/engine/sieve.ts";
import { findCandidatesSince, type LookedFor, nothingYet } from "../../host-tools/matching/looked-for.ts";
import { createSearch, type HeardIdentifier, matchEncounters } from "../../host-tools/matching/matcher.ts";
import { nodeCrypto } from "../../host-tools/node-crypto.ts";
import type { ExposureKey } from "../../protocols/gaen/export-file.ts";
import { metadataKey, rollingProximityIdentifier, rollingProximityIdentifierKey } from "../../protocols/gaen/key-schedule.ts";
import { encryptMetadata } from "../../protocols/gaen/metadata.ts";
import { asPublished, exportOf } from "../support/diagnosis-keys.ts";

const DAY = 144;
const FIRST = 2_652_624;
const CONFIRMED = 1;
const CLINICAL = 2;
const REVOKED = 5;

const keyOf = (who: number, more: Partial<ExposureKey> = {}): ExposureKey => ({
  key: new Uint8Array(16).fill(who),
  transmissionRisk: 1,
  rollingStart: FIRST,
  rollingPeriod: DAY,
  reportType: CLINICAL,
  ...more,
});

function heard(who: number, interval: number, late = 0): HeardIdentifier {
  const { key } = keyOf(who);
  const rpi = rollingProximityIdentifier(nodeCrypto, rollingProximityIdentifierKey(nodeCrypto, key), FIRST + interval);
  const aem = encryptMetadata(nodeCrypto, metadataKey(nodeCrypto, key), rpi, Uint8Array.of(0x40, 8, 0, 0));
  const firstSeen = (FIRST + interval) * 600 + late;
  return { rpi, aem, board: "a", firstSeen, lastSeen: firstSeen + 60, maxRssi: -60 };
}

/** One night's run. Answers what it found, what is known after it, and of how many keys in how many encounters the sieve was asked. */
async function night(
  before: LookedFor,
  files: ReturnType<typeof asPublished>[],
  encounters: HeardIdentifier[],
  interruptAfter = Number.POSITIVE_INFINITY,
) {
  const combined = combineExports(files);
  let work = 0;
  let now = before;
  let saves = 0;
  const sieve = async (job: SieveJob) => {
    work += job.keys.from.length * job.heard.slots.filter((slot) => slot !== 0n).length;
    return findCandidates(job, "wasm");
  };
  const save = (known: LookedFor) => {
    now = { exports: new Set(known.exports), encounters: new Set(known.encounters), candidates: new Set(known.candidates) };
    if (++saves >= interruptAfter) throw new Error("interrupted");
  };
  try {
    const candidates = await findCandidatesSince(before, files, combined, encounters, (some) => createSearch(nodeCrypto, some), sieve, save);
    return { matches: createSearch(nodeCrypto, encounters).conclude(combined.keys, candidates), now, work };
  } catch (error) {
    if ((error as Error).message !== "interrupted") throw error;
    return { matches: undefined, now, work };
  }
}

describe("what was looked for yesterday", () => {
  test("is not looked for again: only new files in all encounters, and all files in new encounters", async () => {
    const monday = asPublished(exportOf([keyOf(1), keyOf(2)], [], 1000));
    const tuesday = asPublished(exportOf([keyOf(3)], [], 5000));
    const encounters = [heard(1, 5), heard(3, 6), heard(9, 7)];
    const first = await night(nothingYet(), [monday], encounters);
    expect([first.work, first.matches?.exposures.length]).toEqual([6, 1]);
    const again = await night(first.now, [monday], encounters);
    expect([again.work, again.matches]).toEqual([0, first.matches]);
    // two old keys in one new encounter, one new key in all four
    const second = await night(first.now, [monday, tuesday], [...encounters, heard(2, 8)]);
    expect([second.work, second.matches?.exposures.length]).toEqual([2 + 4, 3]);
  });

  test("an encounter whose time was corrected is looked for again", async () => {
    const file = asPublished(exportOf([keyOf(1)]));
    // nine days late: not even looked for
    const { now, matches } = await night(nothingYet(), [file], [heard(1, 5, 9 * 86_400)]);
    expect(matches?.exposures).toEqual([]);
    expect((await night(now, [file], [heard(1, 5)])).matches?.exposures).toHaveLength(1);
  });

  test("a file whose key was revoked by another is looked for anew when it comes alone", async () => {
    const published = asPublished(exportOf([keyOf(1)], [], 1000));
    const revoking = asPublished(exportOf([], [keyOf(1, { reportType: REVOKED })], 5000));
    const { now, matches } = await night(nothingYet(), [published, revoking], [heard(1, 5)]);
    expect(matches?.exposures).toEqual([]);
    expect((await night(now, [published], [heard(1, 5)])).matches?.exposures).toHaveLength(1);
  });

  test("is kept where a run was interrupted between two files", async () => {
    const files = [1, 2, 3].map((who) => asPublished(exportOf([keyOf(who)], [], 1000 * who)));
    const encounters = [1, 2, 3].map((who) => heard(who, who));
    const cut = await night(nothingYet(), files, encounters, 2);
    expect([cut.matches, cut.work]).toEqual([undefined, 6]);
    const rest = await night(cut.now, files, encounters);
    expect([rest.work, rest.matches?.exposures.length]).toEqual([3, 3]);
  });

  test("changes no result, whatever comes and goes from night to night, and wherever a run was interrupted", async () => {
    const who = fc.integer({ min: 1, max: 5 });
    const file = fc.record({
      keys: fc.uniqueArray(who, { minLength: 1, maxLength: 3 }),
      start: fc.integer({ min: 1, max: 9 }),
      period: fc.constantFrom(DAY, DAY, 8),
      report: fc.constantFrom(CLINICAL, CONFIRMED, REVOKED),
      revised: fc.boolean(),
    });
    const meeting = fc.record({ who, interval: fc.nat(20), late: fc.constantFrom(0, 0, 3000, 90_000, 9 * 86_400) });
    const nights = fc.array(
      fc.record({
        files: fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }),
        meetings: fc.array(fc.nat(7), { maxLength: 8 }),
        interrupted: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      }),
      {
        minLength: 2,
        maxLength: 4,
      },
    );
    let found = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(file, { minLength: 4, maxLength: 4 }),
        fc.array(meeting, { minLength: 8, maxLength: 8 }),
        nights,
        async (drawn, met, runs) => {
          const files = drawn.map(({ keys, start, period, report, revised }) => {
            const list = keys.map((one) => keyOf(one, { rollingPeriod: period, reportType: report }));
            return asPublished(exportOf(revised ? [] : list, revised ? list : [], 1000 * start));
          });
          let known = nothingYet();
          for (const run of runs) {
            const given = [...new Set(run.files)].map((number) => files[number]);
            const encounters = [...new Set(run.meetings)].map((number) => heard(met[number].who, met[number].interval, met[number].late));
            const { matches, now } = await night(known, given, encounters);
            known = now;
            expect(matches).toEqual(matchEncounters(nodeCrypto, combineExports(given).keys, encounters, "wasm"));
            found += matches?.exposures.length ?? 0;
          }
        },
      ),
      { numRuns: 150 },
    );
    expect(found).toBeGreaterThan(50);
  });
});
