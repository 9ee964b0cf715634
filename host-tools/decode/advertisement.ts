import {
  FLAGS_TYPE,
  MANUFACTURER_DATA,
  readStructures,
  SERVICE_DATA16,
  TX_POWER_LEVEL,
  UUIDS16_COMPLETE,
  UUIDS16_INCOMPLETE,
  UUIDS128_COMPLETE,
  UUIDS128_INCOMPLETE,
} from "../../protocols/advertising-data.ts";
import { readU16 } from "../../protocols/bytes.ts";
import { type Claim, classify } from "../../protocols/classify.ts";
import { formatUuid } from "../../protocols/uuid128.ts";
import { FormatError } from "../errors.ts";
import { type Explanation, FieldReader } from "./explanation.ts";
import { readSmartBeaconPayload } from "./smartbeacon.ts";

/** Advertising data, taken apart structure by structure. Names of types, services and companies: Bluetooth Assigned Numbers. */
const TYPES: Record<number, string> = {
  [FLAGS_TYPE]: "Flags",
  [UUIDS16_INCOMPLETE]: "incomplete list of 16-bit UUIDs",
  [UUIDS16_COMPLETE]: "complete list of 16-bit UUIDs",
  [UUIDS128_INCOMPLETE]: "incomplete list of 128-bit UUIDs",
  [UUIDS128_COMPLETE]: "complete list of 128-bit UUIDs",
  8: "shortened local name",
  9: "complete local name",
  [TX_POWER_LEVEL]: "transmit power",
  [SERVICE_DATA16]: "service data, 16-bit UUID",
  [MANUFACTURER_DATA]: "manufacturer data",
};
const FLAG_BITS = ["limited discoverable", "general discoverable", "no BR/EDR", "LE and BR/EDR at once (controller)", "LE and BR/EDR at once (host)"];
const GAEN_SERVICE = 0xfd6f;
const DP3T_SERVICE = 0xfd68;
const SMARTBEACON_COMPANY = 0x0590;
const SERVICES: Record<number, string> = { [GAEN_SERVICE]: "Exposure Notification", [DP3T_SERVICE]: "DP-3T" };
const COMPANIES: Record<number, string> = { 76: "Apple", 1023: "as OpenTrace sends it", [SMARTBEACON_COMPANY]: "Espruino" };

const TITLES: Record<Claim["protocol"], string> = {
  gaen: "Exposure Notification (GAEN v1.2)",
  ct10: "Contact Tracing v1.0, historical",
  dp3t: "DP-3T",
  "dp3t-connect": "DP-3T without an identifier",
  bluetrace: "BlueTrace",
  opencovidtrace: "OpenCovidTrace",
  "qb-fragment": "SmartBeacon, fragment of MESSAGE C",
  "qb-fernet-fragment": "SmartBeacon, fragment of a Fernet token",
  "qb-compact": "SmartBeacon, compact token",
  "qb-message": "SmartBeacon, MESSAGE C in an extended advertisement",
};
const NOTES: Partial<Record<Claim["protocol"], string>> = {
  gaen: "who sent it, and its transmit power, can be told only with the sender's key of the day",
  "dp3t-connect": "the identifier is read over GATT: characteristic 8c8494e3-bab5-1848-40a0-1b06991c0001, 16 bytes",
  bluetrace: "the identifier is exchanged over GATT, as JSON",
  opencovidtrace: "the identifier is read over GATT, 32 bytes",
};

const uuid16 = (uuid: number) => uuid.toString(16).padStart(4, "0").toUpperCase();
const dBm = (byte: number) => `${(byte << 24) >> 24} dBm`;
const ascii = (bytes: Uint8Array) => `"${[...bytes].map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".")).join("")}"`;

function flagWords([flags]: Uint8Array): string {
  return FLAG_BITS.filter((_, bit) => (flags >> bit) & 1).join(", ");
}

function readServiceData(reader: FieldReader): void {
  let uuid = -1;
  if (reader.left >= 2)
    reader.take(2, "UUID", (bytes) => {
      uuid = readU16(bytes, 0);
      return `${uuid16(uuid)}${SERVICES[uuid] ? `: ${SERVICES[uuid]}` : ""}`;
    });
  if (uuid === GAEN_SERVICE && reader.left === 20) {
    reader.take(16, "RPI", "identifier, changes every 10 to 20 minutes");
    reader.take(4, "AEM", "encrypted: version and transmit power");
  } else if (uuid === GAEN_SERVICE && reader.left === 16) reader.take(16, "RPI", "identifier of Contact Tracing v1.0");
  else if (uuid === DP3T_SERVICE && reader.left === 16) reader.take(16, "EphID", "identifier, changes every 15 minutes");
  else reader.rest("data", SERVICES[uuid] ? `of a length that is not ${SERVICES[uuid]}'s: nobody takes it` : "");
}

