import type { Crypto } from "../../protocols/ports.ts";
import { hardwareRandom } from "./random.ts";

/** AES and SHA-256 as compiled into the interpreter of a Puck.js. */
export const builtinCrypto: Crypto = {
  aes128: function (key, blocks) {
    return new Uint8Array(AES.encrypt(blocks, key, { mode: "ECB" }));
  },
  sha256: function (message) {
    return new Uint8Array(require("crypto").SHA256(message));
  },
  randomBytes: hardwareRandom,
};
