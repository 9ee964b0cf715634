import * as z from "zod";
import { decodeBase64, decodeBase64Url } from "../../protocols/base64.ts";
import { fernetText } from "../../protocols/fernet/token.ts";
import { COMPACT_TOKEN, FERNET_FRAGMENT, MESSAGE_FRAGMENT } from "../../protocols/smartbeacon/advertisement.ts";
import type { StoredMessage } from "../store/messages.ts";
import type { SealedMessage } from "./verification.ts";

/** c: MESSAGE C, base64; q: compact token with its type byte, base64; f: Fernet token as text. */
export type Tuple = { c: string } | { q: string } | { f: string };

/** What a phone uploads, but for its `phone`, which no board knows; `received` tells of the tuples in the same order who had them, and when, in Unix seconds. */
export interface Tuples {
  v: 1;
  tuples: Tuple[];
  received: { board: string; unix: number }[];
}

function tupleOf({ type, bytes }: StoredMessage): Tuple {
  const base64 = Buffer.from(bytes).toString("base64");
  if (type === MESSAGE_FRAGMENT) return { c: base64 };
  return type === COMPACT_TOKEN ? { q: base64 } : { f: fernetText(bytes) };
}

export function tuplesOf(messages: StoredMessage[]): Tuples {
  return { v: 1, tuples: messages.map(tupleOf), received: messages.map(({ board, receivedAt }) => ({ board, unix: receivedAt })) };
}

/** Tuples of one upload that are looked at: sixteen times what a phone keeps. */
export const MOST_TUPLES = 256;
/** Longer texts are no message of any carrier. */
const LONGEST_TEXT = 256;

const text = z.string().max(LONGEST_TEXT);
// one carrier each; what else stands in an upload (`received`) is nothing that a server asks for
const tuple = z.union([z.strictObject({ c: text }), z.strictObject({ q: text }), z.strictObject({ f: text })]);
const upload = z.object({
  v: z.literal(1),
  phone: z.string().regex(/^([0-9a-f]{32}|[0-9a-f]{64})$/),
  tuples: z.array(z.unknown()).max(MOST_TUPLES),
});

/** What came up from one phone: its reference or its key as hexadecimal digits, see `phoneRef`, and its messages, as many as there were tuples. */
export interface Upload {
  phone: string;
  messages: SealedMessage[];
}

/** Reads what a phone uploads; undefined for what is no upload at all. A tuple that is none becomes a message that nobody made: one bad tuple spoils no good one. */
export function readUpload(json: unknown): Upload | undefined {
  const read = upload.safeParse(json);
  return read.success ? { phone: read.data.phone, messages: read.data.tuples.map(messageOf) } : undefined;
}

function messageOf(json: unknown): SealedMessage {
  const read = tuple.safeParse(json);
  const of = (type: number, bytes: Uint8Array | undefined) => ({ type, bytes: bytes ?? new Uint8Array(0) });
  if (!read.success) return of(MESSAGE_FRAGMENT, undefined);
  if ("c" in read.data) return of(MESSAGE_FRAGMENT, decodeBase64(read.data.c));
  if ("q" in read.data) return of(COMPACT_TOKEN, decodeBase64(read.data.q));
  return of(FERNET_FRAGMENT, decodeBase64Url(read.data.f));
}
