import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { register } from "../../host-tools/cli/score.ts";
import { makeExportFile } from "../../host-tools/exposure-keys/make-export.ts";
import { aesEncrypt, nodeCrypto } from "../../host-tools/node-crypto.ts";
import { Store } from "../../host-tools/store/store.ts";
import { writeInt } from "../../protocols/bytes.ts";
import { encodeExposedList } from "../../protocols/dp3t/exposed-list.ts";
import { ephIds } from "../../protocols/dp3t/low-cost.ts";
import type { ExposureKey } from "../../protocols/gaen/export-file.ts";
import { metadataKey, rollingProximityIdentifier, rollingProximityIdentifierKey } from "../../protocols/gaen/key-schedule.ts";
import { encryptMetadata } from "../../protocols/gaen/metadata.ts";
import { SIGHTING } from "../../protocols/log-format.ts";
import { DP3T_TAG } from "../../protocols/protocol-tags.ts";
import { clock, encounterSlot, othersSlot, settings, slot, slots } from "../store/slots.ts";
import { toHex } from "../support/vectors.ts";

const MIDNIGHT = 2652624;
const NOON = MIDNIGHT + 72;
const BEGIN = NOON * 600;
const TODAY = MIDNIGHT / 144;
const diagnosed: ExposureKey = { key: new Uint8Array(16).fill(0x5a), transmissionRisk: 3, rollingStart: MIDNIGHT, rollingPeriod: 144, reportType: 1 };
const rpi = (interval: number) => rollingProximityIdentifier(nodeCrypto, rollingProximityIdentifierKey(nodeCrypto, diagnosed.key), interval);
const aem = (interval: number) => encryptMetadata(nodeCrypto, metadataKey(nodeCrypto, diagnosed.key), rpi(interval), new Uint8Array([0x58, 4, 0, 0]));

const sk = new Uint8Array(32).fill(9);
const ephId = ephIds(nodeCrypto, aesEncrypt, sk, 96).subarray(0, 16);
const sightingSlot = (identifier: Uint8Array, rssi: number, offset: number) =>
  slot(SIGHTING, (payload) => {
    payload.set(identifier, 0);
    payload[22] = rssi;
    writeInt(payload, 23, 3, offset);
  });

let folder = "";
const path = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-score-"));
  writeFileSync(path("export.bin"), makeExportFile({ keys: [diagnosed], start: BEGIN, end: BEGIN + 86400, region: "QX", signers: [] }));
  writeFileSync(path("other.json"), "{}");
  const exposed = encodeExposedList({ batchReleaseMs: (BEGIN + 86400) * 1000, exposed: [{ key: sk, keyDateMs: TODAY * 86400000 }] });
  writeFileSync(path("exposed.bin"), exposed);
  const store = Store.open(path("store.db"));
  // three identifiers, one after the other: 50 minutes at 66 dB; much later one that is marked
  const log = slots(
    clock(1, 0, BEGIN - 100),
    ...[0, 1, 2].map((i) => encounterSlot(rpi(NOON + i), aem(NOON + i), { first: 100 + 900 * i, seconds: 600, count: 9, maxRssi: -61, below: 1 })),
    encounterSlot(rpi(NOON + 20), aem(NOON + 20), { first: 100 + 12000, seconds: 600, count: 9, maxRssi: -40, below: 1 }),
    sightingSlot(rpi(NOON), -70, 100),
    sightingSlot(rpi(NOON), -64, 102),
    sightingSlot(rpi(NOON), -60, 400),
    othersSlot(DP3T_TAG, ephId, 0, { first: 300, seconds: 600, count: 9, maxRssi: -61, below: 4 }),
  );
  await store.commitPull({ logId: "00112233aabbccdd", id: "badge-7", name: "Ida", type: "PUCKJS" }, [{ seq: 145, era: 1, baseTick: 0, slots: log }]);
  await store.addMark({ board: "badge-7", protocol: null, identifier: rpi(NOON + 20), from: null, to: null, note: "wall" });
  await store.close();
  vi.useFakeTimers({ now: (TODAY * 86400 + 3 * 86400 + 5000) * 1000, toFake: ["Date"] });
});
afterAll(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});
afterEach(() => vi.restoreAllMocks());

