import { ConfigError } from "../errors.ts";
import { distanceClass } from "../risk/daily-summaries.ts";

// What a report says in plain words.

const DAY = 86400;

/** Where a clock on the wall shows what: adds to Unix seconds, so that the functions for UTC show the zone's time. */
export interface Zone {
  name: string;
  local(unix: number): number;
}

export const UTC: Zone = { name: "UTC", local: (unix) => unix };

/** `name`: of the IANA database, as Europe/Vienna. @throws ConfigError "bad_zone" */
export function zoneCalled(name: string): Zone {
  if (name === "UTC") return UTC;
  let format: Intl.DateTimeFormat;
  try {
    const parts = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" } as const;
    format = new Intl.DateTimeFormat("en-GB", { timeZone: name, hourCycle: "h23", ...parts });
  } catch (cause) {
    throw new ConfigError("bad_zone", `no time zone is called ${JSON.stringify(name)}; names are like Europe/Vienna or UTC`, { cause });
  }
  return {
    name,
    local(unix) {
      const part = Object.fromEntries(format.formatToParts(unix * 1000).map(({ type, value }) => [type, Number(value)]));
      return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) / 1000;
    },
  };
}

/** `09:00` */
export function clockTime(local: number): string {
  return new Date(local * 1000).toISOString().slice(11, 16);
}

/** `Monday 2 March 2026` */
export function dayName(local: number): string {
  const date = new Date(local * 1000);
  const weekday = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"][date.getUTCDay()];
  const month = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
  return `${weekday} ${date.getUTCDate()} ${month[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
}

/** `08:00 to 08:45`, or `23:50 to Tuesday 00:20` where a midnight lies between. Local times. */
export function span(from: number, to: number): string {
  const isOneDay = Math.floor(from / DAY) === Math.floor((to - 1) / DAY);
  return `${clockTime(from)} to ${isOneDay ? "" : `${dayName(to - 1).split(" ")[0]} `}${clockTime(to)}`;
}

/** `45 min`, `2 h 5 min` */
export function duration(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h${minutes % 60 > 0 ? ` ${minutes % 60} min` : ""}`;
}

/** dB up to which somebody is very near, near and some way off: the classes of docs/risk.md. */
export const NEARNESS_THRESHOLDS = [55, 67, 75];

/** By distance class, nearest first; the last one is for unknown. */
export const NEARNESS = ["very near", "near", "some way off", "far off", "not known"] as const;

/** 0 very near to 3 far off, 4 not known. */
export function nearness(attenuation: number | null): number {
  return attenuation === null ? NEARNESS.length - 1 : distanceClass(NEARNESS_THRESHOLDS, attenuation);
}

export const PROTECTION = { mask: "mask", ward: "protected ward", vehicle: "vehicle" } as const;

/** `1 board`, `2 boards`, `2 hashes` */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : what.endsWith("sh") ? "es" : "s"}`;
}

/** Text as HTML and SVG take it, inside and outside of attributes. What no XML may hold, and what turns the direction of writing, becomes a question mark. */
export function escaped(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu, "?")
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
