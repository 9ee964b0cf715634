import { listsExactly } from "../advertising-data.ts";

// Advertising data, 31 bytes; Android phones mostly leave the Flags out, then everything stands 3 lower. Source: GAEN Bluetooth Specification v1.2, "Advertising Payload".
// offset 0    3 bytes  Flags: 02 01 1A
// offset 3    4 bytes  complete list of 16-bit UUIDs: 03 03 6F FD
// offset 7    4 bytes  service data of FD6F: 17 16 6F FD
// offset 11  16 bytes  RPI
// offset 27   4 bytes  AEM

/** Flags of the specification: LE general discoverable, LE and BR/EDR at once (controller and host). */
export const FLAGS = 0x1a;

export interface Advertisement {
  rpi: Uint8Array;
  aem: Uint8Array;
  /** Is there a complete UUID list that holds FD6F and nothing else? The mh- scanner demands it. */
  uuidListExact: boolean;
}

/** What to advertise: 31 bytes with `flags`, 28 without. `rpi`: 16 bytes, `aem`: 4. */
export function encodeAdvertisement(rpi: Uint8Array, aem: Uint8Array, flags?: number): Uint8Array {
  const data = new Uint8Array(31);
  data.set([2, 1, flags || 0, 3, 3, 0x6f, 0xfd, 0x17, 0x16, 0x6f, 0xfd]);
  data.set(rpi, 11);
  data.set(aem, 27);
  return flags === undefined ? data.subarray(3) : data;
}

/**
 * Where the 20 bytes RPI and AEM begin in advertising data, -1 if it is not GAEN's. Structures may stand in any order, Flags and list may be missing (BLE-03), the length must be exact (BLE-04).
 */
export function serviceDataOffset(data: Uint8Array): number {
  // Zero ends the packet, and so does undefined past its end.
  for (let at = 0; data[at]; at += data[at] + 1)
    if (data[at] === 0x17 && data[at + 1] === 0x16 && data[at + 2] === 0x6f && data[at + 3] === 0xfd && at + 24 <= data.length) return at + 4;
  return -1;
}

/** RPI and AEM as copies, `undefined` for what is not GAEN's. */
export function decodeAdvertisement(data: Uint8Array): Advertisement | undefined {
  const offset = serviceDataOffset(data);
  if (offset < 0) return undefined;
  return {
    rpi: new Uint8Array(data.subarray(offset, offset + 16)),
    aem: new Uint8Array(data.subarray(offset + 16, offset + 20)),
    uuidListExact: listsExactly(data, 0xfd6f),
  };
}
