import { createCipheriv, hash, randomBytes } from "node:crypto";
import type { BlockCipher, Crypto } from "../protocols/ports.ts";

/** ECB of AES with keys of `keyBytes`, 16 or 32. */
function ecb(keyBytes: number): BlockCipher {
  return (key, blocks) => {
    if (key.length !== keyBytes) throw new RangeError(`AES key: ${keyBytes} bytes, got ${key.length}`);
    if (blocks.length % 16 !== 0) throw new RangeError(`AES blocks: a multiple of 16 bytes, got ${blocks.length}`);
    const cipher = createCipheriv(`aes-${keyBytes * 8}-ecb`, key, null).setAutoPadding(false);
    // Whole blocks without padding all come out of update(); final() would have nothing left to give.
    return bytes(cipher.update(blocks));
  };
}

/** The hub's `Crypto`: OpenSSL by way of node:crypto. */
export const nodeCrypto: Crypto = {
  aes128: ecb(16),
  sha256(message) {
    return bytes(hash("sha256", message, "buffer"));
  },
  randomBytes(length) {
    return bytes(randomBytes(length));
  },
};

/** AES-256, for the protocols that want it. */
export const nodeAes256: BlockCipher = ecb(32);

/** A Buffer as what it is underneath: Buffer's own slice() is a view, Uint8Array's is a copy. */
function bytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
