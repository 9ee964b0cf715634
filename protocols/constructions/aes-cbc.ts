import type { BlockCipher } from "../ports.ts";

/**
 * AES-CBC encryption with PKCS#7 padding: 1 to 16 bytes longer than `data`, a multiple of 16. `iv`: 16 bytes, fresh and unpredictable for each message.
 * Each block waits for the one before, so this is one call a block. Source: NIST SP 800-38A, section 6.2; RFC 5652, section 6.3.
 */
export function aesCbc(encrypt: BlockCipher, key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array {
  const padding = 16 - (data.length & 15);
  const out = new Uint8Array(data.length + padding);
  out.fill(padding, data.length);
  out.set(data);
  let before = iv;
  for (let at = 0; at < out.length; at += 16) {
    before = encrypt(
      key,
      before.map((byte, i) => byte ^ out[at + i]),
    );
    out.set(before, at);
  }
  return out;
}

/**
 * What `aesCbc` was given, as a copy; `undefined` for a bad padding or a length that is no multiple of 16. `decrypt`: AES-ECB decryption with a key of that length; one call for all blocks.
 * Check a MAC first: who may ask for paddings of his choice can read messages. Source: NIST SP 800-38A, section 6.2; RFC 5652, section 6.3.
 */
export function aesCbcOpen(decrypt: BlockCipher, key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array | undefined {
  const size = data.length;
  if (!size || size & 15) return undefined;
  const opened = decrypt(key, data).map((byte, i) => byte ^ (i < 16 ? iv[i] : data[i - 16]));
  const padding = opened[size - 1];
  if (padding < 1 || padding > 16) return undefined;
  for (let i = size - padding; i < size; i++) if (opened[i] !== padding) return undefined;
  return new Uint8Array(opened.subarray(0, size - padding));
}
