import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeFrame, FrameReceiver, MAX_PAYLOAD } from "../../host-tools/device/frames.ts";

/** What a console makes of a print: CR before every LF. */
function throughConsole(bytes: Uint8Array): Uint8Array {
  const out: number[] = [];
  for (const byte of bytes) out.push(...(byte === 10 ? [13, 10] : [byte]));
  return Uint8Array.from(out);
}

function receive(chunks: Iterable<Uint8Array>, giveUp = false) {
  const frames: Uint8Array[] = [];
  const text: number[] = [];
  let damaged = 0;
  const receiver = new FrameReceiver({
    frame: (payload) => frames.push(payload),
    text: (bytes) => text.push(...bytes),
    damaged: () => damaged++,
  });
  for (const chunk of chunks) receiver.push(chunk);
  if (giveUp) receiver.giveUp();
  return { frames: frames.map((frame) => Buffer.from(frame).toString("hex")), text: Buffer.from(text).toString("latin1"), damaged };
}

function* cut(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function startsWith(bytes: Uint8Array, beginning: Uint8Array): boolean {
  return Buffer.compare(bytes.subarray(0, beginning.length), beginning) === 0;
}

const payload = fc.uint8Array({ minLength: 0, maxLength: 600 });
// bytes that look like what frames are made of come often
const noise = fc
  .array(fc.oneof(fc.constantFrom(1, 0x7f, 13, 10, 0x3e), fc.integer({ min: 0, max: 255 })), { maxLength: 30 })
  .map((bytes) => Uint8Array.from(bytes));
const calmNoise = fc.array(fc.integer({ min: 32, max: 126 }), { maxLength: 40 }).map((bytes) => Uint8Array.from(bytes));

describe("frames in a console's stream", () => {
  test("any payloads between prints arrive, however the stream is cut", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(calmNoise, payload), { maxLength: 6 }), fc.integer({ min: 1, max: 700 }), (parts, size) => {
        const stream = Buffer.concat(
          parts.flatMap(([before, bytes]) => [throughConsole(before), throughConsole(encodeFrame(bytes)), Buffer.from("\r\n")]),
        );
        const { frames, text, damaged } = receive(cut(stream, size));
        expect(frames).toEqual(parts.map(([, bytes]) => Buffer.from(bytes).toString("hex")));
        expect(text).toBe(parts.map(([before]) => Buffer.from(before).toString("latin1") + "\n").join(""));
        expect(damaged).toBe(0);
      }),
    );
  });

  test("after noise of any kind the next frame is found, at the latest when nothing more comes", () => {
    fc.assert(
      fc.property(noise, payload, (before, bytes) => {
        const { frames } = receive([before, throughConsole(encodeFrame(bytes)), Buffer.from("\r\n")], true);
        expect(frames).toContain(Buffer.from(bytes).toString("hex"));
      }),
    );
  });

  test("a frame that lost or changed a byte is not delivered, the one after it is", () => {
    fc.assert(
      fc.property(payload, payload, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean(), (first, second, where, value, lose) => {
        const damagedFrame = Buffer.from(encodeFrame(first));
        const at = where % damagedFrame.length;
        fc.pre(lose || damagedFrame[at] !== value);
        const wrong = lose ? Buffer.concat([damagedFrame.subarray(0, at), damagedFrame.subarray(at + 1)]) : damagedFrame;
        if (!lose) wrong[at] = value;
        // a frame that ends as the next one begins is whole without its last byte: then the next one is the damaged one
        fc.pre(!startsWith(Buffer.concat([wrong, encodeFrame(second)]), encodeFrame(first)));
        const { frames } = receive([throughConsole(wrong), throughConsole(encodeFrame(second)), Buffer.from("\r\n")], true);
        expect(frames).toEqual([Buffer.from(second).toString("hex")]);
      }),
    );
  });

  test("any bytes are survived", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
        receive(cut(bytes, 7), true);
      }),
    );
  });

  test("a length no answer can have is noise, and does not hold up what follows", () => {
    const long = Buffer.from([1, 0x7f, 0, 0]);
    long.writeUInt16LE(MAX_PAYLOAD + 1, 2);
    const { frames, damaged } = receive([long, encodeFrame(Uint8Array.of(7)), Buffer.from("\r\n")]);
    expect(frames).toEqual(["07"]);
    expect(damaged).toBe(0);
  });

  test("the time of a frame is that of its first byte", () => {
    const times: number[] = [];
    const receiver = new FrameReceiver({ frame: (_, begunAt) => times.push(begunAt), text: () => {}, damaged: () => {} });
    const frame = encodeFrame(Uint8Array.of(1, 2, 3));
    receiver.push(Buffer.from("noise"), 5);
    receiver.push(frame.subarray(0, 1), 10);
    receiver.push(frame.subarray(1), 11);
    expect(times).toEqual([10]);
  });
});
