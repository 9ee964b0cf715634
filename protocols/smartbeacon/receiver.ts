import { equalBytes, readU32 } from "../bytes.ts";
import type { Crypto } from "../ports.ts";
import { COMPACT_TOKEN, FERNET_FRAGMENT, MESSAGE_FRAGMENT, WHOLE_MESSAGE } from "./advertisement.ts";
import { CHUNK, FRAGMENT_HEADER } from "./fragments.ts";

// What a phone, or a collecting board, does with SmartBeacon payloads: it puts messages together and bounds its own work. It has no key, so it can't tell a true message from a
// forged one; whoever has the key does. Source: this project's own design (QB-10); the bounds below are all there is, whatever is on the air.

/** At most so many addresses are remembered, the least recently heard goes; and of all of them so many message ids, the one begun first goes. */
const ADDRESSES = 32;
const MARKS = 64;
const CONTEXTS = 8;
const CONTEXTS_OF_ADDRESS = 2;
/** Digests of the messages accepted last, against replays. */
const RING = 64;
/** Messages that wait to be forwarded. */
const BUFFER = 16;
const NEW_IDS_MS = 30000;
const PENALTY_MS = 300000;
const FINISHED_MS = 600000;

/** What a demonstration with faster beacons changes. */
export interface ReceiverLimits {
  /** From one message of a beacon to the next, ms: one that comes in less than half of it is too fast, and the bucket fills once in it. */
  messageMs: number;
  /** For how long fragments of a message are kept, ms. */
  contextMs: number;
  /** New message ids from one address within 30 s; one more brings a penalty of 5 min. */
  newIds: number;
  /** Messages accepted in `messageMs`, of all addresses together. */
  bucket: number;
}

export const RECEIVER_LIMITS: ReceiverLimits = { messageMs: 60000, contextMs: 10000, newIds: 2, bucket: 6 };

/**
 * What `receive` answers, by number. `message`: accepted, and now the last in `waiting`. `partial`, `duplicate-fragment`: on the way; `repeat`: this address has completed it
 * before; `replay`: accepted before. From `conflict` on something is wrong: other bytes for the same fragment, all dropped; a payload that is none; too many ids from this
 * address (`penalty`, `rate`); complete, but not a message (`bad-digest`, `bad-length`); more than beacons send (`too-fast`, `global-rate`).
 */
export const ANSWERS = [
  "message",
  "partial",
  "duplicate-fragment",
  "repeat",
  "replay",
  "conflict",
  "malformed",
  "bad-index",
  "bad-count",
  "bad-chunk",
  "penalty",
  "rate",
  "bad-digest",
  "bad-length",
  "too-fast",
  "global-rate",
];
export const MESSAGE = 0;
const PARTIAL = 1;
const DUPLICATE_FRAGMENT = 2;
const REPEAT = 3;
export const REPLAY = 4;
const CONFLICT = 5;
const MALFORMED = 6;
const BAD_INDEX = 7;
const BAD_COUNT = 8;
const BAD_CHUNK = 9;
const PENALTY = 10;
const RATE = 11;
const BAD_DIGEST = 12;
const BAD_LENGTH = 13;
const TOO_FAST = 14;
const GLOBAL_RATE = 15;

export interface WaitingMessage {
  address: string;
  /** When it was complete, as given to `receive`. */
  at: number;
  /** B1: MESSAGE C, however it came; B2: a Fernet token, raw; B3: a compact token with its type byte. */
  type: number;
  bytes: Uint8Array;
}

export interface Receiver {
  /** Takes a payload; answers a number of ANSWERS. `at`: ms of a clock that never goes back; `address`: the sender's, any text that tells one from another. */
  receive(at: number, address: string, payload: Uint8Array): number;
  /** Accepted messages, oldest first, at most 16: take out what has been forwarded. When it is full, the oldest of the address that has most goes. */
  waiting: WaitingMessage[];
}

/** A message on its way. */
interface Context {
  address: string;
  at: number;
  type: number;
  /** As in the marks. */
  key: number;
  /** Fragments in all, and a bit for each that is there. */
  count: number;
  have: number;
  bytes: Uint8Array;
  /** Bytes of the message: known when the last chunk is there. */
  total: number;
}

