import { nextSecretKey } from "../../protocols/dp3t/low-cost.ts";
import type { ExposureKey } from "../../protocols/gaen/export-file.ts";
import { diagnosisKeys } from "../matching/diagnosis-keys.ts";
import { MOST_DAYS } from "../matching/dp3t.ts";
import { matchEncounters } from "../matching/matcher.ts";
import { matchDp3t, matchV1 } from "../matching/others.ts";
import { aesEncrypt, nodeCrypto } from "../node-crypto.ts";
import type { StoredKeyOfOthers } from "../store/keys-of-others.ts";
import type { Store } from "../store/store.ts";

// Which boards of a study met: an encounter of one whose identifier another one's key makes. Keys are there of boards that handed them over (`tracelet keys pull`); the rules of time are those
// of matching, so an identifier that somebody repeats hours later is nobody's.

export interface BoardContact {
  /** Board that heard, and that was heard. */
  listener: string;
  sender: string;
  protocol: string;
  /** Unix seconds, both included: the part of the encounter that counts. */
  firstSeen: number;
  lastSeen: number;
  /** dBm; null where the packet tells none. */
  txPower: number | null;
  /** dBm. How many sightings the mean is of is null of dense encounters. */
  maxRssi: number;
  meanRssi: number | null;
  count: number | null;
  /** Of the strongest sighting, dB; null where no transmit power is known. */
  attenuation: number | null;
}

export interface WhoMetWhom {
  /** In order of time, then of names. */
  contacts: BoardContact[];
  /** Encounters with time and board that are none with a board of the study, or with one whose keys are not here. */
  others: number;
}

const DAY = 86400;

export async function whoMetWhom(store: Store): Promise<WhoMetWhom> {
  const gaen = await gaenContacts(store);
  const others = await Promise.all([v1Contacts(store), dp3tContacts(store)]);
  const all = [gaen, ...others];
  const contacts = all.flatMap((found) => found.contacts).filter(({ listener, sender }) => listener !== sender);
  return { contacts: contacts.sort(byTime), others: all.reduce((sum, found) => sum + found.others, 0) };
}

/** Those whose time and listener are known. */
function placed<E extends { board: string | null; firstSeen: number | null; lastSeen: number | null }>(encounters: E[]) {
  return encounters.flatMap(({ board, firstSeen, lastSeen, ...rest }) =>
    board === null || firstSeen === null || lastSeen === null ? [] : [{ ...rest, board, firstSeen, lastSeen }],
  );
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

interface Found {
  encounter: { board: string; maxRssi: number; meanRssi: number | null; count: number | null };
  key: Uint8Array;
  firstSeen: number;
  lastSeen: number;
  txPower: number | null;
  attenuation: number | null;
}

function contactsOf(protocol: string, owners: ReadonlyMap<string, string>, encounters: number, found: Found[]): WhoMetWhom {
  const contacts = found.map(({ encounter, key, firstSeen, lastSeen, txPower, attenuation }) => ({
    listener: encounter.board,
    sender: owners.get(hex(key))!,
    protocol,
    firstSeen,
    lastSeen,
    txPower,
    maxRssi: encounter.maxRssi,
    meanRssi: encounter.meanRssi,
    count: encounter.count,
    attenuation,
  }));
  return { contacts, others: encounters - new Set(found.map(({ encounter }) => encounter)).size };
}

async function gaenContacts(store: Store): Promise<WhoMetWhom> {
  const encounters = placed(await store.encounters());
  const owners = new Map<string, string>();
  const keys: ExposureKey[] = [];
  for (const { tek, rollingStart, rollingPeriod, board } of await store.keys()) {
    if (board === null) continue;
    owners.set(hex(tek), board);
    keys.push({ key: tek, rollingStart, rollingPeriod, transmissionRisk: 0 });
  }
  const { exposures } = matchEncounters(nodeCrypto, diagnosisKeys(keys), encounters);
  return contactsOf(
    "gaen",
    owners,
    encounters.length,
    exposures.map(({ key, ...one }) => ({ ...one, key: key.key })),
  );
}

async function ownKeys(store: Store, protocol: string): Promise<{ owners: Map<string, string>; keys: StoredKeyOfOthers[] }> {
  const keys = (await store.keysOfOthers()).filter((one) => one.protocol === protocol && one.board !== null);
  return { owners: new Map(keys.map(({ key, board }) => [hex(key), board!])), keys };
}

async function v1Contacts(store: Store): Promise<WhoMetWhom> {
  const encounters = placed(await store.encountersOf("ct10"));
  const { owners, keys } = await ownKeys(store, "ct10");
  const published = keys.map(({ key, startDay }) => ({ dailyKey: key, day: startDay }));
  return contactsOf("ct10", owners, encounters.length, matchV1(nodeCrypto, published, encounters).exposures);
}

/** Low-cost design. A published key has a time of release, up to which it counts; an own one counts to its last day, or as long as anything was heard. */
async function dp3tContacts(store: Store): Promise<WhoMetWhom> {
  const encounters = placed(await store.encountersOf("dp3t"));
  const { keys } = await ownKeys(store, "dp3t");
  const heardUntil = encounters.reduce((latest, { lastSeen }) => Math.max(latest, Math.floor(lastSeen / DAY)), 0);
  const owners = new Map<string, string>();
  const lists = keys.flatMap(({ key, startDay, lastDay = heardUntil, board }) => {
    const end = Math.min(lastDay, heardUntil);
    // no key is looked for over more days: of a longer chain those that count
    const begin = Math.max(startDay, end - MOST_DAYS + 1);
    if (begin > end) return [];
    let sk = key;
    for (let day = startDay; day < begin; day++) sk = nextSecretKey(nodeCrypto, sk);
    owners.set(hex(sk), board!);
    return { releaseTime: (end + 1) * DAY, keys: [{ sk, onsetDay: begin }] };
  });
  return contactsOf("dp3t", owners, encounters.length, matchDp3t(nodeCrypto, aesEncrypt, lists, encounters).exposures);
}

function byTime(a: BoardContact, b: BoardContact): number {
  return (
    a.firstSeen - b.firstSeen ||
    a.lastSeen - b.lastSeen ||
    (a.listener < b.listener ? -1 : a.listener > b.listener ? 1 : a.sender < b.sender ? -1 : 1)
  );
}
