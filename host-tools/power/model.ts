import type { BoardFacts } from "../../boards/board-facts.ts";
import { ROLES } from "../../boards/capabilities.ts";
import { SETTING_RULES } from "../../protocols/settings.ts";
import { charge, MEAN_DELAY, PARTS, type Part, type Usage } from "./charge.ts";

/** The settings of protocols/settings.ts that cost or save charge. */
export interface Schedule {
  /** Seconds. */
  cycleTime: number;
  /** Seconds. */
  scanTime: number;
  /** Milliseconds. */
  advertisingInterval: number;
  /** dBm. */
  txPower: number;
}

/** Who is around, on average over day and night. */
export interface Surroundings {
  /** Boards or phones in reach that advertise. */
  neighbours: number;
}

export const DEFAULT_NEIGHBOURS = 5;
/** GAEN-08, in the middle of the recommended range: what phones do. */
const USUAL_INTERVAL = 250;
const DAY = 86400;
/** GAEN-05: from 601 to 1199 s, equally likely. */
export const MEAN_ROTATION = 900;
/** Three packets of 31 bytes at 1 Mbit/s: 376 us each. Bluetooth Core 5.4, Vol 6, Part B, 2.1. */
const TRANSMIT_PER_EVENT = 3 * 376e-6;
/** Part of the advertising events in a window that arrive from a near neighbour. Virtual air at 1 m: 0.97, without Wi-Fi and bodies that turn. */
export const RECEPTION = 0.9;

/**
 * Machine instructions of the firmware's work. Measured with callgrind on the real interpreter (2v29, 32-bit Linux, compiled for size), with the bundles of this
 * version and 30 neighbours.
 */
const INSTRUCTIONS = {
  /** An advertisement in the scan handler, and its share of the end of a step: 280,000 + 290,000 / 8. */
  report: 316_000,
  /** A step of 2 s and a scan: both walk over all open encounters. Together 6.7 million when there are none. */
  step: 3_350_000,
  scan: 3_350_000,
  /** A new identifier with its address. */
  rotation: 15_000_000,
};
/** 1,000 of them take 20 to 25 us on a Puck.js: a loop that Espruino publishes as 4,000 turns a second takes 13,600 of them. */
export const SECONDS_PER_INSTRUCTION = 22.5e-9;

/** What the firmware did, as a radio counts it. */
export interface FirmwareWork {
  /** Advertisements handed to the script. */
  heard: number;
  scans: number;
  scanSeconds: number;
  rotations: number;
}

/** Seconds the processor needs for it. Within a factor of two: no board has been measured. */
export function firmwareSeconds(work: FirmwareWork): number {
  const { report, step, scan, rotation } = INSTRUCTIONS;
  return SECONDS_PER_INSTRUCTION * (work.heard * report + (work.scanSeconds / 2) * step + work.scans * scan + work.rotations * rotation);
}

/** A wearer who looks at the screen ten times a day, ten seconds each; the firmware keeps it off otherwise. */
const LOOKED_AT = (10 * 10) / DAY;

/** What the firmware does with the board's other parts, whatever its schedule. */
export function otherParts(facts: BoardFacts): { buttonWatched: boolean; screenOn: number } {
  return { buttonWatched: facts.buttons.length > 0, screenOn: facts.screen?.power ? LOOKED_AT : 0 };
}

/** A day of a board with our firmware that nobody connects to. */
export function dayOf(facts: BoardFacts, role: string, schedule: Schedule, { neighbours }: Surroundings): Usage {
  const { advertise, scan } = ROLES[role];
  const events = advertise ? DAY / (schedule.advertisingInterval / 1000 + MEAN_DELAY) : 0;
  const scans = scan ? DAY / Math.max(schedule.cycleTime, schedule.scanTime) : 0;
  const scanSeconds = scans * schedule.scanTime;
  const interval = (advertise ? schedule.advertisingInterval : USUAL_INTERVAL) / 1000 + MEAN_DELAY;
  const heard = (neighbours * scanSeconds * RECEPTION) / interval;
  return {
    seconds: DAY,
    ...otherParts(facts),
    silentEvents: events,
    answerableEvents: 0,
    transmitSecondsAt: advertise ? { [schedule.txPower]: events * TRANSMIT_PER_EVENT } : {},
    scanSeconds,
    connectedActiveSeconds: 0,
    connectedIdleSeconds: 0,
    cpuSeconds: firmwareSeconds({ heard, scans, scanSeconds, rotations: advertise ? DAY / MEAN_ROTATION : 0 }),
  };
}

/**
 * How far each part may be off, as factors. Sleep and advertising: an earlier edition of Espruino's page has 20 uA for what is 40 now, and 5 uA for the button
 * watch. Scanning: 12 mA is one measurement with a busy processor; the chip's receiver alone takes 6.5 (Nordic). Processor: see firmwareSeconds.
 */
const LOWEST: Record<Part, number> = { sleep: 0.65, advertising: 0.7, scanning: 0.55, connected: 1, cpu: 0.5 };
const HIGHEST: Record<Part, number> = { sleep: 1.05, advertising: 1.3, scanning: 1.05, connected: 1, cpu: 2 };

export interface Estimate {
  /** Microamperes. */
  mean: number;
  /** All parts at their lowest, all at their highest. */
  range: [number, number];
  /** Microamperes by part; what the board doesn't do is left out. */
  parts: { [part: string]: number };
  /** Parts without a published current: not in the sum. */
  unknown: string[];
  /** Parts whose current is that of another board with the same module. */
  borrowed: string[];
}

/** Mean current of a board with our firmware. */
export function estimate(facts: BoardFacts, role: string, schedule: Schedule, surroundings: Surroundings): Estimate {
  const { facts: priced, borrowed } = withBorrowed(facts);
  const account = charge(priced, dayOf(facts, role, schedule, surroundings));
  const means = PARTS.map((part): [Part, number] => [part, (account[part] ?? 0) / DAY]).filter(([, mean]) => mean !== 0);
  const total = (factors: Record<Part, number>) => means.reduce((so, [part, mean]) => so + mean * factors[part], 0);
  return {
    mean: account.mean,
    range: [total(LOWEST), total(HIGHEST)],
    parts: Object.fromEntries(means),
    unknown: account.unknown,
    borrowed: ROLES[role].scan ? borrowed : [],
  };
}

/** What the radio of this role spends that nobody has published for this board, and which is most of all: without it there is nothing to say. */
export function unpublished(facts: BoardFacts, role: string): string[] {
  if (facts.currents.sleep === undefined) return ["sleep"];
  const { cycleTime, scanTime, advertisingInterval, txPower } = SETTING_RULES;
  const schedule = {
    cycleTime: cycleTime.initial,
    scanTime: scanTime.initial,
    advertisingInterval: advertisingInterval.initial,
    txPower: txPower.initial,
  };
  return estimate(facts, role, schedule, { neighbours: 0 }).unknown.filter((part) => part === "advertising" || part === "scanning");
}

/** Puck.js and Pixl.js are built from the MDBT42Q module (espruino.com/MDBT42Q) and both scan at this current, microamperes. */
const MODULE_SCANNING = 12000;

function withBorrowed(facts: BoardFacts): { facts: BoardFacts; borrowed: string[] } {
  if (facts.id !== "mdbt42q" || facts.currents.scanning !== undefined) return { facts, borrowed: [] };
  return { facts: { ...facts, currents: { ...facts.currents, scanning: MODULE_SCANNING } }, borrowed: ["scanning"] };
}
