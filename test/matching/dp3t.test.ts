import { describe, expect, test } from "vitest";
import { matchHybrid, matchLowCost, matchUnlinkable } from "../../host-tools/matching/dp3t.ts";
import { contactOf, exposedDays } from "../../host-tools/matching/dp3t-contacts.ts";
import { aesEncrypt, nodeCrypto } from "../../host-tools/node-crypto.ts";
import { buildFilter, encodeFilter, FINGERPRINT_BYTES } from "../../protocols/dp3t/cuckoo-filter.ts";
import { encodeHashList } from "../../protocols/dp3t/hash-list.ts";
import { ephId, observationHash } from "../../protocols/dp3t/unlinkable.ts";
import { fromHex, loadVectors, type Row } from "../support/vectors.ts";

const vectors = loadVectors("dp3t.json");
const heard = (rows: Row[]) => rows.map(({ t, ephid }, index) => ({ ephId: fromHex(ephid), heardAt: t, index }));

describe("matching of DP-3T (DP-07)", () => {
  test.each(vectors.match_lowcost)("low-cost, released at $release_time", ({ sk, onset_day, release_time, observations, matched }) => {
    const keys = [{ sk: fromHex(sk), onsetDay: onset_day }];
    const matches = matchLowCost(nodeCrypto, aesEncrypt, keys, release_time, heard(observations));
    expect(matches.map(({ observation }) => observation.index).sort((a, b) => a - b)).toEqual(matched);
    expect(matches.every(({ key }) => key === keys[0])).toBe(true);
  });

  test("low-cost looks over 21 days, and not for ever", () => {
    const [{ sk, onset_day, observations, matched }] = vectors.match_lowcost;
    const later = (days: number) => {
      const release = (onset_day + days) * 86400;
      return matchLowCost(nodeCrypto, aesEncrypt, [{ sk: fromHex(sk), onsetDay: onset_day }], release, heard(observations)).length;
    };
    expect([later(21) >= matched.length, later(22)]).toEqual([true, 0]);
    expect(() => matchLowCost(nodeCrypto, aesEncrypt, [{ sk: new Uint8Array(16), onsetDay: 1 }], 1, [])).toThrow("published key: 32 bytes, got 16");
  });

  test.each(vectors.match_hybrid)("hybrid, released at $release_time", ({ seed, window, window_s, release_time, observations, matched }) => {
    const windows = [{ seed: fromHex(seed), window, windowSeconds: window_s }];
    const matches = matchHybrid(nodeCrypto, aesEncrypt, windows, release_time, heard(observations));
    expect(matches.map(({ observation }) => observation.index).sort((a, b) => a - b)).toEqual(matched);
  });

  test("hybrid refuses seeds and windows that can't be", () => {
    const match = (bytes: number, windowSeconds: number) =>
      matchHybrid(nodeCrypto, aesEncrypt, [{ seed: new Uint8Array(bytes), window: 1, windowSeconds }], 1, []);
    expect(() => match(15, 7200)).toThrow("seed of a window: 16 bytes, got 15");
    for (const seconds of [0, 900, 7201, 15300, Number.NaN]) expect(() => match(16, seconds), `${seconds}`).toThrow("7200 to 14400 s");
  });

  test("what is heard in the very second of the release doesn't count any more", () => {
    const [{ sk, onset_day, observations }] = vectors.match_lowcost;
    const [first] = heard(observations);
    const lowCost = (release: number) => matchLowCost(nodeCrypto, aesEncrypt, [{ sk: fromHex(sk), onsetDay: onset_day }], release, [first]).length;
    expect([lowCost(first.heardAt), lowCost(first.heardAt + 1)]).toEqual([0, 1]);
    const [{ seed, window, window_s, observations: inWindow }] = vectors.match_hybrid;
    const [one] = heard(inWindow);
    const hybrid = (release: number) =>
      matchHybrid(nodeCrypto, aesEncrypt, [{ seed: fromHex(seed), window, windowSeconds: window_s }], release, [one]).length;
    expect([hybrid(one.heardAt), hybrid(one.heardAt + 1)]).toEqual([0, 1]);
  });

  test("unlinkable, by the exact list and by the filter", () => {
    const { published, observations, matched } = vectors.match_unlinkable;
    const hashes = published.map(({ seed, epoch }: Row) => observationHash(nodeCrypto, ephId(nodeCrypto, fromHex(seed)), epoch));
    const stored = observations.map(({ ephid, epoch }: Row) => observationHash(nodeCrypto, fromHex(ephid), epoch));
    for (const file of [encodeHashList(hashes), encodeFilter(buildFilter(hashes, FINGERPRINT_BYTES))]) {
      expect(matchUnlinkable(file, stored)).toEqual(matched);
      expect(() => matchUnlinkable(file.subarray(1), stored)).toThrow("neither a whole DP3U list nor a whole DP3C filter");
    }
  });
});

describe("contacts of DP-3T (DP-09)", () => {
  test.each(vectors.contacts)("$windows windows at $threshold dB", ({ threshold, samples, windows, contact_time }) => {
    const sightings = samples.map(({ t, attenuation }: Row) => ({ heardAt: t, attenuation }));
    expect(contactOf(sightings, threshold)).toEqual({ windows, contactTime: contact_time });
    expect(contactOf(sightings.toReversed(), threshold)).toEqual({ windows, contactTime: contact_time });
  });

  test("three windows in a day make an exposed day, and it is kept for ten", () => {
    const contact = (day: number, windows: number) => ({ contactTime: day * 86400 + 7200, windows });
    const matched = [contact(100, 2), contact(101, 1), contact(100, 1), contact(102, 2), contact(103, 3), contact(101, 1), contact(120, 3)];
    expect(exposedDays(matched, 104)).toEqual([100, 103]);
    expect(exposedDays(matched, 110)).toEqual([100, 103]);
    expect(exposedDays(matched, 111)).toEqual([103]);
    expect(exposedDays([], 111)).toEqual([]);
  });
});
