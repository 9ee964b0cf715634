import { identifierOffset, listsExactly } from "../advertising-data.ts";

// Advertising data, 27 bytes: GAEN's without the metadata. Source: Contact Tracing Bluetooth Specification, April 2020 (v1.0), "Advertising Payload".
// offset 0    3 bytes  Flags: 02 01 1A
// offset 3    4 bytes  complete list of 16-bit UUIDs: 03 03 6F FD
// offset 7    4 bytes  service data of FD6F: 13 16 6F FD
// offset 11  16 bytes  RPI

export interface Advertisement {
  rpi: Uint8Array;
  /** Is there a complete UUID list that holds FD6F and nothing else? */
  uuidListExact: boolean;
}

/** What to advertise: 27 bytes. `rpi`: 16 bytes. */
export function encodeAdvertisement(rpi: Uint8Array): Uint8Array {
  const data = new Uint8Array(27);
  data.set([2, 1, 0x1a, 3, 3, 0x6f, 0xfd, 0x13, 0x16, 0x6f, 0xfd]);
  data.set(rpi, 11);
  return data;
}

/** Where the 16 bytes of the RPI begin in advertising data, -1 if it is not this protocol's: the length tells it from GAEN's (BLE-04, CT-05). */
export function rpiOffset(data: Uint8Array): number {
  return identifierOffset(data, 0x6f);
}

/** The RPI as a copy, `undefined` for what is not this protocol's. */
export function decodeAdvertisement(data: Uint8Array): Advertisement | undefined {
  const offset = rpiOffset(data);
  if (offset < 0) return undefined;
  return { rpi: new Uint8Array(data.subarray(offset, offset + 16)), uuidListExact: listsExactly(data, 0xfd6f) };
}
