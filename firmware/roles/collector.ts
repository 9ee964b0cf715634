import { writeInt } from "../../protocols/bytes.ts";
import { decodeAdvertisement } from "../../protocols/smartbeacon/advertisement.ts";
import { createReceiver, MESSAGE, RECEIVER_LIMITS, REPLAY } from "../../protocols/smartbeacon/receiver.ts";
import { tick } from "../board-clock.ts";
import { boardCrypto } from "../crypto/board.ts";

// Keeps SmartBeacons' messages for upload, as the patient's phone would: in RAM, 16 at most, for a message is worth nothing after some minutes. It has no key and can't read them.

const receiver = createReceiver(boardCrypto, RECEIVER_LIMITS);
/** Messages kept since start, and packets that no message came of, by their reasons together. */
export let collected = 0;
export let refused = 0;

/** Takes a packet of `address`. */
export function collect(address: string, data: Uint8Array): void {
  const payload = decodeAdvertisement(data);
  if (!payload) return;
  const answer = receiver.receive(tick() * 1000, address, payload);
  if (answer === MESSAGE) collected++;
  else if (answer > REPLAY) refused++;
}

/**
 * All that waits, but for what was complete up to the tick `taken`, which is forgotten: of each message
 * offset 0   u32  tick at which it was complete
 * offset 4   u8   type, B1, B2 or B3
 * offset 5   u8   length
 * offset 6        the message; of a token with its type
 */
export function handOver(taken: number): Uint8Array {
  const waiting = receiver.waiting;
  for (let i = waiting.length; i--; ) if (waiting[i].at <= taken * 1000) waiting.splice(i, 1);
  let size = 0;
  for (let i = 0; i < waiting.length; i++) size += 6 + waiting[i].bytes.length;
  const all = new Uint8Array(size);
  let at = 0;
  for (let i = 0; i < waiting.length; i++) {
    const bytes = waiting[i].bytes;
    // rounded up, so that whoever has it can say so
    writeInt(all, at, 4, Math.ceil(waiting[i].at / 1000));
    all.set([waiting[i].type, bytes.length], at + 4);
    all.set(bytes, at + 6);
    at += 6 + bytes.length;
  }
  return all;
}
