import { concat } from "../bytes.ts";
import { hmacSha256 } from "../constructions/hmac.ts";
import type { Crypto } from "../ports.ts";
import { EPOCH_SECONDS } from "./low-cost.ts";

// Source of everything here: DP-3T white paper, "Unlinkable decentralized proximity tracing". A seed of 32 random bytes for each epoch; what is heard is kept as a hash (DP-05).

/** Number of the epoch: quarters of an hour since 1970. */
export function epochNumber(unix: number): number {
  return Math.floor(unix / EPOCH_SECONDS);
}

/**
 * A board's seed of an epoch, 32 bytes, from 16 random bytes that it draws for the day: so it keeps a key a day, not 96 seeds, and who has not got the key can't tell the seeds from random ones.
 * Whoever publishes some seeds of a day says nothing of the others.
 */
export function epochSeed(crypto: Crypto, dayKey: Uint8Array, epoch: number): Uint8Array {
  return hmacSha256(crypto, dayKey, bigEndian(epoch));
}

/** EphID of an epoch: 16 bytes. */
export function ephId(crypto: Crypto, seed: Uint8Array): Uint8Array {
  return crypto.sha256(seed).subarray(0, 16);
}

function bigEndian(epoch: number): Uint8Array {
  return new Uint8Array([epoch >> 24, epoch >> 16, epoch >> 8, epoch]);
}

/** What is kept of an EphID heard in `epoch`, and what is published of one's own: 32 bytes. The number is big-endian. */
export function observationHash(crypto: Crypto, heard: Uint8Array, epoch: number): Uint8Array {
  return crypto.sha256(concat(heard, bigEndian(epoch)));
}
