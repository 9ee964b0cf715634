import { SOFT_DEVICE } from "tracelet:build";
import { askSoftDevice, S132 } from "../soft-device.ts";

// AES-128-ECB by the chip itself. Its AES unit belongs to the SoftDevice: writing the unit's registers resets the board, asking the SoftDevice for it is
// allowed. Source: Nordic nrf_soc.h, sd_ecb_block_encrypt.

/** Where the SoftDevice takes from and puts to: key, clear text and cipher text, 16 bytes each (nrf_ecb_hal_data_t). */
let block: Uint8Array;

/** AES-128-ECB encryption, or `undefined` where the SoftDevice refuses. `key`: 16 bytes; `blocks`: a multiple of 16 bytes; answers as many. */
export function softDeviceAes128(key: Uint8Array, blocks: Uint8Array): Uint8Array | undefined {
  const out = new Uint8Array(blocks.length);
  block.set(key);
  for (let at = 0; at < out.length; at += 16) {
    block.set(blocks.subarray(at, at + 16), 16);
    // the place of SD_ECB_BLOCK_ENCRYPT
    if (!askSoftDevice(SOFT_DEVICE === S132 ? 67 : 70, block)) return undefined;
    out.set(block.subarray(32), at);
  }
  return out;
}

/** Tries the call with FIPS 197, C.1: answers whether it can be relied on. */
export function openSoftDeviceAes(): boolean {
  block = new Uint8Array(48);
  const key = new Uint8Array(16).map((_, i) => i);
  const out = softDeviceAes128(
    key,
    key.map((i) => i * 17),
  );
  // 69c4e0d86a7b0430d8cdb78070b4c55a
  return out !== undefined && E.CRC32(out) === 2553338643;
}
