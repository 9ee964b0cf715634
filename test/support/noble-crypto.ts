import { ecb } from "@noble/ciphers/aes.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { randomBytes } from "@noble/hashes/utils.js";
import type { Crypto } from "../../protocols/ports.ts";

/** A second opinion: the same port over code that shares nothing with OpenSSL. */
export const nobleCrypto: Crypto = {
  aes128: (key, blocks) => ecb(key, { disablePadding: true }).encrypt(blocks),
  sha256: (message) => sha256(message),
  randomBytes: (length) => randomBytes(length),
};
