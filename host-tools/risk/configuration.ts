import { z } from "zod";
import { ConfigError } from "../errors.ts";
import type { SummaryRules } from "./daily-summaries.ts";
import type { MinuteRule } from "./exposure-minutes.ts";
import type { ScoreTables } from "./exposure-score.ts";
import type { AttenuationThresholds } from "./exposures.ts";
import { type Infectiousness, type InfectiousnessMap, MOST_DAYS_FROM_ONSET } from "./infectiousness.ts";

// Configurations under the names in which health authorities publish them. Sources: ExposureConfiguration, DailySummariesConfig and DiagnosisKeysDataMapping of
// https://developers.google.com/android/exposure-notifications ; GAENSDKConfig of DP-3T's SwissCovid apps.

const EIGHT_SCORES = "8 whole numbers from 0 to 8";
const WEIGHT = "numbers from 0 to 2.5";
/** What each field takes, for whoever has to correct one. */
const EXPECTED: Record<string, string> = {
  minimumRiskScore: "a whole number from 1 to 4096",
  attenuationScores: EIGHT_SCORES,
  daysSinceLastExposureScores: EIGHT_SCORES,
  durationScores: EIGHT_SCORES,
  transmissionRiskScores: EIGHT_SCORES,
  durationAtAttenuationThresholds: "two whole numbers of dB from 0 to 255, the second not smaller",
  dailySummariesConfig: "an object with attenuationBucketThresholdDb, attenuationBucketWeights, reportTypeWeights, infectiousnessWeights",
  attenuationBucketThresholdDb: "three whole numbers of dB from 0 to 255, none smaller than the one before",
  attenuationBucketWeights: `four ${WEIGHT}: immediate, near, medium, other`,
  reportTypeWeights: `${WEIGHT} by report type: "1" confirmed test, "2" clinical diagnosis, "3" self report; 0 leaves one out`,
  infectiousnessWeights: `${WEIGHT} by infectiousness: "1" standard, "2" high`,
  minimumWindowScore: "a number that is not negative",
  daysSinceExposureThreshold: "a whole number of days from 0, which is all, to 14",
  diagnosisKeysDataMapping: "an object with daysSinceOnsetToInfectiousness, infectiousnessWhenDaysSinceOnsetMissing, reportTypeWhenMissing",
  daysSinceOnsetToInfectiousness: 'for every day from "-14" to "14" an infectiousness: 0 none, 1 standard, 2 high',
  infectiousnessWhenDaysSinceOnsetMissing: "1 standard or 2 high",
  reportTypeWhenMissing: "1 confirmed test, 2 clinical diagnosis or 3 self report",
  lowerThreshold: "a whole number of dB from 0 to 255",
  higherThreshold: "a whole number of dB from 0 to 255, not smaller than lowerThreshold",
  factorLow: "a number from 0 to 10: weight of minutes below lowerThreshold",
  factorHigh: "a number from 0 to 10: weight of minutes between the thresholds",
  triggerThreshold: "minutes of a day, more than 0",
};

const dB = z.int().min(0).max(255);
const rising = (values: number[]) => values.every((value, i) => i === 0 || value >= values[i - 1]);
const weight = z.number().min(0).max(2.5);
const eightScores = z.array(z.int().min(0).max(8)).length(8);
/** The systems read them and never used them; a configuration that has them is a sound one. */
const unused = z.number().min(0).max(100).optional();

const exposureConfiguration = z.strictObject({
  minimumRiskScore: z.int().min(1).max(4096),
  attenuationScores: eightScores,
  attenuationWeight: unused,
  daysSinceLastExposureScores: eightScores,
  daysSinceLastExposureWeight: unused,
  durationScores: eightScores,
  durationWeight: unused,
  transmissionRiskScores: eightScores,
  transmissionRiskWeight: unused,
  durationAtAttenuationThresholds: z.array(dB).length(2).refine(rising),
});
const days = Array.from({ length: 2 * MOST_DAYS_FROM_ONSET + 1 }, (_, i) => String(i - MOST_DAYS_FROM_ONSET));
const infectiousness = z.union([z.literal(0), z.literal(1), z.literal(2)]);
const windowConfiguration = z.strictObject({
  dailySummariesConfig: z.strictObject({
    attenuationBucketThresholdDb: z.array(dB).length(3).refine(rising),
    attenuationBucketWeights: z.array(weight).length(4),
    reportTypeWeights: z.strictObject({ "1": weight, "2": weight, "3": weight, "4": weight.optional() }),
    infectiousnessWeights: z.strictObject({ "0": z.literal(0).optional(), "1": weight, "2": weight }),
    minimumWindowScore: z.number().min(0).default(0),
    daysSinceExposureThreshold: z.int().min(0).max(14).default(0),
  }),
  diagnosisKeysDataMapping: z.strictObject({
    daysSinceOnsetToInfectiousness: z.strictObject(Object.fromEntries(days.map((day) => [day, infectiousness]))),
    infectiousnessWhenDaysSinceOnsetMissing: z.union([z.literal(1), z.literal(2)]),
    reportTypeWhenMissing: z.union([z.literal(1), z.literal(2), z.literal(3)]),
  }),
});
const minutesConfiguration = z
  .strictObject({
    lowerThreshold: dB,
    higherThreshold: dB,
    factorLow: z.number().min(0).max(10),
    factorHigh: z.number().min(0).max(10),
    triggerThreshold: z.number().positive(),
  })
  .refine(({ lowerThreshold, higherThreshold }) => higherThreshold >= lowerThreshold, { path: ["higherThreshold"] });

