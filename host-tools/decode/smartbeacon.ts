import { readU16 } from "../../protocols/bytes.ts";
import { fernetTime, isTokenLength } from "../../protocols/fernet/token.ts";
import { COMPACT_TOKEN, FERNET_FRAGMENT, MESSAGE_FRAGMENT, WHOLE_MESSAGE } from "../../protocols/smartbeacon/advertisement.ts";
import { ANSWERS, createReceiver, RECEIVER_LIMITS } from "../../protocols/smartbeacon/receiver.ts";
import { nodeCrypto } from "../node-crypto.ts";
import { type FieldReader, utc } from "./explanation.ts";

// SmartBeacon's bytes on the air and over GATT, field by field. Nothing here has a key.

const TYPES: Record<number, string> = {
  [MESSAGE_FRAGMENT]: "fragment of MESSAGE C",
  [FERNET_FRAGMENT]: "fragment of a Fernet token",
  [COMPACT_TOKEN]: "compact token",
  [WHOLE_MESSAGE]: "MESSAGE C as a whole",
};

/** MESSAGE C, 80 bytes. */
export function readMessageC(reader: FieldReader): void {
  reader.take(16, "IV", "fresh for each message");
  reader.take(32, "C*", "encrypted: local time and its offset, as text");
  reader.take(32, "tag", "HMAC of all before");
}

/** What is behind the type byte of a compact token, 23 bytes. */
function readTokenBody(reader: FieldReader): void {
  reader.take(7, "body", "encrypted: status, Unix seconds, starts of the beacon");
  reader.take(16, "tag", "HMAC of beacon and body, and what the body is encrypted with");
}

/** A compact token with its type byte, 24 bytes. */
export function readToken(reader: FieldReader): void {
  reader.take(1, "type", "compact token");
  readTokenBody(reader);
}

/** A Fernet token, 57 + 16 k bytes. */
export function readFernet(reader: FieldReader): void {
  reader.take(1, "version", ([version]) => (version === 0x80 ? "" : "not 80: nobody takes it"));
  reader.take(8, "time", (bytes) => `${utc(fernetTime(Uint8Array.of(0, ...bytes)))}, true only if the tag is`);
  reader.take(16, "IV", "fresh for each token");
  reader.take(reader.left - 32, "message", "encrypted");
  reader.take(32, "tag", "HMAC of all before");
}

export function looksLikeFernet(bytes: Uint8Array): boolean {
  // the upper half of the time is zero until 2106
  return isTokenLength(bytes.length) && bytes[0] === 0x80 && bytes.subarray(1, 5).every((byte) => byte === 0);
}

/** Manufacturer data of company 0590 from the type byte on. */
export function readSmartBeaconPayload(reader: FieldReader): void {
  const answer = ANSWERS[createReceiver(nodeCrypto, RECEIVER_LIMITS).receive(0, "", reader.remaining)];
  const [type] = reader.take(1, "type", ([byte]) => TYPES[byte] ?? "");
  if (type === COMPACT_TOKEN) readTokenBody(reader);
  else if (type === WHOLE_MESSAGE) readMessageC(reader);
  else {
    reader.take(2, "message id", "first two bytes of SHA-256 of the whole message");
    reader.take(1, "place", ([byte]) => {
      const place = `fragment ${(byte >> 4) + 1} of ${(byte & 15) + 1}`;
      return answer === "partial" ? place : `${place}; receivers refuse it: ${answer}`;
    });
    reader.rest("chunk", ([first]) => (type === FERNET_FRAGMENT && first === 0x80 ? "may be the beginning" : ""));
  }
}

/** What a phone writes back to a beacon: 16 bytes, then MESSAGE C or a compact token. */
export function readForwarded(reader: FieldReader): void {
  reader.take(16, "phone_ref", "stands for the phone; the beacon doesn't keep it");
  if (reader.left === 24) readToken(reader);
  else readMessageC(reader);
}

/** Slots of five minutes as times of day, those in a row together: `00:00-00:15`. */
function presence(bitmap: Uint8Array): string {
  const clock = (slot: number) => `${String(Math.floor(slot / 12)).padStart(2, "0")}:${String((slot % 12) * 5).padStart(2, "0")}`;
  const spans: string[] = [];
  for (let slot = 0; slot < 288; slot++) {
    const from = slot;
    while (slot < 288 && (bitmap[slot >> 3] >> (slot & 7)) & 1) slot++;
    if (slot > from) spans.push(`${clock(from)}-${clock(slot)}`);
  }
  return spans.length > 0 ? `present, UTC: ${spans.join(", ")}` : "nobody present";
}

/** A day of a beacon's store, 54 bytes. */
export function readDay(reader: FieldReader): void {
  reader.take(2, "day", (bytes) => `${new Date(readU16(bytes, 0) * 86_400_000).toISOString().slice(0, 10)} (${readU16(bytes, 0)})`);
  reader.take(36, "slots", presence);
  reader.take(16, "tag", "HMAC of beacon and day");
}
