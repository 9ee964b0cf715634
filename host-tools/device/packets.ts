import { DeviceError } from "../errors.ts";
import { printable, type Repl } from "./repl.ts";

// Binary packets of the interpreter, 2v25 and later. Source: Espruino 2v29, src/jsinteractive.c and README_Protocol.md.
// offset 0  2 bytes  10 01
// offset 2  u16      bits 13-15 type, bits 0-12 length of the payload, big-endian
// offset 4           payload
// The board answers each packet with ACK or NAK. There is no checksum and no number: a file must be checked afterwards.
const DLE = 0x10;
const SOH = 0x01;
const ACK = 0x06;
const NAK = 0x15;
const CR = 13;
const LF = 10;
const HEADER_BYTES = 4;
const LENGTH_MASK = 0x1fff;
const TYPE_MASK = 0xe000;

const FILE_SEND = 0x6000;
export const DATA = 0x8000;
const FILE_RECEIVE = 0xa000;

/** Pieces of a file. At 9600 baud a larger one takes longer than the 1 s that 2v25 waits for a packet. */
const PIECE_BYTES = 512;
/** What the board may take for a packet beside the wire: it writes flash and may compact Storage first. */
const ANSWER_MS = 8000;
/** Ctrl-C: as a byte of a header it would interrupt the board. */
const CTRL_C = 3;

export interface Packet {
  type: number;
  payload: Uint8Array;
}

/** Takes packets and acknowledgements out of what a console sends while packets run; other text is skipped. */
export class PacketReceiver {
  /** What came and nobody took yet. */
  readonly packets: Packet[] = [];
  readonly answers: ("ack" | "nak")[] = [];
  text = "";
  private header: number[] = [];
  private payload: number[] | undefined;
  private wanted = 0;
  private heldCr = false;

  push(bytes: Uint8Array): void {
    for (const byte of bytes) this.take(byte);
  }

  private take(byte: number): void {
    if (this.payload) {
      // inside a payload the console turns LF into CR LF, too
      if (this.heldCr) {
        this.heldCr = false;
        if (byte !== LF) {
          this.payload.push(CR);
          if (this.finished()) {
            this.take(byte);
            return;
          }
        }
      }
      if (byte === CR) this.heldCr = true;
      else this.payload.push(byte);
      this.finished();
      return;
    }
    if (this.header.length === 0) {
      if (byte === DLE) this.header.push(byte);
      else if (byte === ACK) this.answers.push("ack");
      else if (byte === NAK) this.answers.push("nak");
      else this.text += String.fromCharCode(byte);
      return;
    }
    if (this.header.length === 1 && byte !== SOH) {
      this.header = [];
      this.take(byte);
      return;
    }
    this.header.push(byte);
    if (this.header.length < HEADER_BYTES) return;
    this.wanted = ((this.header[2] << 8) | this.header[3]) & LENGTH_MASK;
    this.payload = [];
    this.finished();
  }

  private finished(): boolean {
    if (!this.payload || this.payload.length < this.wanted) return false;
    this.packets.push({ type: (this.header[2] << 8) & TYPE_MASK, payload: Uint8Array.from(this.payload) });
    this.payload = undefined;
    this.header = [];
    return true;
  }
}

export function encodePacket(type: number, payload: Uint8Array): Uint8Array {
  if (payload.length > LENGTH_MASK) throw new Error(`packet: at most ${LENGTH_MASK} bytes, got ${payload.length}`);
  const word = type | payload.length;
  return Buffer.concat([Uint8Array.of(DLE, SOH, word >> 8, word & 0xff), payload]);
}

/** Lengths of the pieces of a file of `size` bytes, none of which puts a Ctrl-C into a header. */
export function pieceLengths(size: number): number[] {
  const pieces: number[] = [];
  for (let left = size; left > 0; ) {
    let length = Math.min(PIECE_BYTES, left);
    if ((length & 0xff) === CTRL_C) length--;
    pieces.push(length);
    left -= length;
  }
  return pieces;
}

/** Runs `work` with the console's bytes going to a packet receiver. */
async function withPackets<T>(repl: Repl, work: (link: PacketLink) => Promise<T>): Promise<T> {
  const receiver = new PacketReceiver();
  const release = repl.stream.raw((bytes) => receiver.push(bytes));
  try {
    return await work(new PacketLink(repl, receiver));
  } finally {
    release();
  }
}

class PacketLink {
  constructor(
    private readonly repl: Repl,
    private readonly receiver: PacketReceiver,
  ) {}

  /** Sends one packet and waits for its ACK. @throws DeviceError "packet_refused", "timeout" */
  async send(type: number, payload: Uint8Array): Promise<void> {
    this.receiver.answers.length = 0;
    const bytes = encodePacket(type, payload);
    await this.repl.stream.write(bytes);
    const answer = await this.repl.stream.wait(() => this.receiver.answers.shift(), ANSWER_MS + this.repl.wireMs(bytes.length));
    if (answer === "ack") return;
    const { name } = this.repl;
    const words = this.receiver.text.trim() === "" ? "" : ` (${printable(this.receiver.text)})`;
    if (answer === "nak") throw new DeviceError("packet_refused", `${name}: the board refused a packet${words}`);
    throw new DeviceError("timeout", `${name}: no answer to a packet of ${bytes.length} bytes${words}; bytes may have been lost on the wire`);
  }

  async next(expectedBytes: number): Promise<Packet> {
    const packet = await this.repl.stream.wait(() => this.receiver.packets.shift(), ANSWER_MS, this.repl.wireMs(expectedBytes * 2));
    if (!packet) throw new DeviceError("timeout", `${this.repl.name}: a packet did not arrive whole; try again`);
    return packet;
  }
}

/**
 * Sends a file into Storage. An acknowledged piece is not yet one that was stored: check the file afterwards.
 * @throws DeviceError "packet_refused", "timeout", "disconnected". Then part of the file may be there.
 */
export function sendFile(repl: Repl, name: string, content: Uint8Array, onProgress?: (done: number) => void): Promise<void> {
  return withPackets(repl, async (link) => {
    await link.send(FILE_SEND, Buffer.from(JSON.stringify({ fn: name, s: content.length }), "latin1"));
    let at = 0;
    for (const length of pieceLengths(content.length)) {
      await link.send(DATA, content.subarray(at, at + length));
      at += length;
      onProgress?.(at);
    }
  });
}

/** Reads a plain file from Storage. @throws DeviceError "packet_refused" if there is none */
export function receiveFile(repl: Repl, name: string): Promise<Uint8Array> {
  return withPackets(repl, async (link) => {
    await link.send(FILE_RECEIVE, Buffer.from(JSON.stringify({ fn: name }), "latin1"));
    const pieces: Uint8Array[] = [];
    for (;;) {
      const { type, payload } = await link.next(1024);
      if (type !== DATA) continue;
      if (payload.length === 0) return Buffer.concat(pieces);
      pieces.push(payload);
    }
  });
}
