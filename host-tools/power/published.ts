import type { BoardFacts } from "../../boards/board-facts.ts";
import { BOARDS } from "../../boards/index.ts";
import { charge, MEAN_DELAY, type Usage } from "./charge.ts";

/** A published current and what the model says of the same state, microamperes. */
export interface Comparison {
  published: number;
  model: number;
  /** Model against published. */
  percent: number;
  /** input: the model was made from it. check: it was not. bound: published as "less than". */
  kind: "input" | "check" | "bound";
}

const HOUR = 3600;

function hourOf(doing: Partial<Usage>): Usage {
  return {
    seconds: HOUR,
    buttonWatched: false,
    screenOn: false,
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

/** Every state with a published current, and what a board does in it. A Pixl.js was measured with its screen on. */
function states(facts: BoardFacts): [name: string, published: number | undefined, usage: Usage, kind: Comparison["kind"]][] {
  const { currents } = facts;
  const screenOn = currents.sleepScreenOn !== undefined;
  const events = (intervalMs: number) => HOUR / (intervalMs / 1000 + MEAN_DELAY);
  // measured with the screen on, used by the model as if above sleep: what comes out is a check
  const kind = screenOn ? "check" : "input";
  return [
    ["sleep", currents.sleep, hourOf({}), "input"],
    ["sleepWatching", currents.sleepWatching, hourOf({ buttonWatched: true }), "input"],
    ["sleepScreenOn", currents.sleepScreenOn, hourOf({ screenOn }), "input"],
    ["advertising375", currents.advertising375, hourOf({ screenOn, answerableEvents: events(375) }), "input"],
    ["advertisingNonConnectable375", currents.advertisingNonConnectable375, hourOf({ screenOn, silentEvents: events(375) }), "input"],
    ["advertisingNonConnectable2000Below", currents.advertisingNonConnectable2000Below, hourOf({ silentEvents: events(2000) }), "bound"],
    ["connectedIdle", currents.connectedIdle, hourOf({ screenOn, connectedIdleSeconds: HOUR }), kind],
    ["connectedActive", currents.connectedActive, hourOf({ screenOn, connectedActiveSeconds: HOUR }), kind],
    ["scanning", currents.scanning, hourOf({ screenOn, scanSeconds: HOUR }), kind],
    ["cpu", currents.cpu, hourOf({ screenOn, cpuSeconds: HOUR }), kind],
  ];
}

/** The model against every published current of every board. */
export function compareWithPublished(): { [board: string]: { [state: string]: Comparison } } {
  const boards: { [board: string]: { [state: string]: Comparison } } = {};
  for (const facts of BOARDS) {
    const rows: { [state: string]: Comparison } = {};
    for (const [state, published, usage, kind] of states(facts)) {
      if (published === undefined) continue;
      const model = charge(facts, usage).mean;
      rows[state] = { published, model, percent: (model / published - 1) * 100, kind };
    }
    boards[facts.id] = rows;
  }
  return boards;
}
