import { identifierOffset, lists16, txPowerLevel } from "../advertising-data.ts";

// Advertising data, 30 bytes (DP-08); the packet is connectable, for phones that read the identifier over GATT. Some phones leave out what stands before the service data.
// Source: DP-3T SDKs for Android and iOS, 2020.
// offset 0    3 bytes  Flags: 02 01 1A
// offset 3    4 bytes  complete list of 16-bit UUIDs: 03 03 68 FD
// offset 7    3 bytes  transmit power, dBm as i8: 02 0A tt
// offset 10   4 bytes  service data of FD68: 13 16 68 FD
// offset 14  16 bytes  EphID

export const ADVERTISEMENT_BYTES = 30;
/** The service as Espruino names it, and the characteristic that answers the 16 bytes of the EphID (DP-12). Source: DP-3T SDKs, 2020. */
export const SERVICE = "fd68";
export const CHARACTERISTIC = "8c8494e3-bab5-1848-40a0-1b06991c0001";

export interface Advertisement {
  ephId: Uint8Array;
  /** dBm; `undefined` where the packet doesn't tell: then 12 is assumed. */
  txPower: number | undefined;
}

/** What to advertise: 30 bytes. `ephId`: 16 bytes; `txPower`: dBm. */
export function encodeAdvertisement(ephId: Uint8Array, txPower: number): Uint8Array {
  const data = new Uint8Array(ADVERTISEMENT_BYTES);
  data.set([2, 1, 0x1a, 3, 3, 0x68, 0xfd, 2, 0x0a, txPower, 0x13, 0x16, 0x68, 0xfd]);
  data.set(ephId, 14);
  return data;
}

/** Where the 16 bytes of the EphID begin in advertising data, -1 if there are none: then `offersService` tells whether a connection would bring them. */
export function ephIdOffset(data: Uint8Array): number {
  return identifierOffset(data, 0x68);
}

/** EphID as a copy and transmit power, `undefined` for what is not DP-3T's or has no identifier. */
export function decodeAdvertisement(data: Uint8Array): Advertisement | undefined {
  const offset = ephIdOffset(data);
  if (offset < 0) return undefined;
  return { ephId: new Uint8Array(data.subarray(offset, offset + 16)), txPower: txPowerLevel(data) };
}

/** Does the sender list DP-3T's service? An iPhone in the background says no more than that; its identifier must be read over GATT (DP-08). */
export function offersService(data: Uint8Array): boolean {
  return lists16(data, 0xfd68);
}
