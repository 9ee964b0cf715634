import { latin1 } from "../../protocols/bytes.ts";
import { openFernet } from "../../protocols/fernet/token.ts";
import { COMPACT_TOKEN, MESSAGE_FRAGMENT } from "../../protocols/smartbeacon/advertisement.ts";
import { BATTERY_LOW, CLOCK_UNSET, openToken, SEAL_OPENED } from "../../protocols/smartbeacon/compact-token.ts";
import { FUTURE_SECONDS, messageKeys, openMessageC, STALE_SECONDS, timeliness } from "../../protocols/smartbeacon/open-message.ts";
import { parseUtc } from "../../protocols/smartbeacon/timestamp.ts";
import { aesDecrypt, nodeCrypto } from "../node-crypto.ts";
import type { BeaconKey } from "./key-file.ts";

// What an installer wants to know of a beacon on its wall: do its messages come, and how late? The decision about a person is the server's, see docs/smartbeacon.md.

/** What is the matter with a message; which step failed is for who has the key, never for a sender (COM-02). */
export type Verdict = "ok" | "malformed" | "bad-mac" | "bad-padding" | "bad-format" | "bad-version" | "future" | "stale";

export interface Verified {
  verdict: Verdict;
  /** Seconds from the message's own time to its coming; undefined where it has no time that can be read. */
  delay?: number;
  /** 0 to 100, of one that is ok. */
  score?: number;
  /** What a compact token says of the beacon: `seal opened`, `clock not set`, `battery low`. */
  notes: string[];
}

/** A message as it came, without saying when. `type` as of advertisements: MESSAGE C, compact token, Fernet token. */
export interface SealedMessage {
  type: number;
  bytes: Uint8Array;
}
interface Received extends SealedMessage {
  /** Unix seconds. */
  receivedAt: number;
}

/** What a message says that this beacon made, whenever that was. */
export interface OpenedMessage {
  /** Unix seconds; of a token whose clock is not set, seconds since its start. */
  unix: number;
  /** Of a compact token, see protocols/smartbeacon/compact-token.ts; 0 of others. */
  status: number;
}

/** Delay up to which a message is as good as can be, s. */
const PUNCTUAL = 60;
const STATUS_WORDS: [number, string][] = [
  [SEAL_OPENED, "seal opened"],
  [CLOCK_UNSET, "clock not set"],
  [BATTERY_LOW, "battery low"],
];

/**
 * Score of an ok message that was `delay` seconds on its way: 100 up to `punctual`, 0 at `late`, both in seconds (QB-17). It measures the connection, not a person.
 */
export function score(delay: number, punctual = PUNCTUAL, late = STALE_SECONDS): number {
  const share = (Math.abs(delay) - punctual) / (late - punctual);
  return Math.max(0, Math.min(100, Math.round(100 * (1 - share))));
}

/** Opens a message as of the time at which it came, whatever the time is now. */
export function verifyMessage(key: BeaconKey, { type, bytes, receivedAt }: Received): Verified {
  const opened = openSealed(key, { type, bytes });
  if (typeof opened === "string") return { verdict: opened, notes: [] };
  const notes = STATUS_WORDS.filter(([bit]) => opened.status & bit).map(([, words]) => words);
  // its time is that since its start then (QB-14)
  if (opened.status & CLOCK_UNSET) return { verdict: "stale", notes };
  const verdict = timeliness(opened.unix, receivedAt, FUTURE_SECONDS, STALE_SECONDS);
  const delay = receivedAt - opened.unix;
  return verdict === "ok" ? { verdict, delay, score: score(delay), notes } : { verdict, delay, notes };
}

/** Opens a message, or tells why it is not this beacon's (QB-06). Which step failed is for who has the key. */
export function openSealed({ id, sk, mode }: BeaconKey, { type, bytes }: SealedMessage): OpenedMessage | Exclude<Verdict, "ok" | "future" | "stale"> {
  if (type === COMPACT_TOKEN) return openToken(nodeCrypto, sk, id, bytes);
  const unix = type === MESSAGE_FRAGMENT ? openMessageC(nodeCrypto, aesDecrypt, messageKeys(nodeCrypto, sk, mode), bytes) : timeOfFernet(sk, bytes);
  return typeof unix === "number" ? { unix, status: 0 } : unix;
}

/** The time that counts is the text's, as of MESSAGE C; so an age limit of the token would only be asked twice. */
function timeOfFernet(sk: Uint8Array, token: Uint8Array): number | Exclude<Verdict, "ok" | "future" | "stale"> {
  // no such token is of a key that is no Fernet key
  if (sk.length !== 32) return "bad-mac";
  const text = openFernet(nodeCrypto, aesDecrypt, sk, token, Number.MAX_SAFE_INTEGER, undefined);
  if (typeof text !== "string") return parseUtc(latin1(text)) ?? "bad-format";
  return text === "bad-mac" || text === "bad-padding" || text === "bad-version" ? text : "malformed";
}

export interface Verification {
  messages: number;
  /** How many of each verdict; `bad-mac` are other beacons', or forged. */
  verdicts: Partial<Record<Verdict, number>>;
  /** Of those that are ok: seconds, score of the best (QB-17), Unix seconds at which the first and the last came. Undefined where none is. */
  ok?: { count: number; delay: { least: number; median: number; most: number }; score: number; firstAt: number; lastAt: number };
  /** How many tokens said so. */
  notes: Record<string, number>;
}

/** All messages together. One that several boards have, or that comes twice, counts once, as it came first. */
export function verifyMessages(key: BeaconKey, received: Received[]): Verification {
  const distinct = new Map<string, Received>();
  for (const one of [...received].sort((a, b) => a.receivedAt - b.receivedAt)) {
    const content = `${one.type} ${Buffer.from(one.bytes).toString("latin1")}`;
    if (!distinct.has(content)) distinct.set(content, one);
  }
  const result: Verification = { messages: distinct.size, verdicts: {}, notes: {} };
  const delays: number[] = [];
  const times: number[] = [];
  for (const one of distinct.values()) {
    const { verdict, delay, notes } = verifyMessage(key, one);
    result.verdicts[verdict] = (result.verdicts[verdict] ?? 0) + 1;
    for (const note of notes) result.notes[note] = (result.notes[note] ?? 0) + 1;
    if (verdict !== "ok") continue;
    delays.push(delay!);
    times.push(one.receivedAt);
  }
  if (delays.length > 0) {
    delays.sort((a, b) => a - b);
    const delay = { least: delays[0], median: delays[delays.length >> 1], most: delays.at(-1)! };
    result.ok = { count: delays.length, delay, score: Math.max(...delays.map((delay) => score(delay))), firstAt: times[0], lastAt: times.at(-1)! };
  }
  return result;
}
