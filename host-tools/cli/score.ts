import { Option } from "commander";
import { ConfigError } from "../errors.ts";
import { nodeCrypto } from "../node-crypto.ts";
import { counted } from "../report/words.ts";
import { assessContacts, assessExposures, assessMinutes, assessWindows, heardSeconds } from "../risk/assessment.ts";
import {
  DEFAULT_EXPOSURE_CONFIGURATION,
  DEFAULT_MINUTES_CONFIGURATION,
  DEFAULT_WINDOW_CONFIGURATION,
  readExposureConfiguration,
  readMinutesConfiguration,
  readWindowConfiguration,
} from "../risk/configuration.ts";
import { type HeardKey, heardKeys } from "../risk/heard-keys.ts";
import { publishedExposureSummary, publishedExposures, publishedSummaries, publishedWindows } from "../risk/published-names.ts";
import { Store } from "../store/store.ts";
import { readBytes } from "./match.ts";
import { namedBoard } from "./named-board.ts";
import { createOutput, type RegisterCommand } from "./output.ts";
import { cycleOfBoards, type MatchInput, matchInput, withMatchInput } from "./score-input.ts";

const DAY = 86_400;

export const RULES = ["v2", "v1", "swisscovid", "dp3t"] as const;
export type Rule = (typeof RULES)[number];

/** What one rule says of one board: for a program, and in lines for a person. */
interface Answer {
  json: object;
  lines: string[];
}
type Judge = (heard: HeardKey[], today: number) => Answer;

const dayName = (day: number) => new Date(day * DAY * 1000).toISOString().slice(0, 10);
/** A decimal where it may matter: whether a limit is reached. */
const minutes = (seconds: number) => `${Number((seconds / 60).toFixed(1))} min`;

/** The rule with its configuration; `file` undefined: as docs/risk.md tells. @throws ConfigError "bad_config" */
function judgeOf(rule: Rule, file: string | undefined): { configuration: object; judge: Judge } {
  const text = () => Buffer.from(readBytes(file!)).toString("utf8");
  switch (rule) {
    case "v2": {
      const configuration = file === undefined ? DEFAULT_WINDOW_CONFIGURATION : readWindowConfiguration(text(), file);
      return {
        configuration,
        judge(heard, today) {
          const { windows, summaries } = assessWindows(configuration, heard, today);
          return {
            json: { dailySummaries: publishedSummaries(summaries), exposureWindows: publishedWindows(nodeCrypto.randomBytes, windows) },
            lines: summaries.map(({ day, total }) => {
              const inDay = windows.filter(({ start }) => Math.floor(start / DAY) === day);
              const weighed = `${minutes(total.weightedDurationSum)} weighed by attenuation`;
              return `${dayName(day)}  score ${minutes(total.scoreSum)} (${minutes(heardSeconds(windows, day))} heard, ${weighed}; largest of ${counted(inDay.length, "window")} ${minutes(total.maximumScore)})`;
            }),
          };
        },
      };
    }
    case "v1": {
      const configuration = file === undefined ? DEFAULT_EXPOSURE_CONFIGURATION : readExposureConfiguration(text(), file);
      return {
        configuration,
        judge(heard, today) {
          const exposures = assessExposures(configuration, heard, today);
          return {
            json: {
              exposureSummary: publishedExposureSummary(exposures, new Set(heard.map(({ key }) => key)).size, today),
              exposureInformation: publishedExposures(nodeCrypto.randomBytes, exposures),
            },
            lines: exposures.map(
              ({ start, durationSeconds, attenuation, score }) =>
                `${dayName(Math.floor(start / DAY))}  score ${score} of 4096: ${minutes(durationSeconds)} at ${attenuation} dB on average`,
            ),
          };
        },
      };
    }
    case "swisscovid": {
      const configuration = file === undefined ? DEFAULT_MINUTES_CONFIGURATION : readMinutesConfiguration(text(), file);
      return {
        configuration,
        judge(heard) {
          const days = assessMinutes(configuration, heard);
          const { lowerThreshold, higherThreshold, triggerThreshold } = configuration;
          return {
            json: { days: days.map(({ day, ...rest }) => ({ daysSinceEpoch: day, ...rest })) },
            lines: days.map(({ day, minutes: [below, between, above], exposureMinutes, notify }) => {
              const classes = `${Math.round(below)} below ${lowerThreshold} dB, ${Math.round(between)} below ${higherThreshold} dB, ${Math.round(above)} beyond`;
              return `${dayName(day)}  ${exposureMinutes.toFixed(1)} exposure minutes (${classes}): ${notify ? "" : "not "}notified, from ${triggerThreshold} on`;
            }),
          };
        },
      };
    }
    case "dp3t":
      if (file !== undefined) throw new ConfigError("usage", "--config: the rule dp3t has nothing to configure; leave it out");
      return {
        configuration: {},
        judge(heard, today) {
          const { contacts, exposedDays } = assessContacts(heard, today);
          const days = new Map<number, number>();
          for (const { contactTime, windows } of contacts) {
            const day = Math.floor(contactTime / DAY);
            days.set(day, (days.get(day) ?? 0) + windows);
          }
          return {
            json: { exposedDays, days: [...days].map(([daysSinceEpoch, windows]) => ({ daysSinceEpoch, windows })) },
            lines: [...days].map(
              ([day, windows]) =>
                `${dayName(day)}  ${counted(windows, "window")} of 5 min below 73 dB: ${exposedDays.includes(day) ? "exposed" : "not exposed, it takes 3 and at most 10 days"}`,
            ),
          };
        },
      };
  }
}

