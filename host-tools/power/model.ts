import type { BoardFacts } from "../../boards/board-facts.ts";
import { ROLES } from "../../boards/capabilities.ts";
import { SETTING_RULES } from "../../protocols/settings.ts";
import { charge, MEAN_DELAY, PARTS, type Part, type Usage } from "./charge.ts";
import { type CarrierName, firmwareSeconds } from "./firmware-work.ts";
import { tokenDay } from "./token-day.ts";

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
  /** Seconds, of a SmartBeacon. */
  messagePeriod: number;
}

/** What is sent, where it makes a difference. */
export interface Speech {
  /** Several protocols, each from addresses of its own (privateAddress=1). Linked ones cost what one costs. */
  inTurns: boolean;
  /** Of a SmartBeacon's message. */
  carrier: CarrierName;
}
export const PLAIN: Speech = { inTurns: false, carrier: "token" };

/** Who is around, on average over day and night. */
export interface Surroundings {
  /** Boards or phones in reach that advertise; of a collector SmartBeacons, for its radio passes on nothing else. */
  neighbours: number;
}

const DEFAULT_NEIGHBOURS = 5;
/** GAEN-08, in the middle of the recommended range: what phones do. */
const USUAL_INTERVAL = 250;
const DAY = 86400;
/** One of several protocols is on the air for so long, seconds. */
const TURN_SECONDS = 1.5;
/** GAEN-05: from 601 to 1199 s, equally likely. */
export const MEAN_ROTATION = 900;
/** Three packets of 31 bytes at 1 Mbit/s: 376 us each. Bluetooth Core 5.4, Vol 6, Part B, 2.1. */
const TRANSMIT_PER_EVENT = 3 * 376e-6;
/** Part of the advertising events in a window that arrive from a near neighbour. Virtual air at 1 m: 0.97, without Wi-Fi and bodies that turn. */
export const RECEPTION = 0.9;

/** A wearer who looks at the screen ten times a day, ten seconds each; the firmware keeps it off otherwise. */
const LOOKED_AT = (10 * 10) / DAY;

/** What the firmware does with the board's other parts, whatever its schedule. */
export function otherParts(facts: BoardFacts): { buttonWatched: boolean; screenOn: number } {
  return { buttonWatched: facts.buttons.length > 0, screenOn: facts.screen?.power ? LOOKED_AT : 0 };
}

/** How many are in reach where nobody says: five phones; of SmartBeacons the one of the home. */
export function usualNeighbours(role: string): number {
  return role === "collector" ? 1 : DEFAULT_NEIGHBOURS;
}

/** Milliseconds from one advertisement of a neighbour to the next: boards with the same settings, phones, or SmartBeacons with their own. */
export function neighbourInterval(role: string, schedule: Pick<Schedule, "advertisingInterval">): number {
  if (role === "collector") return ROLES.smartbeacon.settings!.advertisingInterval;
  return ROLES[role].advertise ? schedule.advertisingInterval : USUAL_INTERVAL;
}

/** A day of a board with our firmware that no hub connects to. */
export function dayOf(facts: BoardFacts, role: string, schedule: Schedule, { neighbours }: Surroundings, { inTurns, carrier } = PLAIN): Usage {
  const { advertise, scan, connects } = ROLES[role];
  if (connects) {
    const day = tokenDay(schedule, neighbours, RECEPTION);
    return { ...day, ...otherParts(facts), transmitSecondsAt: { [schedule.txPower]: day.answerableEvents * TRANSMIT_PER_EVENT } };
  }
  const isSmart = role === "smartbeacon";
  const events = advertise ? DAY / (schedule.advertisingInterval / 1000 + MEAN_DELAY) : 0;
  const scans = scan ? DAY / Math.max(schedule.cycleTime, schedule.scanTime) : 0;
  const scanSeconds = scans * schedule.scanTime;
  const heard = (neighbours * scanSeconds * RECEPTION) / (neighbourInterval(role, schedule) / 1000 + MEAN_DELAY);
  return {
    seconds: DAY,
    ...otherParts(facts),
    silentEvents: events,
    answerableEvents: 0,
    transmitSecondsAt: advertise ? { [schedule.txPower]: events * TRANSMIT_PER_EVENT } : {},
    scanSeconds,
    connectedActiveSeconds: 0,
    connectedIdleSeconds: 0,
    cpuSeconds: firmwareSeconds({
      heard,
      scans,
      scanSeconds,
      // a SmartBeacon changes its address with a message, and that is in the message's work
      rotations: advertise && !isSmart ? DAY / MEAN_ROTATION : 0,
      turns: advertise && inTurns ? DAY / TURN_SECONDS : 0,
      messages: isSmart ? DAY / schedule.messagePeriod : 0,
      carrier,
    }),
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
export function estimate(facts: BoardFacts, role: string, schedule: Schedule, surroundings: Surroundings, speech: Speech = PLAIN): Estimate {
  const { facts: priced, borrowed } = withBorrowed(facts);
  const account = charge(priced, dayOf(facts, role, schedule, surroundings, speech));
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

/** A minute, where the setting is 0. */
const USUAL_MESSAGE_PERIOD = 60;

/** What a fresh board of this role starts with, but for what is decided. */
export function usualSchedule(role: string, fixed: Partial<Schedule> = {}): Schedule {
  const usual = (name: keyof Schedule) => fixed[name] ?? ROLES[role].settings?.[name] ?? SETTING_RULES[name].initial;
  return {
    cycleTime: usual("cycleTime"),
    scanTime: usual("scanTime"),
    advertisingInterval: usual("advertisingInterval"),
    txPower: usual("txPower"),
    messagePeriod: usual("messagePeriod") || USUAL_MESSAGE_PERIOD,
  };
}

/** What the radio of this role spends that nobody has published for this board, and which is most of all: without it there is nothing to say. */
export function unpublished(facts: BoardFacts, role: string): string[] {
  if (facts.currents.sleep === undefined) return ["sleep"];
  return estimate(facts, role, usualSchedule(role), { neighbours: 0 }).unknown.filter((part) => part === "advertising" || part === "scanning");
}

/** Puck.js and Pixl.js are built from the MDBT42Q module (espruino.com/MDBT42Q) and both scan at this current, microamperes. */
const MODULE_SCANNING = 12000;

function withBorrowed(facts: BoardFacts): { facts: BoardFacts; borrowed: string[] } {
  if (facts.id !== "mdbt42q" || facts.currents.scanning !== undefined) return { facts, borrowed: [] };
  return { facts: { ...facts, currents: { ...facts.currents, scanning: MODULE_SCANNING } }, borrowed: ["scanning"] };
}
