import { INTERVAL_SECONDS } from "../../protocols/gaen/key-schedule.ts";

// Rules about single sightings and identifiers. Source: exposure-notifications-internals, `matching/`; GAEN-24, GAEN-25.

/** Intervals by which a sighting may be early or late against its identifier: about 2 h each side (GAEN-24). */
export const TOLERANCE_INTERVALS = 12;
/** No honest device sends one identifier longer than this, seconds (GAEN-25). */
export const REPLAY_SECONDS = 1200;
/** Reports of one scan lie no further apart than this, seconds. */
const SCAN_SECONDS = 25.5;
export const LOWEST_TX_POWER = -50;
export const HIGHEST_TX_POWER = 20;

/** Times at which the identifier of `interval` counts, Unix seconds: `from` included, `until` not. A whole number t lies in it when interval−12 ≤ ⌊t/600⌋ < interval+13. */
export function toleratedTime(interval: number): { from: number; until: number } {
  return { from: (interval - TOLERANCE_INTERVALS) * INTERVAL_SECONDS, until: (interval + TOLERANCE_INTERVALS + 1) * INTERVAL_SECONDS };
}

/** May the identifier of `interval` be heard at `unix`? */
export function isTolerated(interval: number, unix: number): boolean {
  const { from, until } = toleratedTime(interval);
  return unix >= from && unix < until;
}

/** Sightings of one identifier that are no replay, in order of time: those within 1200 s of the first. `times`: Unix seconds, all tolerated. */
export function withoutReplays(times: number[]): number[] {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted.filter((time) => time <= sorted[0] + REPLAY_SECONDS);
}

/** One sighting for each group that a scan made of one identifier: the strongest, the first of equals. `sightings` in order of time. */
export function strongestOfEachScan<S extends { t: number; rssi: number }>(sightings: S[]): S[] {
  const kept: S[] = [];
  let previous = Number.NEGATIVE_INFINITY;
  for (const sighting of sightings) {
    if (sighting.t - previous > SCAN_SECONDS) kept.push(sighting);
    else if (sighting.rssi > kept[kept.length - 1].rssi) kept[kept.length - 1] = sighting;
    previous = sighting.t;
  }
  return kept;
}

/** Is this a power that a phone or a board can have? The bits of the metadata are not authenticated: an attacker may flip them (GAEN-25). */
export function isPlausibleTxPower(txPower: number): boolean {
  return txPower >= LOWEST_TX_POWER && txPower <= HIGHEST_TX_POWER;
}

/** What the way took, dB, never negative. `txPower` and `rssi` in dBm. */
export function attenuation(txPower: number, rssi: number): number {
  return Math.max(txPower - Math.min(Math.max(rssi, -127), 126), 0);
}