export type ExposureConfiguration = z.infer<typeof exposureConfiguration>;
export type WindowConfiguration = z.infer<typeof windowConfiguration>;
export type MinutesConfiguration = z.infer<typeof minutesConfiguration>;

/** Version 1 as the system has it where an app sets nothing. */
export const DEFAULT_EXPOSURE_CONFIGURATION: ExposureConfiguration = {
  minimumRiskScore: 4,
  attenuationScores: [4, 4, 4, 4, 4, 4, 4, 4],
  daysSinceLastExposureScores: [4, 4, 4, 4, 4, 4, 4, 4],
  durationScores: [4, 4, 4, 4, 4, 4, 4, 4],
  transmissionRiskScores: [4, 4, 4, 4, 4, 4, 4, 4],
  durationAtAttenuationThresholds: [50, 74],
};

/** Days from onset with infectiousness standard and high, symposium's second map. */
const STANDARD_DAYS = [-4, -3, 4, 5];
const HIGH_DAYS = [-2, -1, 0, 1, 2, 3];

/**
 * "Narrow Net v2" with the infectiousness map of the same paper. Source: "Configuring Exposure Notification Risk Scores for COVID-19 v2.0", Risk Score Symposium Invitational, 2021.
 * It says nothing of keys without an onset: those count as high, so that nothing is understated.
 */
export const DEFAULT_WINDOW_CONFIGURATION: WindowConfiguration = {
  dailySummariesConfig: {
    attenuationBucketThresholdDb: [55, 67, 75],
    attenuationBucketWeights: [1.75, 1, 0.33, 0],
    reportTypeWeights: { "1": 1, "2": 1, "3": 1 },
    infectiousnessWeights: { "1": 0.3, "2": 1 },
    minimumWindowScore: 0,
    daysSinceExposureThreshold: 0,
  },
  diagnosisKeysDataMapping: {
    daysSinceOnsetToInfectiousness: Object.fromEntries(
      days.map((day) => [day, HIGH_DAYS.includes(Number(day)) ? 2 : STANDARD_DAYS.includes(Number(day)) ? 1 : 0]),
    ),
    infectiousnessWhenDaysSinceOnsetMissing: 2,
    reportTypeWhenMissing: 1,
  },
};

/** SwissCovid at its beginning: thresholds of 50 and 55 dB, 15 minutes. Source: DP-3T/documents, "SwissCovid Exposure Score Calculation". */
export const DEFAULT_MINUTES_CONFIGURATION: MinutesConfiguration = {
  lowerThreshold: 50,
  higherThreshold: 55,
  factorLow: 1,
  factorHigh: 0.5,
  triggerThreshold: 15,
};

/** `name`: of the file, for the refusal. @throws ConfigError "bad_config" with the field, and what it takes */
export function readExposureConfiguration(text: string, name: string): ExposureConfiguration {
  return read(exposureConfiguration, text, name);
}
/** @throws ConfigError "bad_config" */
export function readWindowConfiguration(text: string, name: string): WindowConfiguration {
  return read(windowConfiguration, text, name);
}
/** @throws ConfigError "bad_config" */
export function readMinutesConfiguration(text: string, name: string): MinutesConfiguration {
  return read(minutesConfiguration, text, name);
}

function read<T>(schema: z.ZodType<T>, text: string, name: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ConfigError("bad_config", `${name}: no JSON; docs/risk.md has the names of its fields, and whole files to begin with`, { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue.code === "unrecognized_keys") {
    const where = issue.path.length > 0 ? ` in ${issue.path.join(".")}` : "";
    throw new ConfigError(
      "bad_config",
      `${name}: nothing is called ${issue.keys.map((key) => JSON.stringify(key)).join(", ")}${where}; check the name`,
    );
  }
  const field = issue.path.findLast((part) => typeof part === "string" && part in EXPECTED);
  const expected = field === undefined ? "one JSON object, as docs/risk.md has an example" : EXPECTED[String(field)];
  throw new ConfigError("bad_config", `${name}: ${issue.path.join(".") || "the file"}: ${expected} expected`);
}

/** As the functions of this folder take it. */
export function scoreTables(configuration: ExposureConfiguration): ScoreTables & { thresholds: AttenuationThresholds } {
  const [low, high] = configuration.durationAtAttenuationThresholds;
  return { ...configuration, thresholds: { low, high } };
}

export function summaryRules({ dailySummariesConfig: config }: WindowConfiguration): SummaryRules {
  return {
    attenuationThresholds: config.attenuationBucketThresholdDb,
    attenuationWeights: config.attenuationBucketWeights,
    reportTypeWeights: config.reportTypeWeights as Record<number, number>,
    infectiousnessWeights: config.infectiousnessWeights as Record<number, number>,
    minimumWindowScore: config.minimumWindowScore,
    daysSinceExposureThreshold: config.daysSinceExposureThreshold,
  };
}

export function infectiousnessMap({ diagnosisKeysDataMapping: mapping }: WindowConfiguration): InfectiousnessMap {
  return {
    byDay: days.map((day) => mapping.daysSinceOnsetToInfectiousness[day] as Infectiousness),
    whenMissing: mapping.infectiousnessWhenDaysSinceOnsetMissing,
  };
}

export function minuteRule(config: MinutesConfiguration): MinuteRule & { thresholds: AttenuationThresholds } {
  return {
    weights: [config.factorLow, config.factorHigh, 0],
    notifyFrom: config.triggerThreshold,
    thresholds: { low: config.lowerThreshold, high: config.higherThreshold },
  };
}
