import type { ExposureKey } from "../../protocols/gaen/export-file.ts";
import { rollingProximityIdentifiers } from "../../protocols/gaen/identifier-series.ts";
import { metadataKey, rollingProximityIdentifierKey } from "../../protocols/gaen/key-schedule.ts";
import { decodeMetadata, decryptMetadata } from "../../protocols/gaen/metadata.ts";
import type { Crypto } from "../../protocols/ports.ts";
import { createTally, type SetApart } from "./diagnosis-keys.ts";
import { createRpiTable, identifierWords } from "./rpi-table.ts";
import { attenuation, isPlausibleTxPower, REPLAY_SECONDS, toleratedTime } from "./sighting-rules.ts";

/** What matching needs of an encounter. Times in whole Unix seconds, both included. */
export interface HeardIdentifier {
  rpi: Uint8Array;
  aem: Uint8Array;
  /** Who heard it; null where that is not known. */
  board: string | null;
  firstSeen: number;
  lastSeen: number;
  maxRssi: number;
}

/** An encounter whose identifier was made from a published key. */
export interface Exposure<E extends HeardIdentifier> {
  encounter: E;
  key: ExposureKey;
  /** Interval that the identifier was made for. */
  interval: number;
  /** The part of the encounter that counts: inside the tolerance and not replayed. */
  firstSeen: number;
  lastSeen: number;
  txPower: number;
  /** Calibration confidence of the sender, 0 to 3. */
  confidence: number;
  /** At the strongest signal, dB. */
  attenuation: number;
}

export interface Matches<E extends HeardIdentifier> {
  /** In order of time, board, identifier and key. */
  exposures: Exposure<E>[];
  /** Encounters whose identifier fits, but that must not count. */
  setApart: SetApart[];
}

/**
 * Looks for `keys` (matchable ones, each once; see diagnosis-keys.ts) in what was heard. GAEN-24, GAEN-25; the rules of an encounter follow from those of its sightings:
 *
 * - It counts if it touches the tolerated time of its identifier, and for the part that does.
 * - What one board heard of an identifier more than 1200 s after the first time that counts is a replay.
 * - Its metadata must open to version 1 and to a transmit power that exists.
 */
export function matchEncounters<E extends HeardIdentifier>(crypto: Crypto, keys: readonly ExposureKey[], encounters: readonly E[]): Matches<E> {
  const table = createRpiTable(
    crypto,
    encounters.map((encounter) => encounter.rpi),
  );
  const exposures: Exposure<E>[] = [];
  const apart = createTally("encounter");
  for (const key of keys) {
    const rpik = rollingProximityIdentifierKey(crypto, key.key);
    const identifiers = identifierWords(rollingProximityIdentifiers(crypto, rpik, key.rollingStart, key.rollingPeriod));
    let aemk: Uint8Array | undefined;
    for (let i = 0; i < key.rollingPeriod; i++) {
      const first = table.find(identifiers, i);
      if (first < 0) continue;
      aemk ??= metadataKey(crypto, key.key);
      const heard: E[] = [];
      for (let entry = first; entry >= 0; entry = table.next(entry)) heard.push(encounters[entry]);
      for (const part of countedParts(heard, key.rollingStart + i, apart)) {
        const opened = open(crypto, aemk, part, apart);
        if (opened) exposures.push({ key, interval: key.rollingStart + i, ...part, ...opened });
      }
    }
  }
  return { exposures: exposures.sort(byTime), setApart: apart.list() };
}

type Part<E> = { encounter: E; firstSeen: number; lastSeen: number };

/** The parts of one identifier's encounters that are neither out of time nor replayed. */
function countedParts<E extends HeardIdentifier>(heard: E[], interval: number, apart: ReturnType<typeof createTally>): Part<E>[] {
  const { from, until } = toleratedTime(interval);
  const parts: Part<E>[] = [];
  /** First counted second by board: a replay near one board says nothing of another one's clock. */
  const begins = new Map<string | null, number>();
  for (const encounter of heard) {
    const firstSeen = Math.max(encounter.firstSeen, from);
    const lastSeen = Math.min(encounter.lastSeen, until - 1);
    if (firstSeen > lastSeen) {
      apart.add("out of time");
      continue;
    }
    begins.set(encounter.board, Math.min(begins.get(encounter.board) ?? firstSeen, firstSeen));
    parts.push({ encounter, firstSeen, lastSeen });
  }
  return parts.flatMap((part) => {
    const end = (begins.get(part.encounter.board) as number) + REPLAY_SECONDS;
    if (part.firstSeen <= end) return { ...part, lastSeen: Math.min(part.lastSeen, end) };
    apart.add("replay");
    return [];
  });
}

function open<E extends HeardIdentifier>(crypto: Crypto, aemk: Uint8Array, part: Part<E>, apart: ReturnType<typeof createTally>) {
  const { rpi, aem, maxRssi } = part.encounter;
  const { major, confidence, txPower } = decodeMetadata(decryptMetadata(crypto, aemk, rpi, aem));
  if (major !== 1) apart.add("unknown metadata version");
  else if (!isPlausibleTxPower(txPower)) apart.add("impossible transmit power");
  else return { txPower, confidence, attenuation: attenuation(txPower, maxRssi) };
  return undefined;
}

function byTime<E extends HeardIdentifier>(a: Exposure<E>, b: Exposure<E>): number {
  return (
    a.firstSeen - b.firstSeen ||
    a.lastSeen - b.lastSeen ||
    compare(a.encounter.board ?? "", b.encounter.board ?? "") ||
    Buffer.compare(a.encounter.rpi, b.encounter.rpi) ||
    Buffer.compare(a.key.key, b.key.key) ||
    Buffer.compare(a.encounter.aem, b.encounter.aem) ||
    a.encounter.maxRssi - b.encounter.maxRssi
  );
}
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
