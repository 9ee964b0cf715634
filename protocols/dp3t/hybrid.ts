import { ascii } from "../bytes.ts";
import { aesCtr } from "../constructions/aes-ctr.ts";
import { hmacSha256 } from "../constructions/hmac.ts";
import type { BlockCipher, Crypto } from "../ports.ts";

/**
 * EphIDs of a window: `count` of 16 bytes in a row, to be sent in random order. `seed`: 16 random bytes for each window of 2 to 4 h.
 * Source: DP-3T white paper, "Hybrid decentralized proximity tracing"; the paper leaves PRF and PRG open, these are the low-cost design's (DP-06).
 */
export function windowEphIds(crypto: Crypto, aes256: BlockCipher, seed: Uint8Array, count: number): Uint8Array {
  return aesCtr(aes256, hmacSha256(crypto, seed, ascii("DP3T-HYBRID")), new Uint8Array(16), new Uint8Array(16 * count));
}

/** Number of the window of `windowSeconds` that `unix` is in: windows since 1970. */
export function windowNumber(unix: number, windowSeconds: number): number {
  return Math.floor(unix / windowSeconds);
}
