import { MEAN_DELAY, type Usage } from "./charge.ts";
import { firmwareSeconds } from "./firmware-work.ts";

const DAY = 86400;
/** Of a cycle, by chance, on average: up to a sixth of it. */
const MEAN_JITTER = 1 / 12;
/** Cycles from one meeting of two tokens to the next: whom one has met it leaves in peace for two. */
const CYCLES_PER_MEETING = 2.5;
/** Seconds of one meeting: listening for the peer's next advertisement, and the link. Virtual boards: 0.2 and 0.4. */
const LISTENING_FOR_PEER = 0.2;
const LINK = 0.4;
/** Seconds of a TempID. */
const TEMP_ID = 900;

interface TokenSchedule {
  cycleTime: number;
  scanTime: number;
  advertisingInterval: number;
}

/** What a token's radio and processor do in a day, half of whose meetings others begin. A link that it makes itself has no published current and counts like one that others make. `reception`: part of the advertisements that arrive. */
export function tokenDay(
  schedule: TokenSchedule,
  neighbours: number,
  reception: number,
): Omit<Usage, "buttonWatched" | "screenOn" | "transmitSecondsAt"> {
  const cycle = Math.max(schedule.cycleTime, schedule.scanTime) * (1 + MEAN_JITTER);
  const scans = DAY / cycle;
  const scanSeconds = scans * schedule.scanTime;
  const meetings = (neighbours * scans) / CYCLES_PER_MEETING;
  const listening = scanSeconds + (meetings / 2) * LISTENING_FOR_PEER;
  const events = (DAY - listening - meetings * LINK) / (schedule.advertisingInterval / 1000 + MEAN_DELAY);
  const heard = (neighbours * scanSeconds * reception * events) / DAY;
  return {
    seconds: DAY,
    silentEvents: 0,
    answerableEvents: events,
    scanSeconds: listening,
    connectedActiveSeconds: meetings * LINK,
    connectedIdleSeconds: 0,
    cpuSeconds: firmwareSeconds({ heard, scans, scanSeconds, rotations: DAY / TEMP_ID, meetings }),
  };
}
