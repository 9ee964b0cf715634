import { InvalidArgumentError } from "commander";
import { durationInWords, utc } from "../device/clock-words.ts";
import { ConfigError } from "../errors.ts";
import type { ClockContact, ClockHistory, CorrectedStretch, EraHistory } from "../store/clock-history.ts";
import { Store } from "../store/store.ts";
import type { Bounds } from "../store/undated.ts";
import { createOutput, type RegisterCommand } from "./output.ts";

const BASIS: { [basis in CorrectedStretch["basis"]]: string } = {
  between: "between two contacts",
  beyond: "beyond the contacts, with the drift known there",
  nearest: "by the nearest contact",
};
const HOW: { [how in ClockContact["how"]]: string } = { set: "set", seen: "seen", other: "set by another tool" };

function describeStretch({ fromMs, toMs, fromTick, toTick, driftPpm, correctionMs, basis }: CorrectedStretch): string {
  const drift = driftPpm === 0 ? "no drift known" : `${Math.abs(driftPpm)} ppm ${driftPpm > 0 ? "slow" : "fast"}`;
  const sign = correctionMs < 0 ? "−" : "+";
  return `    ${utc(fromMs)} to ${utc(toMs)}, ticks ${Math.floor(fromTick)} to ${Math.floor(toTick)}: ${drift}, ${sign}${durationInWords(correctionMs)} at its end, ${BASIS[basis]}`;
}

function describeContact(era: number, { tick, unixMs, how, offsetMs, roundTripMs, state }: ClockContact): string {
  const off = offsetMs === undefined ? "" : `, board ${durationInWords(offsetMs)} ${offsetMs < 0 ? "behind" : "ahead"}`;
  const trip = roundTripMs === undefined ? "" : `, round trip ${Math.round(roundTripMs)} ms`;
  const note = state === "used" ? "" : `: ${state}`;
  return `    contact ${era}:${Math.floor(tick)}  ${utc(unixMs)} ${HOW[how]}${off}${trip}${note}`;
}

/** "between … and …" of what has no date. */
export function boundsInWords({ notBefore, notAfter }: Bounds): string {
  const from = notBefore === undefined ? undefined : utc(notBefore * 1000);
  const to = notAfter === undefined ? undefined : utc(notAfter * 1000);
  if (from && to) return `between ${from} and ${to}`;
  return from ? `after ${from}` : to ? `before ${to}` : "at a time nobody knows";
}

function describeEra({ era, lastTick, stretches, bounds, contacts }: EraHistory): string[] {
  const long = durationInWords(lastTick * 1000);
  const head = stretches.length > 0 ? `${long} known` : `no date, ${long} known; it began ${boundsInWords(bounds ?? {})}`;
  return [`  era ${era}: ${head}`, ...stretches.map(describeStretch), ...contacts.map((contact) => describeContact(era, contact))];
}

function describe(histories: ClockHistory[]): string {
  if (histories.length === 0) return "no board's clock was seen yet";
  return histories.flatMap(({ board, logId, eras }) => [`board ${board}, log ${logId}`, ...eras.flatMap(describeEra)]).join("\n");
}

function contactName(text: string): { era: number; tick: number } {
  const [, era, tick] = /^(\d+):(\d+)$/.exec(text) ?? [];
  if (era === undefined) throw new InvalidArgumentError("a contact is named ERA:TICK, as this command lists it.");
  return { era: Number(era), tick: Number(tick) };
}

interface ClocksOptions {
  db: string;
  json?: boolean;
  leaveOut?: { era: number; tick: number };
  count?: { era: number; tick: number };
}

export const register: RegisterCommand = (program) => {
  program
    .command("clocks [board]")
    .description("tell how boards' clocks ran, and what was corrected in their logs")
    .requiredOption("--db <file>", "database")
    .option("--leave-out <contact>", "this computer's clock was wrong at that contact: date the log without it", contactName)
    .option("--count <contact>", "count a contact again that was left out", contactName)
    .option("--json", "print one JSON document; times in Unix ms")
    .addHelpText(
      "after",
      "\nExamples:\n  tracelet clocks --db tracelet.db\n  tracelet clocks 0123456789abcdef --db tracelet.db --leave-out 3:86412\n\nA contact is named ERA:TICK. Nothing is deleted; docs/time.md says what the words mean.",
    )
    .action(async (board: string | undefined, options: ClocksOptions) => {
      const output = createOutput(options.json === true);
      const change = options.leaveOut ?? options.count;
      if (change && board === undefined) throw new ConfigError("no_board_named", "which board? name it: tracelet clocks BOARD --leave-out ERA:TICK");
      const store = Store.open(options.db, { readOnly: change === undefined });
      try {
        const known = (await store.boards()).map(({ id }) => id);
        if (board !== undefined && !known.includes(board))
          throw new ConfigError(
            "no_such_board",
            `board ${board}: not in this database; ${known.length > 0 ? `known: ${known.join(", ")}` : "it has none yet"}`,
          );
        const changed = change ? await store.leaveOutContact(board!, change, options.leaveOut !== undefined) : undefined;
        const histories = await store.clockHistory(board);
        const lines = changed === undefined ? [] : [`${changed} records have other times now`];
        output.result({ changed, logs: histories }, [...lines, describe(histories)].join("\n"));
      } finally {
        await store.close();
      }
    });
};
