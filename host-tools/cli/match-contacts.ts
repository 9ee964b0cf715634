import { utc } from "../device/clock-words.ts";
import { createTally } from "../matching/diagnosis-keys.ts";
import { listOthers, type MatchReport, setListedApart } from "../matching/exposure-list.ts";
import { matchOpenCovidTrace } from "../matching/others.ts";
import { setSafeApart } from "../matching/safe.ts";
import { nodeCrypto } from "../node-crypto.ts";
import { parsePublishedKeys } from "../opencovidtrace/contact-files.ts";
import { CONTACTS, type ContactMatch, matchContacts } from "../opencovidtrace/contact-matches.ts";
import { counted } from "../report/words.ts";
import type { StoredContact } from "../store/contacts.ts";
import type { Store } from "../store/store.ts";
import { encountersInTime, type KeyFile } from "./match-others.ts";
import { UNCORRECTED } from "./receivers.ts";

// `tracelet match --protocol opencovidtrace`: published keys in contacts by QR code, and in what boards have read of others.

/** A contact that matched, as `--json` tells it. Keys and identifiers in hex; null where something is not known. */
export interface ListedContact {
  key: string;
  /** Days since 1970, of the key and of the contact. */
  keyDay: number;
  day: number;
  identifier: string;
  board: string;
  /** Unix seconds. */
  receivedAt: number;
  way: "scanned" | "answer";
  /** Unix seconds and degrees, as the other sent them; where the meta key was published. A wrong key gives noise. */
  sentAt: number | null;
  position: { lat: number; lng: number; accuracy: number } | null;
}

export interface ContactsReport {
  protocol: string;
  /** Those that count. */
  exposures: ListedContact[];
  /** Those that their owner has marked as safe (OCT-10). */
  safe: ListedContact[];
  keys: number;
  contacts: number;
  /** The same keys in what boards have read of others. */
  heard: MatchReport;
}

function list({ contact, key, opened }: ContactMatch<StoredContact>): ListedContact {
  return {
    key: Buffer.from(key.dailyKey).toString("hex"),
    keyDay: key.day,
    day: contact.day,
    identifier: Buffer.from(contact.rollingId).toString("hex"),
    board: contact.board,
    receivedAt: contact.receivedAt,
    way: contact.way,
    sentAt: opened?.unix ?? null,
    position: opened?.position ?? null,
  };
}

/** @throws FormatError "bad_keys" */
export async function matchStoredContacts(store: Store, files: KeyFile[], tolerance: number, receivers = UNCORRECTED): Promise<ContactsReport> {
  const keys = files.flatMap(({ path, bytes }) => parsePublishedKeys(Buffer.from(bytes).toString("utf8"), path));
  const contacts = await store.contacts();
  const { counting, safe } = setSafeApart(
    await store.marks(),
    matchContacts(keys, contacts, tolerance).map(list),
    ({ identifier, board, receivedAt }) => ({
      board,
      protocol: CONTACTS,
      identifier: Buffer.from(identifier, "hex"),
      firstSeen: receivedAt,
      lastSeen: receivedAt,
    }),
  );
  const apart = createTally("encounter");
  const encounters = await encountersInTime(store, CONTACTS, apart, receivers);
  const { exposures, setApart, dense } = matchOpenCovidTrace(nodeCrypto, keys, encounters, tolerance);
  const listed = setListedApart(await store.marks(), CONTACTS, exposures.map(listOthers));
  const heard: MatchReport = {
    protocol: CONTACTS,
    exposures: listed.counting,
    safe: listed.safe,
    keys: keys.length,
    encounters: encounters.length,
    setApart: [...setApart, ...apart.list()],
    dense,
  };
  return { protocol: CONTACTS, exposures: counting, safe, keys: keys.length, contacts: contacts.length, heard };
}

/** For a person: identifiers and keys by their first digits only (COM-06), and no positions. What boards have read is described by match.ts. */
export function describeContacts({ exposures, safe, keys, contacts }: ContactsReport): string {
  const line = ({ receivedAt, board, identifier, key }: ListedContact) =>
    `  ${utc(receivedAt * 1000)}, board ${board}, by QR code, identifier ${identifier.slice(0, 4)}…, key ${key.slice(0, 4)}…`;
  return [
    `${counted(exposures.length, "exposure")}: ${counted(keys, "key")} looked for in ${counted(contacts, "contact")}`,
    ...exposures.map(line),
    ...(safe.length > 0 ? [`${safe.length} more marked as safe, which don't count:`, ...safe.map(line)] : []),
  ].join("\n");
}
