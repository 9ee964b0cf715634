import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { register } from "../../host-tools/cli/match.ts";
import { makeExportFile, makeExportZip } from "../../host-tools/exposure-keys/make-export.ts";
import { newKeyPair, readPrivateKey } from "../../host-tools/exposure-keys/signature.ts";
import { nodeCrypto } from "../../host-tools/node-crypto.ts";
import { Store } from "../../host-tools/store/store.ts";
import type { ExposureKey } from "../../protocols/gaen/export-file.ts";
import { metadataKey, rollingProximityIdentifier, rollingProximityIdentifierKey } from "../../protocols/gaen/key-schedule.ts";
import { encryptMetadata } from "../../protocols/gaen/metadata.ts";
import { clock, denseSlot, encounterSlot, mark, slots } from "../store/slots.ts";
import { toHex } from "../support/vectors.ts";

const BOARD = { logId: "00112233aabbccdd", id: "badge-7", type: "PUCKJS" };
const NOON = 2652624 + 72;
const server = newKeyPair();
const stranger = newKeyPair();
const diagnosed: ExposureKey = {
  key: new Uint8Array(16).fill(0x5a),
  transmissionRisk: 3,
  rollingStart: 2652624,
  rollingPeriod: 144,
  reportType: 1,
  daysSinceOnset: -2,
};
const rpi = rollingProximityIdentifier(nodeCrypto, rollingProximityIdentifierKey(nodeCrypto, diagnosed.key), NOON);
const aem = encryptMetadata(nodeCrypto, metadataKey(nodeCrypto, diagnosed.key), rpi, new Uint8Array([0x58, 4, 0, 0]));
const request = { keys: [diagnosed, { ...diagnosed, key: new Uint8Array(16).fill(1) }], start: 1591574400, end: 1591660800, region: "QX" };

let folder = "";
const path = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-match-"));
  const signedBy = (pem: string) => makeExportZip({ ...request, signers: [{ id: "310", version: "v1", privateKey: readPrivateKey(pem, "signer") }] });
  const zip = signedBy(server.privatePem);
  writeFileSync(path("export.zip"), zip);
  writeFileSync(path("cut.zip"), zip.subarray(0, zip.length - 30));
  // what a forger makes: the right names, another key
  writeFileSync(path("forged.zip"), signedBy(stranger.privatePem));
  writeFileSync(path("export.bin"), makeExportFile({ ...request, signers: [] }));
  writeFileSync(path("other.bin"), "EK Export v9    ");
  writeFileSync(path("server.pem"), server.publicPem);
  writeFileSync(path("stranger.pem"), stranger.publicPem);
  const store = Store.open(path("store.db"));
  const log = slots(
    clock(1, 0, NOON * 600 - 100),
    encounterSlot(rpi, aem, { first: 200, seconds: 420, count: 5, maxRssi: -61, below: 6 }),
    encounterSlot(new Uint8Array(16).fill(7), aem, { first: 200 }),
    mark(2, 0),
    encounterSlot(rpi, aem, { first: 2 }),
  );
  await store.commitPull(BOARD, [{ seq: 145, era: 1, baseTick: 0, slots: log }]);
  await store.close();
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

/** What `tracelet match …` writes to stdout. */
async function match(...argv: string[]): Promise<string> {
  let written = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    written += text;
    return true;
  });
  const program = new Command();
  register(program);
  await program.parseAsync(["match", ...argv], { from: "user" });
  return written;
}

