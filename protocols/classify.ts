import { readStructures, txPowerLevel, UUIDS128_COMPLETE, UUIDS128_INCOMPLETE } from "./advertising-data.ts";
import { decodeAdvertisement as decodeTracing } from "./contact-tracing-v1/advertisement.ts";
import { decodeAdvertisement as decodeDp3t, offersService } from "./dp3t/advertisement.ts";
import { decodeAdvertisement as decodeGaen } from "./gaen/advertisement.ts";
import { COMPACT_TOKEN, decodeAdvertisement as decodeSmartBeacon, MESSAGE_FRAGMENT, WHOLE_MESSAGE } from "./smartbeacon/advertisement.ts";

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
  const gaen = decodeGaen(packet);
  if (gaen) return { protocol: "gaen", rpi: gaen.rpi, aem: gaen.aem, uuidListExact: gaen.uuidListExact };
  const tracing = decodeTracing(packet);
  if (tracing) return { protocol: "ct10", rpi: tracing.rpi, uuidListExact: tracing.uuidListExact };
  const dp3t = decodeDp3t(packet);
  if (dp3t) return { protocol: "dp3t", ephid: dp3t.ephId, txPower: dp3t.txPower };
  const payload = decodeSmartBeacon(packet);
  if (payload) return smartBeaconClaim(payload);
  const txPower = txPowerLevel(packet);
  if (offersService(packet)) return { protocol: "dp3t-connect", txPower: txPower };
  const uuids = uuids128(packet);
  for (let i = 0; i < uuids.length; i++)
    if (BLUETRACE_UUIDS.indexOf(uuids[i]) >= 0) return { protocol: "bluetrace", uuid: uuids[i], txPower: txPower };
  if (uuids.indexOf(OPENCOVIDTRACE_UUID) >= 0) return { protocol: "opencovidtrace", uuid: OPENCOVIDTRACE_UUID };
  return undefined;
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

/** `payload` from the type byte on, as `decodeSmartBeacon` lets it through. */
function smartBeaconClaim(payload: Uint8Array): Claim {
  if (payload[0] === WHOLE_MESSAGE) return { protocol: "qb-message", message: payload.subarray(1) };
  if (payload[0] === COMPACT_TOKEN) return { protocol: "qb-compact", payload: payload };
  return { protocol: payload[0] === MESSAGE_FRAGMENT ? "qb-fragment" : "qb-fernet-fragment", payload: payload };
}