const EXPLAINED = `
Rules:
  v2          exposure windows and daily summaries of GAEN; minutes, weighed by attenuation, report and infectiousness
  v1          exposures and risk scores of GAEN's first interface, 0 to 4096
  swisscovid  exposure minutes of a day from v1's times, as SwissCovid warned
  dp3t        exposed days of DP-3T's own SDK; FILE is an exposed list of a DP-3T backend

--config takes the names in which health authorities publish: DailySummariesConfig and DiagnosisKeysDataMapping for v2, ExposureConfiguration for v1,
GAENSDKConfig for swisscovid; docs/risk.md has an example of each and says what holds without one.

Boards keep encounters, not single sightings: docs/risk.md says how scans are made of them, and how far that is off.
--json has days and nothing finer, and windows in a random order: it may be handed on.

Examples:
  tracelet score export.zip --db tracelet.db --key server-public.pem
  tracelet score export.zip --db tracelet.db --key server-public.pem --rule v1 --config authority.json --json`;

interface ScoreOptions extends Omit<MatchInput, "paths" | "protocol"> {
  db: string;
  rule: Rule;
  config?: string;
  cycle?: number;
  json?: boolean;
}

async function score(paths: string[], { db, rule, config, cycle, json, ...options }: ScoreOptions): Promise<void> {
  const { configuration, judge } = judgeOf(rule, config);
  const store = Store.open(db, { readOnly: true });
  try {
    const board = options.board === undefined ? undefined : (await namedBoard(store, options.board)).id;
    const cycleOf = await cycleOfBoards(store, cycle);
    const protocol = rule === "dp3t" ? "dp3t" : "gaen";
    const report = await matchInput(store, { ...options, paths, protocol, board });
    const { heard, unknown } = heardKeys(report.exposures, { cycleOf, areSightings: options.sightings });
    const today = Math.floor(Date.now() / 1000 / DAY);
    const names = new Map((await store.boards()).map(({ id, name }) => [id as string | null, name]));
    const boards = [...new Set(heard.map((one) => one.board))].sort().map((id) => ({
      id,
      ...judge(
        heard.filter((one) => one.board === id),
        today,
      ),
    }));
    const value = {
      rule,
      configuration,
      boards: boards.map(({ id, json }) => ({ board: id, cycleTime: cycleOf(id), ...json })),
      exposures: report.exposures.length,
      safe: report.safe.length,
      attenuationUnknown: unknown,
      setApart: report.setApart,
    };
    const text = [
      `${rule}: ${counted(report.exposures.length, "exposure")} to ${counted(new Set(heard.map(({ key }) => key)).size, "published key")}`,
      ...boards.flatMap(({ id, lines }) => {
        const name = names.get(id);
        return [`board ${id ?? "-"}${name && name !== id ? ` (${name})` : ""}`, ...lines.map((line) => `  ${line}`)];
      }),
      ...(report.safe.length > 0 ? [`${counted(report.safe.length, "exposure")} marked as safe: in no score`] : []),
      ...(unknown > 0 ? [`${counted(unknown, "exposure")} in no score: the transmit power is not known`] : []),
      ...report.setApart.map(({ what, reason, count }) => `${counted(count, what)} set apart: ${reason}`),
      ...(rule === "v2" && boards.length > 0
        ? ["A score is a number of minutes, weighed; many health authorities warn from 15 on. It is no diagnosis."]
        : []),
    ];
    createOutput(json === true).result(value, text.join("\n"));
  } finally {
    await store.close();
  }
}

export const register: RegisterCommand = (program) => {
  withMatchInput(program.command("score"))
    .description("tell how much exposures weigh, by the rules of health authorities")
    .addOption(new Option("--rule <name>", "by which rule").choices(RULES).default("v2"))
    .option("--config <file>", "configuration of the rule, JSON under its published names")
    .option("--json", "one JSON document instead of text, under the published names")
    .addHelpText("after", EXPLAINED)
    .action(score);
};
