import { ascii, concat, equalBytes, readU16, readU32, writeInt } from "../bytes.ts";
import { hmacSha256 } from "../constructions/hmac.ts";
import type { Crypto } from "../ports.ts";
import { COMPACT_TOKEN } from "./advertisement.ts";
import { derivedKey, TOKEN_ENCRYPTION, TOKEN_MAC } from "./keys.ts";

// Compact token (B3), 24 bytes: one advertisement says it all. Source: this project's own design (QB-11), a synthetic IV: the tag is the PRF of the body,
// and the keystream the PRF of the tag under another key. Boot and time never repeat together, so neither does a body.
// offset 0   type, B3
// offset 1   7 bytes   body XOR keystream
// offset 8   16 bytes  tag
//
// body, 7 bytes
// offset 0   u8   status: bit 0 seal opened, bit 1 clock not set since start, bit 2 battery low
// offset 1   u32  Unix seconds
// offset 5   u16  starts of the beacon, counted in flash

const BODY_BYTES = 7;
const TAG_BYTES = 16;
// Status bits; no others mean anything.
export const SEAL_OPENED = 1;
export const CLOCK_UNSET = 2;
export const BATTERY_LOW = 4;
const KNOWN_STATUS = SEAL_OPENED | CLOCK_UNSET | BATTERY_LOW;

export interface TokenBody {
  status: number;
  unix: number;
  boot: number;
}

/** Keys of a beacon's tokens: of the tag, of the keystream. */
export function tokenKeys(crypto: Crypto, sk: Uint8Array): Uint8Array[] {
  return [derivedKey(crypto, sk, TOKEN_MAC, 32), derivedKey(crypto, sk, TOKEN_ENCRYPTION, 32)];
}
function tagOf(crypto: Crypto, keys: Uint8Array[], beaconId: Uint8Array, body: Uint8Array): Uint8Array {
  const bound = concat(concat(ascii("QB3\x01"), beaconId), body);
  return hmacSha256(crypto, keys[0], bound).subarray(0, TAG_BYTES);
}
function masked(crypto: Crypto, keys: Uint8Array[], tag: Uint8Array, body: Uint8Array): Uint8Array {
  const keystream = hmacSha256(crypto, keys[1], tag);
  return body.map((byte, i) => byte ^ keystream[i]);
}

/** The 24 bytes of a token. `keys`: of `tokenKeys`; `beaconId`: 16 bytes. */
export function sealToken(crypto: Crypto, keys: Uint8Array[], beaconId: Uint8Array, token: TokenBody): Uint8Array {
  const body = new Uint8Array(BODY_BYTES);
  body[0] = token.status;
  writeInt(body, 1, 4, token.unix);
  writeInt(body, 5, 2, token.boot);
  const tag = tagOf(crypto, keys, beaconId, body);
  const payload = new Uint8Array(1 + BODY_BYTES + TAG_BYTES);
  payload[0] = COMPACT_TOKEN;
  payload.set(masked(crypto, keys, tag, body), 1);
  payload.set(tag, 1 + BODY_BYTES);
  return payload;
}

/** What a token of this beacon says, or why it says nothing: `malformed`, `bad-mac`, `bad-format`. The tag is compared in constant time (COM-02). */
export function openToken(
  crypto: Crypto,
  sk: Uint8Array,
  beaconId: Uint8Array,
  payload: Uint8Array,
): TokenBody | "malformed" | "bad-mac" | "bad-format" {
  if (payload.length !== 1 + BODY_BYTES + TAG_BYTES || payload[0] !== COMPACT_TOKEN) return "malformed";
  const tag = payload.subarray(1 + BODY_BYTES);
  const keys = tokenKeys(crypto, sk);
  const body = masked(crypto, keys, tag, payload.subarray(1, 1 + BODY_BYTES));
  if (!equalBytes(tag, tagOf(crypto, keys, beaconId, body))) return "bad-mac";
  if (body[0] & ~KNOWN_STATUS) return "bad-format";
  return { status: body[0], unix: readU32(body, 1), boot: readU16(body, 5) };
}
