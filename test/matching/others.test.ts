import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exportFiles } from "../../host-tools/cli/export.ts";
import { readDailyKeys, readExposedList } from "../../host-tools/cli/match-others.ts";
import { publishedHashes } from "../../host-tools/matching/dp3t.ts";
import { type HeardOthers, matchDp3t, matchDp3tUnlinkable, matchOpenCovidTrace, matchV1 } from "../../host-tools/matching/others.ts";
import { aesEncrypt, nodeCrypto } from "../../host-tools/node-crypto.ts";
import { Store } from "../../host-tools/store/store.ts";
import { rollingProximityIdentifier } from "../../protocols/contact-tracing-v1/key-schedule.ts";
import { buildFilter, encodeFilter } from "../../protocols/dp3t/cuckoo-filter.ts";
import { encodeExposedList, exposedListToJson } from "../../protocols/dp3t/exposed-list.ts";
import { encodeHashList } from "../../protocols/dp3t/hash-list.ts";
import { ephIds, nextSecretKey } from "../../protocols/dp3t/low-cost.ts";
import { ephId, epochSeed, observationHash } from "../../protocols/dp3t/unlinkable.ts";
import { rollingId } from "../../protocols/opencovidtrace/payload.ts";
import { CT10_TAG, DP3T_TAG, DP3T_UNLINKABLE_TAG } from "../../protocols/protocol-tags.ts";
import { clock, dense, encounter, mark, othersDenseSlot, othersSlot, slots } from "../store/slots.ts";
import { tracelet } from "../support/command-line.ts";
import { toHex } from "../support/vectors.ts";

const DAY = 18_000;
const NOON = DAY * 86400 + 43_200;
const SK = new Uint8Array(32).fill(0x5a);
const DAILY = new Uint8Array(16).fill(0x6b);
const ephIdOf = (sk: Uint8Array, n: number) => ephIds(nodeCrypto, aesEncrypt, sk, 96).slice(16 * n, 16 * n + 16);
const RELEASE = (DAY + 2) * 86400 + 7200;
const LIST = { releaseTime: RELEASE, keys: [{ sk: SK, onsetDay: DAY }] };
const heard = (identifier: Uint8Array, from: number, to = from, more: Partial<HeardOthers> = {}): HeardOthers => {
  return { identifier, txPower: -4, board: "badge-7", firstSeen: from, lastSeen: to, maxRssi: -60, ...more };
};
const dp3t = (...encounters: HeardOthers[]) => matchDp3t(nodeCrypto, aesEncrypt, [LIST], encounters);

describe("encounters of OpenCovidTrace", () => {
  const KEY = { dailyKey: DAILY, day: DAY };
  const first = rollingId(nodeCrypto, DAILY, DAY * 144);
  const noon = rollingId(nodeCrypto, DAILY, DAY * 144 + 72);
  const last = rollingId(nodeCrypto, DAILY, DAY * 144 + 143);
  const midnight = (DAY + 1) * 86400;
  const matched = (tolerance: number, ...encounters: HeardOthers[]) =>
    matchOpenCovidTrace(nodeCrypto, [KEY], encounters, tolerance).exposures.map(({ firstSeen, lastSeen }) => [firstSeen, lastSeen]);

  test("OCT-03: they count on the day of their key alone, at any time of it, for the part of it", () => {
    expect(matched(0, heard(noon, NOON, NOON + 60), heard(first, NOON + 3600), heard(noon, NOON + 86400), heard(noon, NOON - 86400))).toEqual([
      [NOON, NOON + 60],
      [NOON + 3600, NOON + 3600],
    ]);
    expect(matched(0, heard(last, midnight - 100, midnight + 50))).toEqual([[midnight - 100, midnight - 1]]);
  });

  test("OCT-03: beside midnight only where a tolerance is given, and only what was made so near to it", () => {
    const late = heard(last, midnight + 50);
    const early = heard(first, midnight - 86400 - 50);
    expect(matched(0, late, early)).toEqual([]);
    expect(matched(1, late, early)).toHaveLength(2);
    expect(matched(12, heard(noon, midnight + 50), heard(last, midnight + 86400))).toEqual([]);
  });

  test("nothing says how strongly a peer sends; a dense one is found by 40 bits, among all identifiers of its day", () => {
    const [full, dense] = matchOpenCovidTrace(
      nodeCrypto,
      [KEY, { ...KEY, dailyKey: SK.subarray(0, 16) }],
      [heard(noon, NOON, NOON, { txPower: null }), heard(noon.slice(0, 5), NOON + 60, NOON + 60, { txPower: null })],
    ).exposures;
    expect([full.txPower, full.attenuation, full.falseMatchProbability]).toEqual([null, null, 0]);
    expect(dense.falseMatchProbability).toBeCloseTo((2 * 144) / 2 ** 40, 15);
  });
});

