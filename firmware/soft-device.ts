import { SOFT_DEVICE } from "tracelet:build";

/** Firmware ids of the SoftDevices whose calls we know: S132 3.1.0, S140 6.1.1. */
export const S132 = 0x91;
const S140 = 0xb6;

/**
 * Where `data` lies now, for machine code; 0 where that may not be run. `data`: at least 17 bytes, to lie in one piece.
 *
 * The memory of every ARM chip of this kind is at 0x20000000 and up to 512 MB long (ARMv7-M Architecture Reference Manual, B3.1): elsewhere there is another processor, and our code is
 * none of its. Nor is it asked to work on anything but words.
 */
export function ramAddress(data: Uint8Array): number {
  const address = E.getAddressOf(data, true);
  return address >>> 29 === 1 && !(address & 3) ? address : 0;
}

/**
 * Asks the SoftDevice, Nordic's radio stack, for what the interpreter doesn't ask it for: a supervisor call with the address of `data`, which is one instruction of machine code.
 * `number`: of the call in the SoftDevice that the board's facts tell; another one may have anything under it, and isn't asked. `data`: at least 17 bytes.
 * Answers whether it was done.
 */
export function askSoftDevice(number: number, data: Uint8Array): boolean {
  const address = /*@__INLINE__*/ ramAddress(data);
  try {
    return (
      (SOFT_DEVICE === S132 || SOFT_DEVICE === S140) &&
      // interpreters before 2v28 don't tell
      (process.env.SOFTDEVICE || SOFT_DEVICE) === SOFT_DEVICE &&
      address > 0 &&
      // Thumb code: svc #number; bx lr. Argument and result stay in r0. Offset 0, and 1 for Thumb
      !E.nativeCall(1, "int(int)", String.fromCharCode(number, 0xdf, 0x70, 0x47))(address)
    );
  } catch (_e) {
    return false;
  }
}
