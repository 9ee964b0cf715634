import { ADVERTISE, SCAN, TOKEN } from "tracelet:build";
import { lowBattery } from "./battery.ts";
import { tempId } from "./bluetrace/temp-ids.ts";
import { tick, unixTime } from "./board-clock.ts";
import { lastProof } from "./console.ts";
import { nearlyFull, usable } from "./encounter-log.ts";
import { advertising } from "./transmitter.ts";

// What lights and screens tell the wearer, one thing at a time; docs/wearer.md says it in the wearer's words. Up to NEARLY_FULL the board does its work,
// from CLOCK_UNSET on it doesn't.

export const WELL = 0;
export const LOW_BATTERY = 1;
export const NEARLY_FULL = 2;
export const CLOCK_UNSET = 3;
export const SILENT = 4;
export const NO_LOG = 5;

/** The worst that is true now. */
export function wearerState(): number {
  if (!usable) return NO_LOG;
  if (!unixTime()) return CLOCK_UNSET;
  // for up to ten minutes after a restart, too: an identifier is sent from one address only
  if (TOKEN ? !tempId : ADVERTISE && !advertising) return SILENT;
  if (nearlyFull()) return NEARLY_FULL;
  return (SCAN || TOKEN) && lowBattery ? LOW_BATTERY : WELL;
}

/** Seconds since somebody last confirmed what this board sends; NEVER_PROVEN and more where nobody has since the start. */
export function proofAge(): number {
  return tick() - lastProof;
}