/** A receiver with nothing heard yet. What it holds stands in typed arrays: of objects a flood would take 1.6 times as much of a board. */
export function createReceiver(crypto: Crypto, limits: ReceiverLimits): Receiver {
  // An address has a slot. Its times, ms: heard last at `slot`, under penalty until at ADDRESSES + slot, message accepted last at 2 * ADDRESSES + slot.
  const addresses: string[] = [];
  const times = new Float64Array(3 * ADDRESSES);
  // Ids whose first fragment has come: (slot + 1) * 65536 + id, when that was, and whether the message is finished. Zero: none.
  const marks = new Uint32Array(MARKS);
  const begunAt = new Float64Array(MARKS);
  const finished = new Uint8Array(MARKS);
  let nextMark = 0;
  let contexts: Context[] = [];
  // The first eight bytes of each digest as two numbers.
  const ring = new Uint32Array(RING);
  const ringLow = new Uint32Array(RING);
  let nextInRing = 0;
  const waiting: WaitingMessage[] = [];
  let tokens = limits.bucket;
  let filledAt = 0;

  function slotOf(at: number, address: string): number {
    let slot = addresses.indexOf(address);
    if (slot < 0) {
      slot = addresses.length;
      if (slot === ADDRESSES) {
        slot = 0;
        for (let i = 1; i < ADDRESSES; i++) if (times[i] < times[slot]) slot = i;
        for (let i = 0; i < MARKS; i++) if (marks[i] >> 16 === slot + 1) marks[i] = 0;
      }
      addresses[slot] = address;
      times[ADDRESSES + slot] = 0;
      times[2 * ADDRESSES + slot] = -limits.messageMs;
    }
    times[slot] = at;
    return slot;
  }

  /** Remembers that an id has begun. Answers its place. */
  function mark(at: number, key: number): number {
    let place = marks.indexOf(key);
    if (place < 0) {
      place = nextMark;
      nextMark = (nextMark + 1) % MARKS;
    }
    marks[place] = key;
    begunAt[place] = at;
    finished[place] = 0;
    return place;
  }

  /** Takes out the oldest entry of the address that has most of them; among equals the oldest of all. Entries stand in the order of their age. */
  function evict(list: { address: string }[]): void {
    let most = 0;
    let oldest = 0;
    for (let i = 0; i < list.length; i++) {
      let same = 0;
      for (let j = i; j < list.length; j++) if (list[j].address === list[i].address) same++;
      if (same > most) {
        most = same;
        oldest = i;
      }
    }
    list.splice(oldest, 1);
  }

  function drop(context: Context): void {
    contexts.splice(contexts.indexOf(context), 1);
  }

  /** A whole message against replays, speed and floods. */
  function accept(at: number, slot: number, type: number, bytes: Uint8Array, digest: Uint8Array): number {
    const high = readU32(digest, 0);
    const low = readU32(digest, 4);
    for (let i = ring.indexOf(high); i >= 0 && i < RING; i++) if (ring[i] === high && ringLow[i] === low) return REPLAY;
    if (at - times[2 * ADDRESSES + slot] < limits.messageMs / 2) return TOO_FAST;
    tokens = Math.min(limits.bucket, tokens + ((at - filledAt) * limits.bucket) / limits.messageMs);
    filledAt = at;
    if (tokens < 1) return GLOBAL_RATE;
    tokens--;
    times[2 * ADDRESSES + slot] = at;
    ring[nextInRing] = high;
    ringLow[nextInRing] = low;
    nextInRing = (nextInRing + 1) % RING;
    if (waiting.length === BUFFER) evict(waiting);
    waiting.push({ address: addresses[slot], at: at, type: type, bytes: bytes });
    return MESSAGE;
  }

  function receiveFragment(at: number, address: string, payload: Uint8Array): number {
    const type = payload[0];
    const size = payload.length - FRAGMENT_HEADER;
    if (size < 1 || size > CHUNK || (type !== MESSAGE_FRAGMENT && type !== FERNET_FRAGMENT)) return MALFORMED;
    const index = payload[3] >> 4;
    const count = (payload[3] & 15) + 1;
    if (index >= count) return BAD_INDEX;
    if (count < 4 || count > (type === MESSAGE_FRAGMENT ? 4 : 8)) return BAD_COUNT;
    if (size < CHUNK && (type === MESSAGE_FRAGMENT || index < count - 1)) return BAD_CHUNK;

    const slot = slotOf(at, address);
    const key = (slot + 1) * 65536 + payload[1] * 256 + payload[2];
    contexts = contexts.filter(function (open) {
      return at - open.at <= limits.contextMs;
    });
    if (at < times[ADDRESSES + slot]) return PENALTY;
    let place = marks.indexOf(key);
    if (place >= 0 && finished[place] && at - begunAt[place] <= FINISHED_MS) return REPEAT;

    let context: Context | undefined;
    let oldestOfSender: Context | undefined;
    let ofSender = 0;
    contexts.forEach(function (open) {
      if (open.address !== address) return;
      if (open.key === key) context = open;
      if (!ofSender++) oldestOfSender = open;
    });
    if (!context) {
      if (place < 0 || at - begunAt[place] > NEW_IDS_MS) {
        let recent = 0;
        for (let i = 0; i < MARKS; i++) if (marks[i] >> 16 === slot + 1 && at - begunAt[i] <= NEW_IDS_MS) recent++;
        if (recent >= limits.newIds) {
          contexts = contexts.filter(function (open) {
            return open.address !== address;
          });
          times[ADDRESSES + slot] = at + PENALTY_MS;
          return RATE;
        }
        mark(at, key);
      }
      if (oldestOfSender && ofSender >= CONTEXTS_OF_ADDRESS) drop(oldestOfSender);
      if (contexts.length === CONTEXTS) evict(contexts);
      context = { address: address, at: at, type: type, key: key, count: count, have: 0, bytes: new Uint8Array(count * CHUNK), total: count * CHUNK };
      contexts.push(context);
    }

    const start = index * CHUNK;
    const isThere = (context.have >> index) & 1;
    // a last chunk is as long as it came first
    const end = index === count - 1 ? context.total : start + CHUNK;
    if (
      context.type !== type ||
      context.count !== count ||
      (isThere && !equalBytes(context.bytes.subarray(start, end), payload.subarray(FRAGMENT_HEADER)))
    ) {
      drop(context);
      return CONFLICT;
    }
    if (isThere) return DUPLICATE_FRAGMENT;
    context.bytes.set(payload.subarray(FRAGMENT_HEADER), start);
    if (index === count - 1) context.total = start + size;
    context.have |= 1 << index;
    if (context.have !== (1 << count) - 1) return PARTIAL;

    drop(context);
    const bytes = context.bytes.subarray(0, context.total);
    const digest = crypto.sha256(bytes);
    if (digest[0] !== payload[1] || digest[1] !== payload[2]) return BAD_DIGEST;
    if (type === FERNET_FRAGMENT && (bytes.length < 73 || bytes.length > 153 || (bytes.length - 57) % 16)) return BAD_LENGTH;
    const answer = accept(at, slot, type, bytes, digest);
    // What came too fast may come again: the beacon repeats it, and by then there may be room.
    if (answer <= REPLAY) {
      place = marks.indexOf(key);
      finished[place < 0 ? mark(at, key) : place] = 1;
    }
    return answer;
  }

  return {
    waiting: waiting,
    receive: function (at, address, payload) {
      const type = payload[0];
      if (type === COMPACT_TOKEN && payload.length === 24) return accept(at, slotOf(at, address), type, payload, crypto.sha256(payload));
      if (type === WHOLE_MESSAGE && payload.length === 81) {
        const message = payload.subarray(1);
        return accept(at, slotOf(at, address), MESSAGE_FRAGMENT, message, crypto.sha256(message));
      }
      return receiveFragment(at, address, payload);
    },
  };
}
