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

/** The sightings that an exposure stands for. */
export function sightingsOf(exposure: ListedExposure & { txPower: number; attenuation: number }, { cycleOf, areSightings }: Hearing): Sighting[] {
  const cycleSeconds = cycleOf(exposure.board);
  if (!areSightings) return scansOfEncounter(exposure, cycleSeconds);
  const { firstSeen: heardAt, attenuation, confidence } = exposure;
  return [{ heardAt, attenuation, previousScan: heardAt - cycleSeconds, confidence: confidence ?? 0 }];
}

/** Exposures whose attenuation is not known can't be scored: they are counted in `unknown`. Both lists are kept in the order of the exposures. */
export function heardKeys(exposures: readonly ListedExposure[], hearing: Hearing): { heard: HeardKey[]; unknown: number } {
  const found = new Map<string, HeardKey>();
  let unknown = 0;
  for (const exposure of exposures) {
    const { board, key, keyDay, identifier, txPower, attenuation } = exposure;
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
    const known = heard.identifiers.get(identifier) ?? [];
    heard.identifiers.set(identifier, known);
    known.push(...sightingsOf({ ...exposure, txPower, attenuation }, hearing));
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
