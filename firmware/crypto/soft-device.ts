import { SOFT_DEVICE } from "tracelet:build";

// AES-128-ECB by the chip itself. Its AES unit belongs to the SoftDevice, Nordic's radio stack: writing the unit's registers resets the board, asking the
// SoftDevice for it by a supervisor call is allowed. Source: Nordic nrf_soc.h, sd_ecb_block_encrypt.

/** Where the SoftDevice takes from and puts to: key, clear text and cipher text, 16 bytes each (nrf_ecb_hal_data_t). Long enough to lie in one piece. */
let block: Uint8Array;
let encryptAt: (address: number) => number;

/** Number of the supervisor call, from the place of SD_ECB_BLOCK_ENCRYPT in nrf_soc.h; 0 where it isn't known. */
function callNumber(): number {
  // interpreters before 2v28 don't tell
  const softDevice = process.env.SOFTDEVICE || SOFT_DEVICE;
  // S132 3.1.0, S140 6.1.1
  return softDevice === 0x91 ? 67 : softDevice === 0xb6 ? 70 : 0;
}

/** AES-128-ECB encryption, or `undefined` where the SoftDevice refuses. `key`: 16 bytes; `blocks`: a multiple of 16 bytes; answers as many. */
export function softDeviceAes128(key: Uint8Array, blocks: Uint8Array): Uint8Array | undefined {
  const out = new Uint8Array(blocks.length);
  block.set(key);
  for (let at = 0; at < out.length; at += 16) {
    block.set(blocks.subarray(at, at + 16), 16);
    // the interpreter may have moved it
    const address = E.getAddressOf(block, true);
    if (!address || address & 3 || encryptAt(address)) return undefined;
    out.set(block.subarray(32), at);
  }
  return out;
}

/** Prepares the call and tries it with FIPS 197, C.1: answers whether it can be relied on. */
export function openSoftDeviceAes(): boolean {
  const number = callNumber();
  if (!number) return false;
  block = new Uint8Array(48);
  try {
    // Thumb code: svc #number; bx lr. Its argument and its result stay in r0. Offset 0, and 1 for Thumb
    encryptAt = E.nativeCall(1, "int(int)", String.fromCharCode(number, 0xdf, 0x70, 0x47));
    const key = new Uint8Array(16).map((_, i) => i);
    const out = softDeviceAes128(
      key,
      key.map((i) => i * 17),
    );
    // 69c4e0d86a7b0430d8cdb78070b4c55a
    return E.CRC32(out!) === 2553338643;
  } catch (_e) {
    return false;
  }
}
