import { listedUuid } from "../uuid128.ts";

// Advertising data, 21 bytes. Source: octrace-android.
// offset 0   3 bytes  Flags: 02 01 06
// offset 3  18 bytes  complete list of 128-bit UUIDs: 11 07, the service least significant byte first

/** One digit beside the Nordic UART service 6e400001-…-e50e24dcca9e, which is every Espruino's console and never taken for a peer (BLE-11, OCT-04). */
export const SERVICE = "6e400002-b5a3-f393-e0a9-e50e24dcca9f";
export const CHARACTERISTIC = "6e400002-b5a3-f393-e0a9-e50e24dcca9e";
export const ADVERTISEMENT_BYTES = 21;
const UART_TAIL = "-b5a3-f393-e0a9-e50e24dcca9e";

/** May a deployment use this service? Not the UART's, nor one of its two characteristics'. `uuid` as printed. */
export function isServiceAllowed(uuid: string): boolean {
  const printed = uuid.toLowerCase();
  return printed.substr(0, 7) !== "6e40000" || printed.substr(8) !== UART_TAIL;
}

/** What to advertise, 21 bytes. `service`: 16 bytes as on the air. No name: it would tell devices apart. */
export function encodeAdvertisement(service: Uint8Array): Uint8Array {
  const data = new Uint8Array(ADVERTISEMENT_BYTES);
  data.set([2, 1, 6, 17, 7]);
  data.set(service, 5);
  return data;
}

/** Does the packet list this service, in a complete or an incomplete list? */
export function isAdvertisement(data: Uint8Array, service: Uint8Array): boolean {
  return listedUuid(data, [service]) === 0;
}
