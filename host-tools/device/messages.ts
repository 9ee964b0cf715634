import { readU32 } from "../../protocols/bytes.ts";
import { COMPACT_TOKEN, FERNET_FRAGMENT, MESSAGE_FRAGMENT } from "../../protocols/smartbeacon/advertisement.ts";
import { MESSAGE_C_BYTES } from "../../protocols/smartbeacon/open-message.ts";
import { DeviceError } from "../errors.ts";
import type { Board } from "./board.ts";
import { type BoardDescription, describeBoard } from "./description.ts";

/** A SmartBeacon's message on the board that collected it. */
export interface WaitingMessage {
  /** The board's tick at which it was complete, rounded up. */
  tick: number;
  /** B1, B2 or B3. */
  type: number;
  bytes: Uint8Array;
}

/** Where messages go. Once `addMessages` has resolved they must outlast a power cut. Answers how many are new. The store fits. */
export interface MessageStore {
  addMessages(board: BoardDescription, received: { receivedAt: number; type: number; bytes: Uint8Array }[]): Promise<number>;
}

export interface PulledMessages {
  /** On the board as we came. */
  waiting: number;
  /** New in the store. */
  added: number;
}

const HEADER_BYTES = 6;
const LONGEST_FERNET = 153;
/** 16 of the longest. */
export const MOST_WAITING_BYTES = 16 * (HEADER_BYTES + LONGEST_FERNET);
const NONE_TAKEN = -1;

function hasLength(type: number, length: number): boolean {
  if (type === MESSAGE_FRAGMENT) return length === MESSAGE_C_BYTES;
  if (type === COMPACT_TOKEN) return length === 24;
  return type === FERNET_FRAGMENT && length > 0 && length <= LONGEST_FERNET;
}

/** What `T.q` answers, `undefined` where the payload is no such answer. Layout: protocols/device-link.ts. */
export function decodeWaiting(payload: Uint8Array): WaitingMessage[] | undefined {
  const waiting: WaitingMessage[] = [];
  for (let at = 0; at < payload.length; ) {
    const begin = at + HEADER_BYTES;
    if (begin > payload.length) return undefined;
    const type = payload[at + 4];
    const end = begin + payload[at + 5];
    if (!hasLength(type, end - begin) || end > payload.length) return undefined;
    waiting.push({ tick: readU32(payload, at), type, bytes: payload.slice(begin, end) });
    at = end;
  }
  return waiting;
}

/**
 * Fetches the messages that wait on a board, commits them, and only then lets the board forget them. Whatever is cut off in between, the next pull has them again, and they add nothing.
 * Their times are ours, by the board's tick: its clock need not be set. `undefined` of a board that collects none. `dryRun`: only counts.
 * @throws DeviceError "restarted" where ticks of two starts were mixed, and those of the link
 */
export async function pullMessages(board: Board, store: MessageStore, { dryRun = false } = {}): Promise<PulledMessages | undefined> {
  const { value: before, sentAt, begunAt } = await board.timedStatus();
  if (!before.co || !before.id) return undefined;
  const waiting = await board.waitingMessages(NONE_TAKEN);
  if (dryRun || waiting.length === 0) return { waiting: waiting.length, added: 0 };
  if ((await board.status()).e !== before.e)
    throw new DeviceError("restarted", `${board.name}: the board started anew while its messages were fetched; pull again`);
  const zero = (sentAt + begunAt) / 2 - before.t;
  const received = waiting.map(({ tick, type, bytes }) => ({ receivedAt: Math.round(zero + tick), type, bytes }));
  const added = await store.addMessages(describeBoard(board, before), received);
  const last = Math.max(...waiting.map(({ tick }) => tick));
  // ticks are rounded up: while the last one's second was not over another message may have come in it, which we don't have
  await board.waitingMessages(before.t >= last ? last : last - 1);
  return { waiting: waiting.length, added };
}