describe("encounters of DP-3T, low-cost", () => {
  const today = ephIdOf(SK, 17);
  const tomorrow = ephIdOf(nextSecretKey(nodeCrypto, SK), 95);

  test("DP-07: they count on the day of their SK alone, for the part of it, and before the list is released", () => {
    const { exposures } = dp3t(heard(today, NOON, NOON + 300), heard(tomorrow, NOON + 86400), heard(today, NOON + 86400), heard(tomorrow, NOON));
    expect(exposures.map(({ firstSeen, lastSeen }) => [firstSeen - NOON, lastSeen - NOON])).toEqual([
      [0, 300],
      [86400, 86400],
    ]);
    // over midnight: the part before it, or after it
    const midnight = (DAY + 1) * 86400;
    const across = dp3t(heard(today, midnight - 100, midnight + 50), heard(tomorrow, midnight - 7, midnight + 50)).exposures;
    expect(across.map(({ firstSeen, lastSeen }) => [firstSeen - midnight, lastSeen - midnight])).toEqual([
      [-100, -1],
      [0, 50],
    ]);
    const dayOfRelease = ephIdOf(nextSecretKey(nodeCrypto, nextSecretKey(nodeCrypto, SK)), 3);
    const late = dp3t(heard(dayOfRelease, RELEASE - 100, RELEASE + 50), heard(dayOfRelease, RELEASE, RELEASE + 50)).exposures;
    expect(late.map(({ firstSeen, lastSeen }) => [firstSeen - RELEASE, lastSeen - RELEASE])).toEqual([[-100, -1]]);
  });

  test("what was lost on the way is told power less RSSI, of 12 dBm where the packet tells none", () => {
    const [told, assumed] = dp3t(heard(today, NOON), heard(today, NOON + 60, NOON + 60, { txPower: null })).exposures;
    expect([told.txPower, told.isAssumed, told.attenuation]).toEqual([-4, false, 56]);
    expect([assumed.txPower, assumed.isAssumed, assumed.attenuation]).toEqual([12, true, 72]);
  });

  test("keys that can't have been met are set apart with a reason", () => {
    const keys = [-22, -21, 2, 3].map((later, i) => ({ sk: new Uint8Array(32).fill(i), onsetDay: DAY + 2 + (later < 0 ? later : later - 2) }));
    const { setApart } = matchDp3t(nodeCrypto, aesEncrypt, [{ releaseTime: RELEASE, keys }], []);
    expect(setApart).toEqual([
      { what: "key", reason: "begins after its list was released", count: 1 },
      { what: "key", reason: "begins more than 21 days before its list was released", count: 1 },
    ]);
  });
});

test("Contact Tracing v1.0: an encounter counts within two hours of its identifier's time; no attenuation is known (CT-05)", () => {
  const interval = 72;
  const rpi = rollingProximityIdentifier(nodeCrypto, DAILY, interval);
  const match = (...encounters: HeardOthers[]) => matchV1(nodeCrypto, [{ dailyKey: DAILY, day: DAY }], encounters).exposures;
  const none = { txPower: null };
  expect(
    match(heard(rpi, NOON - 7300, NOON - 7100, none), heard(rpi, NOON + 7800, NOON + 7900, none), heard(rpi, NOON - 9000, NOON - 7201, none)),
  ).toMatchObject([{ firstSeen: NOON - 7200, lastSeen: NOON - 7100, attenuation: null, txPower: null, day: DAY }]);
});

