import { inOrder, type Sighting } from "./sighting.ts";

// Exposure windows, version 2 of the interface. Source: exposure-notifications-internals, `matching/` (GAEN-26).

/** A sighting at least so many seconds after a window's first one begins the next window. */
const WINDOW_SECONDS = 1800;
/** A sighting at most so many seconds after the one before is of the same scan. */
const SAME_SCAN_SECONDS = 25.5;
/** What a scan stands for where nobody knows when the one before was, seconds. */
const UNKNOWN_SECONDS = 120;
/** A scan stands for no more, minutes. */
const MOST_MINUTES = 5;

export interface ScanInstance {
  /** Mean and smallest attenuation, dB. */
  typical: number;
  min: number;
  /** For how long it stands: since the scan before, whole minutes. */
  seconds: number;
}

/** Up to half an hour near the sender of one key. */
export interface ExposureWindow {
  /** Unix seconds. */
  start: number;
  scans: ScanInstance[];
  /** Of the window's first sighting. */
  confidence: number;
}

/** Windows, in each of them scans, in each of them sightings: every sighting once. All of one key, heard by one board. */
export function groupIntoWindows<S extends Sighting>(sightings: readonly S[]): S[][][] {
  const windows: S[][][] = [];
  let start = Number.NEGATIVE_INFINITY;
  let previous = Number.NEGATIVE_INFINITY;
  for (const sighting of inOrder(sightings)) {
    if (sighting.heardAt - start >= WINDOW_SECONDS) {
      windows.push([[sighting]]);
      start = sighting.heardAt;
    } else {
      const window = windows[windows.length - 1];
      if (sighting.heardAt - previous <= SAME_SCAN_SECONDS) window[window.length - 1].push(sighting);
      else window.push([sighting]);
    }
    previous = sighting.heardAt;
  }
  return windows;
}

/** What one scan tells. `sightings`: of one scan, in order of time. */
export function scanInstance(sightings: readonly Sighting[]): ScanInstance {
  const [{ heardAt, previousScan }] = sightings;
  const sum = sightings.reduce((total, { attenuation }) => total + attenuation, 0);
  const minutes = previousScan === null ? 0 : Math.floor(heardAt / 60) - Math.floor(previousScan / 60);
  return {
    // half a decibel rounds up
    typical: Math.round(sum / sightings.length),
    min: Math.min(...sightings.map(({ attenuation, strongest }) => strongest ?? attenuation)),
    seconds: previousScan === null ? UNKNOWN_SECONDS : 60 * Math.min(MOST_MINUTES, minutes),
  };
}

/** GAEN-26: the windows of one key's sightings by one board, in order of time. */
export function exposureWindows(sightings: readonly Sighting[]): ExposureWindow[] {
  return groupIntoWindows(sightings).map((scans) => ({
    start: scans[0][0].heardAt,
    scans: scans.map(scanInstance),
    confidence: scans[0][0].confidence,
  }));
}
