import { closeSync, fchmodSync, fstatSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { InvalidArgumentError } from "commander";
import { ConfigError, ToolError } from "../errors.ts";
import type { MatchReport } from "../matching/exposure-list.ts";
import { type Report, reportPage } from "../report/page.ts";
import { daysPlot, eventPlot, overviewPlot, type ScoredDay } from "../report/plots.ts";
import { pngFile } from "../report/raster.ts";
import { type Scene, svgFile } from "../report/scene.ts";
import { type ExposureEvent, type Period, timeline } from "../report/timeline.ts";
import { counted, dayName, duration, span, zoneCalled } from "../report/words.ts";
import { assessWindows, heardSeconds } from "../risk/assessment.ts";
import { DEFAULT_WINDOW_CONFIGURATION, readWindowConfiguration, type WindowConfiguration } from "../risk/configuration.ts";
import { type Hearing, heardKeys } from "../risk/heard-keys.ts";
import { Store } from "../store/store.ts";
import { readBytes } from "./match.ts";
import { namedBoard } from "./named-board.ts";
import { createOutput, type RegisterCommand } from "./output.ts";
import { cycleOfBoards, type MatchInput, matchInput, withMatchInput } from "./score-input.ts";

const DAY = 86_400;

interface ReportOptions extends Omit<MatchInput, "paths"> {
  db: string;
  out: string;
  event?: number;
  svg?: string;
  png?: string;
  config?: string;
  cycle?: number;
  zone: string;
  title: string;
  json?: boolean;
}

/** Weighed minutes of each day of each board, by version 2; nothing of protocols that it doesn't know. */
export function scoredDays({ protocol, exposures }: MatchReport, hearing: Hearing, configuration: WindowConfiguration, now: number): ScoredDay[] {
  if (protocol !== "gaen") return [];
  const { heard } = heardKeys(exposures, hearing);
  const boards = [...new Set(heard.map(({ board }) => board))];
  return boards
    .flatMap((board) => {
      const mine = heard.filter((one) => one.board === board);
      const { windows, summaries } = assessWindows(configuration, mine, Math.floor(now / DAY));
      return summaries.map(({ day, total }) => ({
        board,
        day,
        scoreSeconds: total.scoreSum,
        heardSeconds: heardSeconds(windows, day),
      }));
    })
    .sort((a, b) => a.day - b.day || ((a.board ?? "") < (b.board ?? "") ? -1 : 1));
}

/** What the store knows beside a match: names, marks, boards that nobody wears. */
export async function reportContext(store: Store) {
  const boards = await store.boards();
  const names = new Map(boards.map(({ id, name }) => [id, name ?? id]));
  const fixedPlaces = new Map(boards.filter(({ role }) => role === "scanner").map(({ id, name }) => [id, name ?? id]));
  const periods = (await store.allMarks()).flatMap(({ kind, place, board, from, to }): Period[] =>
    kind === "safe" || from === null || to === null ? [] : [{ kind, place, board, from, to }],
  );
  return { names, fixedPlaces, periods };
}

/** As `--json` tells an event: what the page shows of it. */
function listed(event: ExposureEvent, names: ReadonlyMap<string, string>) {
  return { ...event, boardName: event.board === null ? null : (names.get(event.board) ?? null) };
}

/** `option`: which names the path. @throws ToolError "unwritable_file" */
function writing(path: string, option: string, work: () => void): void {
  try {
    work();
  } catch (cause) {
    throw new ToolError("unwritable_file", `${path}: can't be written (${(cause as Error).message}); name another one with ${option}`, { cause });
  }
}

function write(path: string, option: string, content: string | Uint8Array): void {
  writing(path, option, () => {
    const file = openSync(path, "w", 0o600);
    try {
      // it tells when and where somebody was: an older file that others may read is closed to them before the first byte
      if (fstatSync(file).isFile()) fchmodSync(file, 0o600);
      writeFileSync(file, content);
    } finally {
      closeSync(file);
    }
  });
}

/** Pictures of a report, each with the name of its file. */
export function scenes({ events, days, names, zone }: Report): { name: string; scene: Scene }[] {
  const nameOf = (board: string | null) => (board === null ? "unknown board" : (names.get(board) ?? board));
  return [
    ...(events.length > 0 ? [{ name: "overview", scene: overviewPlot(events, nameOf, zone) }] : []),
    ...(days.length > 0 ? [{ name: "days", scene: daysPlot(days, nameOf) }] : []),
    ...events.map((event) => ({ name: `event-${event.number}`, scene: eventPlot(event, zone) })),
  ];
}

async function report(
  paths: string[],
  { db, out, event: only, svg, png, config, cycle, zone: zoneName, title, json, ...options }: ReportOptions,
): Promise<void> {
  const output = createOutput(json === true);
  const zone = zoneCalled(zoneName);
  const configuration =
    config === undefined ? DEFAULT_WINDOW_CONFIGURATION : readWindowConfiguration(Buffer.from(readBytes(config)).toString("utf8"), config);
  const store = Store.open(db, { readOnly: true });
  try {
    const board = options.board === undefined ? undefined : (await namedBoard(store, options.board)).id;
    const match = await matchInput(store, { ...options, paths, board });
    const { names, fixedPlaces, periods } = await reportContext(store);
    const hearing = { cycleOf: await cycleOfBoards(store, cycle), areSightings: options.sightings };
    const madeAt = Math.floor(Date.now() / 1000);
    const all = timeline(match.exposures, match.safe, { ...hearing, periods, fixedPlaces });
    if (only !== undefined && only > all.length)
      throw new ConfigError(
        "no_such_event",
        `event ${only}: there ${all.length === 1 ? "is 1" : `are ${all.length}`}; \`tracelet report\` numbers them by time`,
      );
    const events = only === undefined ? all : [all[only - 1]];
    const page: Report = {
      title,
      protocol: match.protocol,
      madeAt,
      zone,
      names,
      events,
      days: only === undefined ? scoredDays(match, hearing, configuration, madeAt) : [],
      keys: match.keys,
      encounters: match.encounters,
      setApart: match.setApart.map(({ what, reason, count }) => `${counted(count, what)}, ${reason}`),
    };
    if (json === true) {
      const told = events.map((one) => listed(one, names));
      return output.result(only === undefined ? { protocol: match.protocol, zone: "UTC", events: told, days: page.days } : told[0], "");
    }
    write(out, "--out", reportPage(page));
    const files = [out];
    for (const [folder, ending, draw] of [[svg, "svg", svgFile] as const, [png, "png", pngFile] as const]) {
      if (folder === undefined) continue;
      const option = `--${ending}`;
      writing(folder, option, () => mkdirSync(folder, { recursive: true, mode: 0o700 }));
      for (const { name, scene } of scenes(page)) {
        const path = join(folder, `${name}.${ending}`);
        write(path, option, draw(scene));
        files.push(path);
      }
    }
    const lines = events.map((one) => {
      const local = zone.local(one.from);
      const who = one.board === null ? "-" : (names.get(one.board) ?? one.board);
      return `  ${one.number}  ${dayName(local)}, ${span(local, zone.local(one.to))} ${zone.name}, ${who}, ${duration(one.to - one.from)}${one.safe ? ", marked as safe" : ""}`;
    });
    output.result(undefined, [`${counted(events.length, "event")}`, ...lines, `written: ${files.join(", ")}`].join("\n"));
  } finally {
    await store.close();
  }
}

function eventNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError("the number of an event is expected, from 1 on.");
  return Number(text);
}

