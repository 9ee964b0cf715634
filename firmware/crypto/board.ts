import { ADVERTISE, AES_BUILT_IN, LOCK, PROOF, SHA256_BUILT_IN } from "tracelet:build";
import type { BlockCipher, Crypto } from "../../protocols/ports.ts";
import { builtinAes, builtinSha256 } from "./builtin.ts";
import { hardwareRandom } from "./random.ts";
import { openSoftDeviceAes, softDeviceAes128 } from "./soft-device.ts";
import { softwareAes, softwareSha256 } from "./software.ts";
import { openThumbSha256, thumbSha256 } from "./thumb-sha256.ts";

// The best that this board has. What its interpreter was compiled with is known at build; whether the chip's AES can be had, and runs machine code, is tried at start.

const chipAnswers = (ADVERTISE || PROOF || LOCK) && !AES_BUILT_IN && openSoftDeviceAes();
const codeRuns = ADVERTISE && !SHA256_BUILT_IN && openThumbSha256();

/** AES in use: `in` the interpreter's, `sd` the chip's by way of the SoftDevice, `js` our own. */
export let aesInUse = AES_BUILT_IN ? "in" : chipAnswers ? "sd" : "js";
/** SHA-256 in use: `in` the interpreter's, `th` our machine code, `js` our own. */
export let sha256InUse = SHA256_BUILT_IN ? "in" : codeRuns ? "th" : "js";

function chipOrSoftwareAes128(key: Uint8Array, blocks: Uint8Array): Uint8Array {
  const out = chipAnswers ? softDeviceAes128(key, blocks) : undefined;
  aesInUse = out ? "sd" : "js";
  return out || softwareAes(key, blocks);
}
function codeOrSoftwareSha256(message: Uint8Array): Uint8Array {
  const out = codeRuns ? thumbSha256(message) : undefined;
  sha256InUse = out ? "th" : "js";
  return out || softwareSha256(message);
}

/** AES-128-ECB encryption. `key`: 16 bytes; `blocks`: a multiple of 16 bytes; answers as many. */
export const aes128 = AES_BUILT_IN ? builtinAes : chipOrSoftwareAes128;

export const boardCrypto: Crypto = {
  aes128,
  sha256: SHA256_BUILT_IN ? builtinSha256 : codeOrSoftwareSha256,
  randomBytes: hardwareRandom,
};

/** AES-256, which the chip's unit doesn't do. `key`: 32 bytes. */
export const boardAes256: BlockCipher = AES_BUILT_IN ? builtinAes : softwareAes;
