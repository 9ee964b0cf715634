import { type ExposureKey, isMatchable, type KeyExport } from "../../protocols/gaen/export-file.ts";

/** Something that was not counted, and why; `count` of how many. */
export interface SetApart {
  what: "key" | "encounter";
  reason: string;
  count: number;
}

/** Counts by reason, and lists them in alphabetical order. */
export function createTally(what: SetApart["what"]) {
  const counts = new Map<string, number>();
  return {
    add(reason: string, count = 1): void {
      counts.set(reason, (counts.get(reason) ?? 0) + count);
    },
    list(): SetApart[] {
      return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([reason, count]) => ({ what, reason, count }));
    },
  };
}

const CONFIRMED = 1;
const CLINICAL = 2;
const SELF_REPORT = 3;
const RECURSIVE = 4;
const REVOKED = 5;
const TRANSITIONS: Record<number, number[]> = { [SELF_REPORT]: [CONFIRMED, CLINICAL, REVOKED], [CLINICAL]: [CONFIRMED, REVOKED] };

/** May a key's report type become another one, after `earlier` changes? Once, and only as a diagnosis gets firmer or is taken back (GAEN-29). */
export function mayBecome(from: number, to: number, earlier: number): boolean {
  return earlier === 0 && (TRANSITIONS[from]?.includes(to) ?? false);
}

/**
 * The keys to look for in some exports: of each key what the latest file says of it. The order in which the files are given doesn't matter: they are taken in order of their time.
 *
 * Set apart are keys of wrong size or period, RECURSIVE ones, those that were revoked, and what a later file says against the rules (another period, a transition that must not be).
 */
export function combineExports(exports: readonly KeyExport[]): { keys: ExposureKey[]; setApart: SetApart[] } {
  const known = new Map<string, { key: ExposureKey; transitions: number }>();
  const apart = createTally("key");
  const take = (key: ExposureKey) => {
    const name = Buffer.from(key.key).toString("latin1");
    const earlier = known.get(name);
    if (!earlier) {
      known.set(name, { key, transitions: 0 });
      return;
    }
    if (earlier.key.rollingPeriod !== key.rollingPeriod || earlier.key.rollingStart !== key.rollingStart) {
      apart.add("known with another time");
      return;
    }
    const from = earlier.key.reportType ?? 0;
    const to = key.reportType ?? 0;
    if (from === to) return;
    if (mayBecome(from, to, earlier.transitions)) known.set(name, { key, transitions: earlier.transitions + 1 });
    else apart.add("report type may not change so");
  };
  const inTime = [...exports].sort((a, b) => a.start - b.start || a.end - b.end || a.batchNumber - b.batchNumber);
  for (const file of inTime) {
    file.keys.forEach(take);
    file.revisedKeys.forEach(take);
  }
  const keys: ExposureKey[] = [];
  for (const { key } of known.values()) {
    if (isMatchable(key)) keys.push(key);
    else if (key.reportType === REVOKED) apart.add("revoked");
    else if (key.reportType === RECURSIVE) apart.add("recursive");
    else apart.add("wrong size or rolling period");
  }
  return { keys, setApart: apart.list() };
}
