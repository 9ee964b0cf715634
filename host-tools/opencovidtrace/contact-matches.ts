import { type DayKey, matches, type OpenedMeta, openMeta } from "./matching.ts";

/** What contacts by QR code are called beside the protocols of boards. */
export const CONTACTS = "opencovidtrace";

/** What matching needs of a contact; 16 bytes each. */
export interface MetContact {
  rollingId: Uint8Array;
  meta: Uint8Array;
  /** The receiver's day. */
  day: number;
}

export interface ContactMatch<C> {
  contact: C;
  key: DayKey;
  /** What the other sent with its identifier, where the meta key was published too. */
  opened?: OpenedMeta;
}

/** Looks for published keys in contacts (OCT-03). `tolerance` in intervals, see `matches`. A key that was published twice, once with its meta key, counts once: with it. */
export function matchContacts<C extends MetContact>(keys: readonly DayKey[], contacts: readonly C[], tolerance = 0): ContactMatch<C>[] {
  return contacts.flatMap((contact) => {
    const found = keys.filter((key) => matches(key, contact, tolerance));
    const key = found.find(({ metaKey }) => metaKey !== undefined) ?? found[0];
    if (!key) return [];
    return [{ contact, key, ...(key.metaKey && { opened: openMeta(key.metaKey, contact.meta) }) }];
  });
}
