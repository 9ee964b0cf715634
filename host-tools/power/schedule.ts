import type { BoardFacts } from "../../boards/board-facts.ts";
import { ROLES } from "../../boards/capabilities.ts";
import { batteryDays } from "./charge.ts";
import { detection } from "./detection.ts";
import { type Estimate, estimate, neighbourInterval, PLAIN, type Schedule, type Speech, type Surroundings, usualSchedule } from "./model.ts";

/** GAEN-10: a scan of at least 2 s every 5 minutes at most; Google's and Apple's phones scan for 4 s. */
const LONGEST_CYCLE = 300;
const USUAL_SCAN = 4;
/** GAEN-08: recommended, ms. */
const RECOMMENDED_FASTEST = 200;
const RECOMMENDED_SLOWEST = 270;

/** SmartBeacon's phones listen for 4 s of each 30; at 250 ms its messages in fragments get lost where the air is full (docs/performance.md). */
const COLLECTOR_CYCLE = 30;
const SMARTBEACON_SLOWEST = 250;

/** What may be chosen, best first: scans as phones do, more of them if there is room, fewer seconds if there is none. `slower`: when nothing else is long enough, with the last scans. */
interface Choices {
  scanTimes: number[];
  cycleTimes: number[];
  intervals: number[];
  slower: number[];
}
const GAENS: Choices = {
  scanTimes: [USUAL_SCAN, 2],
  cycleTimes: [60, 90, 120, 150, 180, 210, 240, 270, LONGEST_CYCLE],
  intervals: [250, 270],
  slower: [300, 350, 400, 500, 700, 1000],
};
const CHOICES: { [role: string]: Choices } = {
  smartbeacon: { scanTimes: [], cycleTimes: [], intervals: [100, 150, 200, SMARTBEACON_SLOWEST], slower: [300, 400, 500, 700, 1000] },
  token: {
    scanTimes: [8, USUAL_SCAN, 2],
    cycleTimes: [44, 60, 90, 120, 180, 240, LONGEST_CYCLE],
    intervals: [250],
    slower: [300, 400, 500, 700, 1000],
  },
  collector: { scanTimes: [USUAL_SCAN], cycleTimes: [COLLECTOR_CYCLE, 45, 60, 90, 120, 180, 240, 300], intervals: [], slower: [] },
};

type Steps = { [name in keyof Schedule]: number[] };
/** How each setting is varied in the table. */
const STEPS: Steps = {
  scanTime: [2, 4, 6, 8],
  cycleTime: [300, 240, 180, 120, 60],
  advertisingInterval: [200, 250, 270, 300, 500, 1000],
  txPower: [4, 0, -4, -8, -12, -20],
  messagePeriod: [],
};
const STEPS_OF: { [role: string]: Partial<Steps> } = {
  smartbeacon: { advertisingInterval: [100, 150, 250, 500, 1000], messagePeriod: [30, 60, 120] },
  collector: { cycleTime: [30, 60, 120, 300] },
  token: { cycleTime: [44, 60, 120, 300, 600] },
};
const SCHEDULE_SETTINGS = Object.keys(STEPS) as (keyof Schedule)[];

/** Settings that cost or save charge in this role, in the order of the table. */
export function settingsOf(role: string): (keyof Schedule)[] {
  const { advertise, scan } = ROLES[role];
  return SCHEDULE_SETTINGS.filter((name) =>
    name === "messagePeriod" ? role === "smartbeacon" : name === "scanTime" || name === "cycleTime" ? scan : advertise,
  );
}

/** A CR2032's nominal capacity to 2.0 V at a low drain; makers say 220 to 240 mAh. */
export const COIN_CELL = 225;
/** Part of the capacity that counts: 1 to 2 % a year of self-discharge, and a cell that is nearly empty sags below the brown-out of board and flash under 12 mA. An assumption. */
export const USABLE = 0.85;

export interface Battery {
  milliampereHours: number;
  /** 0 to 1. */
  usable: number;
}

