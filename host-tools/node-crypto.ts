import { createCipheriv, hash, randomBytes } from "node:crypto";
import type { Crypto } from "../protocols/ports.ts";

/** The hub's `Crypto`: OpenSSL by way of node:crypto. */
export const nodeCrypto: Crypto = {
  aes128(key, blocks) {
    if (key.length !== 16) throw new RangeError(`AES key: 16 bytes, got ${key.length}`);
    if (blocks.length % 16 !== 0) throw new RangeError(`AES blocks: a multiple of 16 bytes, got ${blocks.length}`);
    const cipher = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
    // Whole blocks without padding all come out of update(); final() would have nothing left to give.
    return bytes(cipher.update(blocks));
  },
  sha256(message) {
    return bytes(hash("sha256", message, "buffer"));
  },
  randomBytes(length) {
    return bytes(randomBytes(length));
  },
};

/** A Buffer as what it is underneath: Buffer's own slice() is a view, Uint8Array's is a copy. */
function bytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
