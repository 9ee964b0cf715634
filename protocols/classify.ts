import { txPowerLevel } from "./advertising-data.ts";
import { SERVICES } from "./bluetrace/advertisement.ts";
import { decodeAdvertisement as decodeTracing } from "./contact-tracing-v1/advertisement.ts";
import { decodeAdvertisement as decodeDp3t, offersService } from "./dp3t/advertisement.ts";
import { decodeAdvertisement as decodeGaen } from "./gaen/advertisement.ts";
import { isAdvertisement, SERVICE } from "./opencovidtrace/advertisement.ts";
import { COMPACT_TOKEN, decodeAdvertisement as decodeSmartBeacon, MESSAGE_FRAGMENT, WHOLE_MESSAGE } from "./smartbeacon/advertisement.ts";
import { listedUuid, parseUuid } from "./uuid128.ts";

const BLUETRACE = SERVICES.map((uuid) => parseUuid(uuid) as Uint8Array);
const OPENCOVIDTRACE = parseUuid(SERVICE) as Uint8Array;

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
  const blueTrace = listedUuid(packet, BLUETRACE);
  if (blueTrace >= 0) return { protocol: "bluetrace", uuid: SERVICES[blueTrace], txPower: txPower };
  return isAdvertisement(packet, OPENCOVIDTRACE) ? { protocol: "opencovidtrace", uuid: SERVICE } : undefined;
}

/** `payload` from the type byte on, as `decodeSmartBeacon` lets it through. */
function smartBeaconClaim(payload: Uint8Array): Claim {
  if (payload[0] === WHOLE_MESSAGE) return { protocol: "qb-message", message: payload.subarray(1) };
  if (payload[0] === COMPACT_TOKEN) return { protocol: "qb-compact", payload: payload };
  return { protocol: payload[0] === MESSAGE_FRAGMENT ? "qb-fragment" : "qb-fernet-fragment", payload: payload };
}
