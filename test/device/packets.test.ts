import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DATA, encodePacket, PacketReceiver, pieceLengths } from "../../host-tools/device/packets.ts";

/** How the interpreter sends a packet: the header as it is, CR before each LF of the payload. */
function fromBoard(type: number, payload: Uint8Array): Uint8Array {
  const packet = encodePacket(type, payload);
  const out = [...packet.subarray(0, 4)];
  for (const byte of payload) out.push(...(byte === 10 ? [13, 10] : [byte]));
  return Uint8Array.from(out);
}

const text = fc.array(fc.integer({ min: 32, max: 126 }), { maxLength: 20 }).map((bytes) => Uint8Array.from(bytes));
const bytes = fc
  .array(fc.oneof(fc.constantFrom(0x10, 1, 6, 0x15, 13, 10), fc.integer({ min: 0, max: 255 })), { maxLength: 300 })
  .map((list) => Uint8Array.from(list));

describe("binary packets of the interpreter", () => {
  test("any payloads arrive between text and acknowledgements, however the stream is cut", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(text, bytes), { maxLength: 5 }), fc.integer({ min: 1, max: 50 }), (parts, size) => {
        const stream = Buffer.concat([
          ...parts.flatMap(([before, payload]) => [before, Uint8Array.of(6), fromBoard(DATA, payload)]),
          Uint8Array.of(0x15),
        ]);
        const receiver = new PacketReceiver();
        for (let at = 0; at < stream.length; at += size) receiver.push(stream.subarray(at, at + size));
        expect(receiver.packets.map((packet) => Buffer.from(packet.payload).toString("hex"))).toEqual(
          parts.map(([, payload]) => Buffer.from(payload).toString("hex")),
        );
        expect(receiver.packets.every((packet) => packet.type === DATA)).toBe(true);
        expect(receiver.answers).toEqual([...parts.map(() => "ack"), "nak"]);
        expect(receiver.text).toBe(parts.map(([before]) => Buffer.from(before).toString("latin1")).join(""));
      }),
    );
  });

  test("the pieces of a file add up, and no header of theirs has a Ctrl-C in it", () => {
    for (let size = 1; size < 1100; size++) {
      const pieces = pieceLengths(size);
      expect(pieces.reduce((sum, piece) => sum + piece, 0)).toBe(size);
      for (const piece of pieces) expect([...encodePacket(DATA, new Uint8Array(piece)).subarray(0, 4)]).not.toContain(3);
    }
  });

  test("the header is DLE SOH, then type and length, the high byte first", () => {
    expect([...encodePacket(DATA, new Uint8Array(11)).subarray(0, 4)]).toEqual([0x10, 0x01, 0x80, 0x0b]);
    expect(() => encodePacket(DATA, new Uint8Array(8192))).toThrow("8192");
  });
});