describe("tracelet match", () => {
  test("tells exposures with whole keys as JSON, and what was set apart", async () => {
    const report = JSON.parse(
      await match(path("export.zip"), "--db", path("store.db"), "--key", path("stranger.pem"), "--key", path("server.pem"), "--json"),
    );
    const begun = NOON * 600 + 100;
    expect(report).toEqual({
      protocol: "gaen",
      exposures: [
        {
          key: "5a".repeat(16),
          keyDay: Math.floor(NOON / 144),
          identifier: toHex(rpi),
          form: "full",
          falseMatchProbability: 0,
          board: "badge-7",
          firstSeen: begun,
          lastSeen: begun + 420,
          durationSeconds: 420,
          count: 5,
          maxRssi: -61,
          meanRssi: -67,
          rssiCorrection: 0,
          txPower: 4,
          txPowerAssumed: false,
          attenuation: 65,
          confidence: 2,
          interval: NOON,
          reportType: 1,
          transmissionRisk: 3,
          daysSinceOnset: -2,
        },
      ],
      keys: 2,
      encounters: 2,
      safe: [],
      setApart: [{ what: "encounter", reason: "time not known yet", count: 1 }],
      dense: { encounters: 0, expectedFalseMatches: 0 },
    });
  });

  test("COM-06: shows a person only the first digits of keys and identifiers", async () => {
    const text = await match(path("export.zip"), "--db", path("store.db"), "--key", path("server.pem"));
    expect(text).toContain("1 exposure: 2 keys looked for in 2 encounters");
    expect(text).toContain("key 5a5a…");
    expect(text).not.toMatch(/[0-9a-f]{6}/);
  });

  test("a dense record gives the same exposure by 5 bytes of the identifier, and the number of false matches to be expected is told", async () => {
    const store = Store.open(path("dense.db"));
    const log = slots(clock(1, 0, NOON * 600 - 100), denseSlot(rpi, aem, { first: 200, seconds: 420, count: 5, maxRssi: -61, below: 6 }));
    await store.commitPull({ ...BOARD, logId: "0011223344556677" }, [{ seq: 145, era: 1, baseTick: 0, slots: log }]);
    await store.close();
    const arguments_ = [path("export.zip"), "--db", path("dense.db"), "--key", path("server.pem")];
    const { exposures, dense } = JSON.parse(await match(...arguments_, "--json"));
    expect(exposures).toMatchObject([
      { key: "5a".repeat(16), identifier: toHex(rpi.subarray(0, 5)), form: "dense", attenuation: 65, interval: NOON, count: null, confidence: null },
    ]);
    // two keys with 25 identifiers each
    expect(dense.expectedFalseMatches).toBeCloseTo((50 * 71) / 256 / 2 ** 40, 16);
    const text = await match(...arguments_);
    expect(text).toMatch(/, dense$/m);
    expect(text).toContain("1 encounter dense, known by 40 bits of the identifier: 1.3e-11 false matches to be expected in this run");
  });

  test("the same export twice, and signed beside unsigned, gives the same exposures", async () => {
    const once = await match(path("export.zip"), "--db", path("store.db"), "--key", path("server.pem"), "--json");
    const more = [path("export.bin"), path("export.zip"), path("export.zip"), "--db", path("store.db"), "--json"];
    expect(await match(...more, "--key", path("server.pem"), "--allow-unsigned")).toBe(once);
    expect(await match(...more, "--allow-unsigned")).toBe(once);
  });

  test.each([
    ["export.zip", [], "untrusted", "name its server's public key with --key"],
    ["export.zip", ["stranger.pem"], "bad_signature", "export.zip: The signature doesn't fit"],
    ["forged.zip", ["server.pem"], "bad_signature", "forged.zip: The signature doesn't fit"],
    ["forged.zip", ["server.pem", "--allow-unsigned"], "bad_signature", "forged.zip: The signature doesn't fit"],
    ["cut.zip", ["server.pem"], "bad_zip", "cut.zip"],
    ["export.bin", ["server.pem"], "bad_zip", "carries no signature"],
    ["other.bin", ["--allow-unsigned"], "bad_zip", "other.bin"],
    ["none.zip", ["server.pem"], "unreadable_file", "none.zip"],
  ])("GAEN-21: %s with %j is refused: %s", async (file, keys, code, message) => {
    const options = keys.flatMap((key) => (key.startsWith("--") ? [key] : ["--key", path(key)]));
    await expect(match(path(file), "--db", path("store.db"), ...options)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  test("an export cut off at any byte is refused, or gives what the whole one gives: never a crash, never another exposure", async () => {
    const bare = makeExportFile({ ...request, signers: [] });
    const whole = JSON.parse(await match(path("export.bin"), "--db", path("store.db"), "--allow-unsigned", "--json")).exposures;
    let read = 0;
    for (let length = 0; length < bare.length; length++) {
      writeFileSync(path("part.bin"), bare.subarray(0, length));
      try {
        const { exposures } = JSON.parse(await match(path("part.bin"), "--db", path("store.db"), "--allow-unsigned", "--json"));
        expect([[], whole]).toContainEqual(exposures);
        read++;
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^bad_/), message: expect.stringContaining("part.bin") });
      }
    }
    // a message may end after any whole field
    expect(read).toBeGreaterThan(3);
    expect(read).toBeLessThan(20);
  });

  test("GAEN-21: what unpacks to more than is allowed is refused before it is read; --max-size allows more", async () => {
    const keys = Array.from({ length: 40_000 }, () => ({ ...diagnosed, key: nodeCrypto.randomBytes(16) }));
    writeFileSync(
      path("large.zip"),
      makeExportZip({ ...request, keys, signers: [{ id: "310", version: "v1", privateKey: readPrivateKey(server.privatePem, "signer") }] }),
    );
    const argv = [path("large.zip"), "--db", path("store.db"), "--key", path("server.pem"), "--max-size"];
    await expect(match(...argv, "1")).rejects.toMatchObject({ code: "too_large", message: expect.stringContaining("large.zip: export.bin has") });
    expect(await match(...argv, "2")).toContain("40000 keys looked for in 2 encounters");
  });

  test("--calibration corrects what the boards of a model heard, and says so", async () => {
    writeFileSync(path("list.csv"), "oem,device,model,rssi correction,tx,calibration confidence\nEspruino,puckjs,Puck.js,9,-9,0\n");
    const argv = [path("export.zip"), "--db", path("store.db"), "--key", path("server.pem")];
    const exposureOf = async (...more: string[]) => JSON.parse(await match(...argv, "--json", ...more)).exposures[0];
    const plain = await exposureOf();
    const corrected = await exposureOf("--calibration", path("list.csv"));
    expect([plain.rssiCorrection, plain.maxRssi, plain.meanRssi, plain.attenuation]).toEqual([0, -61, -67, 65]);
    expect(corrected).toEqual({ ...plain, rssiCorrection: 9, maxRssi: -52, meanRssi: -58, attenuation: 56 });
    expect(await match(...argv, "--calibration", path("list.csv"))).toContain("56 dB lost (4 dBm sent, -52 dBm heard, 9 dB of it calibration)");
    writeFileSync(path("other.csv"), "oem,device,model,rssi correction,tx,calibration confidence\nEspruino,pixljs,Pixl.js,9,-9,0\n");
    expect(await exposureOf("--calibration", path("other.csv"))).toEqual(plain);
    await expect(match(...argv, "--calibration", path("export.bin"))).rejects.toMatchObject({ code: "bad_calibration" });
  });

  test("--state remembers what was looked for: the same report from no work, and from what is new", async () => {
    const argv = [path("export.zip"), "--db", path("store.db"), "--key", path("server.pem")];
    const report = await match(...argv);
    expect(await match(...argv, "--state", path("state.json"))).toBe(report);
    expect(await match(...argv, "--state", path("state.json"))).toBe(report);
    writeFileSync(path("state.json"), "{}");
    expect(await match(...argv, "--state", path("state.json"))).toBe(
      `${path("state.json")}: it is no state of this version of tracelet match; everything is looked for again\n${report}`,
    );
  });

  test("a database that is not there is not made", async () => {
    await expect(match(path("export.zip"), "--db", path("none.db"), "--key", path("server.pem"))).rejects.toMatchObject({ code: "database_missing" });
  });
});
