import { concat } from "../bytes.ts";
import { aesCbc } from "../constructions/aes-cbc.ts";
import { hmacSha256 } from "../constructions/hmac.ts";
import type { BlockCipher, Crypto } from "../ports.ts";

// MESSAGE C, 80 bytes. Source: "Quarantine Violation Police Alert".
// offset 0   16 bytes  IV, fresh from the hardware's generator (QB-08)
// offset 16  32 bytes  C*: AES-CBC of the timestamp's text, padded
// offset 48  32 bytes  tag: HMAC of all before

/**
 * Seals a timestamp of 16 to 31 ASCII bytes (QB-05). Key mode `split`: `encryptionKey` 16 bytes and `macKey` 32, both derived; `single`: both are SK_BEACON, 16 or 32 bytes.
 * `encrypt`: AES of that key's length.
 */
export function sealMessageC(
  crypto: Crypto,
  encrypt: BlockCipher,
  encryptionKey: Uint8Array,
  macKey: Uint8Array,
  iv: Uint8Array,
  timestamp: Uint8Array,
): Uint8Array {
  const sealed = concat(iv, aesCbc(encrypt, encryptionKey, iv, timestamp));
  return concat(sealed, hmacSha256(crypto, macKey, sealed));
}