describe("dense encounters of other protocols", () => {
  test("whatever matches in full matches by 5 bytes, and the number of false matches to be expected is told", () => {
    fc.assert(
      fc.property(fc.nat(95), fc.integer({ min: -90_000, max: 180_000 }), fc.nat(2000), (n, later, seconds) => {
        const full = heard(ephIdOf(SK, n), NOON + later, NOON + later + seconds);
        const both = [full, { ...full, identifier: full.identifier.slice(0, 5) }];
        const { exposures, dense: told } = dp3t(...both);
        expect([0, 2]).toContain(exposures.length);
        expect(exposures.filter(({ encounter }) => encounter === full)).toHaveLength(exposures.length / 2);
        for (const { encounter, falseMatchProbability } of exposures) {
          if (encounter === full) expect(falseMatchProbability).toBe(0);
          // 96 EphIDs a day of the one key
          else expect([1, 2].map((days) => Math.round((falseMatchProbability * 2 ** 40) / 96 / days))).toContain(1);
        }
        expect(told.encounters).toBe(1);
      }),
      { numRuns: 40 },
    );
  });

  test("v1.0 is compared with the 25 identifiers of two hours each way, and one more for each ten minutes", () => {
    const rpi = rollingProximityIdentifier(nodeCrypto, DAILY, 72).slice(0, 5);
    const { exposures, dense: told } = matchV1(nodeCrypto, [{ dailyKey: DAILY, day: DAY }], [heard(rpi, NOON, NOON + 700)]);
    expect(exposures).toHaveLength(1);
    expect(exposures[0].falseMatchProbability * 2 ** 40).toBeCloseTo(26, 3);
    expect(told.expectedFalseMatches).toBe(exposures[0].falseMatchProbability);
  });
});

describe("DP-3T, unlinkable", () => {
  const epoch = Math.floor(NOON / 900);
  const day = new Uint8Array(16).fill(9);
  const hash = observationHash(nodeCrypto, ephId(nodeCrypto, epochSeed(nodeCrypto, day, epoch)), epoch);
  const others = Array.from({ length: 50 }, (_, i) => nodeCrypto.sha256(Uint8Array.of(i)));

  test("DP-05: the beginning of an observation's hash is found in the published list", () => {
    const hashes = [publishedHashes(encodeHashList([...others, hash]))];
    const encounters = [heard(hash.slice(0, 16), NOON, NOON + 60), heard(hash.slice(0, 5), NOON, NOON + 64), heard(new Uint8Array(16).fill(3), NOON)];
    const { exposures, dense: told } = matchDp3tUnlinkable(nodeCrypto, hashes, encounters);
    expect(exposures.map(({ encounter, key }) => [encounter, toHex(key)])).toEqual(encounters.slice(0, 2).map((one) => [one, toHex(hash)]));
    expect(told.expectedFalseMatches * 2 ** 40).toBeCloseTo(51, 3);
  });

  test("and by a filter, which asks for no more than the 16 bytes of a full encounter; a dense one is set apart (DP-05)", () => {
    const filter = publishedHashes(encodeFilter(buildFilter([...others, hash], 6)));
    const encounters = [heard(hash.slice(0, 16), NOON, NOON + 60), heard(hash.slice(0, 5), NOON, NOON + 64), heard(new Uint8Array(16).fill(3), NOON)];
    const { exposures, setApart } = matchDp3tUnlinkable(nodeCrypto, [filter], encounters);
    expect(exposures.map(({ encounter, key }) => [encounter, toHex(key)])).toEqual([[encounters[0], toHex(hash.subarray(0, 16))]]);
    expect(exposures[0].falseMatchProbability * 2 ** 48).toBeCloseTo(8, 3);
    expect(setApart).toEqual([{ what: "encounter", reason: "dense: a filter can't be asked for it", count: 1 }]);
    // beside the exact list nothing is found twice
    const both = matchDp3tUnlinkable(nodeCrypto, [filter, publishedHashes(encodeHashList([hash]))], encounters);
    expect(both.exposures.map(({ key }) => toHex(key))).toEqual([toHex(hash), toHex(hash)]);
    expect(both.setApart).toEqual([]);
  });

  test("every published hash is found by its first 16 bytes, whatever the fingerprints", () => {
    for (const size of [1, 4, 8]) {
      const filter = publishedHashes(encodeFilter(buildFilter([...others], size)));
      const { exposures } = matchDp3tUnlinkable(
        nodeCrypto,
        [filter],
        others.map((one) => heard(one.slice(0, 16), NOON)),
      );
      expect(exposures).toHaveLength(others.length);
    }
  });

  test("a list or a filter that was cut is refused", () => {
    for (const file of [encodeHashList([hash]), encodeFilter(buildFilter([hash], 4))])
      expect(() => publishedHashes(file.subarray(0, file.length - 2))).toThrow("neither a whole DP3U list nor a whole DP3C filter");
  });
});

