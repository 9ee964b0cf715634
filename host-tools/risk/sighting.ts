// What the scores are made of. Times in whole Unix seconds, attenuation in dB.

/** One report of a sender whose key was published, or one that stands for all reports of a scan. */
export interface Sighting {
  heardAt: number;
  attenuation: number;
  /** Attenuation of the strongest report, where this one stands for several; else its own. */
  strongest?: number;
  /** When the scan before this one began; null where nobody knows. */
  previousScan: number | null;
  /** Calibration confidence of the sender, 0 (lowest) to 3. */
  confidence: number;
}

/** In order of time; of the same moment the nearest first. So the order in which they are given doesn't matter. */
export function inOrder<S extends Pick<Sighting, "heardAt" | "attenuation"> & Partial<Sighting>>(sightings: readonly S[]): S[] {
  return [...sightings].sort(
    (a, b) =>
      a.heardAt - b.heardAt ||
      a.attenuation - b.attenuation ||
      (a.strongest ?? a.attenuation) - (b.strongest ?? b.attenuation) ||
      (a.previousScan ?? 0) - (b.previousScan ?? 0) ||
      (a.confidence ?? 0) - (b.confidence ?? 0),
  );
}
