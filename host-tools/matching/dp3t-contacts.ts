// When is a match a contact worth telling? The rule of the SDKs before there was a system interface (DP-09). Source: DP-3T SDK for Android, prestandard, 2020.

const WINDOW_SECONDS = 300;
const WINDOWS = 3;
const CONTACT_TIME_STEP = 7200;
const WINDOWS_FOR_EXPOSURE = 3;
const KEPT_DAYS = 10;
const DAY = 86400;
/** Attenuation below which a window counts, dB. */
export const ATTENUATION_THRESHOLD = 73;

/** One sighting of an EphID: Unix seconds; transmit power - RSSI, dB. */
export interface AttenuationSample {
  heardAt: number;
  attenuation: number;
}

export interface Contact {
  /** First sighting rounded down to two hours, Unix seconds: nobody needs to know it better. */
  contactTime: number;
  /** Of the three windows of 300 s from the first sighting on, those whose mean attenuation is below the threshold. */
  windows: number;
}

/** The contact with the sender of one EphID. `samples`: all its sightings, in any order, at least one. */
export function contactOf(samples: readonly AttenuationSample[], threshold = ATTENUATION_THRESHOLD): Contact {
  const first = samples.reduce((earliest, { heardAt }) => Math.min(earliest, heardAt), Number.POSITIVE_INFINITY);
  let windows = 0;
  for (let window = 0; window < WINDOWS; window++) {
    const inside = samples.filter(({ heardAt }) => Math.floor((heardAt - first) / WINDOW_SECONDS) === window);
    const sum = inside.reduce((total, { attenuation }) => total + attenuation, 0);
    if (inside.length > 0 && sum / inside.length < threshold) windows++;
  }
  return { contactTime: first - (first % CONTACT_TIME_STEP), windows };
}

/** UTC days, days since 1970, with at least three counted windows among the contacts that matched, and not more than ten days before `today`. */
export function exposedDays(matched: readonly Contact[], today: number): number[] {
  const windows = new Map<number, number>();
  for (const contact of matched) {
    const day = Math.floor(contact.contactTime / DAY);
    windows.set(day, (windows.get(day) ?? 0) + contact.windows);
  }
  return [...windows]
    .filter(([day, count]) => count >= WINDOWS_FOR_EXPOSURE && day <= today && today - day <= KEPT_DAYS)
    .map(([day]) => day)
    .sort((a, b) => a - b);
}
