import { boardAes256, boardCrypto } from "../../firmware/crypto/board.ts";
import { hex } from "../../protocols/bytes.ts";
import * as v1Advertisement from "../../protocols/contact-tracing-v1/advertisement.ts";
import * as dpAdvertisement from "../../protocols/dp3t/advertisement.ts";
import { currentEphId, ephIds } from "../../protocols/dp3t/low-cost.ts";
import { seededBytes, shuffledOrder } from "../../protocols/dp3t/shuffle.ts";
import * as qbAdvertisement from "../../protocols/smartbeacon/advertisement.ts";
import { createDays, dayRecord, markPresent, openDay, purgeDays, sealDay } from "../../protocols/smartbeacon/day-record.ts";
import { checkForwarded } from "../../protocols/smartbeacon/forwarded.ts";
import { fragment, messageId } from "../../protocols/smartbeacon/fragments.ts";
import { messageKeys, openMessageC } from "../../protocols/smartbeacon/open-message.ts";
import { phoneRef } from "../../protocols/smartbeacon/phone-ref.ts";
import { ANSWERS, createReceiver, RECEIVER_LIMITS, type Receiver } from "../../protocols/smartbeacon/receiver.ts";
import { parseTimestamp } from "../../protocols/smartbeacon/timestamp.ts";

// Protocol functions above the port for the interpreter, on the global object `vectors`, as vectors-entry.ts has those of the port: both together are more than its memory holds.

function bytes(text: string): Uint8Array {
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = parseInt(text.substr(i * 2, 2), 16);
  return out;
}

let receiver: Receiver | undefined;

(global as unknown as { [name: string]: unknown }).vectors = {
  qbSend: (type: number, message: string, index: number) => {
    const id = messageId(boardCrypto, bytes(message));
    return hex(qbAdvertisement.encodeAdvertisement(fragment(type, id, bytes(message), index)));
  },
  qbHeard: (packet: string) => {
    const payload = qbAdvertisement.decodeAdvertisement(bytes(packet));
    return payload ? hex(payload) : 0;
  },
  qbUnix: (text: string) => {
    const unix = parseTimestamp(text);
    return unix === undefined ? null : unix;
  },
  // the interpreter has no AES backwards on every board: what it would answer is given
  qbOpenMessage: (sk: string, mode: string, message: string, decrypted: string) =>
    openMessageC(boardCrypto, () => bytes(decrypted), messageKeys(boardCrypto, bytes(sk), mode === "split" ? "split" : "single"), bytes(message)),
  qbForwarded: (sk: string, beaconId: string, written: string, now: number) =>
    checkForwarded(
      boardCrypto,
      () => new Uint8Array(32),
      messageKeys(boardCrypto, bytes(sk), "split"),
      bytes(sk),
      bytes(beaconId),
      bytes(written),
      now,
    ),
  qbPhone: (pastKey: string, pastTime: number) => hex(phoneRef(boardCrypto, bytes(pastKey), pastTime)),
  qbDay: (sk: string, beaconId: string, day: number, slots: string) => {
    const days = createDays();
    slots.split(" ").forEach((slot) => {
      markPresent(days, day * 86400 + +slot * 300);
    });
    purgeDays(days, (day + 13) * 86400);
    const record = dayRecord(days, day);
    const sealed = record ? sealDay(boardCrypto, bytes(sk), bytes(beaconId), record) : new Uint8Array(0);
    return [hex(sealed), openDay(boardCrypto, bytes(sk), bytes(beaconId), sealed)];
  },
  qbListen: (messageMs: number, contextMs: number, newIds: number, bucket: number) => {
    receiver = createReceiver(boardCrypto, messageMs ? { messageMs, contextMs, newIds, bucket } : RECEIVER_LIMITS);
    return 0;
  },
  qbReceive: (at: number, address: string, payload: string) => {
    if (!receiver) return 0;
    const answer = ANSWERS[receiver.receive(at, address, bytes(payload))];
    return answer === "message" ? "message:" + hex(receiver.waiting[receiver.waiting.length - 1].bytes) : answer;
  },
  v1Advertisement: (rpi: string) => hex(v1Advertisement.encodeAdvertisement(bytes(rpi))),
  dpAdvertisement: (id: string, txPower: number) => hex(dpAdvertisement.encodeAdvertisement(bytes(id), txPower)),
  offsets: (packet: string) => [v1Advertisement.rpiOffset(bytes(packet)), dpAdvertisement.ephIdOffset(bytes(packet))],
  dpOrder: (seed: string) => hex(shuffledOrder(seededBytes(boardCrypto.aes128, bytes(seed)), 96)),
  dpCurrent: (sk: string, seed: string, unix: number) =>
    hex(currentEphId(ephIds(boardCrypto, boardAes256, bytes(sk), 96), shuffledOrder(seededBytes(boardCrypto.aes128, bytes(seed)), 96), unix)),
};
