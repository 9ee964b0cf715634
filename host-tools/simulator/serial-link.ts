import type { Scheduled, VirtualClock } from "./virtual-clock.ts";

const XON = 0x11;
const XOFF = 0x13;
const BITS_PER_BYTE = 10;
/** Bytes that travel as one event of the clock; the last one sets the time. */
const BATCH = 16;

export interface SerialHost {
  clock: VirtualClock;
  /** True time as far as the board's processor has worked: output begins no earlier. */
  now(): number;
  /** Bytes have arrived at the board. */
  received(bytes: Uint8Array): void;
  /** The output buffer has room again at this time, Unix seconds. The script stands still until then. */
  blockUntil(time: number): void;
}

/** The wire between host and board: 10 bits a byte each way, an output buffer that stops the script when it is full, in-band flow control if it is on. */
export class SerialLink {
  baud: number;
  /** In-band flow control: XOFF holds output, XON lets it go, and the board sends them itself when its input queue fills. */
  flow = false;
  private outgoing: number[] = [];
  /** When the script put the oldest waiting character into the buffer: the wire is busy while the script stands still behind it. */
  private waitingSince = 0;
  private urgent: number[] = [];
  private incoming: { byte: number; at: number }[] = [];
  private sending: Scheduled | undefined;
  private receiving: Scheduled | undefined;
  private lineFreeAt = 0;
  private lastArrival = 0;
  private held = false;
  private hostHeld = false;
  private listeners = new Set<(bytes: Uint8Array) => void>();

  constructor(
    private readonly host: SerialHost,
    baud: number,
    /** Characters the board buffers before it stands still. */
    readonly bufferSize: number,
  ) {
    this.baud = baud;
  }

  private get byteSeconds(): number {
    return BITS_PER_BYTE / this.baud;
  }

  get queued(): number {
    return this.outgoing.length;
  }

  onOutput(listener: (bytes: Uint8Array) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Host to board. */
  input(bytes: Uint8Array): void {
    for (const byte of bytes) {
      this.lastArrival = Math.max(this.lastArrival, this.host.clock.now) + this.byteSeconds;
      this.incoming.push({ byte, at: this.lastArrival });
    }
    this.planReceive();
  }

  /** Board to host: queues the characters (one byte each) and blocks the script if the buffer is full. */
  output(text: string): void {
    if (this.outgoing.length === 0) this.waitingSince = this.host.now();
    for (let i = 0; i < text.length; i++) this.outgoing.push(text.charCodeAt(i) & 255);
    const excess = this.outgoing.length - this.bufferSize;
    if (excess > 0 && !this.held) this.host.blockUntil(Math.max(this.lineFreeAt, this.host.now()) + excess * this.byteSeconds);
    this.planSend();
  }

  /** Tells the host by XOFF or XON, before anything that waits, whether it may send; nothing without flow control. */
  hostMay(send: boolean): void {
    if (!this.flow || send !== this.hostHeld) return;
    this.hostHeld = !send;
    this.urgent.push(send ? XON : XOFF);
    this.planSend();
  }

  /** Output beyond the buffer never came to be: the script that printed it was interrupted. */
  truncate(): void {
    this.outgoing.length = Math.min(this.outgoing.length, this.bufferSize);
  }

  /** Power off: what is on its way is lost. */
  clear(): void {
    this.sending?.cancel();
    this.receiving?.cancel();
    this.sending = this.receiving = undefined;
    this.outgoing = [];
    this.urgent = [];
    this.incoming = [];
    this.held = this.hostHeld = false;
    this.lineFreeAt = this.lastArrival = this.waitingSince = 0;
  }

  private planReceive(): void {
    if (this.receiving || this.incoming.length === 0) return;
    const count = Math.min(BATCH, this.incoming.length);
    this.receiving = this.host.clock.at(this.incoming[count - 1]!.at, () => {
      this.receiving = undefined;
      const bytes = this.incoming.splice(0, count).map((one) => one.byte);
      const data = this.flow ? bytes.filter((byte) => !this.flowControl(byte)) : bytes;
      if (data.length > 0) this.host.received(Uint8Array.from(data));
      this.planReceive();
    });
  }

  private flowControl(byte: number): boolean {
    if (byte !== XON && byte !== XOFF) return false;
    this.held = byte === XOFF;
    this.planSend();
    return true;
  }

  private planSend(): void {
    if (this.sending) return;
    const waiting = this.urgent.length + (this.held ? 0 : this.outgoing.length);
    if (waiting === 0) return;
    const count = Math.min(BATCH, waiting);
    const start = Math.max(this.lineFreeAt, this.host.clock.now, this.outgoing.length > 0 ? this.waitingSince : 0);
    this.lineFreeAt = start + count * this.byteSeconds;
    this.sending = this.host.clock.at(this.lineFreeAt, () => {
      this.sending = undefined;
      const first = this.urgent.splice(0, count);
      const bytes = Uint8Array.from([...first, ...this.outgoing.splice(0, this.held ? 0 : count - first.length)]);
      for (const listener of this.listeners) listener(bytes);
      this.planSend();
    });
  }
}
