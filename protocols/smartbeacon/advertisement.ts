import { MANUFACTURER_DATA, readStructures } from "../advertising-data.ts";
import { readU16 } from "../bytes.ts";

// Advertising data: manufacturer data of company 0590, whose first byte of payload is the type (QB-09). At most 31 bytes, but for the extended kind.
// Nothing else in it is constant, so that a beacon can't be told from another by it. Source: this project's own design.
// offset 0   3 bytes  Flags: 02 01 06
// offset 3   4 bytes  length of what follows, FF, company 90 05
// offset 7            payload: at most 24 bytes; 81 in extended advertising
//
// payload                                              length
// B1  fragment of MESSAGE C: fragments.ts              5 to 24
// B2  fragment of a Fernet token: fragments.ts         5 to 24
// B3  compact token: compact-token.ts                  24
// B5  MESSAGE C as a whole, extended advertising only  81

export const MESSAGE_FRAGMENT = 0xb1;
export const FERNET_FRAGMENT = 0xb2;
export const COMPACT_TOKEN = 0xb3;
export const WHOLE_MESSAGE = 0xb5;

/** Company identifier of these frames; every Espruino board uses it too, so type and length must tell. */
const COMPANY = 0x0590;

/**
 * What to advertise: 7 bytes more than the `payload`.
 * @throws Error for a payload past 24 bytes (BLE-01), the 81 of a whole message excepted: they are for extended advertising (BLE-13).
 */
export function encodeAdvertisement(payload: Uint8Array): Uint8Array {
  const size = payload.length;
  if (size > 24 && size !== 81) throw new Error("payload: at most 24 bytes, got " + size);
  const data = new Uint8Array(7 + size);
  data.set([2, 1, 6, size + 3, 0xff, 0x90, 5]);
  data.set(payload, 7);
  return data;
}

/** Payload of MESSAGE C as a whole (80 bytes) in extended advertising: 81 bytes (QB-09). */
export function wholeMessage(message: Uint8Array): Uint8Array {
  const payload = new Uint8Array(1 + message.length);
  payload[0] = WHOLE_MESSAGE;
  payload.set(message, 1);
  return payload;
}

/** Payload of the first manufacturer structure of a known type and a legal length, as a copy; `undefined` for what is no SmartBeacon's. */
export function decodeAdvertisement(data: Uint8Array): Uint8Array | undefined {
  const structures = readStructures(data);
  for (let i = 0; i < structures.length; i++) {
    const made = structures[i].data;
    const size = made.length - 2;
    if (structures[i].type !== MANUFACTURER_DATA || size < 5 || readU16(made, 0) !== COMPANY) continue;
    const type = made[2];
    const isFragment = (type === MESSAGE_FRAGMENT || type === FERNET_FRAGMENT) && size <= 24;
    if (isFragment || (type === COMPACT_TOKEN && size === 24) || (type === WHOLE_MESSAGE && size === 81)) return new Uint8Array(made.subarray(2));
  }
  return undefined;
}
