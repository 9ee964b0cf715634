import { SHA256_CODE } from "./sha256.ts";

/** Bytes of the code proper; behind it stand its constants: the 8 words of FIPS 180-4, 5.3.3, and the 64 of 4.2.2, little-endian. */
export const SHA256_CODE_BYTES = 248;

/** The machine code and its constants. Not kept: it would take sixty variables. */
export function sha256Code(): string {
  return atob(SHA256_CODE);
}
