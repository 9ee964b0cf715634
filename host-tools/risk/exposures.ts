import { strongestOfEachScan } from "../matching/sighting-rules.ts";
import { inOrder, type Sighting } from "./sighting.ts";

// Exposures, version 1 of the interface. Source: exposure-notifications-internals, `matching/` (GAEN-28).

/** A longer silence ends an exposure, seconds. */
const LONGEST_GAP = 600;
const SCAN_INTERVAL = 300;

/** Attenuation in dB: below `low` is near, from `high` on is far. */
export interface AttenuationThresholds {
  low: number;
  high: number;
}

export interface KeyExposure {
  /** Unix seconds. */
  start: number;
  /** Whole scan intervals. */
  durationSeconds: number;
  /** Weighted by time, dB. */
  attenuation: number;
  /** Seconds below, between and above the thresholds. */
  secondsBelow: number;
  secondsBetween: number;
  secondsAbove: number;
}

/** What version 1 sees of the sightings of one identifier: the strongest of each scan. */
export function aggregated(sightings: readonly Sighting[]): Sighting[] {
  const strongest = inOrder(sightings).map((sighting) => ({ sighting, t: sighting.heardAt, rssi: -(sighting.strongest ?? sighting.attenuation) }));
  return strongestOfEachScan(strongest).map(({ sighting }) => ({ ...sighting, attenuation: sighting.strongest ?? sighting.attenuation }));
}

/**
 * GAEN-28: the exposures of one key's sightings by one board, already aggregated, in order of time. Each step from one sighting to the next counts with the attenuation at its
 * beginning; half a scan interval is added at both ends.
 */
export function keyExposures(
  sightings: readonly Pick<Sighting, "heardAt" | "attenuation">[],
  thresholds: AttenuationThresholds,
  scanInterval = SCAN_INTERVAL,
): KeyExposure[] {
  const groups: { heardAt: number; attenuation: number }[][] = [];
  let previous = Number.NEGATIVE_INFINITY;
  for (const { heardAt, attenuation } of inOrder(sightings)) {
    // of two at one moment the nearer one counts
    if (heardAt === previous) continue;
    if (heardAt - previous > LONGEST_GAP) groups.push([]);
    groups[groups.length - 1].push({ heardAt, attenuation });
    previous = heardAt;
  }
  return groups.map((group) => exposureOf(group, thresholds, scanInterval));
}

function exposureOf(group: { heardAt: number; attenuation: number }[], { low, high }: AttenuationThresholds, scanInterval: number): KeyExposure {
  const start = group[0].heardAt;
  const end = group[group.length - 1].heardAt;
  const half = scanInterval / 2;
  const seconds = { below: 0, between: 0, above: 0 };
  let weighted = 0;
  group.forEach(({ heardAt, attenuation }, i) => {
    const step = (i === 0 ? half : 0) + (i + 1 < group.length ? group[i + 1].heardAt - heardAt : half);
    weighted += step * attenuation;
    seconds[attenuation < low ? "below" : attenuation < high ? "between" : "above"] += step;
  });
  const whole = end - start + scanInterval;
  const rest = whole % scanInterval;
  return {
    start,
    durationSeconds: whole - rest + (rest > half ? scanInterval : 0),
    attenuation: Math.round(weighted / whole),
    secondsBelow: seconds.below,
    secondsBetween: seconds.between,
    secondsAbove: seconds.above,
  };
}
