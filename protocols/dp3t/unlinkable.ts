import { concat } from "../bytes.ts";
import type { Crypto } from "../ports.ts";
import { EPOCH_SECONDS } from "./low-cost.ts";

// Source of everything here: DP-3T white paper, "Unlinkable decentralized proximity tracing". A seed of 32 random bytes for each epoch; what is heard is kept as a hash (DP-05).

/** Number of the epoch: quarters of an hour since 1970. */
export function epochNumber(unix: number): number {
  return Math.floor(unix / EPOCH_SECONDS);
}

/** EphID of an epoch: 16 bytes. */
export function ephId(crypto: Crypto, seed: Uint8Array): Uint8Array {
  return crypto.sha256(seed).subarray(0, 16);
}

/** What is kept of an EphID heard in `epoch`, and what is published of one's own: 32 bytes. The number is big-endian. */
export function observationHash(crypto: Crypto, heard: Uint8Array, epoch: number): Uint8Array {
  return crypto.sha256(concat(heard, new Uint8Array([epoch >> 24, epoch >> 16, epoch >> 8, epoch])));
}
