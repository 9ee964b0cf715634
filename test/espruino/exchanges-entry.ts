import { boardCrypto } from "../../firmware/crypto/board.ts";
import { decodeBase64, encodeBase64 } from "../../protocols/base64.ts";
import { advertisementTail, decodeAdvertisement, encodeAdvertisement, SERVICES } from "../../protocols/bluetrace/advertisement.ts";
import { blacklisted, isBlacklisted, tempIdKey } from "../../protocols/bluetrace/blacklist.ts";
import { ANDROID, pauseAfterScan } from "../../protocols/bluetrace/duty-cycle.ts";
import { decodePacket, encodePacket } from "../../protocols/bluetrace/packet.ts";
import { currentTempId, encodeTempId, needsTempIds, packTempId, tempIdText } from "../../protocols/bluetrace/temp-id.ts";
import { hex } from "../../protocols/bytes.ts";
import { isAdvertisement, encodeAdvertisement as octAdvertisement, SERVICE } from "../../protocols/opencovidtrace/advertisement.ts";
import { decodeContactLink, encodeContactLink } from "../../protocols/opencovidtrace/contact-link.ts";
import { decodePayload, encodePayload } from "../../protocols/opencovidtrace/payload.ts";
import { parseUuid } from "../../protocols/uuid128.ts";

// What BlueTrace and OpenCovidTrace do on a board, for the interpreter, on the global object `exchanges`: hex in, hex out. Bundled as a firmware is, so it is written in the board's dialect.

function bytes(text: string): Uint8Array {
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = parseInt(text.substr(i * 2, 2), 16);
  return out;
}
function uuid(text: string): Uint8Array {
  return parseUuid(text) || new Uint8Array(0);
}
let list = "";

(global as unknown as { [name: string]: unknown }).exchanges = {
  decode: (packet: string, fromCentral: boolean) => decodePacket(packet, fromCentral) || 0,
  encode: (id: string, model: string, org: string, rssi?: number) => encodePacket(id, model, org, rssi),
  packed: (id: string) => {
    const packed = packTempId(id);
    return packed ? hex(packed) : 0;
  },
  current: (start: number, expiry: number, id: string, unix: number) => {
    const record = encodeTempId(start, expiry, packTempId(id) || new Uint8Array(61));
    const at = currentTempId(record, unix);
    return at < 0 ? at : [tempIdText(record, at), needsTempIds(record, expiry, unix)];
  },
  meet: (device: string, now: number, ttl: number) => {
    if (isBlacklisted(list, tempIdKey(device), now, ttl)) return "skip";
    list = blacklisted(list, tempIdKey(device), now);
    return "connect";
  },
  listLength: () => list.length,
  pause: (random: number) => pauseAfterScan(ANDROID, random),
  advertisement: (service: string, txPower: number, tail: string) => hex(encodeAdvertisement(uuid(service), txPower, tail)),
  tail: () => advertisementTail((length) => boardCrypto.randomBytes(length)),
  heard: (packet: string) => {
    const services = SERVICES.map((service) => uuid(service));
    const found = decodeAdvertisement(bytes(packet), services);
    return [found ? SERVICES[found.service] : 0, isAdvertisement(bytes(packet), uuid(SERVICE))];
  },
  octAdvertisement: () => hex(octAdvertisement(uuid(SERVICE))),
  payload: (dailyKey: string, metaKey: string, unix: number, lat: number, lng: number, accuracy: number) =>
    hex(encodePayload(boardCrypto, bytes(dailyKey), bytes(metaKey), unix, { lat: lat, lng: lng, accuracy: accuracy })),
  halves: (value: string) => {
    const payload = decodePayload(bytes(value));
    return payload ? [hex(payload.rollingId), hex(payload.meta)] : 0;
  },
  relink: (text: string) => {
    const link = decodeContactLink(text);
    return link ? [encodeContactLink(link), link.platform, link.token] : 0;
  },
  base64: (text: string) => {
    const decoded = decodeBase64(text);
    return decoded ? [hex(decoded), encodeBase64(decoded)] : 0;
  },
};
