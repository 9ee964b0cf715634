import { equalBytes, latin1 } from "../bytes.ts";
import { aesCbcOpen } from "../constructions/aes-cbc.ts";
import { hmacSha256 } from "../constructions/hmac.ts";
import type { BlockCipher, Crypto } from "../ports.ts";
import { derivedKey, MESSAGE_ENCRYPTION, MESSAGE_MAC } from "./keys.ts";
import { parseTimestamp } from "./timestamp.ts";

// The verification test of a message, as far as it needs no knowledge of phones: those parts are the app backend's. Source: "Quarantine Violation Police Alert"; figures: this project's own.

/** Length of MESSAGE C, and of its tag at the end. */
export const MESSAGE_C_BYTES = 80;
const TAG_BYTES = 32;

/** A message may come so much before its time, s, and so long after it. */
export const FUTURE_SECONDS = 60;
export const STALE_SECONDS = 420;

export interface MessageKeys {
  encryption: Uint8Array;
  mac: Uint8Array;
}

/**
 * Both keys of MESSAGE C (QB-05). `sk`: SK_BEACON, 16 or 32 bytes. `split`: derived, AES with 16 bytes; `single`: SK_BEACON is both, AES with as many bytes as it has.
 * The mode belongs to the setup of a beacon; it is never guessed.
 */
export function messageKeys(crypto: Crypto, sk: Uint8Array, mode: "split" | "single"): MessageKeys {
  if (mode === "single") return { encryption: sk, mac: sk };
  return { encryption: derivedKey(crypto, sk, MESSAGE_ENCRYPTION, 16), mac: derivedKey(crypto, sk, MESSAGE_MAC, 32) };
}

/**
 * The Unix second that a MESSAGE C names, or why it names none: `malformed` (not 80 bytes), `bad-mac`, `bad-padding`, `bad-format`, in this order (QB-06).
 * The tag is compared in constant time and before anything is decrypted; which step failed must not be told to the sender (COM-02).
 * `decrypt`: AES-ECB decryption with a key of that length.
 */
export function openMessageC(
  crypto: Crypto,
  decrypt: BlockCipher,
  keys: MessageKeys,
  message: Uint8Array,
): number | "malformed" | "bad-mac" | "bad-padding" | "bad-format" {
  if (message.length !== MESSAGE_C_BYTES) return "malformed";
  const sealed = message.subarray(0, MESSAGE_C_BYTES - TAG_BYTES);
  if (!equalBytes(message.subarray(MESSAGE_C_BYTES - TAG_BYTES), hmacSha256(crypto, keys.mac, sealed))) return "bad-mac";
  const text = aesCbcOpen(decrypt, keys.encryption, sealed.subarray(0, 16), sealed.subarray(16));
  if (!text) return "bad-padding";
  const unix = parseTimestamp(latin1(text));
  return unix === undefined ? "bad-format" : unix;
}

/** Is a message of the second `unix` in time at `now`? The same for TIMESTAMPs and the times of compact tokens. `early`, `late`: seconds that are still in time. */
export function timeliness(unix: number, now: number, early: number, late: number): "ok" | "future" | "stale" {
  if (unix > now + early) return "future";
  return unix < now - late ? "stale" : "ok";
}
