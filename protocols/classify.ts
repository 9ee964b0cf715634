import {
  findStructure,
  MANUFACTURER_DATA,
  readStructures,
  SERVICE_DATA16,
  TX_POWER_LEVEL,
  UUIDS16_COMPLETE,
  UUIDS16_INCOMPLETE,
  UUIDS128_COMPLETE,
  UUIDS128_INCOMPLETE,
} from "./advertising-data.ts";
import { readU16 } from "./bytes.ts";
import { decodeAdvertisement } from "./gaen/advertisement.ts";

/** 16-bit UUIDs: Exposure Notification (GAEN and, with a shorter payload, Contact Tracing v1.0) and DP-3T. */
const GAEN_UUID = 0xfd6f;
const DP3T_UUID = 0xfd68;
/** Company identifier of SmartBeacon frames; every Espruino board uses it too. */
const SMARTBEACON_COMPANY = 0x0590;
/** OpenTrace on Android (staging, production) and iOS. */
const BLUETRACE_UUIDS = ["17e033d3-490e-4bc9-9fe8-2f567643f4d3", "b82ab3fc-1595-4f6a-80f0-fe094cc218f9", "a6ba4286-c550-4794-a888-9467ef0b31a8"];
/** One digit beside the Nordic UART service 6e400001-…-e50e24dcca9e, which is every Espruino's console (BLE-11). */
const OPENCOVIDTRACE_UUID = "6e400002-b5a3-f393-e0a9-e50e24dcca9f";

/** A packet and the protocol that may have it. `txPower` in dBm, where the packet tells it. */
export type Claim =
  | { protocol: "gaen"; rpi: Uint8Array; aem: Uint8Array; uuidListExact: boolean }
  | { protocol: "ct10"; rpi: Uint8Array; uuidListExact: boolean }
  | { protocol: "dp3t"; ephid: Uint8Array; txPower: number | undefined }
  /** The identifier must be read over GATT. */
  | { protocol: "dp3t-connect"; txPower: number | undefined }
  | { protocol: "bluetrace"; uuid: string; txPower: number | undefined }
  | { protocol: "opencovidtrace"; uuid: string }
  /** `payload`: manufacturer data from the type byte on. */
  | { protocol: "qb-fragment" | "qb-fernet-fragment" | "qb-compact"; payload: Uint8Array }
  /** `message`: without the type byte. */
  | { protocol: "qb-message"; message: Uint8Array };

/**
 * Whose packet is this? At most one protocol claims it, in this order: GAEN, Contact Tracing v1.0, DP-3T, SmartBeacon, DP-3T without service data, BlueTrace, OpenCovidTrace (BLE-02).
 * `undefined` for everything else the world sends.
 */
export function classify(packet: Uint8Array): Claim | undefined {
  const gaen = decodeAdvertisement(packet);
  if (gaen) return { protocol: "gaen", rpi: gaen.rpi, aem: gaen.aem, uuidListExact: gaen.uuidListExact };
  const tracing = serviceData(packet, GAEN_UUID, 16);
  if (tracing) return { protocol: "ct10", rpi: tracing, uuidListExact: listsExactly(packet, GAEN_UUID) };
  const power = findStructure(packet, TX_POWER_LEVEL);
  const txPower = power && power.length === 1 ? (power[0] << 24) >> 24 : undefined;
  const ephid = serviceData(packet, DP3T_UUID, 16);
  if (ephid) return { protocol: "dp3t", ephid: ephid, txPower: txPower };
  const frame = smartBeaconFrame(packet);
  if (frame) return frame;
  if (lists16(packet, DP3T_UUID)) return { protocol: "dp3t-connect", txPower: txPower };
  const uuids = uuids128(packet);
  for (let i = 0; i < uuids.length; i++)
    if (BLUETRACE_UUIDS.indexOf(uuids[i]) >= 0) return { protocol: "bluetrace", uuid: uuids[i], txPower: txPower };
  if (uuids.indexOf(OPENCOVIDTRACE_UUID) >= 0) return { protocol: "opencovidtrace", uuid: OPENCOVIDTRACE_UUID };
  return undefined;
}

/** Service data of `uuid` with exactly `length` bytes, as a copy. */
function serviceData(packet: Uint8Array, uuid: number, length: number): Uint8Array | undefined {
  const structures = readStructures(packet);
  for (let i = 0; i < structures.length; i++) {
    const data = structures[i].data;
    if (structures[i].type === SERVICE_DATA16 && data.length === length + 2 && readU16(data, 0) === uuid) return new Uint8Array(data.subarray(2));
  }
  return undefined;
}

function listsExactly(packet: Uint8Array, uuid: number): boolean {
  const list = findStructure(packet, UUIDS16_COMPLETE);
  return list !== undefined && list.length === 2 && readU16(list, 0) === uuid;
}

function lists16(packet: Uint8Array, uuid: number): boolean {
  const structures = readStructures(packet);
  for (let i = 0; i < structures.length; i++) {
    const data = structures[i].data;
    if (structures[i].type !== UUIDS16_COMPLETE && structures[i].type !== UUIDS16_INCOMPLETE) continue;
    for (let at = 0; at + 2 <= data.length; at += 2) if (readU16(data, at) === uuid) return true;
  }
  return false;
}

/** All 128-bit UUIDs of both kinds of list, as printed. */
function uuids128(packet: Uint8Array): string[] {
  const uuids: string[] = [];
  const structures = readStructures(packet);
  for (let i = 0; i < structures.length; i++) {
    const data = structures[i].data;
    if (structures[i].type !== UUIDS128_COMPLETE && structures[i].type !== UUIDS128_INCOMPLETE) continue;
    for (let at = 0; at + 16 <= data.length; at += 16) uuids.push(formatUuid(data.subarray(at, at + 16)));
  }
  return uuids;
}

/** 16 bytes in the order of the air, least significant first, as `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`. */
function formatUuid(bytes: Uint8Array): string {
  let text = "";
  for (let i = 15; i >= 0; i--) {
    text += (bytes[i] + 256).toString(16).slice(1);
    if (i === 12 || i === 10 || i === 8 || i === 6) text += "-";
  }
  return text;
}

/** The first manufacturer structure of a known type and a legal length: fragments 5 to 24 bytes, the compact token 24, the whole message 81. */
function smartBeaconFrame(packet: Uint8Array): Claim | undefined {
  const structures = readStructures(packet);
  for (let i = 0; i < structures.length; i++) {
    const data = structures[i].data;
    if (structures[i].type !== MANUFACTURER_DATA || data.length < 3 || readU16(data, 0) !== SMARTBEACON_COMPANY) continue;
    const payload = new Uint8Array(data.subarray(2));
    const isFragment = payload.length >= 5 && payload.length <= 24;
    if (payload[0] === 0xb1 && isFragment) return { protocol: "qb-fragment", payload: payload };
    if (payload[0] === 0xb2 && isFragment) return { protocol: "qb-fernet-fragment", payload: payload };
    if (payload[0] === 0xb3 && payload.length === 24) return { protocol: "qb-compact", payload: payload };
    if (payload[0] === 0xb5 && payload.length === 81) return { protocol: "qb-message", message: payload.subarray(1) };
  }
  return undefined;
}