/** What is asked: a board in its role, a battery, and perhaps days and settings that are fixed. */
export interface Wish {
  facts: BoardFacts;
  role: string;
  battery: Battery;
  surroundings: Surroundings;
  /** Days it shall last; without them nothing is chosen. */
  days?: number;
  fixed: Partial<Schedule>;
  /** Plain where nothing is said. */
  speech?: Speech;
}

export interface Priced {
  schedule: Schedule;
  meanMicroamps: number;
  days: number;
  /** Probability that an encounter of so many minutes with a board of the same settings is heard at all; only where the role scans. */
  heard?: { [minutes: number]: number };
  /** How far it is heard, against 0 dBm; only where the role advertises. */
  reach?: number;
}

export interface Alternative extends Priced {
  /** The setting that differs from the chosen schedule; undefined on the chosen one itself. */
  changed?: keyof Schedule;
  chosen: boolean;
}

export interface Choice extends Priced {
  estimate: Estimate;
  /** With all parts at their highest and lowest. */
  daysRange: [number, number];
  /** False: no schedule within the demands lasts so long, and this is the longest. */
  reached: boolean;
  /** Sentences for a person: where a demand or recommendation is left, what is missing. */
  notes: string[];
  alternatives: Alternative[];
}

const MINUTES = [1, 5, 15];
/** ITU-R P.1238, office at 2.4 GHz: 10 n = 30 dB for a factor of ten. */
const DECIBELS_PER_DECADE = 30;
function price(wish: Wish, schedule: Schedule): Priced & { estimate: Estimate; daysRange: [number, number] } {
  const { facts, role, battery, surroundings, speech = PLAIN } = wish;
  const result = estimate(facts, role, schedule, surroundings, speech);
  const lasts = (mean: number) => batteryDays(mean, battery.milliampereHours * battery.usable);
  const { advertise, scan } = ROLES[role];
  const neighbour = neighbourInterval(role, schedule);
  return {
    schedule,
    meanMicroamps: result.mean,
    days: lasts(result.mean),
    ...(scan && { heard: Object.fromEntries(MINUTES.map((minutes) => [minutes, detection(schedule, neighbour, minutes)])) }),
    ...(advertise && { reach: 10 ** (schedule.txPower / DECIBELS_PER_DECADE) }),
    estimate: result,
    daysRange: [lasts(result.range[1]), lasts(result.range[0])],
  };
}

/** Schedules in the order of preference. Settings the role has no use for stay as they are, and so does the transmit power: it says how near is near. */
function candidates({ role, fixed }: Wish): Schedule[] {
  const { advertise, scan } = ROLES[role];
  const initial = usualSchedule(role, fixed);
  const { scanTimes, cycleTimes, intervals, slower } = CHOICES[role] ?? GAENS;
  const choose = (name: keyof Schedule, values: number[], used: boolean) => (used && fixed[name] === undefined ? values : [initial[name]]);
  const all = (scans: number[], cycles: number[], advertising: number[]) =>
    choose("scanTime", scans, scan).flatMap((scanTime) =>
      choose("cycleTime", cycles, scan).flatMap((cycleTime) =>
        choose("advertisingInterval", advertising, advertise).map((advertisingInterval) => ({
          ...initial,
          scanTime,
          cycleTime,
          advertisingInterval,
        })),
      ),
    );
  return [...all(scanTimes, cycleTimes, intervals), ...all(scanTimes.slice(-1), cycleTimes.slice(-1), slower)];
}

/** Prices a schedule, or chooses the first in the order of preference that lasts as long as is wished, and varies it setting by setting. */
export function chooseSchedule(wish: Wish): Choice {
  const { days } = wish;
  const priced = (days === undefined ? [usualSchedule(wish.role, wish.fixed)] : candidates(wish)).map((schedule) => price(wish, schedule));
  const enough = priced.find((one) => days === undefined || one.days >= days);
  const chosen = enough ?? priced.reduce((longest, one) => (one.days > longest.days ? one : longest));
  return {
    ...chosen,
    reached: enough !== undefined,
    notes: notesOn(wish, chosen.schedule, chosen.estimate, enough === undefined ? chosen.days : undefined),
    alternatives: alternatives(wish, chosen.schedule),
  };
}

