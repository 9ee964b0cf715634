import type { BoardFacts } from "../../boards/board-facts.ts";
import { BOARDS } from "../../boards/index.ts";
import { puckjs } from "../../boards/puckjs.ts";
import { charge, MEAN_DELAY, type Usage } from "./charge.ts";

/** A published current and what the model says of the same state, microamperes. */
export interface Comparison {
  published: number;
  model: number;
  /** Model against published. */
  percent: number;
  /** input: the model was made from it. check: predicted from a Puck.js, which has the same module. bound: published as "less than". */
  kind: "input" | "check" | "bound";
}

const HOUR = 3600;

function hourOf(doing: Partial<Usage>): Usage {
  return {
    seconds: HOUR,
    buttonWatched: false,
    screenOn: 0,
    silentEvents: 0,
    answerableEvents: 0,
    transmitSecondsAt: {},
    scanSeconds: 0,
    connectedActiveSeconds: 0,
    connectedIdleSeconds: 0,
    cpuSeconds: 0,
    ...doing,
  };
}

/** Every state with a published current, and what a board does in it. A board with a screen was measured with the screen on. */
function states(facts: BoardFacts): [name: string, published: number | undefined, usage: Usage, kind: Comparison["kind"]][] {
  const { currents } = facts;
  const screenOn = currents.sleepScreenOn === undefined ? 0 : 1;
  const events = (intervalMs: number) => HOUR / (intervalMs / 1000 + MEAN_DELAY);
  return [
    ["sleep", currents.sleep, hourOf({}), "input"],
    ["sleepWatching", currents.sleepWatching, hourOf({ buttonWatched: true }), "input"],
    ["sleepScreenOn", currents.sleepScreenOn, hourOf({ screenOn }), "input"],
    ["advertising375", currents.advertising375, hourOf({ screenOn, answerableEvents: events(375) }), "input"],
    ["advertisingNonConnectable375", currents.advertisingNonConnectable375, hourOf({ screenOn, silentEvents: events(375) }), "input"],
    ["advertisingNonConnectable2000Below", currents.advertisingNonConnectable2000Below, hourOf({ silentEvents: events(2000) }), "bound"],
    ["connectedIdle", currents.connectedIdle, hourOf({ screenOn, connectedIdleSeconds: HOUR }), "input"],
    ["connectedActive", currents.connectedActive, hourOf({ screenOn, connectedActiveSeconds: HOUR }), "input"],
    ["scanning", currents.scanning, hourOf({ screenOn, scanSeconds: HOUR }), "input"],
    ["cpu", currents.cpu, hourOf({ screenOn, cpuSeconds: HOUR }), "input"],
  ];
}

/** Built from the module that a Puck.js is built from (espruino.com/MDBT42Q): what is on top of rest ought to be the same. */
const SAME_MODULE = ["mdbt42q", "pixljs"];

/** Rest of a board, and a Puck.js's figures on top of it. */
function likePuck(currents: BoardFacts["currents"]): BoardFacts["currents"] {
  const shift = (currents.sleepScreenOn ?? currents.sleep!) - puckjs.currents.sleep!;
  const moved = (current: number | undefined) => current! + shift;
  const { advertising375, connectedIdle, connectedActive, scanning, cpu } = puckjs.currents;
  return {
    source: puckjs.currents.source,
    sleep: currents.sleep,
    sleepScreenOn: currents.sleepScreenOn,
    advertising375: moved(advertising375),
    connectedIdle: moved(connectedIdle),
    connectedActive: moved(connectedActive),
    scanning: moved(scanning),
    cpu: moved(cpu),
  };
}

/** The model against every published current of every board. */
export function compareWithPublished(): { [board: string]: { [state: string]: Comparison } } {
  const boards: { [board: string]: { [state: string]: Comparison } } = {};
  for (const facts of BOARDS) {
    const rows: { [state: string]: Comparison } = {};
    const asPuck = SAME_MODULE.includes(facts.id) ? { ...facts, currents: likePuck(facts.currents) } : undefined;
    for (const [state, published, usage, kind] of states(facts)) {
      if (published === undefined) continue;
      const compare = (by: BoardFacts, how: Comparison["kind"]): Comparison => {
        const model = charge(by, usage).mean;
        return { published, model, percent: (model / published - 1) * 100, kind: how };
      };
      rows[state] = compare(facts, kind);
      if (asPuck && !state.startsWith("sleep")) rows[`${state} as a Puck.js`] = compare(asPuck, "check");
    }
    boards[facts.id] = rows;
  }
  return boards;
}

/** What each state is called in tables. */
const IN_WORDS: { [state: string]: string } = {
  sleep: "sleep, radio off",
  sleepWatching: "sleep with a watch on the button",
  sleepScreenOn: "sleep, screen on",
  advertising375: "advertising every 375 ms, connectable",
  advertisingNonConnectable375: "advertising every 375 ms, non-connectable",
  advertisingNonConnectable2000Below: "advertising every 2 s, non-connectable",
  connectedIdle: "connected, idle",
  connectedActive: "connected, active",
  scanning: "scanning all the time",
  cpu: "processor all the time",
};
const AS_PUCK = " as a Puck.js";

/** Every published current with the model's and its error, as rows of a table in Markdown. */
export function publishedTable(): string[] {
  const rows = ["| board | state | published µA | model µA | error | |", "|---|---|---|---|---|---|"];
  const names = new Map(BOARDS.map(({ id, name }) => [id, name]));
  for (const [board, states] of Object.entries(compareWithPublished()))
    for (const [state, { published, model, percent, kind }] of Object.entries(states)) {
      const words = IN_WORDS[state.replace(AS_PUCK, "")]!;
      const error = `${percent > 0 ? "+" : "−"}${Math.abs(percent).toFixed(0)} %`;
      const how = { input: "made from it", check: "from a Puck.js's figures", bound: "published as less than that" }[kind];
      const shown = kind === "bound" ? (model < published ? "holds" : "does not hold") : Math.abs(percent) < 0.5 ? "0 %" : error;
      rows.push(`| ${names.get(board)} | ${words} | ${published} | ${model < 10 ? model.toFixed(1) : model.toFixed(0)} | ${shown} | ${how} |`);
    }
  return rows;
}
