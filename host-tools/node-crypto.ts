import { createCipheriv, createDecipheriv, hash, randomBytes } from "node:crypto";
import type { BlockCipher, Crypto } from "../protocols/ports.ts";

/** The hub's `Crypto`: OpenSSL by way of node:crypto. */
export const nodeCrypto: Crypto = {
  aes128(key, blocks) {
    checkLengths(key, blocks, [16]);
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

/** AES-ECB with a key of 16 or 32 bytes, for what needs more than the port has. */
export const aesEncrypt: BlockCipher = (key, blocks) => {
  checkLengths(key, blocks, [16, 32]);
  return bytes(
    createCipheriv(`aes-${key.length * 8}-ecb`, key, null)
      .setAutoPadding(false)
      .update(blocks),
  );
};

/** The way back. */
export const aesDecrypt: BlockCipher = (key, blocks) => {
  checkLengths(key, blocks, [16, 32]);
  return bytes(
    createDecipheriv(`aes-${key.length * 8}-ecb`, key, null)
      .setAutoPadding(false)
      .update(blocks),
  );
};

function checkLengths(key: Uint8Array, blocks: Uint8Array, keyLengths: number[]): void {
  if (!keyLengths.includes(key.length)) throw new RangeError(`AES key: ${keyLengths.join(" or ")} bytes, got ${key.length}`);
  if (blocks.length % 16 !== 0) throw new RangeError(`AES blocks: a multiple of 16 bytes, got ${blocks.length}`);
}

/** A Buffer as what it is underneath: Buffer's own slice() is a view, Uint8Array's is a copy. */
function bytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
