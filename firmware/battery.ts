import { BATTERY_LOW, BATTERY_RECOVERED } from "../protocols/log-format.ts";
import { CYCLE_TIME, LOW_BATTERY } from "../protocols/settings.ts";
import { batteryVolts } from "./battery-volts.ts";
import { appendClock } from "./encounter-log.ts";
import { settings } from "./settings.ts";

// A cell that is nearly empty still has its voltage at rest, and breaks down under the receiver. So it is measured at the end of a scan while the receiver is on, and a board whose
// cell sags scans less often: scans are most of what it uses, and between them the cell recovers.

/** Millivolt by which the battery has to recover, so that it does not go to and fro. */
const HYSTERESIS = 100;
const SLOWER = 4;
/** Seconds: longer than most identifiers live, and whoever carries one would not be heard at all. */
const LONGEST_CYCLE = 900;

/** Below the setting, by the last scan. */
export let lowBattery = false;
/** Millivolt at the end of the last scan, with the receiver on; 0 before the first. */
export let loadedMillivolts = 0;

/** Seconds from the beginning of one scan to that of the next. */
export function cycleTime(): number {
  const cycle = settings[CYCLE_TIME];
  return lowBattery ? Math.max(cycle, Math.min(cycle * SLOWER, LONGEST_CYCLE)) : cycle;
}

/** To be called while the receiver is on. The log is told when scans become rare and when they are no longer. */
export function measureBattery(): void {
  loadedMillivolts = Math.round(/*@__INLINE__*/ batteryVolts() * 1000);
  const low = loadedMillivolts < settings[LOW_BATTERY] + (lowBattery ? HYSTERESIS : 0);
  if (low === lowBattery) return;
  lowBattery = low;
  appendClock(low ? BATTERY_LOW : BATTERY_RECOVERED, 0, loadedMillivolts);
}
