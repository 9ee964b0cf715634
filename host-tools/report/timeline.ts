import type { ListedExposure } from "../matching/exposure-list.ts";
import { type Hearing, sightingsOf } from "../risk/heard-keys.ts";
import type { Sighting } from "../risk/sighting.ts";
import { scanInstance } from "../risk/windows.ts";

// Exposures as stretches of minutes: what was heard in each, how near, where, and what the wearer has said of it. Unix seconds.

const MINUTE = 60;
/** A longer silence ends an event: three cycles of 5 minutes. */
const LONGEST_SILENCE = 900;

/** What the wearer has said of a time. A report shows it and takes nothing away for it. */
export interface Period {
  board: string;
  kind: "mask" | "ward" | "vehicle" | "place";
  /** Of kind place. */
  place: string | null;
  /** Both included. */
  from: number;
  to: number;
}

export interface Minute {
  /** Its beginning. */
  at: number;
  /** A scan that heard a sender began in it; else the next scan stands for it. */
  heard: boolean;
  /** dB, typical and of the strongest report, of the nearest sender; null where the transmit power is not known. */
  attenuation: number | null;
  strongest: number | null;
  /** Letters of the keys that were heard: those of the report, which tell nothing of the keys. */
  senders: string[];
  protection: ("mask" | "ward" | "vehicle")[];
  places: string[];
}

/** A stretch of time in which one board was near published keys. */
export interface ExposureEvent {
  /** From 1 on, in order of time. */
  number: number;
  board: string | null;
  /** Beginning of the first minute, and end of the last. */
  from: number;
  to: number;
  senders: string[];
  /** Marked as safe by its owner: told, but in no score. */
  safe: boolean;
  minutes: Minute[];
}

export interface TimelineOptions extends Hearing {
  periods: readonly Period[];
  /** Where a board is that nobody wears. */
  fixedPlaces?: ReadonlyMap<string, string>;
}

/** One scan of one key, or one that stands for it. */
interface Scan {
  sighting: Sighting;
  sender: string;
  isKnown: boolean;
}

/** A, B … Z, AA … */
function letters(number: number): string {
  return (number < 26 ? "" : letters(Math.floor(number / 26) - 1)) + String.fromCharCode(65 + (number % 26));
}

function scansOf(exposure: ListedExposure, sender: string, hearing: Hearing): Scan[] {
  const isKnown = exposure.txPower !== null;
  // what is not known is never told, but the times are
  const told = { ...exposure, txPower: exposure.txPower ?? 0, attenuation: exposure.attenuation ?? 0 };
  return sightingsOf(told, hearing).map((sighting) => ({ sighting, sender, isKnown }));
}

/** A scan stands for its own minute and those since the scan before, as in an exposure window: 5 at most. */
function minutesOf(scan: Scan): Omit<Minute, "protection" | "places">[] {
  const { sighting, sender, isKnown } = scan;
  const { seconds } = scanInstance([sighting]);
  const last = sighting.heardAt - (sighting.heardAt % MINUTE);
  return Array.from({ length: Math.max(1, seconds / MINUTE) }, (_, i) => ({
    at: last - i * MINUTE,
    heard: i === 0,
    attenuation: isKnown ? sighting.attenuation : null,
    strongest: isKnown ? (sighting.strongest ?? sighting.attenuation) : null,
    senders: [sender],
  }));
}

const nearer = (a: number | null, b: number | null) => (a === null ? b : b === null ? a : Math.min(a, b));

/** All that a board was near, by minute, in order. */
function merged(scans: readonly Scan[]): Omit<Minute, "protection" | "places">[] {
  const minutes = new Map<number, Omit<Minute, "protection" | "places">>();
  for (const minute of scans.flatMap(minutesOf)) {
    const known = minutes.get(minute.at);
    minutes.set(minute.at, {
      at: minute.at,
      heard: minute.heard || (known?.heard ?? false),
      attenuation: nearer(minute.attenuation, known?.attenuation ?? null),
      strongest: nearer(minute.strongest, known?.strongest ?? null),
      senders: [...new Set([...(known?.senders ?? []), ...minute.senders])].sort(),
    });
  }
  return [...minutes.values()].sort((a, b) => a.at - b.at);
}

function withMarks(minute: Omit<Minute, "protection" | "places">, board: string | null, options: TimelineOptions): Minute {
  const said = options.periods.filter((one) => one.board === board && one.from < minute.at + MINUTE && one.to >= minute.at);
  const fixed = board === null ? undefined : options.fixedPlaces?.get(board);
  const places = said.flatMap(({ place }) => (place === null ? [] : [place]));
  return {
    ...minute,
    protection: [...new Set(said.flatMap(({ kind }) => (kind === "place" ? [] : [kind])))].sort(),
    places: [...new Set(places.length > 0 || fixed === undefined ? places : [fixed])].sort(),
  };
}

/** `counting` and `safe`: as a match told them apart. Events in order of time. */
export function timeline(counting: readonly ListedExposure[], safe: readonly ListedExposure[], options: TimelineOptions): ExposureEvent[] {
  const keys = [...new Set([...counting, ...safe].sort((a, b) => a.firstSeen - b.firstSeen || (a.key < b.key ? -1 : 1)).map(({ key }) => key))];
  const letterOf = new Map(keys.map((key, i) => [key, letters(i)]));
  const groups = new Map<string, { board: string | null; safe: boolean; scans: Scan[] }>();
  for (const [exposures, isSafe] of [
    [counting, false],
    [safe, true],
  ] as const) {
    for (const exposure of exposures) {
      const { board } = exposure;
      const name = `${isSafe} ${board}`;
      const group = groups.get(name) ?? { board, safe: isSafe, scans: [] };
      group.scans.push(...scansOf(exposure, letterOf.get(exposure.key)!, options));
      groups.set(name, group);
    }
  }
  const events = [...groups.values()].flatMap(({ board, safe: isSafe, scans }) => {
    const stretches: Minute[][] = [];
    let last = Number.NEGATIVE_INFINITY;
    for (const minute of merged(scans)) {
      if (minute.at - last > LONGEST_SILENCE) stretches.push([]);
      stretches[stretches.length - 1].push(withMarks(minute, board, options));
      last = minute.at;
    }
    return stretches.map((minutes) => ({
      board,
      from: minutes[0].at,
      to: minutes[minutes.length - 1].at + MINUTE,
      senders: [...new Set(minutes.flatMap(({ senders }) => senders))].sort(),
      safe: isSafe,
      minutes,
    }));
  });
  return events
    .sort((a, b) => a.from - b.from || ((a.board ?? "") < (b.board ?? "") ? -1 : 1) || Number(a.safe) - Number(b.safe))
    .map((event, i) => ({ number: i + 1, ...event }));
}

/** Minutes one after the other of which the same is told. */
export interface Run {
  from: number;
  to: number;
  minute: Minute;
}

export function runs(minutes: readonly Minute[]): Run[] {
  const found: Run[] = [];
  const told = ({ attenuation, strongest, senders, protection, places }: Minute) =>
    JSON.stringify([attenuation, strongest, senders, protection, places]);
  for (const minute of minutes) {
    const last = found[found.length - 1];
    if (last && last.to === minute.at && told(last.minute) === told(minute)) last.to = minute.at + MINUTE;
    else found.push({ from: minute.at, to: minute.at + MINUTE, minute });
  }
  return found;
}
