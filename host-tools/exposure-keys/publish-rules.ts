import { INTERVAL_SECONDS, intervalNumber, ROLLING_PERIOD } from "../../protocols/gaen/key-schedule.ts";
import type { UploadedKey } from "./tekmac.ts";

// What a diagnosis server takes from an upload, and when it may publish it (GAEN-16, GAEN-17).
// Source: google/exposure-notifications-server, internal/publish/model; the release rule is ours, and why stands at releaseAt().

const DAY = 86400;
const HOUR = 3600;
const MAX_KEYS = 30;
const MAX_SAME_START = 3;
const MAX_AGE = 15 * DAY;
const MAX_RISK = 8;
const ONSET_AGE = 28 * DAY;
const ASSUMED_ONSET = 4 * DAY;
const ONSET_DAYS = 14;
/** Clients look for a published key up to two hours beside its intervals. */
const MATCHING_TOLERANCE = 2 * HOUR;

/** Why one key was left out; the others may still be taken. */
export type KeyProblem = "key_length" | "rolling_period" | "transmission_risk" | "future" | "too_old" | "onset_range";
/** Why the whole upload was refused. */
export type UploadProblem = "no_keys" | "too_many_keys" | "same_start" | "overlap" | "no_valid_keys";

export interface AcceptedKey {
  /** Place in the upload. */
  index: number;
  /** Unix seconds, a full hour: the first export that may have it. */
  releaseAt: number;
  daysSinceOnset: number;
}
export interface RejectedKey {
  index: number;
  reason: KeyProblem;
}
export type UploadVerdict =
  | { error: UploadProblem; rejected: RejectedKey[] }
  | { error: null; onsetInterval: number; accepted: AcceptedKey[]; rejected: RejectedKey[] };

/**
 * Judges the keys of one upload.
 * @param onset interval number of the first symptoms as the upload says, and as the certificate says.
 * @param now Unix seconds at which the upload came in.
 */
export function judgeUpload(keys: UploadedKey[], onset: { upload?: number; certificate?: number }, now: number): UploadVerdict {
  if (keys.length === 0) return { error: "no_keys", rejected: [] };
  if (keys.length > MAX_KEYS) return { error: "too_many_keys", rejected: [] };
  const onsetInterval = onsetOf(onset, now);
  const accepted: AcceptedKey[] = [];
  const rejected: RejectedKey[] = [];
  keys.forEach((key, index) => {
    const daysSinceOnset = Math.floor(key.rollingStartNumber / ROLLING_PERIOD) - Math.floor(onsetInterval / ROLLING_PERIOD);
    const reason = keyProblem(key, daysSinceOnset, now);
    if (reason) rejected.push({ index, reason });
    else accepted.push({ index, releaseAt: releaseAt(key, now), daysSinceOnset });
  });
  if (accepted.length === 0) return { error: "no_valid_keys", rejected };
  const error = periodProblem(accepted.map(({ index }) => keys[index]));
  return error ? { error, rejected } : { error: null, onsetInterval, accepted, rejected };
}

function keyProblem(key: UploadedKey, daysSinceOnset: number, now: number): KeyProblem | undefined {
  const { rollingStartNumber: start, rollingPeriod: period, transmissionRisk: risk } = key;
  const bytes = Buffer.from(key.key, "base64");
  // Written back: Buffer reads past characters that are no base64.
  if (bytes.length !== 16 || bytes.toString("base64") !== key.key) return "key_length";
  if (!Number.isInteger(period) || period < 1 || period > ROLLING_PERIOD) return "rolling_period";
  if (!Number.isInteger(risk) || risk < 0 || risk > MAX_RISK) return "transmission_risk";
  if (!Number.isInteger(start) || start > intervalNumber(now)) return "future";
  if (start + period < intervalNumber(now - MAX_AGE)) return "too_old";
  if (Math.abs(daysSinceOnset) > ONSET_DAYS) return "onset_range";
  return undefined;
}

/** Keys of different starts must not overlap; a device that gave its key away early may begin up to three on one day. No start needs to be a midnight. */
function periodProblem(keys: UploadedKey[]): UploadProblem | undefined {
  const groups = new Map<number, UploadedKey[]>();
  for (const key of keys) groups.set(key.rollingStartNumber, [...(groups.get(key.rollingStartNumber) ?? []), key]);
  let lastEnd = 0;
  for (const start of [...groups.keys()].sort((a, b) => a - b)) {
    const group = groups.get(start) ?? [];
    if (group.length > MAX_SAME_START) return "same_start";
    if (start < lastEnd) return "overlap";
    lastEnd = start + Math.max(...group.map(({ rollingPeriod }) => rollingPeriod));
  }
  return undefined;
}

/** The upload's word if it lies within the last 28 days and before now, else the certificate's if that does, else four days ago. */
function onsetOf(onset: { upload?: number; certificate?: number }, now: number): number {
  const plausible = (interval: number | undefined): interval is number =>
    interval !== undefined && interval >= intervalNumber(now - ONSET_AGE) && interval < intervalNumber(now);
  if (plausible(onset.upload)) return onset.upload;
  if (plausible(onset.certificate)) return onset.certificate;
  return intervalNumber(now - ASSUMED_ONSET);
}

/**
 * The first hour that begins two hours or more after the key's last interval, Unix seconds; the current hour if that is past.
 * The reference server waits one hour, and only for keys still in use. Two hours is how far clients look beside a key's intervals: waited out, nobody can replay a published key and be believed.
 */
export function releaseAt(key: Pick<UploadedKey, "rollingStartNumber" | "rollingPeriod">, now: number): number {
  const end = (key.rollingStartNumber + key.rollingPeriod) * INTERVAL_SECONDS;
  return Math.max(HOUR * Math.floor(now / HOUR), HOUR * Math.ceil((end + MATCHING_TOLERANCE) / HOUR));
}
