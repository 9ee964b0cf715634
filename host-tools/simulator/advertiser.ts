import { hash32 } from "./air-model.ts";

/** What a radio sends while it advertises. The air keeps it as it is: to change something, hand over another one. */
export interface Advertising {
  /** As a scanner's report shows it: `aa:bb:cc:dd:ee:ff random`. */
  address: string;
  /** Payloads, at most 31 bytes each (extended: more). Several alternate from event to event. */
  packets: readonly Uint8Array[];
  intervalMs: number;
  txPower: number;
  connectable: boolean;
  /** Answers a scan request with `scanResponse`. */
  scannable: boolean;
  scanResponse?: Uint8Array;
  /** Extended advertising (nRF52840): only scanners that asked for it hear it. */
  extended?: boolean;
  /** PHY of the primary channels. Coded reaches further and takes eight times as long. */
  phy?: "1mbps" | "coded";
}

/** Longest random delay added to each interval, seconds. Bluetooth Core 5.4, Vol 6, Part B, 4.4.2.2.1: advDelay is 0 to 10 ms. */
const ADV_DELAY = 0.01;
const DELAY_STEP = ADV_DELAY / 4294967296;
/** From the end of one channel's packet to the start of the next, seconds: radio ramp-up and, where someone may answer, waiting for him. Figures of nRF52 current traces, rounded. */
const CHANNEL_GAP_SILENT = 0.00025;
const CHANNEL_GAP_LISTENING = 0.0004;

/**
 * The advertising events of one radio between a start and a stop. Event k lies `interval + delay(k)` after event k-1, the delay being a hash of the
 * start and k: so the exact sequence can be computed piece by piece, when somebody listens, and nothing happens in between.
 */
export class Schedule {
  /** End, Unix seconds; an event at that very instant has been sent. */
  end = Number.POSITIVE_INFINITY;
  /** Where `seek` went: an event's time and number. */
  at: number;
  index = 0;
  /** The event before that one. */
  private before = Number.NEGATIVE_INFINITY;
  private readonly interval: number;

  constructor(
    readonly start: number,
    intervalMs: number,
    readonly seed: number,
  ) {
    this.interval = intervalMs / 1000;
    // The first event goes out at once: what was set up wrongly is on the air even if it is corrected right away.
    this.at = start;
  }

  /** Walks to the first event at or after `time`; `at` and `index` tell it. */
  seek(time: number): void {
    if (time <= this.before) {
      this.at = this.start;
      this.index = 0;
      this.before = Number.NEGATIVE_INFINITY;
    }
    while (this.at < time) {
      this.before = this.at;
      this.index += 1;
      this.at += this.gap(this.index);
    }
  }

  /** Seconds from the event before to event `index`. */
  gap(index: number): number {
    return this.interval + hash32(this.seed, index) * DELAY_STEP;
  }

  /** Calls `visit(time, index)` for each event from `from` up to and excluding `to`. */
  between(from: number, to: number, visit: (time: number, index: number) => void): void {
    this.seek(from);
    let index = this.index;
    for (let time = this.at; time < to && time <= this.end; time += this.gap(index)) {
      visit(time, index);
      index += 1;
    }
  }

  /** Events sent up to and including `time`. */
  count(time: number): number {
    const last = Math.min(time, this.end);
    if (last < this.start) return 0;
    this.seek(last);
    return this.at <= last ? this.index + 1 : this.index;
  }
}

/**
 * Seconds that a packet of so many payload bytes is on the air. Legacy at 1 Mbit/s: preamble 1, access address 4, header 2, address 6, payload, CRC 3
 * bytes of 8 us: 376 us for 31 bytes. Bluetooth Core 5.4, Vol 6, Part B, 2.1 and 2.2 (coded, S=8).
 */
export function packetSeconds(payloadBytes: number, phy: "1mbps" | "coded" = "1mbps"): number {
  const bytes = 2 + 6 + payloadBytes + 3;
  if (phy === "coded") return (80 + 256 + 16 + 24 + bytes * 64 + 24) * 1e-6;
  return (1 + 4 + bytes) * 8e-6;
}

/** From the start of one channel's packet to the start of the next channel's, seconds. */
export function channelSpacing(advertising: Advertising, payloadBytes: number): number {
  const gap = advertising.connectable || advertising.scannable ? CHANNEL_GAP_LISTENING : CHANNEL_GAP_SILENT;
  return packetSeconds(payloadBytes, advertising.phy) + gap;
}

/** The payload of event `index`: the SoftDevice starts with the first and loads it a second time at the first radio interrupt, then goes round (Espruino, SWI1_IRQHandler). */
export function packetOf(advertising: Advertising, index: number): Uint8Array {
  const packets = advertising.packets;
  return packets[index === 0 ? 0 : (index - 1) % packets.length]!;
}
