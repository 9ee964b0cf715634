import { ascii } from "../bytes.ts";
import { aesCtr } from "../constructions/aes-ctr.ts";
import { hmacSha256 } from "../constructions/hmac.ts";
import type { BlockCipher, Crypto } from "../ports.ts";

// Source of everything here: DP-3T white paper, "Low-cost decentralized proximity tracing"; names as printed there.
// SK_t: 32 bytes for a UTC day. Who publishes one discloses all days after it, so a fresh one is drawn afterwards (DP-04).

/** Seconds for which an EphID is on the air, and how many a day has. */
export const EPOCH_SECONDS = 900;
export const EPOCHS = 96;

/** SK of the day after: 32 bytes (DP-01). */
export function nextSecretKey(crypto: Crypto, sk: Uint8Array): Uint8Array {
  return crypto.sha256(sk);
}

/** `count` EphIDs of 16 bytes in a row, as they come out of the stream: to be sent in the order that `shuffledEpochs` draws. `aes256`: with a key of 32 bytes (DP-01). */
export function ephIds(crypto: Crypto, aes256: BlockCipher, sk: Uint8Array, count: number): Uint8Array {
  const streamKey = hmacSha256(crypto, sk, ascii("broadcast key"));
  return aesCtr(aes256, streamKey, new Uint8Array(16), new Uint8Array(16 * count));
}

/** Which EphID each epoch of the day sends: the numbers 0 to 95 in an order drawn with equal chances for each (Fisher-Yates; DP-02). */
export function shuffledEpochs(crypto: Crypto): Uint8Array {
  const order = new Uint8Array(EPOCHS).map((_, i) => i);
  for (let i = EPOCHS - 1; i > 0; i--) {
    // numbers past the last whole multiple would give the first ones a better chance
    const limit = 256 - (256 % (i + 1));
    let random = limit;
    while (random >= limit) random = crypto.randomBytes(1)[0];
    const other = random % (i + 1);
    const kept = order[i];
    order[i] = order[other];
    order[other] = kept;
  }
  return order;
}
