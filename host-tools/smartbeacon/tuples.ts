import { fernetText } from "../../protocols/fernet/token.ts";
import { COMPACT_TOKEN, MESSAGE_FRAGMENT } from "../../protocols/smartbeacon/advertisement.ts";
import type { StoredMessage } from "../store/messages.ts";

/** c: MESSAGE C, base64; q: compact token with its type byte, base64; f: Fernet token as text. */
export type Tuple = { c: string } | { q: string } | { f: string };

/** What a phone uploads, but for its `phone`, which no board knows; `received` tells of the tuples in the same order who had them, and when, in Unix seconds. */
export interface Tuples {
  v: 1;
  tuples: Tuple[];
  received: { board: string; unix: number }[];
}

function tuple({ type, bytes }: StoredMessage): Tuple {
  const base64 = Buffer.from(bytes).toString("base64");
  if (type === MESSAGE_FRAGMENT) return { c: base64 };
  return type === COMPACT_TOKEN ? { q: base64 } : { f: fernetText(bytes) };
}

export function tuplesOf(messages: StoredMessage[]): Tuples {
  return { v: 1, tuples: messages.map(tuple), received: messages.map(({ board, receivedAt }) => ({ board, unix: receivedAt })) };
}
