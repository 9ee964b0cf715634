import { aesInUse, boardAes256, boardCrypto, sha256InUse } from "../../firmware/crypto/board.ts";
import { ascii, hex } from "../../protocols/bytes.ts";
import { classify } from "../../protocols/classify.ts";
import { aesCtr } from "../../protocols/constructions/aes-ctr.ts";
import { hkdf } from "../../protocols/constructions/hkdf.ts";
import { hmacSha256 } from "../../protocols/constructions/hmac.ts";
import * as v1 from "../../protocols/contact-tracing-v1/key-schedule.ts";
import { windowEphIds } from "../../protocols/dp3t/hybrid.ts";
import { ephIds, nextSecretKey, shuffledEpochs } from "../../protocols/dp3t/low-cost.ts";
import { ephId, epochNumber, observationHash } from "../../protocols/dp3t/unlinkable.ts";
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
import { openToken, sealToken, tokenKeys } from "../../protocols/smartbeacon/compact-token.ts";
import { derivedKey, MESSAGE_ENCRYPTION, MESSAGE_MAC, TOKEN_ENCRYPTION, TOKEN_MAC } from "../../protocols/smartbeacon/keys.ts";
import { sealMessageC } from "../../protocols/smartbeacon/message-c.ts";
import { formatTimestamp } from "../../protocols/smartbeacon/timestamp.ts";

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
  ctr: (key: string, counter: string, data: string) => hex(aesCtr(boardCrypto.aes128, bytes(key), bytes(counter), bytes(data))),
  ecb: (key: string, blocks: string) => hex(boardCrypto.aes128(bytes(key), bytes(blocks))),
  ecb256: (key: string, blocks: string) => hex(boardAes256(bytes(key), bytes(blocks))),
  v1Day: (unix: number) => [v1.dayNumber(unix), v1.timeIntervalNumber(unix)],
  v1DailyKey: (tracingKey: string, day: number) => hex(v1.dailyTracingKey(boardCrypto, bytes(tracingKey), day)),
  v1Rpi: (dailyKey: string, interval: number) => hex(v1.rollingProximityIdentifier(boardCrypto, bytes(dailyKey), interval)),
  dpNext: (sk: string) => hex(nextSecretKey(boardCrypto, bytes(sk))),
  dpEphIds: (sk: string, count: number) => hex(ephIds(boardCrypto, boardAes256, bytes(sk), count)),
  dpShuffled: () => hex(shuffledEpochs(boardCrypto)),
  dpUnlinkable: (seed: string, unix: number) => {
    const id = ephId(boardCrypto, bytes(seed));
    return [hex(id), epochNumber(unix), hex(observationHash(boardCrypto, id, epochNumber(unix)))];
  },
  dpWindow: (seed: string, count: number) => hex(windowEphIds(boardCrypto, boardAes256, bytes(seed), count)),
  qbKeys: (sk: string) => [
    hex(derivedKey(boardCrypto, bytes(sk), MESSAGE_ENCRYPTION, 16)),
    hex(derivedKey(boardCrypto, bytes(sk), MESSAGE_MAC, 32)),
    hex(derivedKey(boardCrypto, bytes(sk), TOKEN_ENCRYPTION, 32)),
    hex(derivedKey(boardCrypto, bytes(sk), TOKEN_MAC, 32)),
  ],
  qbTime: (unix: number, offsetMinutes: number) => formatTimestamp(unix, offsetMinutes),
  qbMessage: (encryptionKey: string, macKey: string, iv: string, timestamp: string) =>
    hex(
      sealMessageC(
        boardCrypto,
        encryptionKey.length > 32 ? boardAes256 : boardCrypto.aes128,
        bytes(encryptionKey),
        bytes(macKey),
        bytes(iv),
        ascii(timestamp),
      ),
    ),
  qbToken: (sk: string, beaconId: string, status: number, unix: number, boot: number) =>
    hex(sealToken(boardCrypto, tokenKeys(boardCrypto, bytes(sk)), bytes(beaconId), { status, unix, boot })),
  qbOpen: (sk: string, beaconId: string, payload: string) => openToken(boardCrypto, bytes(sk), bytes(beaconId), bytes(payload)),
  aes: () => aesInUse,
  sha: () => sha256InUse,
  hash: (message: string) => hex(boardCrypto.sha256(bytes(message))),
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
