import { readU16 } from "./bytes.ts";

// Advertising data is a row of AD structures: length (1 byte, type included), type (1 byte), data. Source: Bluetooth Core Specification 5, Vol 3 Part C, section 11;
// type numbers: Bluetooth Assigned Numbers, section 2.3.

/** Most bytes of legacy advertising data. */
export const LEGACY_LIMIT = 31;

export const FLAGS_TYPE = 0x01;
export const UUIDS16_INCOMPLETE = 0x02;
export const UUIDS16_COMPLETE = 0x03;
export const UUIDS128_INCOMPLETE = 0x06;
export const UUIDS128_COMPLETE = 0x07;
/** i8, dBm. */
export const TX_POWER_LEVEL = 0x0a;
/** UUID little-endian, then the service's own bytes. */
export const SERVICE_DATA16 = 0x16;
/** Company identifier little-endian, then the company's own bytes. */
export const MANUFACTURER_DATA = 0xff;

export interface AdStructure {
  type: number;
  /** A view into the packet, without length and type. */
  data: Uint8Array;
}

/**
 * The structures of a packet, any bytes at all. A length of zero ends it; a structure that would pass the end is ignored with everything after it, earlier ones stay valid (BLE-02).
 */
export function readStructures(packet: Uint8Array): AdStructure[] {
  const structures: AdStructure[] = [];
  let at = 0;
  while (at < packet.length && packet[at] > 0 && at + packet[at] < packet.length) {
    const end = at + 1 + packet[at];
    structures.push({ type: packet[at + 1], data: packet.subarray(at + 2, end) });
    at = end;
  }
  return structures;
}

/** Data of the first structure of `type`, `undefined` if there is none. */
export function findStructure(packet: Uint8Array, type: number): Uint8Array | undefined {
  const structures = readStructures(packet);
  for (let i = 0; i < structures.length; i++) if (structures[i].type === type) return structures[i].data;
  return undefined;
}

/** Where the 16 bytes begin that are all the service data of a 16-bit UUID in the FDxx range, -1 if there are none. `low`: the lower byte of the UUID. */
export function identifierOffset(data: Uint8Array, low: number): number {
  // Zero ends the packet, and so does undefined past its end.
  for (let at = 0; data[at]; at += data[at] + 1)
    if (data[at] === 0x13 && data[at + 1] === 0x16 && data[at + 2] === low && data[at + 3] === 0xfd && at + 20 <= data.length) return at + 4;
  return -1;
}

/** Transmit power that the packet tells, dBm. */
export function txPowerLevel(packet: Uint8Array): number | undefined {
  const data = findStructure(packet, TX_POWER_LEVEL);
  return data && data.length === 1 ? (data[0] << 24) >> 24 : undefined;
}

/** Is there a complete list of 16-bit UUIDs that holds `uuid` and nothing else? */
export function listsExactly(packet: Uint8Array, uuid: number): boolean {
  const list = findStructure(packet, UUIDS16_COMPLETE);
  return list !== undefined && list.length === 2 && readU16(list, 0) === uuid;
}

/** Does a list of 16-bit UUIDs, complete or not, hold `uuid`? */
export function lists16(packet: Uint8Array, uuid: number): boolean {
  const structures = readStructures(packet);
  for (let i = 0; i < structures.length; i++) {
    const data = structures[i].data;
    if (structures[i].type !== UUIDS16_COMPLETE && structures[i].type !== UUIDS16_INCOMPLETE) continue;
    for (let at = 0; at + 2 <= data.length; at += 2) if (readU16(data, at) === uuid) return true;
  }
  return false;
}

/**
 * Structures put together into a packet.
 * @throws Error past `limit`, by default the 31 bytes of legacy advertising (BLE-01), or when one structure holds more than 254 bytes.
 */
export function writeStructures(structures: AdStructure[], limit?: number): Uint8Array {
  let total = 0;
  for (let i = 0; i < structures.length; i++) {
    const size = structures[i].data.length;
    if (size > 254) throw new Error("AD structure of type " + structures[i].type + ": at most 254 bytes, got " + size);
    total += size + 2;
  }
  const most = limit === undefined ? LEGACY_LIMIT : limit;
  if (total > most) throw new Error("advertising data: at most " + most + " bytes, got " + total);
  const packet = new Uint8Array(total);
  let at = 0;
  for (let i = 0; i < structures.length; i++) {
    packet.set([structures[i].data.length + 1, structures[i].type], at);
    packet.set(structures[i].data, at + 2);
    at += structures[i].data.length + 2;
  }
  return packet;
}
