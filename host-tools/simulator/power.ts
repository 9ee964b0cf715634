import type { BoardFacts } from "../../boards/board-facts.ts";
import type { RadioActivity } from "./radio.ts";

/** Charge by what used it, microampere seconds. A part that nobody has published a current for is missing. */
export interface PowerAccount {
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

/** The interval of the published advertising currents with its mean random delay, seconds. */
const PUBLISHED_INTERVAL = 0.375 + 0.005;
/** Espruino relaxes an idle connection after so long, seconds (BLE_DYNAMIC_INTERVAL_IDLE_TIME). */
const ACTIVE_LINK = 30;

/**
 * What a board has used in `seconds`, from published currents and what its radio did. An advertising event costs what the published current says for one,
 * whatever its length and transmit power; the first 30 s of a link count as active, the rest as idle. `cpuSeconds`: time of the script's work.
 */
export function powerAccount(facts: BoardFacts, activity: RadioActivity, seconds: number, cpuSeconds = 0): PowerAccount {
  const { currents } = facts;
  const unknown: string[] = [];
  const part = (name: string, used: number, charge: number | undefined): number | undefined => {
    if (used === 0) return 0;
    if (charge === undefined) unknown.push(name);
    return charge;
  };
  const perEvent = (current: number | undefined) =>
    current === undefined || currents.sleep === undefined ? undefined : (current - currents.sleep) * PUBLISHED_INTERVAL;
  const answerable = perEvent(currents.advertising375);
  const silent = perEvent(currents.advertisingNonConnectable375) ?? answerable;
  const silentEvents = activity.advertisingEvents - activity.answerableEvents;
  const active = Math.min(activity.connectedSeconds, ACTIVE_LINK * activity.connections);
  const idle = activity.connectedSeconds - active;

  const sleep = part("sleep", seconds, times(currents.sleep, seconds));
  const advertising = part(
    "advertising",
    activity.advertisingEvents,
    plus(times(answerable, activity.answerableEvents), times(silent, silentEvents)),
  );
  const scanning = part("scanning", activity.scanSeconds, times(currents.scanning, activity.scanSeconds));
  const connected = part("connected", activity.connectedSeconds, plus(times(currents.connectedActive, active), times(currents.connectedIdle, idle)));
  const cpu = part("cpu", cpuSeconds, times(currents.cpu, cpuSeconds));
  const total = [sleep, advertising, scanning, connected, cpu].reduce<number>((sum, charge) => sum + (charge ?? 0), 0);
  return { sleep, advertising, scanning, connected, cpu, total, mean: seconds > 0 ? total / seconds : 0, unknown };
}

/** Days that a battery of so many milliampere hours lasts at this mean current, by capacity alone. */
export function batteryDays(account: PowerAccount, milliampereHours: number): number {
  return (milliampereHours * 1000) / account.mean / 24;
}

function times(current: number | undefined, amount: number): number | undefined {
  return amount === 0 ? 0 : current === undefined ? undefined : current * amount;
}

function plus(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}
