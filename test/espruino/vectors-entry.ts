import { aesInUse, boardCrypto } from "../../firmware/crypto/board.ts";
import { hex } from "../../protocols/bytes.ts";
import { classify } from "../../protocols/classify.ts";
import { aesCtr } from "../../protocols/constructions/aes-ctr.ts";
import { hkdf } from "../../protocols/constructions/hkdf.ts";
import { hmacSha256 } from "../../protocols/constructions/hmac.ts";
import { decodeAdvertisement, encodeAdvertisement, serviceDataOffset } from "../../protocols/gaen/advertisement.ts";
import { rollingProximityIdentifiers } from "../../protocols/gaen/identifier-series.ts";
import {
  intervalNumber,
  metadataKey,
  rollingProximityIdentifier,
  rollingProximityIdentifierKey,
  rollingStart,
} from "../../protocols/gaen/key-schedule.ts";
import { decodeMetadata, encodeMetadata, encryptMetadata } from "../../protocols/gaen/metadata.ts";

// Protocol functions for the interpreter, on the global object `vectors`: hex in, hex out. Bundled as a firmware is, so it is written in the board's dialect.

function bytes(text: string): Uint8Array {
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = parseInt(text.substr(i * 2, 2), 16);
  return out;
}

(global as unknown as { [name: string]: unknown }).vectors = {
  enin: (unix: number) => [intervalNumber(unix), rollingStart(intervalNumber(unix))],
  rpik: (tek: string) => hex(rollingProximityIdentifierKey(boardCrypto, bytes(tek))),
  aemk: (tek: string) => hex(metadataKey(boardCrypto, bytes(tek))),
  rpi: (rpik: string, interval: number) => hex(rollingProximityIdentifier(boardCrypto, bytes(rpik), interval)),
  series: (rpik: string, first: number, count: number) => hex(rollingProximityIdentifiers(boardCrypto, bytes(rpik), first, count)),
  aem: (aemk: string, rpi: string, metadata: string) => hex(encryptMetadata(boardCrypto, bytes(aemk), bytes(rpi), bytes(metadata))),
  encodeMetadata: (txPower: number, confidence?: number) => hex(encodeMetadata(txPower, confidence)),
  decodeMetadata: (metadata: string) => {
    const read = decodeMetadata(bytes(metadata));
    return [read.major, read.minor, read.confidence, read.txPower];
  },
  hmac: (key: string, message: string) => hex(hmacSha256(boardCrypto, bytes(key), bytes(message))),
  hkdf: (ikm: string, salt: string, info: string, length: number) => hex(hkdf(boardCrypto, bytes(ikm), bytes(salt), bytes(info), length)),
  ctr: (key: string, counter: string, data: string) => hex(aesCtr(boardCrypto, bytes(key), bytes(counter), bytes(data))),
  ecb: (key: string, blocks: string) => hex(boardCrypto.aes128(bytes(key), bytes(blocks))),
  aes: () => aesInUse,
  sha256: (message: string) => hex(boardCrypto.sha256(bytes(message))),
  advertisement: (rpi: string, aem: string, flags?: number) => hex(encodeAdvertisement(bytes(rpi), bytes(aem), flags)),
  heard: (packet: string) => {
    const found = decodeAdvertisement(bytes(packet));
    return found ? [hex(found.rpi), hex(found.aem), found.uuidListExact, serviceDataOffset(bytes(packet))] : 0;
  },
  claims: (packet: string) => {
    const claim = classify(bytes(packet));
    return claim ? claim.protocol : null;
  },
};
