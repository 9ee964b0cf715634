import type { ListedExposure } from "../matching/exposure-list.ts";
import { scansOfEncounter } from "./encounter-scans.ts";
import { aggregated } from "./exposures.ts";
import type { Sighting } from "./sighting.ts";

/** A published key as one board heard it: what scores are made of. */
export interface HeardKey {
  /** Null where nobody said who heard it. */
  board: string | null;
  /** Hex. */
  key: string;
  /** Days since 1970; null of a hash. */
  day: number | null;
  transmissionRisk: number;
  /** 0: the file didn't say. */
  reportType: number;
  daysSinceOnset: number | null;
  /** By identifier, hex. */
  identifiers: Map<string, Sighting[]>;
}

/** Where the sightings of an exposure come from. */
export interface Hearing {
  /** Seconds from the beginning of one of a board's scans to the next. */
  cycleOf(board: string | null): number;
  /** The exposures are single sightings, not encounters. */
  areSightings?: boolean;
}

/** Exposures whose attenuation is not known can't be scored: they are counted in `unknown`. Both lists are kept in the order of the exposures. */
export function heardKeys(exposures: readonly ListedExposure[], { cycleOf, areSightings }: Hearing): { heard: HeardKey[]; unknown: number } {
  const found = new Map<string, HeardKey>();
  let unknown = 0;
  for (const exposure of exposures) {
    const { board, key, keyDay, identifier, txPower, attenuation } = exposure;
    const cycleSeconds = cycleOf(board);
    if (txPower === null || attenuation === null) {
      unknown++;
      continue;
    }
    const name = `${key} ${keyDay} ${board}`;
    const heard = found.get(name) ?? {
      board,
      key,
      day: keyDay,
      transmissionRisk: exposure.transmissionRisk ?? 0,
      reportType: exposure.reportType ?? 0,
      daysSinceOnset: exposure.daysSinceOnset,
      identifiers: new Map<string, Sighting[]>(),
    };
    found.set(name, heard);
    const scans = areSightings
      ? [
          {
            heardAt: exposure.firstSeen,
            attenuation,
            previousScan: exposure.firstSeen - cycleSeconds,
            confidence: exposure.confidence ?? 0,
          },
        ]
      : scansOfEncounter({ ...exposure, txPower }, cycleSeconds);
    heard.identifiers.set(identifier, [...(heard.identifiers.get(identifier) ?? []), ...scans]);
  }
  return { heard: [...found.values()], unknown };
}

/** All that version 2 looks at. */
export function allSightings({ identifiers }: HeardKey): Sighting[] {
  return [...identifiers.values()].flat();
}

/** All that version 1 looks at: the strongest of each scan of each identifier. */
export function aggregatedSightings({ identifiers }: HeardKey): Sighting[] {
  return [...identifiers.values()].flatMap(aggregated);
}
