import { ascii, concat, writeInt } from "../bytes.ts";
import type { Crypto } from "../ports.ts";

/**
 * Reference to a phone, 16 bytes, that doesn't hand its DP-3T key to every log on the way (QB-21). `pastKey`: SK of the day of setup, 32 bytes; `pastTime`: Unix second at which that day begins.
 * Source: this project's own design.
 */
export function phoneRef(crypto: Crypto, pastKey: Uint8Array, pastTime: number): Uint8Array {
  const time = new Uint8Array(4);
  writeInt(time, 0, 4, pastTime);
  return crypto.sha256(concat(concat(ascii("QB-REF"), pastKey), time)).subarray(0, 16);
}
