// Who was a close contact, by the records of a BlueTrace upload. The protocol leaves the rule to the health authority (BlueTrace, "Proximity and duration", 2020). The Australian
// one, COVIDSafe, published "1.5 m for 15 minutes or more" with a record each minute; no attenuation for it was ever published, so that one is ours.

export interface CloseContactRule {
  /** Seconds near a contact in one UTC day. */
  fromSeconds: number;
  /** dB: weaker records don't count. */
  attenuationBelow: number;
  /** After a longer silence nobody was there meanwhile, seconds. */
  longestGap: number;
}

/** 15 minutes; the edge of "near" in the guidance of the Risk Score Symposium, 2021; three of OpenTrace's pauses of two minutes. */
export const CLOSE_CONTACT: CloseContactRule = { fromSeconds: 900, attenuationBelow: 67, longestGap: 360 };
/** What the first record of a contact stands for, seconds. */
const FIRST_SECONDS = 60;
const DAY = 86400;

/** A record whose TempID was opened. */
export interface OpenedRecord {
  /** User ID. */
  contact: string;
  /** Unix seconds. */
  heardAt: number;
  /** dB. */
  attenuation: number;
}

export interface ContactDay {
  contact: string;
  /** Days since 1970, UTC. */
  day: number;
  records: number;
  /** Near enough. */
  seconds: number;
  isClose: boolean;
}

/** By contact and day. A near record stands for the time since the last one of the same contact, however near that one was; the first for a minute. */
export function closeContacts(records: readonly OpenedRecord[], rule: CloseContactRule = CLOSE_CONTACT): ContactDay[] {
  const days = new Map<string, ContactDay>();
  const last = new Map<string, number>();
  const sorted = [...records].sort((a, b) => a.heardAt - b.heardAt || a.attenuation - b.attenuation);
  for (const { contact, heardAt, attenuation } of sorted) {
    const day = Math.floor(heardAt / DAY);
    const name = `${day} ${contact}`;
    const found = days.get(name) ?? { contact, day, records: 0, seconds: 0, isClose: false };
    days.set(name, found);
    const since = heardAt - (last.get(contact) ?? Number.NEGATIVE_INFINITY);
    last.set(contact, heardAt);
    found.records++;
    if (attenuation < rule.attenuationBelow) found.seconds += since <= rule.longestGap ? since : FIRST_SECONDS;
    found.isClose = found.seconds >= rule.fromSeconds;
  }
  return [...days.values()].sort((a, b) => a.day - b.day || b.seconds - a.seconds || (a.contact < b.contact ? -1 : 1));
}
