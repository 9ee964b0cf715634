import { equalBytes, hex } from "../bytes.ts";
import type { Crypto } from "../ports.ts";
import { COMPACT_TOKEN, FERNET_FRAGMENT, MESSAGE_FRAGMENT, WHOLE_MESSAGE } from "./advertisement.ts";
import { CHUNK, FRAGMENT_HEADER } from "./fragments.ts";

// What a phone, or a collecting board, does with SmartBeacon payloads: it puts messages together and bounds its own work. It has no key, so it can't tell a true message from a
// forged one; whoever has the key does. Source: this project's own design (QB-10); the bounds below are all there is, whatever is on the air.

/** At most so many addresses are remembered, the least recently heard goes; and of each so many ids seen or finished. */
const ADDRESSES = 32;
const IDS = 16;
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
 * `message`: accepted, and now the last in `waiting`. Everything else says why nothing came of it, or not yet:
 * `malformed`, `bad-index`, `bad-count`, `bad-chunk`: the payload is wrong; `penalty`, `rate`: too many ids from this address; `repeat`: this address has completed it before;
 * `conflict`: other bytes for the same fragment, all dropped; `duplicate-fragment`, `partial`: on the way; `bad-digest`, `bad-length`: complete, but not a message;
 * `replay`: accepted before; `too-fast`, `global-rate`: more than beacons send.
 */
export type Answer =
  | "malformed"
  | "bad-index"
  | "bad-count"
  | "bad-chunk"
  | "penalty"
  | "repeat"
  | "rate"
  | "conflict"
  | "duplicate-fragment"
  | "partial"
  | "bad-digest"
  | "bad-length"
  | "replay"
  | "too-fast"
  | "global-rate"
  | "message";

export interface WaitingMessage {
  address: string;
  /** When it was complete, as given to `receive`. */
  at: number;
  /** B1: MESSAGE C, however it came; B2: a Fernet token, raw; B3: a compact token with its type byte. */
  type: number;
  bytes: Uint8Array;
}

export interface Receiver {
  /** Takes a payload. `at`: ms of a clock that never goes back; `address`: the sender's, any text that tells one from another. */
  receive(at: number, address: string, payload: Uint8Array): Answer;
  /** Accepted messages, oldest first, at most 16: take out what has been forwarded. When it is full, the oldest of the address that has most goes. */
  waiting: WaitingMessage[];
}

interface Seen {
  id: number;
  at: number;
}

interface Sender {
  address: string;
  /** Ids whose first fragment came within 30 s. */
  begun: Seen[];
  finished: Seen[];
  penaltyUntil: number;
  acceptedAt: number;
}

/** A message on its way. */
interface Context {
  address: string;
  at: number;
  type: number;
  id: number;
  /** Fragments in all, and a bit for each that is there. */
  count: number;
  have: number;
  bytes: Uint8Array;
  /** Bytes of the message: known when the last chunk is there. */
  total: number;
}