function readManufacturerData(reader: FieldReader, isSmartBeacon: boolean): void {
  let company = -1;
  if (reader.left >= 2)
    reader.take(2, "company", (bytes) => {
      company = readU16(bytes, 0);
      return `${uuid16(company)}${COMPANIES[company] ? `: ${COMPANIES[company]}` : ""}`;
    });
  if (company === SMARTBEACON_COMPANY && isSmartBeacon) readSmartBeaconPayload(reader);
  else reader.rest("data", ascii);
}

function readUuids(reader: FieldReader, size: 2 | 16): void {
  while (reader.left >= size)
    reader.take(size, "UUID", (bytes) => {
      if (size === 16) return formatUuid(bytes);
      const uuid = readU16(bytes, 0);
      return `${uuid16(uuid)}${SERVICES[uuid] ? `: ${SERVICES[uuid]}` : ""}`;
    });
  reader.rest("rest", "less than a UUID");
}

function readStructure(reader: FieldReader, type: number, isSmartBeacon: boolean): void {
  if (type === FLAGS_TYPE) reader.rest("flags", flagWords);
  else if (type === UUIDS16_COMPLETE || type === UUIDS16_INCOMPLETE) readUuids(reader, 2);
  else if (type === UUIDS128_COMPLETE || type === UUIDS128_INCOMPLETE) readUuids(reader, 16);
  else if (type === TX_POWER_LEVEL) reader.rest("power", (bytes) => (bytes.length === 1 ? dBm(bytes[0]) : "not one byte: nobody takes it"));
  else if (type === SERVICE_DATA16) readServiceData(reader);
  else if (type === MANUFACTURER_DATA) readManufacturerData(reader, isSmartBeacon);
  else reader.rest("data", ascii);
}

/** Are these structures from the first byte to the last, zeros at the end allowed? */
export function isWellFormed(packet: Uint8Array): boolean {
  const end = readStructures(packet).reduce((at, { data }) => at + data.length + 2, 0);
  return end > 0 && packet.subarray(end).every((byte) => byte === 0);
}

/**
 * What an advertisement says and whose it is, from its advertising data.
 * @throws FormatError for bytes in which not even a first structure is whole.
 */
export function explainAdvertisement(packet: Uint8Array): Explanation {
  const structures = readStructures(packet);
  if (structures.length === 0) {
    const why = packet.length === 0 ? "no bytes" : `byte 0 says ${packet[0]} bytes follow, and ${packet.length - 1} do`;
    throw new FormatError("not_an_advertisement", `no advertising data: ${why}; for what is read over GATT use --as`);
  }
  const claim = classify(packet);
  const fields = [];
  const notes: string[] = [];
  let at = 0;
  for (const { type, data } of structures) {
    const head = new FieldReader(packet.subarray(at, at + 2), at);
    head.take(2, "structure", `${data.length + 1} bytes follow: ${TYPES[type] ?? `type ${uuid16(type).slice(2)}`}`);
    const reader = new FieldReader(data, at + 2);
    readStructure(reader, type, claim?.protocol.startsWith("qb-") === true);
    fields.push(...head.fields, ...reader.fields);
    at += data.length + 2;
  }
  if (at < packet.length) {
    const rest = new FieldReader(packet.subarray(at), at);
    rest.rest("rest", packet[at] === 0 ? "behind the end: a length of zero" : "cut off: a structure that would pass the end, ignored");
    fields.push(...rest.fields);
  }
  if (packet.length > 31 && claim?.protocol !== "qb-message") notes.push(`${packet.length} bytes are more than the 31 of legacy advertising`);
  if (claim && NOTES[claim.protocol]) notes.push(NOTES[claim.protocol]!);
  if (!claim) notes.push("no protocol that Tracelet knows claims it");
  return {
    what: claim?.protocol ?? "unknown",
    title: claim ? `Advertisement: ${TITLES[claim.protocol]}` : "Advertisement of nobody known",
    length: packet.length,
    fields,
    notes,
  };
}