async function score(...argv: string[]): Promise<string> {
  return scoreOf([path("export.bin"), "--allow-unsigned"], ...argv);
}

async function scoreOf(files: string[], ...argv: string[]): Promise<string> {
  let written = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    written += text;
    return true;
  });
  const program = new Command();
  register(program);
  await program.parseAsync(["score", ...files, "--db", path("store.db"), ...argv], { from: "user" });
  return written;
}

describe("tracelet score", () => {
  test("GAEN-26, GAEN-27: tells a person minutes of a day, and what is in no score", async () => {
    expect(await score()).toBe(
      [
        "v2: 3 exposures to 1 published key",
        "board badge-7 (Ida)",
        "  2020-06-08  score 45 min (45 min heard, 45 min weighed by attenuation; largest of 2 windows 30 min)",
        "1 exposure marked as safe: in no score",
        "A score is a number of minutes, weighed; many health authorities warn from 15 on. It is no diagnosis.",
        "",
      ].join("\n"),
    );
  });

  test("GAEN-26, GAEN-27: gives a program windows and days under their published names", async () => {
    const { boards, ...rest } = JSON.parse(await score("--json"));
    expect(rest).toMatchObject({ rule: "v2", exposures: 3, safe: 1, attenuationUnknown: 0 });
    expect(boards.length).toBe(1);
    const summaryData = { maximumScore: 1800, scoreSum: 2700, weightedDurationSum: 2700 };
    expect(boards[0].dailySummaries).toEqual([{ daysSinceEpoch: TODAY, summaryData, summaryDataForReportType: { 1: summaryData } }]);
    const scan = { typicalAttenuationDb: 66, minAttenuationDb: 65, secondsSinceLastScan: 300 };
    const window = { dateMillisSinceEpoch: TODAY * 86400000, infectiousness: 2, reportType: 1, calibrationConfidence: 2 };
    const byLength = boards[0].exposureWindows.sort(
      (a: { scanInstances: [] }, b: { scanInstances: [] }) => b.scanInstances.length - a.scanInstances.length,
    );
    expect(byLength).toEqual([
      { ...window, scanInstances: Array(6).fill(scan) },
      { ...window, scanInstances: Array(3).fill(scan) },
    ]);
  });

  test("GAEN-30: what may be handed on has no identifier, no key, no moment but days, and windows in any order", async () => {
    const orders = new Set<string>();
    for (let i = 0; i < 40 && orders.size < 2; i++) {
      const text = await score("--json");
      for (const interval of [0, 1, 2]) expect(text).not.toContain(toHex(rpi(NOON + interval)).slice(0, 8));
      expect(text).not.toContain("5a5a");
      expect(text).not.toMatch(new RegExp(`${String(BEGIN).slice(0, 6)}\\d{4}\\b`));
      orders.add(JSON.stringify(JSON.parse(text).boards[0].exposureWindows));
    }
    expect(orders.size).toBe(2);
  });

  test("GAEN-28: scores of version 1", async () => {
    expect(await score("--rule", "v1")).toContain("  2020-06-08  score 256 of 4096: 45 min at 65 dB on average");
    const { boards } = JSON.parse(await score("--rule", "v1", "--json"));
    expect(boards[0].exposureSummary).toEqual({
      daysSinceLastExposure: 3,
      matchedKeyCount: 1,
      maximumRiskScore: 256,
      summationRiskScore: 256,
      attenuationDurationsInMinutes: [0, 30, 0],
    });
    expect(boards[0].exposureInformation).toEqual([
      {
        dateMillisSinceEpoch: TODAY * 86400000,
        durationMinutes: 30,
        attenuationValue: 65,
        transmissionRiskLevel: 3,
        totalRiskScore: 256,
        attenuationDurationsInMinutes: [0, 30, 0],
      },
    ]);
  });

  test("SwissCovid's minutes, by a configuration of its own", async () => {
    expect(await score("--rule", "swisscovid")).toContain("0.0 exposure minutes (0 below 50 dB, 0 below 55 dB, 45 beyond): not notified, from 15 on");
    const config = { lowerThreshold: 60, higherThreshold: 70, factorLow: 1, factorHigh: 0.5, triggerThreshold: 15 };
    writeFileSync(path("swiss.json"), JSON.stringify(config));
    const { boards, configuration } = JSON.parse(await score("--rule", "swisscovid", "--config", path("swiss.json"), "--json"));
    expect(configuration).toEqual(config);
    expect(boards[0].days).toEqual([{ daysSinceEpoch: TODAY, minutes: [0, 45, 0], exposureMinutes: 22.5, notify: true }]);
  });

  test("scans are as far apart as the newest settings in a board's log say, or as the user does", async () => {
    const store = Store.open(path("slow.db"));
    const log = slots(
      settings([60, 2]),
      settings([600, 2]),
      clock(1, 0, BEGIN - 100),
      encounterSlot(rpi(NOON), aem(NOON), { first: 100, seconds: 600, count: 9, maxRssi: -61, below: 1 }),
    );
    await store.commitPull({ logId: "00112233aabbccdd", id: "slow" }, [{ seq: 145, era: 1, baseTick: 0, slots: log }]);
    expect(await store.cycleTimes()).toEqual(new Map([["slow", 600]]));
    await store.close();
    const scans = async (...argv: string[]) => {
      const files = [path("export.bin"), "--allow-unsigned"];
      const { boards } = JSON.parse(await scoreOf(files, ...argv, "--db", path("slow.db"), "--json"));
      return [boards[0].cycleTime, boards[0].exposureWindows[0].scanInstances.length];
    };
    expect(await scans()).toEqual([600, 2]);
    expect(await scans("--cycle", "150")).toEqual([150, 5]);
  });

  test("a calibration corrects what the board's model hears, and leaves other models as they are", async () => {
    const typical = async (device: string) => {
      writeFileSync(path("calibration.csv"), `oem,device,model,rssi correction,tx,calibration confidence\nEspruino,${device},x,9,-9,0\n`);
      const { boards } = JSON.parse(await score("--calibration", path("calibration.csv"), "--json"));
      return boards[0].exposureWindows[0].scanInstances[0];
    };
    expect(await typical("puckjs")).toMatchObject({ typicalAttenuationDb: 57, minAttenuationDb: 56 });
    expect(await typical("pixljs")).toMatchObject({ typicalAttenuationDb: 66, minAttenuationDb: 65 });
    await expect(score("--calibration", path("none.csv"))).rejects.toMatchObject({ code: "unreadable_file" });
  });

  test("a configuration of another rule is refused, and so is a board that is not there", async () => {
    await expect(score("--config", path("other.json"))).rejects.toMatchObject({ code: "bad_config" });
    await expect(score("--rule", "dp3t", "--config", path("other.json"))).rejects.toMatchObject({ code: "usage" });
    await expect(score("--board", "nobody")).rejects.toMatchObject({ code: "no_such_board" });
    await expect(score("--rule", "dp3t", "--sightings")).rejects.toMatchObject({ code: "usage" });
  });

  test("single sightings are asked for by name: scans are as they were heard", async () => {
    const { boards, exposures } = JSON.parse(await score("--sightings", "--json"));
    expect(exposures).toBe(3);
    expect(boards[0].exposureWindows).toMatchObject([
      {
        scanInstances: [
          { typicalAttenuationDb: 71, minAttenuationDb: 68, secondsSinceLastScan: 300 },
          { typicalAttenuationDb: 64, minAttenuationDb: 64, secondsSinceLastScan: 300 },
        ],
      },
    ]);
  });

  test("DP-09: exposed days of an exposed list", async () => {
    const { boards } = JSON.parse(await scoreOf([path("exposed.bin")], "--rule", "dp3t", "--json"));
    expect(boards).toEqual([{ board: "badge-7", cycleTime: 300, exposedDays: [TODAY], days: [{ daysSinceEpoch: TODAY, windows: 3 }] }]);
    expect(await scoreOf([path("exposed.bin")], "--rule", "dp3t")).toContain("  2020-06-08  3 windows of 5 min below 73 dB: exposed\n");
  });
});
