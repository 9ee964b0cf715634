import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import type { BoardCore } from "./board-core.ts";
import { bytesOf } from "./byte-arguments.ts";
import { asText } from "./printer.ts";

const BLOCK = 16;

/**
 * `require("crypto")`, with what this board's firmware has compiled in; undefined where it has none. `AES` repeats the interpreter's faults:
 * CTR ignores `iv`, a wrong length or key prints a line and answers undefined, OFB isn't there. Source: Espruino 2v29, libs/crypto/jswrap_crypto.c.
 */
export function cryptoLibrary(core: BoardCore): Record<string, unknown> | undefined {
  const { realm, facts } = core;
  if (!facts.crypto.sha1 && !facts.crypto.sha256 && !facts.crypto.aes && !facts.crypto.aesCcm) return undefined;
  const hash = (algorithm: string) => (data: never) =>
    data === undefined ? undefined : realm.arrayBuffer(createHash(algorithm).update(bytesOf(data)).digest());
  const members: Record<string, unknown> = {};
  if (facts.crypto.sha1) members.SHA1 = hash("sha1");
  if (facts.crypto.sha256) Object.assign(members, { SHA224: hash("sha224"), SHA256: hash("sha256") });
  if (facts.crypto.aes) members.AES = aesLibrary(core);
  if (facts.crypto.aesCcm) members.AES = ccmLibrary(core);
  return realm.library(members);
}

function failure(core: BoardCore, text: string): undefined {
  core.print(`ERROR: ${text}\n`);
  return undefined;
}

function aesLibrary(core: BoardCore): Record<string, unknown> {
  const { realm } = core;
  const run = (message: unknown, key: unknown, options: unknown, encrypt: boolean): ArrayBuffer | undefined => {
    if (options !== undefined && !realm.isPlainObject(options)) return failure(core, "'options' must be undefined, or an Object");
    const { iv, mode } = (options ?? {}) as { iv?: unknown; mode?: unknown };
    const name = mode === undefined ? "CBC" : asText(realm, mode);
    if (!["CBC", "CFB", "CTR", "OFB", "ECB"].includes(name)) throw realm.error(`Unknown Crypto mode "${name}"`);
    if (message === undefined || key === undefined) return undefined;
    const keyBytes = bytesOf(key);
    const data = bytesOf(message);
    if (![16, 24, 32].includes(keyBytes.length)) return failure(core, "Unknown error: -0x20");
    if (name === "OFB") return failure(core, "Feature unavailable");
    const vector = new Uint8Array(BLOCK);
    if (iv !== undefined) {
      // Too short is filled up with zeros.
      if (name !== "CTR") vector.set(bytesOf(iv).subarray(0, BLOCK));
    }
    if (name === "CBC" && data.length % BLOCK !== 0) return failure(core, "Invalid input length");
    const whole = name === "ECB" ? data.length - (data.length % BLOCK) : data.length;
    const algorithm = `aes-${keyBytes.length * 8}-${name === "CFB" ? "cfb8" : name.toLowerCase()}`;
    // The interpreter's CTR decrypts with the inverse cipher's key and so answers nonsense; CFB too. Both are left as an encryption under a changed key.
    const wrong = !encrypt && (name === "CTR" || name === "CFB");
    const usedKey = wrong ? keyBytes.map((byte) => byte ^ 0x63) : keyBytes;
    const cipher =
      encrypt || wrong
        ? createCipheriv(algorithm, usedKey, name === "ECB" ? null : vector)
        : createDecipheriv(algorithm, usedKey, name === "ECB" ? null : vector);
    cipher.setAutoPadding(false);
    const out = new Uint8Array(data.length);
    out.set(cipher.update(data.subarray(0, whole)));
    core.allocate(out.length);
    return realm.arrayBuffer(out);
  };
  return realm.library({
    encrypt: (message: never, key: never, options: never) => run(message, key, options, true),
    decrypt: (message: never, key: never, options: never) => run(message, key, options, false),
  });
}

function ccmLibrary(core: BoardCore): Record<string, unknown> {
  const { realm } = core;
  const algorithm = (key: Uint8Array) => `aes-${key.length * 8}-ccm` as "aes-128-ccm";
  return realm.library({
    ccmEncrypt: (message: never, key: never, nonce: never, tagLength: never) => {
      const keyBytes = bytesOf(key);
      const cipher = createCipheriv(algorithm(keyBytes), keyBytes, bytesOf(nonce), { authTagLength: Number(tagLength) });
      const data = Buffer.concat([cipher.update(bytesOf(message)), cipher.final()]);
      return realm.object({ data: realm.arrayBuffer(data), tag: realm.arrayBuffer(cipher.getAuthTag()) });
    },
    ccmDecrypt: (message: never, key: never, nonce: never, tag: never) => {
      const keyBytes = bytesOf(key);
      const tagBytes = bytesOf(tag);
      const decipher = createDecipheriv(algorithm(keyBytes), keyBytes, bytesOf(nonce), { authTagLength: tagBytes.length });
      decipher.setAuthTag(tagBytes);
      try {
        return realm.arrayBuffer(Buffer.concat([decipher.update(bytesOf(message)), decipher.final()]));
      } catch {
        return undefined;
      }
    },
  });
}
