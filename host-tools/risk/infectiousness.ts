/** 0 none, 1 standard, 2 high. */
export type Infectiousness = 0 | 1 | 2;

/** Days before and after the beginning of symptoms that the map knows. */
export const MOST_DAYS_FROM_ONSET = 14;

export interface InfectiousnessMap {
  /** For the days -14 to 14 from the beginning of symptoms on: 29 entries. */
  byDay: readonly Infectiousness[];
  whenMissing: Infectiousness;
}

/** How infectious somebody was on the day of a key. `daysSinceOnset` undefined or outside of the map: as if it were missing (GAEN-26). */
export function infectiousnessOf({ byDay, whenMissing }: InfectiousnessMap, daysSinceOnset: number | null | undefined): Infectiousness {
  if (daysSinceOnset === null || daysSinceOnset === undefined || Math.abs(daysSinceOnset) > MOST_DAYS_FROM_ONSET) return whenMissing;
  return byDay[daysSinceOnset + MOST_DAYS_FROM_ONSET];
}