/** A receiver with nothing heard yet. */
export function createReceiver(crypto: Crypto, limits: ReceiverLimits): Receiver {
  let senders: Sender[] = [];
  let contexts: Context[] = [];
  const ring: string[] = [];
  const waiting: WaitingMessage[] = [];
  let tokens = limits.bucket;
  let filledAt = 0;

  function senderOf(address: string): Sender {
    let sender: Sender = { address: address, begun: [], finished: [], penaltyUntil: 0, acceptedAt: -limits.messageMs };
    senders = senders.filter(function (known) {
      if (known.address !== address) return true;
      sender = known;
      return false;
    });
    if (senders.length === ADDRESSES) senders.shift();
    senders.push(sender);
    return sender;
  }

  /** Adds to a list that forgets its oldest. */
  function remember(list: Seen[], id: number, at: number): void {
    if (list.length === IDS) list.shift();
    list.push({ id: id, at: at });
  }

  function knows(list: Seen[], id: number): boolean {
    return list.some(function (seen) {
      return seen.id === id;
    });
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
  function accept(at: number, sender: Sender, type: number, bytes: Uint8Array, digest: Uint8Array): Answer {
    const key = hex(digest.subarray(0, 8));
    if (ring.indexOf(key) >= 0) return "replay";
    if (at - sender.acceptedAt < limits.messageMs / 2) return "too-fast";
    tokens = Math.min(limits.bucket, tokens + ((at - filledAt) * limits.bucket) / limits.messageMs);
    filledAt = at;
    if (tokens < 1) return "global-rate";
    tokens--;
    sender.acceptedAt = at;
    if (ring.length === RING) ring.shift();
    ring.push(key);
    if (waiting.length === BUFFER) evict(waiting);
    waiting.push({ address: sender.address, at: at, type: type, bytes: bytes });
    return "message";
  }

  function receiveFragment(at: number, address: string, payload: Uint8Array): Answer {
    const type = payload[0];
    const size = payload.length - FRAGMENT_HEADER;
    if (size < 1 || size > CHUNK || (type !== MESSAGE_FRAGMENT && type !== FERNET_FRAGMENT)) return "malformed";
    const index = payload[3] >> 4;
    const count = (payload[3] & 15) + 1;
    if (index >= count) return "bad-index";
    if (count < 4 || count > (type === MESSAGE_FRAGMENT ? 4 : 8)) return "bad-count";
    if (size < CHUNK && (type === MESSAGE_FRAGMENT || index < count - 1)) return "bad-chunk";

    const id = payload[1] * 256 + payload[2];
    const young = function (ms: number) {
      return function (entry: { at: number }) {
        return at - entry.at <= ms;
      };
    };
    const sender = senderOf(address);
    contexts = contexts.filter(young(limits.contextMs));
    sender.finished = sender.finished.filter(young(FINISHED_MS));
    sender.begun = sender.begun.filter(young(NEW_IDS_MS));
    if (at < sender.penaltyUntil) return "penalty";
    if (knows(sender.finished, id)) return "repeat";

    let context: Context | undefined;
    let oldestOfSender: Context | undefined;
    let ofSender = 0;
    contexts.forEach(function (open) {
      if (open.address !== address) return;
      if (open.id === id) context = open;
      if (!ofSender++) oldestOfSender = open;
    });
    if (!context) {
      if (!knows(sender.begun, id)) {
        if (sender.begun.length >= limits.newIds) {
          contexts = contexts.filter(function (open) {
            return open.address !== address;
          });
          sender.penaltyUntil = at + PENALTY_MS;
          return "rate";
        }
        remember(sender.begun, id, at);
      }
      if (oldestOfSender && ofSender >= CONTEXTS_OF_ADDRESS) drop(oldestOfSender);
      if (contexts.length === CONTEXTS) evict(contexts);
      context = { address: address, at: at, type: type, id: id, count: count, have: 0, bytes: new Uint8Array(count * CHUNK), total: count * CHUNK };
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
      return "conflict";
    }
    if (isThere) return "duplicate-fragment";
    context.bytes.set(payload.subarray(FRAGMENT_HEADER), start);
    if (index === count - 1) context.total = start + size;
    context.have |= 1 << index;
    if (context.have !== (1 << count) - 1) return "partial";

    drop(context);
    const bytes = context.bytes.subarray(0, context.total);
    const digest = crypto.sha256(bytes);
    if (digest[0] !== payload[1] || digest[1] !== payload[2]) return "bad-digest";
    if (type === FERNET_FRAGMENT && (bytes.length < 73 || bytes.length > 153 || (bytes.length - 57) % 16)) return "bad-length";
    const answer = accept(at, sender, type, bytes, digest);
    // What came too fast may come again: the beacon repeats it, and by then there may be room.
    if (answer === "message" || answer === "replay") remember(sender.finished, id, at);
    return answer;
  }

  return {
    waiting: waiting,
    receive: function (at, address, payload) {
      const type = payload[0];
      if (type === COMPACT_TOKEN && payload.length === 24) return accept(at, senderOf(address), type, payload, crypto.sha256(payload));
      if (type === WHOLE_MESSAGE && payload.length === 81) {
        const message = payload.subarray(1);
        return accept(at, senderOf(address), MESSAGE_FRAGMENT, message, crypto.sha256(message));
      }
      return receiveFragment(at, address, payload);
    },
  };
}
