import type { BoardFacts } from "../../boards/board-facts.ts";
import { ROLES } from "../../boards/capabilities.ts";
import { SETTING_RULES } from "../../protocols/settings.ts";
import { batteryDays } from "./charge.ts";
import { detection } from "./detection.ts";
import { type Estimate, estimate, type Schedule, type Surroundings } from "./model.ts";

/** GAEN-10: a scan of at least 2 s every 5 minutes at most; Google's and Apple's phones scan for 4 s. */
const LONGEST_CYCLE = 300;
const USUAL_SCAN = 4;
/** GAEN-08: recommended, ms. */
const RECOMMENDED_FASTEST = 200;
const RECOMMENDED_SLOWEST = 270;

/** What may be chosen, best first: scans as phones do, more of them if there is room, fewer seconds if there is none. */
const SCAN_TIMES = [USUAL_SCAN, 2];
const CYCLE_TIMES = [60, 90, 120, 150, 180, 210, 240, 270, 300];
const RECOMMENDED = [250, 270];
/** When nothing else is long enough. */
const SLOWER = [300, 350, 400, 500, 700, 1000];

/** How each setting is varied in the table. */
const STEPS: { [name in keyof Schedule]: number[] } = {
  scanTime: [2, 4, 6, 8],
  cycleTime: [300, 240, 180, 120, 60],
  advertisingInterval: [200, 250, 270, 300, 500, 1000],
  txPower: [4, 0, -4, -8, -12, -20],
};
export const SCHEDULE_SETTINGS = Object.keys(STEPS) as (keyof Schedule)[];

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
/** Phones in the neighbourhood, ms. */
const USUAL_INTERVAL = 250;

/** What a fresh board starts with. */
export function initialSchedule(fixed: Partial<Schedule> = {}): Schedule {
  const initial = (name: keyof Schedule) => fixed[name] ?? SETTING_RULES[name].initial;
  return {
    cycleTime: initial("cycleTime"),
    scanTime: initial("scanTime"),
    advertisingInterval: initial("advertisingInterval"),
    txPower: initial("txPower"),
  };
}

function price(wish: Wish, schedule: Schedule): Priced & { estimate: Estimate; daysRange: [number, number] } {
  const { facts, role, battery, surroundings } = wish;
  const result = estimate(facts, role, schedule, surroundings);
  const lasts = (mean: number) => batteryDays(mean, battery.milliampereHours * battery.usable);
  const { advertise, scan } = ROLES[role];
  const neighbour = advertise ? schedule.advertisingInterval : USUAL_INTERVAL;
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
  const initial = initialSchedule(fixed);
  const choose = (name: keyof Schedule, values: number[], used: boolean) => (used && fixed[name] === undefined ? values : [initial[name]]);
  const all = (scanTimes: number[], cycleTimes: number[], intervals: number[]) =>
    choose("scanTime", scanTimes, scan).flatMap((scanTime) =>
      choose("cycleTime", cycleTimes, scan).flatMap((cycleTime) =>
        choose("advertisingInterval", intervals, advertise).map((advertisingInterval) => ({ ...initial, scanTime, cycleTime, advertisingInterval })),
      ),
    );
  return [...all(SCAN_TIMES, CYCLE_TIMES, RECOMMENDED), ...all([2], [LONGEST_CYCLE], SLOWER)];
}

/** Prices a schedule, or chooses the first in the order of preference that lasts as long as is wished, and varies it setting by setting. */
export function chooseSchedule(wish: Wish): Choice {
  const { days } = wish;
  const priced = (days === undefined ? [initialSchedule(wish.fixed)] : candidates(wish)).map((schedule) => price(wish, schedule));
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
  const { advertise, scan } = ROLES[wish.role];
  const row = (schedule: Schedule, changed?: keyof Schedule): Alternative => {
    const { estimate: _, daysRange: __, ...rest } = price(wish, schedule);
    return { ...rest, changed, chosen: changed === undefined };
  };
  const varied = (name: keyof Schedule) =>
    STEPS[name]
      .filter((value) => value !== chosen[name] && (name !== "txPower" || wish.facts.txPowers.includes(value)))
      .map((value) => row({ ...chosen, [name]: value }, name));
  return [
    row(chosen),
    ...SCHEDULE_SETTINGS.flatMap((name) => ((name === "scanTime" || name === "cycleTime" ? scan : advertise) ? varied(name) : [])),
  ];
}

function notesOn({ facts, role, days, fixed }: Wish, schedule: Schedule, { unknown, borrowed }: Estimate, longest: number | undefined): string[] {
  const { advertise, scan } = ROLES[role];
  const notes: string[] = [];
  const decided = Object.keys(fixed).length > 0;
  if (longest !== undefined)
    notes.push(
      `${days} days can't be reached${decided ? " with these settings" : scan ? " with the scans GAEN demands" : ""}: this is the longest, ${longest.toFixed(0)} days; take a larger battery (--battery).`,
    );
  if (scan && schedule.cycleTime > LONGEST_CYCLE)
    notes.push(`GAEN demands a scan at least every ${LONGEST_CYCLE} s; this is one every ${schedule.cycleTime} s.`);
  if (scan && schedule.scanTime < USUAL_SCAN) notes.push(`Scans of ${schedule.scanTime} s are what GAEN demands; it recommends ${USUAL_SCAN} s.`);
  const interval = schedule.advertisingInterval;
  if (advertise && (interval < RECOMMENDED_FASTEST || interval > RECOMMENDED_SLOWEST))
    notes.push(`Advertising every ${interval} ms leaves GAEN's recommended ${RECOMMENDED_FASTEST} to ${RECOMMENDED_SLOWEST} ms.`);
  if (unknown.length > 0) notes.push(`Nobody has published the current of: ${unknown.join(", ")}. It is not in the sum.`);
  if (borrowed.length > 0) notes.push(`Taken from another board with the same module: ${borrowed.join(", ")}.`);
  if (facts.screen && facts.currents.sleepScreenOn !== undefined) notes.push("The screen is off but for ten looks of ten seconds a day.");
  return notes;
}
