import type { Emission, Station } from "./air.ts";

/** Sort keys hold the start of a packet in eighths of a microsecond above the bits of a slot number: 2^53 allows 17 minutes and a million packets. */
const SLOTS = 2 ** 20;
const TICKS = 8e6;

/** In the channel column: the receiver itself sends. */
export const OWN = -1;
/** In the channel column: the sender has changed its mind before it sent this. */
export const GONE = -2;

/**
 * Packets that reach a receiver, in the order in which they begin. Columns instead of objects, and used again from one scan to the next: a day of a hundred
 * boards in a room is twenty million packets.
 */
export class PacketList {
  readonly emissions: (Emission | undefined)[] = [];
  readonly senders: (Station | undefined)[] = [];
  /** When the advertising event began; its packets on the three channels follow. Unix seconds, like starts and ends. */
  events = new Float64Array(0);
  starts = new Float64Array(0);
  ends = new Float64Array(0);
  /** dBm */
  powers = new Float64Array(0);
  /** Number of the advertising event. */
  numbers = new Uint32Array(0);
  randoms = new Uint32Array(0);
  /** 0, 1, 2 for 37, 38, 39; OWN; GONE. */
  channels = new Int8Array(0);
  /** Slot numbers, sorted. */
  order = new Uint32Array(0);
  count = 0;
  /** Longest packet, seconds. */
  longest = 0;
  private keys = new Float64Array(0);
  private origin = 0;

  constructor() {
    this.grow(512);
  }

  /** Empty, for packets that begin at `origin` or later. */
  clear(origin: number): void {
    this.count = 0;
    this.longest = 0;
    this.origin = origin;
  }

  /** Forgets whom it spoke of. */
  release(): void {
    this.emissions.fill(undefined);
    this.senders.fill(undefined);
    this.count = 0;
  }

  add(
    emission: Emission,
    sender: Station,
    event: number,
    start: number,
    end: number,
    number: number,
    channel: number,
    power: number,
    random: number,
  ): void {
    const slot = this.count++;
    if (slot === this.keys.length) this.grow(2 * slot);
    this.emissions[slot] = emission;
    this.senders[slot] = sender;
    this.events[slot] = event;
    this.starts[slot] = start;
    this.ends[slot] = end;
    this.powers[slot] = power;
    this.numbers[slot] = number;
    this.randoms[slot] = random;
    this.channels[slot] = channel;
    if (end - start > this.longest) this.longest = end - start;
    this.keys[slot] = Math.round((start - this.origin) * TICKS) * SLOTS + slot;
  }

  /** Puts everything from `place` on into its order. */
  sort(place: number): void {
    this.keys.subarray(place, this.count).sort();
    for (let i = place; i < this.count; i++) {
      const key = this.keys[i]!;
      this.order[i] = key - Math.floor(key / SLOTS) * SLOTS;
    }
  }

  private grow(size: number): void {
    if (size > SLOTS) throw new Error("air: more than a million packets in one piece of a scan");
    this.events = longer(this.events, new Float64Array(size));
    this.starts = longer(this.starts, new Float64Array(size));
    this.ends = longer(this.ends, new Float64Array(size));
    this.powers = longer(this.powers, new Float64Array(size));
    this.keys = longer(this.keys, new Float64Array(size));
    this.numbers = longer(this.numbers, new Uint32Array(size));
    this.randoms = longer(this.randoms, new Uint32Array(size));
    this.order = longer(this.order, new Uint32Array(size));
    this.channels = longer(this.channels, new Int8Array(size));
  }
}

function longer<T extends Float64Array | Uint32Array | Int8Array>(column: T, fresh: T): T {
  fresh.set(column);
  return fresh;
}
