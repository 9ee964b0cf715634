// AES and SHA-256 as compiled into the interpreter.

/** AES-ECB encryption. `key`: 16 or 32 bytes; `blocks`: a multiple of 16 bytes; answers as many. */
export function builtinAes(key: Uint8Array, blocks: Uint8Array): Uint8Array {
  return new Uint8Array(AES.encrypt(blocks, key, { mode: "ECB" }));
}

/** SHA-256: 32 bytes. */
export function builtinSha256(message: Uint8Array): Uint8Array {
  return new Uint8Array(require("crypto").SHA256(message));
}
