import { ramAddress } from "../soft-device.ts";
import { SHA256_CODE } from "./thumb/sha256.ts";

// SHA-256 in machine code, for boards whose interpreter was compiled without it: a thousand times as fast as in software.

let hashAt: (address: number, blocks: number) => number;

/** SHA-256: 32 bytes, or `undefined` where no piece of memory can be had for it. `message`: less than 2 MB. */
export function thumbSha256(message: Uint8Array): Uint8Array | undefined {
  const length = message.length;
  // offset 0   32 bytes  room for the digest
  // offset 32            the message, padded to blocks of 64 bytes (FIPS 180-4, 5.1.1)
  const end = ((length + 72) & ~63) + 32;
  const buffer = new Uint8Array(end);
  buffer.set(message, 32);
  buffer[length + 32] = 128;
  buffer[end - 3] = length >> 13;
  buffer[end - 2] = length >> 5;
  buffer[end - 1] = length << 3;
  const address = /*@__INLINE__*/ ramAddress(buffer);
  if (!address) return undefined;
  hashAt(address, end >> 6);
  return new Uint8Array(buffer.subarray(0, 32));
}

/** Prepares the code and tries it with two blocks: answers whether it can be relied on. */
export function openThumbSha256(): boolean {
  try {
    // offset 0, and 1 for Thumb
    hashAt = E.nativeCall(1, "int(int,int)", atob(SHA256_CODE));
    // d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb is the digest of 56 zeros
    return E.CRC32(thumbSha256(new Uint8Array(56))!) === 4288748110;
  } catch (_e) {
    return false;
  }
}
