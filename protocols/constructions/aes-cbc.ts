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
