import { findStructure, MANUFACTURER_DATA, txPowerLevel } from "../advertising-data.ts";
import { hex } from "../bytes.ts";
import type { Crypto } from "../ports.ts";
import { listedUuid } from "../uuid128.ts";

// Advertising data, 31 bytes. Source: opentrace-android, its advertiser; the iOS form is Flags and UUID alone.
// offset 0    3 bytes  Flags: 02 01 02
// offset 3   18 bytes  complete list of 128-bit UUIDs: 11 07, the service least significant byte first
// offset 21   3 bytes  transmit power: 02 0A, i8 dBm
// offset 24   7 bytes  manufacturer data: 06 FF, company 03FF little-endian, 3 characters

/** Services of OpenTrace: Android production, Android staging, iOS. One deployment advertises one; a scanner accepts all. */
export const SERVICES = ["b82ab3fc-1595-4f6a-80f0-fe094cc218f9", "17e033d3-490e-4bc9-9fe8-2f567643f4d3", "a6ba4286-c550-4794-a888-9467ef0b31a8"];
/** Their characteristics, in the same order. Read and write, never with bonding or encryption (BT-11). */
export const CHARACTERISTICS = [
  "117bdd58-57ce-4e7a-8e87-7cccdda2a804",
  "117bdd58-57ce-4e7a-8e87-7cccdda2a804",
  "d1034710-b11e-42f2-bca3-f481177d5bb2",
];

/** The three characters at the end, hexadecimal digits as phones have them. Draw new ones at each start of advertising: kept, they would lead from one TempID to the next (BT-10). */
export function advertisementTail(randomBytes: Crypto["randomBytes"]): string {
  return hex(randomBytes(2)).substr(1);
}

/** What to advertise, 31 bytes. `service`: 16 bytes as on the air; `txPower`: dBm; `tail`: three ASCII characters. */
export function encodeAdvertisement(service: Uint8Array, txPower: number, tail: string): Uint8Array {
  const data = new Uint8Array(31);
  data.set([2, 1, 2, 17, 7]);
  data.set(service, 5);
  data.set([2, 10, txPower, 6, 255, 255, 3, tail.charCodeAt(0), tail.charCodeAt(1), tail.charCodeAt(2)], 21);
  return data;
}

export interface Advertisement {
  /** Index into the services asked for. */
  service: number;
  /** dBm, where the packet tells it. */
  txPower: number | undefined;
  /** Manufacturer data behind the company, however long; a view. Nothing depends on it (BT-20). */
  tail: Uint8Array | undefined;
}

/** Does the packet list one of `services`, each 16 bytes as on the air? `undefined` if not. A scanner that only wants to know asks `listedUuid` itself. */
export function decodeAdvertisement(data: Uint8Array, services: Uint8Array[]): Advertisement | undefined {
  const service = listedUuid(data, services);
  if (service < 0) return undefined;
  const company = findStructure(data, MANUFACTURER_DATA);
  return {
    service: service,
    txPower: txPowerLevel(data),
    tail: company && company.length >= 2 ? company.subarray(2) : undefined,
  };
}
