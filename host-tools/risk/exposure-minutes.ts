// SwissCovid's rule on the times of version 1: minutes of a day, weighted by three classes of attenuation. Source: DP-3T/documents, "SwissCovid Exposure Score Calculation", 2020.

export interface MinuteRule {
  /** Weight of minutes below, between and above the thresholds. */
  weights: readonly number[];
  /** Minutes of a day from which on a wearer is told. */
  notifyFrom: number;
}

/** `minutes` of one day: below, between and above. */
export function exposureMinutes({ weights, notifyFrom }: MinuteRule, minutes: readonly number[]): { exposureMinutes: number; notify: boolean } {
  const sum = minutes.reduce((total, count, i) => total + count * weights[i], 0);
  return { exposureMinutes: sum, notify: sum >= notifyFrom };
}
