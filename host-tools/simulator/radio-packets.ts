import { bytesOf } from "./byte-arguments.ts";
import { isBufferOrView, isPlainObject, toInteger, typeName } from "./script-values.ts";

/** A call's argument that the interpreter refuses; the radio turns it into an exception of the script. */
export class ArgumentError extends Error {
  constructor(
    message: string,
    readonly type: "Error" | "TypeError" | "InternalError" = "Error",
  ) {
    super(message);
  }
}

/** 16 or 128 bits, little-endian as on the air. */
export type Uuid = Uint8Array;

/** A UUID from a number, `"ABCD"`, `"0xABCD"` or the long form with dashes. As a key of an object a string of digits is a decimal number. Source: Espruino 2v29, libs/bluetooth/bluetooth_utils.c, bleVarToUUID. */
export function parseUuid(value: unknown, asKey: boolean): Uuid {
  if (typeof value === "number" || (asKey && typeof value === "string" && /^(0|[1-9]\d*)$/.test(value))) {
    const number = Number(value);
    if (number < 0 || number > 0xffff) throw new ArgumentError("UUID Integer out of range");
    return Uint8Array.of(number & 255, number >> 8);
  }
  if (typeof value !== "string") throw new ArgumentError("UUID not String or Integer");
  const short = /^0x/.test(value) ? value.slice(2) : value.length === 4 ? value : undefined;
  const digits = short ?? value.replace(/-/g, "");
  if (!/^([\da-f]{2})*$/i.test(digits)) throw new ArgumentError("UUID string should only contain hex characters and dashes");
  const expected = short === undefined ? 16 : 2;
  if (digits.length !== 2 * expected) throw new ArgumentError("UUID not the right length (16 or 2 bytes)");
  const uuid = new Uint8Array(expected);
  for (let i = 0; i < expected; i++) uuid[expected - 1 - i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return uuid;
}

/** As a scan report shows it: `fd6f`, or the long form with dashes; lower case. */
export function uuidText(uuid: Uuid): string {
  let hex = "";
  for (const byte of uuid) hex = byte.toString(16).padStart(2, "0") + hex;
  return uuid.length === 2 ? hex : hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

const FLAGS = 0x01;
const UUIDS_16 = 0x03;
const UUIDS_128 = 0x07;
const SHORT_NAME = 0x08;
const NAME = 0x09;
const SERVICE_DATA = 0x16;
const SERVICE_DATA_128 = 0x21;
const MANUFACTURER_DATA = 0xff;
/** Pur3 Ltd, who make Espruino: added to packets by default since 2v26. */
const ESPRUINO_COMPANY = 0x0590;
const SERVICE_LIMIT = 8;

/** Puts AD structures together up to `limit` bytes. */
class PacketBuilder {
  private readonly bytes: number[] = [];
  constructor(private readonly limit: number) {}

  add(what: string, type: number, data: ArrayLike<number>): void {
    if (this.bytes.length + data.length + 2 > this.limit) throw new ArgumentError(`Advertising data too long when adding ${what}`);
    this.bytes.push(data.length + 1, type, ...Array.from(data));
  }

  /** The name goes last and is cut to what is left. */
  addName(name: Uint8Array): void {
    if (name.length === 0) return;
    const room = this.limit - 2 - this.bytes.length;
    if (name.length > room) this.add("Name", SHORT_NAME, name.subarray(0, Math.max(0, room)));
    else this.add("Name", NAME, name);
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.bytes);
  }
}

function lists(services: Uuid[], packet: PacketBuilder): void {
  const short = services.filter((uuid) => uuid.length === 2);
  const long = services.filter((uuid) => uuid.length === 16);
  if (short.length > SERVICE_LIMIT) throw new ArgumentError("Too many 16 bit UUIDs\n");
  if (long.length > SERVICE_LIMIT) throw new ArgumentError("Too many 128 bit UUIDs\n");
  if (short.length > 0) packet.add("16 bit Service", UUIDS_16, bytesOf(short));
  if (long.length > 0) packet.add("128 bit Service", UUIDS_128, bytesOf(long));
}

/**
 * The packet that Espruino makes of `{uuid: data}` and options: flags, service data, UUID lists, manufacturer data, name.
 * `defaults`: as for `setAdvertising`, with Espruino's company ID. Source: Espruino after 2v29, libs/bluetooth/jswrap_bluetooth.c, _jswrap_ble_getAdvertisingDataRaw.
 */
export function buildPacket(data: unknown, options: unknown, name: Uint8Array, limit: number, defaults: boolean): Uint8Array {
  if (options !== undefined && !isPlainObject(options))
    throw new ArgumentError(`Expecting Object or undefined, got ${typeName(options)}`, "TypeError");
  const given: Record<string, unknown> = options ?? {};
  if (Array.isArray(data) || isBufferOrView(data)) return bytesOf(data).subarray(0, limit);
  if (data !== undefined && !isPlainObject(data)) throw new ArgumentError(`Expecting Object, Array or undefined, got ${typeName(data)}`, "TypeError");
  const packet = new PacketBuilder(limit);
  if (given.flags === undefined || given.flags) packet.add("flags", FLAGS, [given.discoverable === undefined || given.discoverable ? 0x06 : 0x05]);
  const services: Uuid[] = [];
  for (const [key, value] of Object.entries(data ?? {})) {
    const uuid = keyUuid(key, "Service");
    if (value === undefined) services.push(uuid);
    else packet.add("Service", SERVICE_DATA, [...(uuid.length === 2 ? uuid : uuid.subarray(12, 14)), ...bytesOf(value)]);
  }
  lists(services, packet);
  let company = defaults ? ESPRUINO_COMPANY : 0;
  if (given.manufacturer !== undefined) company = given.manufacturer && defaults ? toInteger(given.manufacturer) & 0xffff : 0;
  if (company !== 0) packet.add("Manufacturer data", MANUFACTURER_DATA, [company & 255, company >> 8, ...bytesOf(given.manufacturerData)]);
  if (given.showName === undefined || given.showName) packet.addName(given.name === undefined ? name : bytesOf(String(given.name)).subarray(0, 31));
  return packet.finish();
}

/** A key of an object as a UUID, or the error that Espruino makes of it. */
export function keyUuid(key: string, what: string): Uuid {
  try {
    return parseUuid(key, true);
  } catch (error) {
    throw new ArgumentError(`Invalid ${what} UUID: ${(error as Error).message}`);
  }
}

/** Scan response without one of the script's own: the Nordic UART service if it runs, and services to advertise. */
export function defaultScanResponse(uart: boolean, advertise: Uuid[]): Uint8Array {
  const packet = new PacketBuilder(31);
  lists([...(uart ? [NORDIC_UART] : []), ...advertise], packet);
  return packet.finish();
}

/** 6e400001-b5a3-f393-e0a9-e50e24dcca9e */
export const NORDIC_UART = parseUuid("6e400001-b5a3-f393-e0a9-e50e24dcca9e", false);

/** What Espruino reads out of a packet; a field is there if the packet has it. */
export interface ParsedPacket {
  name?: string;
  shortName?: string;
  services: string[];
  serviceData: Record<string, Uint8Array>;
  manufacturer?: number;
  manufacturerData?: Uint8Array;
}

/**
 * Reads AD structures as Espruino does: a list of long UUIDs gives its first one, a later structure of a kind replaces an earlier one. The interpreter reads
 * past the end of a cut structure; here it ends with the packet. Source: Espruino after 2v29, libs/bluetooth/jswrap_bluetooth.c, jswrap_ble_setScan_cb.
 */
export function parsePacket(bytes: Uint8Array): ParsedPacket {
  const found: ParsedPacket = { services: [], serviceData: {} };
  for (let at = 0; at + 1 < bytes.length; at += bytes[at]! + 1) {
    const length = bytes[at]!;
    const body = bytes.subarray(at + 2, at + 1 + length);
    if (length === 0) continue;
    switch (bytes[at + 1]) {
      case SHORT_NAME:
        found.shortName = String.fromCharCode(...body);
        break;
      case NAME:
        found.name = String.fromCharCode(...body);
        break;
      case 0x02:
      case UUIDS_16:
        for (let i = 0; i + 1 < body.length; i += 2) found.services.push(uuidText(body.subarray(i, i + 2)));
        break;
      case 0x06:
      case UUIDS_128:
        if (body.length >= 16) found.services.push(uuidText(body.subarray(0, 16)));
        break;
      case SERVICE_DATA:
        if (body.length >= 2) found.serviceData[uuidText(body.subarray(0, 2))] = body.slice(2);
        break;
      case SERVICE_DATA_128:
        if (body.length >= 16) found.serviceData[uuidText(body.subarray(0, 16))] = body.slice(16);
        break;
      case MANUFACTURER_DATA:
        if (body.length >= 2) {
          found.manufacturer = body[0]! | (body[1]! << 8);
          found.manufacturerData = body.slice(2);
        }
        break;
    }
  }
  return found;
}
