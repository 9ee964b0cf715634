import { ramAddress } from "../soft-device.ts";
import { paddedBlocks } from "./padding.ts";
import { sha256Code } from "./thumb/code.ts";

// SHA-256 in machine code, for boards whose interpreter was compiled without it: a thousand times as fast as in software.

let hashAt: (address: number, blocks: number) => number;

/** SHA-256: 32 bytes, or `undefined` where no piece of memory can be had for it. `message`: less than 2 MB. */
export function thumbSha256(message: Uint8Array): Uint8Array | undefined {
  // offset 0   32 bytes  room for the digest
  // offset 32            the message
  const buffer = paddedBlocks(message, 32);
  const address = /*@__INLINE__*/ ramAddress(buffer);
  if (!address) return undefined;
  hashAt(address, buffer.length >> 6);
  return new Uint8Array(buffer.subarray(0, 32));
}

/** Prepares the code and tries it with two blocks: answers whether it can be relied on. */
export function openThumbSha256(): boolean {
  try {
    // offset 0, and 1 for Thumb
    hashAt = E.nativeCall(1, "int(int,int)", sha256Code());
    // d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb is the digest of 56 zeros
    return E.CRC32(thumbSha256(new Uint8Array(56))!) === 4288748110;
  } catch (_e) {
    return false;
  }
}