function alternatives(wish: Wish, chosen: Schedule): Alternative[] {
  const steps: Steps = { ...STEPS, ...STEPS_OF[wish.role] };
  const row = (schedule: Schedule, changed?: keyof Schedule): Alternative => {
    const { estimate: _, daysRange: __, ...rest } = price(wish, schedule);
    return { ...rest, changed, chosen: changed === undefined };
  };
  const varied = (name: keyof Schedule) =>
    steps[name]
      .filter((value) => value !== chosen[name] && (name !== "txPower" || wish.facts.txPowers.includes(value)))
      .map((value) => row({ ...chosen, [name]: value }, name));
  return [row(chosen), ...settingsOf(wish.role).flatMap(varied)];
}

function notesOn({ facts, role, days, fixed }: Wish, schedule: Schedule, { unknown, borrowed }: Estimate, longest: number | undefined): string[] {
  const { scan } = ROLES[role];
  const notes: string[] = [];
  const decided = Object.keys(fixed).length > 0;
  const isGaens = CHOICES[role] === undefined;
  if (longest !== undefined)
    notes.push(
      `${days} days can't be reached${decided ? " with these settings" : scan && isGaens ? " with the scans GAEN demands" : ""}: this is the longest, ${longest.toFixed(0)} days; take a larger battery (--battery).`,
    );
  if (role === "token") notes.push("What a link and its work cost is an assumption (docs/energy.md); it matters among many neighbours only.");
  else notes.push(...(isGaens ? gaenNotes(role, schedule) : smartBeaconNotes(role, schedule)));
  if (unknown.length > 0) notes.push(`Nobody has published the current of: ${unknown.join(", ")}. It is not in the sum.`);
  if (borrowed.length > 0) notes.push(`Taken from another board with the same module: ${borrowed.join(", ")}.`);
  if (facts.screen && facts.currents.sleepScreenOn !== undefined) notes.push("The screen is off but for ten looks of ten seconds a day.");
  return notes;
}

function gaenNotes(role: string, { cycleTime, scanTime, advertisingInterval: interval }: Schedule): string[] {
  const { advertise, scan } = ROLES[role];
  const notes: string[] = [];
  if (scan && cycleTime > LONGEST_CYCLE) notes.push(`GAEN demands a scan at least every ${LONGEST_CYCLE} s; this is one every ${cycleTime} s.`);
  if (scan && scanTime < USUAL_SCAN) notes.push(`Scans of ${scanTime} s are what GAEN demands; it recommends ${USUAL_SCAN} s.`);
  if (advertise && (interval < RECOMMENDED_FASTEST || interval > RECOMMENDED_SLOWEST))
    notes.push(`Advertising every ${interval} ms leaves GAEN's recommended ${RECOMMENDED_FASTEST} to ${RECOMMENDED_SLOWEST} ms.`);
  return notes;
}

function smartBeaconNotes(role: string, { cycleTime, scanTime, advertisingInterval }: Schedule): string[] {
  if (role === "smartbeacon")
    return [
      ...(advertisingInterval > SMARTBEACON_SLOWEST
        ? [
            `Advertising every ${advertisingInterval} ms: messages in fragments will be lost; send tokens, or no slower than ${SMARTBEACON_SLOWEST} ms.`,
          ]
        : []),
      "Without power a SmartBeacon forgets the hour: it belongs on a supply.",
    ];
  return [
    ...(cycleTime > COLLECTOR_CYCLE || scanTime < USUAL_SCAN
      ? [`SmartBeacon's receivers listen for ${USUAL_SCAN} s of each ${COLLECTOR_CYCLE} s; this is ${scanTime} s of ${cycleTime}.`]
      : []),
    "1, 5 and 15 min are of a visit in which a compact token is heard; messages in fragments need luck besides (docs/performance.md).",
  ];
}