export const register: RegisterCommand = (program) => {
  withMatchInput(program.command("report"))
    .description("write exposures minute by minute, as a page for people: when, how near, where, protected or not")
    .option("--out <file>", "the page, HTML, readable by you alone", "report.html")
    .option("--svg <dir>", "its pictures as SVG files, too")
    .option("--png <dir>", "its pictures as PNG files, too; letters are capitals")
    .option("--event <number>", "only this event", eventNumber)
    .option("--zone <name>", "time zone of the page, as Europe/Vienna", "UTC")
    .option("--title <text>", "heading of the page", "Exposure report")
    .option("--protocol <name>", "whose keys: gaen, ct10, dp3t, dp3t-unlinkable or opencovidtrace", "gaen")
    .option("--config <file>", "configuration of the score, as `tracelet score --rule v2` takes it")
    .option("--json", "one JSON document in place of the page")
    .addHelpText(
      "after",
      `
\`tracelet mark\` says that a wearer was protected or where a board was; the page shows it beside each minute and takes nothing away for it.
The page is one file without scripts, and loads nothing. It has no keys and no identifiers, but it tells when and where somebody was.

Examples:
  tracelet report export.zip --db tracelet.db --key server-public.pem --out report.html --zone Europe/Vienna
  tracelet report export.zip --db tracelet.db --key server-public.pem --event 2 --json`,
    )
    .action(report);
};
