/** What waits for the board's main loop. Radio reports, button edges and serial bytes share 1024 bytes. Source: Espruino 2v29, src/jsdevices.c. */
export type QueuedEvent = { kind: "serial"; cost: number; port: string; bytes: number[] } | { kind: "call"; cost: number; run: () => void };

const EVENT_HEADER = 2;
/** The interpreter keeps so much free. */
const SPARE = 4;

export class InputQueue {
  private readonly events: QueuedEvent[] = [];
  /** Bytes in use. */
  used = 0;

  constructor(
    readonly size: number,
    /** Longest event; serial bytes are gathered up to it. */
    private readonly eventBytes: number,
    private readonly overflow: () => void,
  ) {}

  get length(): number {
    return this.events.length;
  }

  private room(bytes: number): boolean {
    return this.size - this.used - SPARE >= bytes;
  }

  pushSerial(port: string, bytes: Uint8Array): void {
    for (const byte of bytes) {
      const last = this.events.at(-1);
      // The oldest event may be in the hands of the main loop already, so nothing is added to it.
      if (last?.kind === "serial" && last.port === port && this.events.length > 1 && last.bytes.length + 1 < this.eventBytes && this.room(1)) {
        last.bytes.push(byte);
        last.cost += 1;
        this.used += 1;
      } else if (this.room(1 + EVENT_HEADER)) {
        this.events.push({ kind: "serial", cost: 1 + EVENT_HEADER, port, bytes: [byte] });
        this.used += 1 + EVENT_HEADER;
      } else this.overflow();
    }
  }

  /** A report of `cost` bytes in all. False: no room, dropped. */
  pushCall(cost: number, run: () => void): boolean {
    if (!this.room(cost)) {
      this.overflow();
      return false;
    }
    this.events.push({ kind: "call", cost, run });
    this.used += cost;
    return true;
  }

  shift(): QueuedEvent | undefined {
    const event = this.events.shift();
    if (event) this.used -= event.cost;
    return event;
  }

  clear(): void {
    this.events.length = 0;
    this.used = 0;
  }
}
