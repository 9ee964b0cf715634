import type { Crypto } from "../ports.ts";

// A message that is longer than an advertisement goes out in pieces, in turn, for as long as it is the current one (QB-09). Source: this project's own design.
// offset 0   u8             type: B1 for MESSAGE C (4 fragments), B2 for a Fernet token (4 to 8)
// offset 1   2 bytes        message id: the first two of SHA-256(message)
// offset 3   u8             index * 16 + count - 1
// offset 4   1 to 20 bytes  chunk; only a token's last one is shorter than 20

export const FRAGMENT_HEADER = 4;
export const CHUNK = 20;

/** Message id, 2 bytes: enough to keep a few messages apart, and it is checked against the whole one at the end. */
export function messageId(crypto: Crypto, message: Uint8Array): Uint8Array {
  return crypto.sha256(message).subarray(0, 2);
}

/** How many fragments a message of `length` bytes has. */
export function fragmentCount(length: number): number {
  return Math.ceil(length / CHUNK);
}

/** Payload of fragment `index`, 5 to 24 bytes. `id` as of `messageId`; `type`: B1 or B2. */
export function fragment(type: number, id: Uint8Array, message: Uint8Array, index: number): Uint8Array {
  const chunk = message.subarray(index * CHUNK, index * CHUNK + CHUNK);
  const payload = new Uint8Array(FRAGMENT_HEADER + chunk.length);
  payload.set([type, id[0], id[1], index * 16 + fragmentCount(message.length) - 1]);
  payload.set(chunk, FRAGMENT_HEADER);
  return payload;
}
