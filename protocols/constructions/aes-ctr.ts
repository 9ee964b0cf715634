import type { BlockCipher } from "../ports.ts";

/**
 * AES-CTR, both ways, with AES of the key's length: data XOR keystream, as long as the data. `counter`: 16 bytes, ONE big-endian number that wraps at 2^128 (never the 32-bit counter of GCM).
 * The inputs stay as they are: a routine that counts in place destroys the identifier that is its counter. Source: NIST SP 800-38A, section 6.5 and appendix B.1.
 */
export function aesCtr(encrypt: BlockCipher, key: Uint8Array, counter: Uint8Array, data: Uint8Array): Uint8Array {
  const blocks = new Uint8Array((data.length + 15) & ~15);
  const next = new Uint8Array(counter);
  for (let offset = 0; offset < data.length; offset += 16) {
    blocks.set(next, offset);
    for (let digit = 15; digit >= 0; digit--) {
      next[digit]++;
      if (next[digit]) break;
    }
  }
  // No blocks, no call: what a native AES makes of an empty message differs from board to board.
  const keystream = data.length ? encrypt(key, blocks) : blocks;
  return data.map((byte, i) => byte ^ keystream[i]);
}
