import type { Sighting } from "./sighting.ts";

// Boards keep encounters, not sightings. This is the rule by which an encounter is taken for the scans that it was merged from; docs/risk.md says what it gets wrong, measured.

/** What is known of an encounter. Times in Unix seconds, both included; dBm. */
export interface MergedSightings {
  firstSeen: number;
  lastSeen: number;
  /** Sightings merged; 127 stands for more; null where that is not known. */
  count: number | null;
  maxRssi: number;
  /** Null where it is not known. */
  meanRssi: number | null;
  txPower: number;
  /** 0 to 3; null where it is not known. */
  confidence: number | null;
}

/** Count at which the board stopped counting. */
const MANY = 127;
/** Scans of a board that hardly ever stops would be taken for one scan; a minute is the unit of the rules. */
const SHORTEST_PERIOD = 60;
/** dB: in a scan of ten or twenty packets the strongest lies about so much above their mean, rather less than more (docs/risk.md). */
const STRONGEST_ABOVE_MEAN = 5;
/** What fading does not explain is movement: so much of what the strongest is above that is added to the mean of every scan, since minutes that were near weigh more than those far off take away. */
const PART_OF_MOVEMENT = 0.2;

/**
 * The scans of an encounter, each as one sighting; at least one. `cycleSeconds`: from the beginning of one of the board's scans to the next.
 *
 * - Between the first scan and the last there was one each cycle, and each had heard the sender, as long as the count allows it: one that was missed stays unseen.
 * - Each has the mean attenuation of the encounter, a fifth nearer by what the strongest report is more than 5 dB above it; without a mean the smallest one.
 * - The strongest report of each is taken to be 5 dB nearer than the mean, but no nearer than the encounter's strongest.
 */
export function scansOfEncounter(encounter: MergedSightings, cycleSeconds: number): Sighting[] {
  const { firstSeen, lastSeen, count, maxRssi, meanRssi, txPower } = encounter;
  const period = Math.max(cycleSeconds, SHORTEST_PERIOD);
  const most = count === null || count >= MANY ? Number.POSITIVE_INFINITY : Math.max(1, count);
  const scans = Math.min(Math.round((lastSeen - firstSeen) / period) + 1, most);
  const told = meanRssi ?? maxRssi;
  const mean = Math.round(told + PART_OF_MOVEMENT * Math.max(0, maxRssi - STRONGEST_ABOVE_MEAN - told));
  const attenuation = Math.max(0, txPower - mean);
  const strongest = Math.max(0, txPower - Math.min(maxRssi, mean + STRONGEST_ABOVE_MEAN));
  return Array.from({ length: scans }, (_, i) => {
    const heardAt = firstSeen + (scans > 1 ? Math.round(((lastSeen - firstSeen) * i) / (scans - 1)) : 0);
    return { heardAt, attenuation, strongest, previousScan: heardAt - period, confidence: encounter.confidence ?? 0 };
  });
}
