import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BoardFacts } from "../../boards/board-facts.ts";
import { BOARDS, findBoard } from "../../boards/index.ts";
import { ConfigError } from "../../host-tools/errors.ts";
import { placeholder, stampVersion } from "../../host-tools/generator/build-id.ts";
import { fileBytes, planFlash } from "../../host-tools/generator/flash-plan.ts";
import { makeManifest } from "../../host-tools/generator/manifest.ts";
import { chooseSettings, settingValues } from "../../host-tools/generator/settings.ts";
import { LOG_VERSION } from "../../protocols/log-format.ts";

const puckjs = findBoard("puckjs") as BoardFacts;
const internal = BOARDS.filter((facts) => facts.storage.internal);

test("a manifest says what is in a bundle and what it leaves room for", () => {
  const settings = chooseSettings(puckjs, {});
  const manifest = makeManifest(
    { board: puckjs, role: "wearable", protocols: ["gaen"], features: ["proof"], settings, version: "1.2.3-12345678", recovery: "" },
    "print(1)",
    37,
  );
  expect(manifest).toEqual({
    format: 1,
    board: "puckjs",
    boardName: "Puck.js",
    espruinoNames: ["PUCKJS"],
    role: "wearable",
    protocols: ["gaen"],
    features: ["proof"],
    settings: {
      cycleTime: 300,
      scanTime: 2,
      advertisingInterval: 250,
      txPower: 0,
      minimumDuration: 0,
      rssiFloor: -127,
      rawLog: 0,
      retention: 14,
      recordForm: 2,
      privateAddress: 0,
      lowBattery: 2200,
      transmit: 0,
      messagePeriod: 0,
    },
    version: "1.2.3-12345678",
    file: ".bootcde",
    bytes: 8,
    flashBytes: 40,
    sha256: "d287bb7f9d15abdc5b6e98536263815744b6ef21c8f3c839fc434ca70d8efe99",
    variables: { estimated: 37, atWork: 1795, total: 2630 },
    flash: {
      pages: 10,
      codePages: 1,
      ringPages: 8,
      pagesBehind: 0,
      logBytes: 36832,
      guaranteedEncounters: 7 * 140 - 16,
      maximumEncounters: 9 * 140 - 17,
      // a record of another kind takes the room of two and a third
      guaranteedDense: 7 * 327 - 38,
      maximumDense: 9 * 327 - 40,
    },
    log: { file: "tl.log", format: LOG_VERSION },
  });
});

describe("flash", () => {
  test("is shared out without a gap: head, ring and code are all pages", () => {
    fc.assert(
      fc.property(fc.constantFrom(...internal), fc.integer({ min: 1, max: 24000 }), fc.integer({ min: 0, max: 24 }), (facts, bytes, keys) => {
        const plan = planFlash(facts, bytes, { keys });
        expect(1 + plan.ringPages + plan.codePages).toBe(facts.storage.pages);
        expect(fileBytes(plan.logBytes) % facts.storage.pageBytes).toBe(0);
        expect(plan.codePages * facts.storage.pageBytes).toBeGreaterThanOrEqual(fileBytes(bytes));
        expect((plan.codePages - 1) * facts.storage.pageBytes).toBeLessThan(fileBytes(bytes));
        expect(plan.guaranteedEncounters).toBeLessThan(plan.maximumEncounters);
        expect(plan.guaranteedEncounters).toBeGreaterThan(0);
      }),
    );
  });

  test("is refused to code that leaves less than two pages of ring, to the byte", () => {
    expect(planFlash(puckjs, 28640, { keys: 0 })).toMatchObject({ codePages: 7, ringPages: 2, guaranteedEncounters: 140 });
    expect(() => planFlash(puckjs, 28641, { keys: 0 })).toThrow(ConfigError);
  });

  test("counts header and padding of a file", () => {
    expect([0, 1, 4, 5].map(fileBytes)).toEqual([32, 36, 36, 40]);
  });

  test("with other pages than the log's is refused", () => {
    const odd: BoardFacts = { ...puckjs, storage: { ...puckjs.storage, pageBytes: 1024 } };
    expect(() => planFlash(odd, 100, { keys: 0 })).toThrow("Puck.js has pages of 1024 bytes; the log is made for 4096");
  });
});

describe("the build id", () => {
  test("has the length of its placeholder, and with the version at most 15 characters", () => {
    for (const version of ["0.1.0", "1.22.33", "10.20.30", "0.1.0-rc.1"]) {
      const mark = placeholder(version);
      const stamped = stampVersion(`a="${mark}"`, version);
      expect(stamped.code).toBe(`a="${stamped.version}"`);
      expect(stamped.version.length).toBe(mark.length);
      expect(stamped.version.length).toBeLessThanOrEqual(15);
    }
  });

  test("is refused to a version that leaves it no room", () => {
    expect(() => stampVersion("a", "100.200.3000")).toThrow("version 100.200.3000: at most 10 characters leave room for a build id");
  });
});

test("settings stand in the order of the board's array, whatever the order they are given in", () => {
  expect(settingValues(chooseSettings(puckjs, { retention: 7, txPower: -8, cycleTime: 60 }))).toEqual([
    60, 2, 250, -8, 0, -127, 0, 7, 2, 0, 2200, 0, 0,
  ]);
});

test("a SmartBeacon's messages are ten seconds apart or more, or as usual", () => {
  expect(() => chooseSettings(puckjs, { messagePeriod: 9 })).toThrow("messagePeriod: 0, or 10 to 3600 s, got 9");
  for (const messagePeriod of [0, 10, 3600]) expect(chooseSettings(puckjs, { messagePeriod }).messagePeriod).toBe(messagePeriod);
});
