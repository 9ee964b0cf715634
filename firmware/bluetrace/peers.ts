import { addressKey, blacklisted, isBlacklisted } from "../../protocols/bluetrace/blacklist.ts";
import { CYCLE_TIME } from "../../protocols/settings.ts";
import { tick } from "../board-clock.ts";
import { settings } from "../settings.ts";

// Whom this board has met a moment ago, and leaves in peace for two cycles (BT-09): by address and, once it is known, by TempID.

let list = "";

/** Android's 100 s at its shortest cycle of 44 s: two cycles and their chance. */
function twoCycles(): number {
  return (settings[CYCLE_TIME] * 25) / 11;
}
/** Was it met less than two cycles ago? */
export function isMet(key: string): boolean {
  return isBlacklisted(list, key, tick(), twoCycles());
}
/** From now on, or as if it had been `cycles` cycles ago. */
export function remember(key: string, cycles: number): void {
  list = blacklisted(list, key, Math.max(0, tick() - (cycles * twoCycles()) / 2) | 0);
}
/** Key of a central that had to be thrown out, so that it is not let in again; it may still be met. */
export function thrownOut(address: string): string {
  return addressKey(address).substr(0, 6) + "\x01\x01";
}
