import type { BlockCipher, Crypto } from "../ports.ts";
import { openToken } from "./compact-token.ts";
import { FUTURE_SECONDS, MESSAGE_C_BYTES, type MessageKeys, openMessageC, STALE_SECONDS, timeliness } from "./open-message.ts";

// What a phone writes back to the beacon where there is no Internet (QB-22). Source: this project's own design.
// offset 0   16 bytes        phone_ref; the beacon neither checks nor keeps it
// offset 16  80 or 24 bytes  MESSAGE C or a compact token

const PHONE_REF_BYTES = 16;
/** Bits of a token's status that say that its clock is not set. */
const CLOCK_NOT_SET = 2;

/** Is what was written a message of this beacon, and in time? `ok`, or why not; only then the present slot is marked. */
export function checkForwarded(
  crypto: Crypto,
  decrypt: BlockCipher,
  keys: MessageKeys,
  sk: Uint8Array,
  beaconId: Uint8Array,
  written: Uint8Array,
  now: number,
): "ok" | "malformed" | "bad-mac" | "bad-padding" | "bad-format" | "future" | "stale" {
  const message = written.subarray(PHONE_REF_BYTES);
  if (message.length === MESSAGE_C_BYTES) {
    const unix = openMessageC(crypto, decrypt, keys, message);
    return typeof unix === "number" ? timeliness(unix, now, FUTURE_SECONDS, STALE_SECONDS) : unix;
  }
  const token = openToken(crypto, sk, beaconId, message);
  if (typeof token === "string") return token;
  return token.status & CLOCK_NOT_SET ? "stale" : timeliness(token.unix, now, FUTURE_SECONDS, STALE_SECONDS);
}
