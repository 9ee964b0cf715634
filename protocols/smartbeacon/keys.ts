import { ascii } from "../bytes.ts";
import { hkdf } from "../constructions/hkdf.ts";
import type { Crypto } from "../ports.ts";

/** What a beacon's keys are for. One secret for two primitives has no proof; a derived pair has. */
export const MESSAGE_ENCRYPTION = "QB-ENC";
export const MESSAGE_MAC = "QB-MAC";
export const TOKEN_ENCRYPTION = "QB3-ENC";
export const TOKEN_MAC = "QB3-MAC";

/** Key of `length` bytes for a purpose, from SK_BEACON (16 or 32 bytes). Keys of HMAC have 32 bytes, the one of AES 16. */
export function derivedKey(crypto: Crypto, sk: Uint8Array, purpose: string, length: number): Uint8Array {
  return hkdf(crypto, sk, new Uint8Array(0), ascii(purpose), length);
}
