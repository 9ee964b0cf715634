import { ascii } from "../bytes.ts";
import { aesCtr } from "../constructions/aes-ctr.ts";
import { hmacSha256 } from "../constructions/hmac.ts";
import type { BlockCipher, Crypto } from "../ports.ts";
import { shuffledOrder } from "./shuffle.ts";

// Source of everything here: DP-3T white paper, "Low-cost decentralized proximity tracing"; names as printed there.
// SK_t: 32 bytes for a UTC day. Who publishes one discloses all days after it, so a fresh one is drawn afterwards (DP-04).

/** Seconds for which an EphID is on the air, and how many a day has. */
export const EPOCH_SECONDS = 900;
export const EPOCHS = 96;
const DAY = 86400;

/** SK of the day after: 32 bytes (DP-01). */
export function nextSecretKey(crypto: Crypto, sk: Uint8Array): Uint8Array {
  return crypto.sha256(sk);
}

/** Key of the day's stream of EphIDs: 32 bytes. */
export function streamKey(crypto: Crypto, sk: Uint8Array): Uint8Array {
  return hmacSha256(crypto, sk, ascii("broadcast key"));
}

/** EphID number `n` of a day, 16 bytes, without the others: block n of the stream. `key`: of `streamKey`. */
export function ephIdNumber(aes256: BlockCipher, key: Uint8Array, n: number): Uint8Array {
  const counter = new Uint8Array(16);
  counter[15] = n;
  return aes256(key, counter);
}

/** `count` EphIDs of 16 bytes in a row, as they come out of the stream: to be sent in the order that `shuffledEpochs` draws. `aes256`: with a key of 32 bytes (DP-01). */
export function ephIds(crypto: Crypto, aes256: BlockCipher, sk: Uint8Array, count: number): Uint8Array {
  return aesCtr(aes256, streamKey(crypto, sk), new Uint8Array(16), new Uint8Array(16 * count));
}

/** Which EphID each epoch of the day sends: the numbers 0 to 95 in an order drawn with equal chances for each (DP-02). */
export function shuffledEpochs(crypto: Crypto): Uint8Array {
  return shuffledOrder(crypto.randomBytes, EPOCHS);
}

/** Number of a UTC day: days since 1970. */
export function dayNumber(unix: number): number {
  return Math.floor(unix / DAY);
}

/** Epoch of the UTC day, 0 to 95. */
export function epochOfDay(unix: number): number {
  return Math.floor((unix % DAY) / EPOCH_SECONDS);
}

/** The EphID to send at `unix`, 16 bytes: `ids` and `order` are the day's, of `ephIds` and `shuffledEpochs`. */
export function currentEphId(ids: Uint8Array, order: Uint8Array, unix: number): Uint8Array {
  const at = 16 * order[epochOfDay(unix)];
  return ids.subarray(at, at + 16);
}
