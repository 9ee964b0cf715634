import { writeInt } from "../bytes.ts";
import { TEMP_ID_BYTES } from "./temp-id.ts";

// What two boards tell each other [own]. The interpreter reads 52 bytes of a value and writes 50 (firmware/bluetrace/), and OpenTrace's packet has some 130: so beside the standard
// characteristic a board offers two more in the same service, each with a piece of this message, to read and to write. Central and peripheral send the same form.
// offset 0  u8        form: 1
// offset 1  i8        RSSI, dBm, as the central received the peripheral; 127 from a peripheral, which has none
// offset 2  u32       CRC-32 of the health authority's name, little-endian
// offset 6  61 bytes  TempID
// First piece: bytes 0 to 49. Second piece: the last 17. Neither counts without the other (BT-07).

export const COMPACT_BYTES = 67;
export const FIRST_PIECE = 50;
/** Characteristics of the two pieces. They differ in digits five to eight only: to the radio stack that is one UUID of its own. */
export const FIRST_CHARACTERISTIC = "7e9c0001-5b1f-4c36-9a57-d3a1c64e80b2";
export const SECOND_CHARACTERISTIC = "7e9c0002-5b1f-4c36-9a57-d3a1c64e80b2";
const FORM = 1;
const ID_AT = 6;
/** A peripheral's RSSI. */
export const NO_RSSI = 127;
const LOWEST_RSSI = -127;
const HIGHEST_RSSI = 20;

/** The message, 67 bytes. `org`: CRC-32 of the authority's name; `id`: 61 bytes; `rssi`: dBm, or NO_RSSI. */
export function encodeCompact(rssi: number, org: number, id: Uint8Array): Uint8Array {
  const message = new Uint8Array(COMPACT_BYTES);
  message[0] = FORM;
  message[1] = rssi;
  writeInt(message, 2, 4, org);
  message.set(id, ID_AT);
  return message;
}

/** Is `message` one, of our authority, from the side it must be from? Else nothing of it may be stored. `fromCentral`: it was written to us, so it must tell an RSSI. */
export function isCompact(message: Uint8Array, org: number, fromCentral: boolean): boolean {
  const rssi = compactRssi(message);
  let differs = message[0] ^ FORM;
  for (let i = 0; i < 4; i++) differs |= message[2 + i] ^ ((org >> (8 * i)) & 255);
  return message.length === COMPACT_BYTES && !differs && (fromCentral ? rssi >= LOWEST_RSSI && rssi <= HIGHEST_RSSI : rssi === NO_RSSI);
}

/** dBm. */
export function compactRssi(message: Uint8Array): number {
  return (message[1] << 24) >> 24;
}

/** The TempID in it, 61 bytes, a view. */
export function compactTempId(message: Uint8Array): Uint8Array {
  return message.subarray(ID_AT, ID_AT + TEMP_ID_BYTES);
}
