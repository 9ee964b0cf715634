import { crc32 } from "node:zlib";
import { readU16, readU32 } from "../../protocols/bytes.ts";
import { BLOCK_HEADER_BYTES, FRAME_FIRST, FRAME_OVERHEAD, FRAME_SECOND } from "../../protocols/device-link.ts";
import { LONG_BYTES, PAGE_WORDS, WORD_BYTES } from "../../protocols/log-format.ts";

const CR = 13;
const LF = 10;
const HEADER_BYTES = 4;

/** The longest answer: a whole page of the log. A frame that says it is longer is noise. */
export const MAX_PAYLOAD = BLOCK_HEADER_BYTES + PAGE_WORDS * WORD_BYTES + LONG_BYTES;

export interface FrameListener {
  /** A frame whose check holds. `begunAt`: when its first byte came, in the unit of `push`. */
  frame(payload: Uint8Array, begunAt: number): void;
  /** Everything that is not in a frame, CR before LF taken out. */
  text(bytes: Uint8Array): void;
  /** Something began like a frame and its check did not hold. */
  damaged(): void;
}

/**
 * Takes the frames of protocols/device-link.ts out of a console's stream, however it is cut into pieces and whatever stands between them.
 *
 * After a damaged frame the search goes on at its second byte, so a frame that follows bytes lost on the wire is found. It also means that
 * bytes heard from strangers, which are in the log and so in frames, might pass for a frame once their own is damaged: users of this class
 * must check that an answer fits the question.
 */
export class FrameReceiver {
  private readonly buffer = new Uint8Array(MAX_PAYLOAD + FRAME_OVERHEAD);
  /** When each byte of `buffer` came. */
  private readonly times = new Float64Array(MAX_PAYLOAD + FRAME_OVERHEAD);
  private length = 0;
  /** Nothing can be decided before so many bytes are there. */
  private needed = 1;
  /** When a CR came that may belong to an LF. */
  private heldCr: number | undefined;
  private pendingText: number[] = [];

  constructor(private readonly listener: FrameListener) {}

  /** `now`: any clock; comes back as `begunAt`. */
  push(bytes: Uint8Array, now = 0): void {
    for (const byte of bytes) {
      if (this.heldCr !== undefined) {
        const came = this.heldCr;
        this.heldCr = undefined;
        if (byte !== LF) this.append(CR, came);
      }
      if (byte === CR) this.heldCr = now;
      else this.append(byte, now);
    }
    this.flushText();
  }

  /** Nothing more came in time: what looks like the beginning of a frame is none. Frames behind it are delivered. */
  giveUp(): void {
    while (this.length > 0) {
      if (this.length >= HEADER_BYTES) this.listener.damaged();
      this.asText();
      this.scan();
    }
    this.flushText();
  }

  private append(byte: number, now: number): void {
    this.times[this.length] = now;
    this.buffer[this.length++] = byte;
    if (this.length >= this.needed) this.scan();
  }

  private scan(): void {
    this.needed = 1;
    while (this.length > 0) {
      const needed = this.takeOne();
      if (needed > this.length) {
        this.needed = needed;
        return;
      }
    }
  }

  /** Takes a frame or a byte of text off the front and answers 0, or answers how many bytes it takes to tell which. */
  private takeOne(): number {
    const { buffer, length } = this;
    if (length >= 1 && buffer[0] !== FRAME_FIRST) return this.asText();
    if (length >= 2 && buffer[1] !== FRAME_SECOND) return this.asText();
    if (length < HEADER_BYTES) return Math.min(length + 1, HEADER_BYTES);
    const size = readU16(buffer, 2);
    if (size > MAX_PAYLOAD) return this.asText();
    const total = size + FRAME_OVERHEAD;
    if (length < total) return total;
    if (crc32(buffer.subarray(2, total - 4)) !== readU32(buffer, total - 4)) {
      this.listener.damaged();
      return this.asText();
    }
    this.flushText();
    this.listener.frame(buffer.slice(HEADER_BYTES, HEADER_BYTES + size), this.times[0]);
    this.drop(total);
    return 0;
  }

  private asText(): 0 {
    this.pendingText.push(this.buffer[0]);
    this.drop(1);
    return 0;
  }

  private flushText(): void {
    if (this.pendingText.length === 0) return;
    const text = Uint8Array.from(this.pendingText);
    this.pendingText = [];
    this.listener.text(text);
  }

  private drop(count: number): void {
    this.buffer.copyWithin(0, count, this.length);
    this.times.copyWithin(0, count, this.length);
    this.length -= count;
  }
}

/** A frame as a board prints it, without the CR that the console adds. */
export function encodeFrame(payload: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(payload.length + FRAME_OVERHEAD);
  frame[0] = FRAME_FIRST;
  frame[1] = FRAME_SECOND;
  frame.writeUInt16LE(payload.length, 2);
  frame.set(payload, HEADER_BYTES);
  frame.writeUInt32LE(crc32(frame.subarray(2, HEADER_BYTES + payload.length)), HEADER_BYTES + payload.length);
  return frame;
}