describe("tracelet match and export --protocol", () => {
  let folder = "";
  const path = (name: string) => join(folder, name);
  const write = (name: string, content: string | Uint8Array) => {
    writeFileSync(path(name), content);
    return path(name);
  };
  const run = (protocol: string, file: string, ...more: string[]) =>
    tracelet("match", file, "--db", path("store.db"), "--protocol", protocol, ...more);
  const today = ephIdOf(SK, 17);
  const exposed = { batchReleaseMs: RELEASE * 1000, exposed: [{ key: SK, keyDateMs: DAY * 86_400_000 }] };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tracelet-others-"));
    const store = Store.open(path("store.db"));
    const log = slots(
      clock(1, 0, NOON - 100),
      encounter({ rpi: 1, first: 100 }),
      othersSlot(DP3T_TAG, today, -4, { first: 100, seconds: 60, count: 3, maxRssi: -60, below: 2 }),
      othersDenseSlot(DP3T_TAG, today, undefined, { first: 400, seconds: 16, maxRssi: -70 }),
      othersSlot(CT10_TAG, rollingProximityIdentifier(nodeCrypto, DAILY, 72), undefined, { first: 100, seconds: 4 }),
      othersSlot(DP3T_UNLINKABLE_TAG, today, 0, { first: 100 }),
      dense({ first: 800 }),
      mark(2, 0),
      othersSlot(DP3T_TAG, today, -4, { first: 100 }),
    );
    await store.commitPull({ logId: "00112233aabbccdd", id: "badge-7" }, [{ seq: 145, era: 1, baseTick: 0, slots: log }]);
    await store.close();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("an exposed list, as JSON and as a message: the same exposures, and no secret but with --json", async () => {
    const json = await run("dp3t", write("exposed.json", exposedListToJson(exposed)));
    expect(json.exit, json.err).toBe(0);
    expect(json.out).toBe(
      [
        "2 exposures: 1 key looked for in 2 encounters",
        `  2019-04-14 12:00:00 UTC, 60 s, board badge-7, identifier ${toHex(today).slice(0, 4)}…, key 5a5a…, 56 dB lost (-4 dBm sent, -60 dBm heard)`,
        `  2019-04-14 12:05:00 UTC, 16 s, board badge-7, identifier ${toHex(today).slice(0, 4)}…, key 5a5a…, 82 dB lost (12 dBm assumed, -70 dBm heard), dense`,
        "1 encounter dense, known by 40 bits of the identifier: 8.7e-11 false matches to be expected in this run",
        "1 encounter set apart: time not known yet",
        "Nobody vouches for files of this protocol: they have no signature",
        "",
      ].join("\n"),
    );
    expect(await run("dp3t", write("exposed.bin", encodeExposedList(exposed)))).toEqual(json);
    const report = JSON.parse((await run("dp3t", path("exposed.json"), "--json")).out);
    expect(report).toMatchObject({ protocol: "dp3t", keys: 1, encounters: 2 });
    expect(report.exposures[0]).toEqual({
      key: toHex(SK),
      keyDay: DAY,
      identifier: toHex(today),
      form: "full",
      falseMatchProbability: 0,
      board: "badge-7",
      firstSeen: NOON,
      lastSeen: NOON + 60,
      durationSeconds: 60,
      count: 3,
      maxRssi: -60,
      meanRssi: -62,
      rssiCorrection: 0,
      txPower: -4,
      txPowerAssumed: false,
      attenuation: 56,
      confidence: null,
      interval: null,
      reportType: null,
      transmissionRisk: null,
      daysSinceOnset: null,
    });
  });

  test("CT-05: daily keys as a list, or as keys pull writes them; the same bytes of another protocol match nothing", async () => {
    const list = [{ day: DAY, dtk: Buffer.from(DAILY).toString("base64") }];
    const found = await run("ct10", write("ct10.json", JSON.stringify(list)));
    expect(found.out).toMatch(/^1 exposure: 1 key looked for in 1 encounter\n.* 4 s, .*-60 dBm heard, transmit power not known\n/);
    expect((await run("ct10", write("keys.json", JSON.stringify({ gaen: [], ct10: list })))).out).toBe(found.out);
    const unlinkable = await run("dp3t-unlinkable", write("hashes", encodeHashList([nodeCrypto.sha256(today)])));
    expect(unlinkable.out).toMatch(/^0 exposures: 1 hash looked for in 1 encounter\n/);
    const filtered = await run("dp3t-unlinkable", write("filter", encodeFilter(buildFilter([nodeCrypto.sha256(today)], 6))));
    expect(filtered.out).toBe(unlinkable.out);
  });

  test.each([
    ["dp3t", "exposed.json", { batchReleaseTime: RELEASE * 1000 + 1, exposed: [] }, "no exposed list of DP-3T"],
    ["ct10", "bad.json", [{ day: DAY, dtk: "AAAA" }], "entry 1 is no daily key"],
    ["ct10", "bad.json", [{ day: -1, dtk: "AAAAAAAAAAAAAAAAAAAAAA==" }], "entry 1 is no daily key"],
    ["ct10", "bad.json", { tek: 1 }, "no list of daily keys"],
    ["dp3t-unlinkable", "bad.json", [], "neither a whole DP3U list nor a whole DP3C filter"],
    ["morse", "bad.json", [], 'a protocol called "morse"; known: gaen'],
  ])("a file that isn't what %s publishes is refused by name: %s", async (protocol, name, content, words) => {
    const { exit, err, out } = await run(protocol, write(`refused-${name}`, JSON.stringify(content)));
    expect([exit === 0, out]).toEqual([false, ""]);
    expect(err).toContain(words);
    expect(err).not.toContain("AAAA");
  });

  test("a public key has nothing to check, and readers of files stand any bytes", async () => {
    const { err } = await run("dp3t", path("store.db"), "--key", "server.pem");
    expect(err).toContain("no signature that a key could check");
    const refused = (read: () => unknown) => {
      try {
        return read() && undefined;
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.string().map((some) => Buffer.from(some)),
          fc.json().map((some) => Buffer.from(some)),
        ),
        (bytes) => {
          for (const read of [readDailyKeys, readExposedList]) expect([undefined, "bad_keys"]).toContain(refused(() => read({ path: "x", bytes })));
        },
      ),
    );
  });

  test("export writes what was heard of a protocol into a file of our own, and GAEN's files have nothing of it", async () => {
    const store = Store.open(path("store.db"), { readOnly: true });
    const out = path("csv");
    await exportFiles(store, { out, protocol: "dp3t" });
    expect(readFileSync(join(out, "dp3t.csv"), "utf8").split("\n")).toEqual([
      "board;first;last;identifier;form;tx power;max rssi;mean rssi;count;attenuation;safe",
      `badge-7;${NOON};${NOON + 60};${toHex(today)};whole;-4;-60;-62;3;56;`,
      `badge-7;${NOON + 300};${NOON + 316};${toHex(today).slice(0, 10)};prefix;;-70;-70;;;`,
      `badge-7;;;${toHex(today)};whole;-4;-60;-60;1;56;`,
      "",
    ]);
    const { files, leftOut } = await exportFiles(store, { out });
    expect([files.map(({ rows }) => rows), leftOut]).toEqual([[1], { withoutTime: 0, withoutAem: 0, dense: 1 }]);
    await expect(exportFiles(store, { out, protocol: "morse" })).rejects.toMatchObject({ code: "unknown_protocol" });
    await expect(exportFiles(store, { out, protocol: "dp3t", keys: true })).rejects.toMatchObject({ code: "keys_of_gaen" });
    await store.close();
  });

  test("OCT-10: what is marked as safe matches as before, is told apart and never counts; the mark lasts, is in the export, and can be taken back", async () => {
    const mark = (...argv: string[]) => tracelet("mark", argv[0]!, ...argv.slice(1), "--db", path("store.db"));
    const made = await mark("safe", "--board", "badge-7", "--protocol", "dp3t", "--from", "2019-04-14 12:00", "--to", "2019-04-14 12:04", "--json");
    expect(JSON.parse(made.out)).toMatchObject({ id: 1, board: "badge-7", from: NOON, to: NOON + 299 });
    const report = JSON.parse((await run("dp3t", path("exposed.json"), "--json")).out);
    expect([report.exposures, report.safe].map((list) => list.map(({ firstSeen }: { firstSeen: number }) => firstSeen))).toEqual([
      [NOON + 300],
      [NOON],
    ]);
    expect((await run("dp3t", path("exposed.json"))).out).toMatch(
      /^1 exposure: .*\n.*12:05:00.*\n1 more marked as safe, which don't count:\n.*12:00:00/,
    );
    expect((await run("ct10", path("ct10.json"))).out).toMatch(/^1 exposure: /);
    const store = Store.open(path("store.db"), { readOnly: true });
    await exportFiles(store, { out: path("safe"), protocol: "dp3t" });
    expect(
      readFileSync(join(path("safe"), "dp3t.csv"), "utf8")
        .split("\n")
        .map((line) => line.split(";").at(-1)),
    ).toEqual(["safe", "safe", "", "", ""]);
    await store.close();
    // GAEN's encounter, by its identifier
    expect(await mark("safe", "--board", "badge-7", "--identifier", "01".repeat(5))).toMatchObject({
      exit: 0,
      out: expect.stringContaining("0101…"),
    });
    const gaen = Store.open(path("store.db"), { readOnly: true });
    const { files } = await exportFiles(gaen, { out: path("safe-gaen") });
    expect(files.map(({ rows }) => rows)).toEqual([1, 2]);
    expect(readFileSync(join(path("safe-gaen"), "safe.csv"), "utf8")).toBe(
      `board;first;last;identifier\nbadge-7;${NOON};${NOON};${"01".repeat(16)}\nbadge-7;${NOON + 700};${NOON + 700};${"01".repeat(5)}\n`,
    );
    for (const number of ["1", "2"]) expect((await mark("remove", number)).exit).toBe(0);
    // no older file tells of marks that are gone
    await exportFiles(gaen, { out: path("safe-gaen") });
    expect(readFileSync(join(path("safe-gaen"), "safe.csv"), "utf8")).toBe("board;first;last;identifier\n");
    await gaen.close();
    expect(JSON.parse((await run("dp3t", path("exposed.json"), "--json")).out)).toMatchObject({ exposures: { length: 2 }, safe: [] });
  });
});
