import type { BoardFacts } from "../../boards/board-facts.ts";

/**
 * What a board did in some time. A schedule gives it by arithmetic (model.ts), a virtual board by counting (simulator/power.ts); what it costs is said here,
 * once.
 */
export interface Usage {
  seconds: number;
  /** A watch on the button, as the firmware sets. */
  buttonWatched: boolean;
  /** Part of the time that the screen is on, 0 to 1; only boards that have one. */
  screenOn: number;
  /** Advertising events after which nobody may answer. */
  silentEvents: number;
  /** Advertising events after which the radio listens: connectable or scannable. */
  answerableEvents: number;
  /** Seconds of transmitting, by dBm. */
  transmitSecondsAt: { [dBm: number]: number };
  scanSeconds: number;
  connectedActiveSeconds: number;
  connectedIdleSeconds: number;
  /** Seconds of the script's work. */
  cpuSeconds: number;
}

/** Charge by what used it, microampere seconds. A part that nobody has published a current for is missing. */
export interface PowerAccount {
  /** All the time; the other parts are what comes on top. */
  sleep?: number;
  advertising?: number;
  scanning?: number;
  connected?: number;
  cpu?: number;
  /** Sum of the parts. */
  total: number;
  /** Mean current over the time, microamperes. */
  mean: number;
  /** Parts that were used and have no published current: the sum is too small by them. */
  unknown: string[];
}

export const PARTS = ["sleep", "advertising", "scanning", "connected", "cpu"] as const;
export type Part = (typeof PARTS)[number];

/** The mean of the random delay before each advertising event, seconds. Bluetooth Core 5.4, Vol 6, Part B, 4.4.2.2.1: 0 to 10 ms. */
export const MEAN_DELAY = 0.005;
/** From one advertising event to the next at the published currents, seconds. */
export const PUBLISHED_INTERVAL = 0.375 + MEAN_DELAY;

/** Current of the nRF52832's radio while it sends, mA by dBm. Source: nRF52832 product specification v1.4, radio current consumption (transmitter), 3 V, DC/DC; +3 dBm interpolated. */
const TRANSMIT_MILLIAMPERES: { [dBm: number]: number } = {
  4: 7.5,
  3: 6.95,
  0: 5.3,
  [-4]: 4.2,
  [-8]: 3.8,
  [-12]: 3.5,
  [-16]: 3.3,
  [-20]: 3.2,
  [-40]: 2.7,
};

/** What of each published current is rest: a board with a screen was measured with the screen on. */
function restWhileMeasured(currents: BoardFacts["currents"]): number | undefined {
  return currents.sleepScreenOn ?? currents.sleep;
}

/** Microampere seconds of one event at 0 dBm: what the published current says above sleep, times the interval it was published for. */
export function eventCharge(currents: BoardFacts["currents"], silent: boolean): number | undefined {
  const base = restWhileMeasured(currents);
  const current = silent ? (currents.advertisingNonConnectable375 ?? currents.advertising375) : currents.advertising375;
  return current === undefined || base === undefined ? undefined : (current - base) * PUBLISHED_INTERVAL;
}

/** What a second of transmitting costs more (or less) than at 0 dBm, microamperes. */
export function transmitSurcharge(facts: BoardFacts, dBm: number): number | undefined {
  if (dBm === 0) return 0;
  const current = facts.chip.part === "nRF52832" ? TRANSMIT_MILLIAMPERES[dBm] : undefined;
  return current === undefined ? undefined : (current - TRANSMIT_MILLIAMPERES[0]) * 1000;
}

/** The current that flows all the time, microamperes. */
function baseCurrent(currents: BoardFacts["currents"], usage: Usage, unknown: string[]): number | undefined {
  const { sleep } = currents;
  const base = sleep === undefined ? undefined : sleep + usage.screenOn * ((currents.sleepScreenOn ?? sleep) - sleep);
  if (base === undefined || !usage.buttonWatched) return base;
  if (currents.sleepWatching === undefined) unknown.push("button watch");
  return base + (currents.sleepWatching ?? currents.sleep!) - currents.sleep!;
}

/**
 * What a board used, from its published currents (boards/*.ts):
 * `sleep × time + events × charge of one + transmitting × (current at this power − at 0 dBm) + scanning + links + processor`, each of the last three above rest.
 */
export function charge(facts: BoardFacts, usage: Usage): PowerAccount {
  const { currents } = facts;
  const unknown: string[] = [];
  const above = (current: number | undefined, seconds: number) =>
    seconds === 0 ? 0 : current === undefined ? undefined : (current - (restWhileMeasured(currents) ?? 0)) * seconds;
  const times = (price: number | undefined, amount: number) => (amount === 0 ? 0 : price === undefined ? undefined : price * amount);

  const base = baseCurrent(currents, usage, unknown);
  const powers = Object.entries(usage.transmitSecondsAt).map(([dBm, seconds]) => times(transmitSurcharge(facts, Number(dBm)), seconds));
  const events = usage.silentEvents + usage.answerableEvents;
  const charges: Record<Part, number | undefined> = {
    sleep: times(base, usage.seconds),
    advertising:
      events === 0
        ? 0
        : sum(times(eventCharge(currents, true), usage.silentEvents), times(eventCharge(currents, false), usage.answerableEvents), ...powers),
    scanning: above(currents.scanning, usage.scanSeconds),
    connected: sum(above(currents.connectedActive, usage.connectedActiveSeconds), above(currents.connectedIdle, usage.connectedIdleSeconds)),
    cpu: above(currents.cpu, usage.cpuSeconds),
  };
  for (const part of PARTS) if (charges[part] === undefined) unknown.push(part);
  const total = PARTS.reduce((so, part) => so + (charges[part] ?? 0), 0);
  return { ...charges, total, mean: usage.seconds > 0 ? total / usage.seconds : 0, unknown };
}

function sum(...parts: (number | undefined)[]): number | undefined {
  return parts.reduce((so, part) => (so === undefined || part === undefined ? undefined : so + part), 0);
}

/** Days that so many milliampere hours last at a mean current in microamperes. */
export function batteryDays(meanMicroamps: number, milliampereHours: number): number {
  return (milliampereHours * 1000) / meanMicroamps / 24;
}
