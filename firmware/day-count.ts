import { SCREEN } from "tracelet:build";
import { unixTime } from "./board-clock.ts";

let loggedToday = 0;
let countedDay = 0;

/** Encounters that went to the log since midnight UTC; without a clock, and on the first day, since the start. Only boards with a screen count. */
export function encountersToday(): number {
  const day = Math.floor(unixTime() / 86400);
  if (day !== countedDay) {
    countedDay = day;
    loggedToday = 0;
  }
  return loggedToday;
}
/** One more. */
export function countEncounter(): void {
  if (!SCREEN) return;
  encountersToday();
  loggedToday++;
}
