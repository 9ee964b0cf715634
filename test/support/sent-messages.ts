import { expect } from "vitest";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { readU32 } from "../../protocols/bytes.ts";
import { COMPACT_TOKEN, decodeAdvertisement } from "../../protocols/smartbeacon/advertisement.ts";
import { FRAGMENT_HEADER } from "../../protocols/smartbeacon/fragments.ts";
import { CARRIER_AT, ID_AT, OFFSET_AT, SETUP_BYTES, SINGLE_AT, SK_LENGTH_AT } from "../../protocols/smartbeacon/setup.ts";
import type { Phase } from "./observer.ts";
import { toHex } from "./vectors.ts";
import { command, type WearOptions } from "./worn-boards.ts";

// SmartBeacons on walls, their key, and the messages that they send.

export const BEACON: WearOptions = { role: "smartbeacon", protocols: ["smartbeacon"] };
export const COLLECTOR: WearOptions = { role: "collector", protocols: ["smartbeacon"] };
export const SK = Uint8Array.from({ length: 32 }, (_, i) => 200 - 3 * i);
export const ID = Uint8Array.from({ length: 16 }, (_, i) => 17 * i + 5);

/** Brings key and carrier to a beacon, as the hub does. */
export function setUp(board: VirtualBoard, carrier: number, { single = false, keyBytes = 32, offset = 0 } = {}): void {
  const setup = Buffer.alloc(SETUP_BYTES);
  setup.set(SK.subarray(0, keyBytes));
  setup.set(ID, ID_AT);
  setup[CARRIER_AT] = carrier;
  setup[SK_LENGTH_AT] = keyBytes;
  setup[SINGLE_AT] = single ? 1 : 0;
  setup.writeInt16LE(offset, OFFSET_AT);
  expect(Buffer.from(command(board, `b("${setup.toString("base64")}")`)).toString()).toBe("{}");
}

export interface Sent {
  from: number;
  address: string;
  type: number;
  /** Put together. */
  message: Uint8Array;
}

/** Messages in the order of the air; the same one goes on where the address stays. */
export function messagesIn(phases: Phase[]): Sent[] {
  const sent: Sent[] = [];
  for (const { packets, from, address } of phases) {
    const payloads = Array.from(packets).flatMap((packet) => decodeAdvertisement(packet) ?? []);
    const [first] = payloads;
    // the interpreter's own, before the firmware runs
    if (!first) continue;
    const type = first[0];
    if (type === COMPACT_TOKEN) sent.push({ from, address, type, message: first });
    else {
      const ordered = payloads.sort((a, b) => a[3] - b[3]);
      expect(ordered.map((one) => one[3])).toEqual(ordered.map((_, i) => i * 16 + ordered.length - 1));
      sent.push({ from, address, type, message: Buffer.concat(ordered.map((one) => one.subarray(FRAGMENT_HEADER))) });
    }
  }
  return sent.filter((one, i) => i === 0 || toHex(one.message) !== toHex(sent[i - 1].message));
}

/** What a collector hands over, and forgets. */
export function handedOver(board: VirtualBoard, taken: number): { at: number; type: number; bytes: Uint8Array }[] {
  const all = command(board, `q(${taken})`);
  const messages: { at: number; type: number; bytes: Uint8Array }[] = [];
  for (let at = 0; at < all.length; at += 6 + all[at + 5])
    messages.push({ at: readU32(all, at), type: all[at + 4], bytes: all.slice(at + 6, at + 6 + all[at + 5]) });
  return messages;
}
