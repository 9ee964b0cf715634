import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  DEFAULT_EXPOSURE_CONFIGURATION,
  DEFAULT_MINUTES_CONFIGURATION,
  DEFAULT_WINDOW_CONFIGURATION,
  infectiousnessMap,
  readExposureConfiguration,
  readMinutesConfiguration,
  readWindowConfiguration,
} from "../../host-tools/risk/configuration.ts";
import { infectiousnessOf } from "../../host-tools/risk/infectiousness.ts";
import type { Row } from "../support/vectors.ts";

const v2 = (change: (config: Row) => void) => {
  const config = structuredClone(DEFAULT_WINDOW_CONFIGURATION) as Row;
  change(config);
  return () => readWindowConfiguration(JSON.stringify(config), "v2.json");
};
const v1 = (more: object) => () => readExposureConfiguration(JSON.stringify({ ...DEFAULT_EXPOSURE_CONFIGURATION, ...more }), "v1.json");
const minutes = (more: object) => () => readMinutesConfiguration(JSON.stringify({ ...DEFAULT_MINUTES_CONFIGURATION, ...more }), "swiss.json");

describe("a configuration under its published names", () => {
  test("is read as it is written", () => {
    expect(v2(() => {})()).toEqual(DEFAULT_WINDOW_CONFIGURATION);
    expect(v1({ attenuationWeight: 50 })()).toEqual({ ...DEFAULT_EXPOSURE_CONFIGURATION, attenuationWeight: 50 });
    expect(minutes({ triggerThreshold: 13 })().triggerThreshold).toBe(13);
  });

  test("minimumWindowScore and daysSinceExposureThreshold are 0 where they are left out", () => {
    const read = v2(({ dailySummariesConfig: config }) => {
      delete config.minimumWindowScore;
      delete config.daysSinceExposureThreshold;
    })();
    expect(read).toEqual(DEFAULT_WINDOW_CONFIGURATION);
  });

  test.each<[() => unknown, string]>([
    [
      v2(({ dailySummariesConfig: c }) => c.attenuationBucketThresholdDb.reverse()),
      "v2.json: dailySummariesConfig.attenuationBucketThresholdDb: three whole numbers",
    ],
    [v2(({ dailySummariesConfig: c }) => c.attenuationBucketWeights.pop()), "attenuationBucketWeights: four numbers from 0 to 2.5"],
    [v2(({ dailySummariesConfig: c }) => Object.assign(c.reportTypeWeights, { 2: 3 })), "reportTypeWeights.2: numbers from 0 to 2.5 by report type"],
    [
      v2(({ dailySummariesConfig: c }) => delete c.infectiousnessWeights["2"]),
      'infectiousnessWeights.2: numbers from 0 to 2.5 by infectiousness: "1" standard',
    ],
    [v2(({ dailySummariesConfig: c }) => Object.assign(c, { minimumWindowScore: -1 })), "minimumWindowScore: a number that is not negative"],
    [v2(({ diagnosisKeysDataMapping: m }) => delete m.daysSinceOnsetToInfectiousness["-14"]), "daysSinceOnsetToInfectiousness.-14: for every day"],
    [v2(({ diagnosisKeysDataMapping: m }) => Object.assign(m, { reportTypeWhenMissing: 5 })), "reportTypeWhenMissing: 1 confirmed test"],
    [v2((c) => delete c.diagnosisKeysDataMapping), "v2.json: diagnosisKeysDataMapping: an object with daysSinceOnsetToInfectiousness"],
    [v2((c) => Object.assign(c.dailySummariesConfig, { minWindowScore: 0 })), 'v2.json: nothing is called "minWindowScore" in dailySummariesConfig'],
    [v1({ durationScores: [1, 2, 3] }), "v1.json: durationScores: 8 whole numbers from 0 to 8"],
    [v1({ minimumRiskScore: 5000 }), "minimumRiskScore: a whole number from 1 to 4096"],
    [v1({ durationAtAttenuationThresholds: [70, 50] }), "durationAtAttenuationThresholds: two whole numbers of dB"],
    [minutes({ higherThreshold: 40 }), "swiss.json: higherThreshold: a whole number of dB"],
    [minutes({ factorLow: "1" }), "factorLow: a number from 0 to 10"],
    [() => readMinutesConfiguration("[]", "swiss.json"), "swiss.json: the file: one JSON object"],
    [() => readMinutesConfiguration("{", "swiss.json"), "swiss.json: no JSON"],
  ])("is refused with the field and what it takes, %#: %s", (read, message) => {
    expect(read).toThrow(expect.objectContaining({ code: "bad_config", message: expect.stringContaining(message) }));
  });

  test("the usual infectiousness is the symposium's second map, and high where no onset is told", () => {
    const map = infectiousnessMap(DEFAULT_WINDOW_CONFIGURATION);
    const letters = map.byDay.map((one) => "NSH"[one]).join("");
    expect(letters).toBe("NNNNNNNNNNSSHHHHHHSSNNNNNNNNN");
    expect(infectiousnessOf(map, undefined)).toBe(2);
  });

  test("the examples of docs/risk.md are what holds without a file", () => {
    const page = readFileSync(new URL("../../docs/risk.md", import.meta.url), "utf8");
    const [second, first, swiss] = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) => text);
    expect(readWindowConfiguration(second, "docs")).toEqual(DEFAULT_WINDOW_CONFIGURATION);
    expect(readExposureConfiguration(first, "docs")).toEqual(DEFAULT_EXPOSURE_CONFIGURATION);
    expect(readMinutesConfiguration(swiss, "docs")).toEqual(DEFAULT_MINUTES_CONFIGURATION);
  });
});
