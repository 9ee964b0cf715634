/** AES-ECB encryption of whole 16-byte blocks; answers as many. One call for many blocks is much cheaper than many calls. */
export type BlockCipher = (key: Uint8Array, blocks: Uint8Array) => Uint8Array;

/**
 * What a host brings to the protocol functions. They are pure and synchronous; time is an argument everywhere, so only crypto needs a port.
 * Board: `firmware/crypto/`. Hub: `host-tools/node-crypto.ts`. Tests: noble as a second opinion.
 */
export interface Crypto {
  /** AES-128-ECB encryption. `key`: 16 bytes; `blocks`: a multiple of 16 bytes; answers as many. One call for many blocks is much cheaper than many calls. */
  aes128(key: Uint8Array, blocks: Uint8Array): Uint8Array;
  /** SHA-256: 32 bytes. */
  sha256(message: Uint8Array): Uint8Array;
  /** Bytes from a cryptographic random source (COM-01), never from `Math.random`. */
  randomBytes(length: number): Uint8Array;
}
