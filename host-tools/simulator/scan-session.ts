import { channelSpacing, packetOf, packetSeconds } from "./advertiser.ts";
import type { Emission, Report, Scanning, Station } from "./air.ts";
import { CODED_GAIN_DB, hash32, tableIndex } from "./air-model.ts";
import type { Scheduled } from "./virtual-clock.ts";

/** Scanning is worked out in pieces of about this length, seconds: positions are looked up once per piece. */
const PIECE = 1;
/** Sort keys hold the start of a packet in eighths of a microsecond above this many bits of a slot number: 2^53 allows 17 minutes and a million packets. */
const SLOT_BITS = 20;
const SLOTS = 2 ** SLOT_BITS;
const TICKS = 8e6;
/** T_IFS, seconds. Bluetooth Core 5.4, Vol 6, Part B, 4.1. */
const INTER_FRAME = 0.00015;

/** A packet that reaches the receiver during a piece, or a moment in which the receiver itself sends. */
interface Slot {
  emission: Emission;
  sender: Station;
  /** When the advertising event began; its packets on the three channels follow. */
  event: number;
  start: number;
  end: number;
  index: number;
  /** 0, 1, 2 for 37, 38, 39. */
  channel: number;
  power: number;
  random: number;
  /** Cancelled, or the sender has changed its mind before it was sent. */
  gone: boolean;
}

/**
 * One run of listening, from `setScan` to its end. For each piece it lists the packets of all senders in reach, on the channel the receiver is on, in the
 * order in which they begin, and walks along that list: a receiver that is on one packet misses the next; a packet is lost if another one overlaps it
 * that is not weaker by the capture ratio; what the own radio sends deafens it. Packets below the sensitivity neither arrive nor disturb.
 */
export class ScanSession {
  private readonly started: number;
  private readonly window: number;
  private readonly interval: number;
  private readonly slots: Slot[] = [];
  private used = 0;
  private keys = new Float64Array(256);
  private count = 0;
  private place = 0;
  private busyUntil = 0;
  private nextPlace = 0;
  private nextBusy = 0;
  private pieceStart = 0;
  private pieceEnd = 0;
  private pending: Scheduled | undefined;
  private nextPiece: Scheduled | undefined;
  private readonly extras: Scheduled[] = [];
  private readonly deliver: () => void;
  private readonly open: () => void;
  private longest = 0;

  constructor(
    readonly station: Station,
    readonly scanning: Scanning,
  ) {
    this.started = station.air.clock.now;
    this.window = scanning.windowMs / 1000;
    this.interval = scanning.intervalMs / 1000;
    if (!(this.window > 0) || !(this.interval >= this.window)) {
      throw new Error(`air: a scan window of ${scanning.windowMs} ms in an interval of ${scanning.intervalMs} ms is none`);
    }
    this.deliver = () => this.deliverNext();
    this.open = () => this.openPiece();
  }

  start(): void {
    this.openPiece();
  }

  stop(): void {
    this.pending?.cancel();
    this.nextPiece?.cancel();
    for (const extra of this.extras) extra.cancel();
  }

  /** Seconds of listening up to `time`. */
  openSeconds(time: number): number {
    const elapsed = time - this.started;
    const whole = Math.floor(elapsed / this.interval);
    return whole * this.window + Math.min(this.window, elapsed - whole * this.interval);
  }

  /** A sender started, stopped, changed: events it had planned after now are void, what it plans now counts. An event that has begun is sent to its end. */
  refresh(sender: Station): void {
    const now = this.station.air.clock.now;
    if (now >= this.pieceEnd) return;
    let touched = false;
    for (let i = this.place; i < this.count; i++) {
      const slot = this.slotAt(i);
      if (slot.sender === sender && slot.event > now) {
        slot.gone = true;
        touched = true;
      }
    }
    const before = this.count;
    const fresh = sender.emission?.schedule.start === now;
    this.add(sender, fresh ? now : now + 1e-6);
    if (!touched && this.count === before) return;
    if (this.count > before) this.keys.subarray(this.place, this.count).sort();
    this.arm();
  }

  private openPiece(): void {
    const clock = this.station.air.clock;
    const first = Math.round((clock.now - this.started) / this.interval);
    const intervals = Math.max(1, Math.floor(PIECE / this.interval));
    this.pieceStart = clock.now;
    this.pieceEnd = this.started + (first + intervals - 1) * this.interval + this.window;
    this.used = 0;
    this.count = 0;
    this.place = 0;
    this.longest = 0;
    for (const sender of this.station.air.emitting) this.add(sender, this.pieceStart);
    this.keys.subarray(0, this.count).sort();
    this.arm();
    this.nextPiece = clock.at(this.started + (first + intervals) * this.interval, this.open);
  }

  /** Lists what `sender` sends from `from` to the end of the piece and the receiver's radio notices. */
  private add(sender: Station, from: number): void {
    const emission = sender.emission;
    if (!emission) return;
    if (sender === this.station) {
      this.addOwn(emission, from);
      return;
    }
    const advertising = emission.advertising;
    if (advertising.extended === true && this.scanning.extended !== true) return;
    const phy = advertising.phy ?? "1mbps";
    if (!(this.scanning.phys ?? ONE_MEGABIT).includes(phy)) return;
    const air = this.station.air;
    const mean = air.meanPower(sender, this.station, this.pieceStart);
    if (mean === undefined) return;
    const seed = hash32(emission.schedule.seed, this.station.key);
    const weakest = this.weakest(phy);
    const single = advertising.packets.length === 1;
    let spacing = channelSpacing(advertising, advertising.packets[0]!.length);
    let duration = packetSeconds(advertising.packets[0]!.length, phy);
    emission.schedule.between(from, this.pieceEnd, (time, index) => {
      if (!single) {
        const length = packetOf(advertising, index).length;
        spacing = channelSpacing(advertising, length);
        duration = packetSeconds(length, phy);
      }
      const turn = Math.floor((time - this.started) / this.interval);
      const leaves = this.started + turn * this.interval + this.window;
      for (let channel = turn % 3; channel < 3; channel++) {
        const start = time + channel * spacing;
        // One channel is the receiver's; only if the event reaches into the next interval can a later one be, too.
        if (start + duration > leaves) {
          if (this.hears(start, duration, channel)) this.list(emission, sender, time, start, duration, index, channel, mean, weakest, seed);
        } else if (channel === turn % 3) {
          this.list(emission, sender, time, start, duration, index, channel, mean, weakest, seed);
          if (time + 2 * spacing + duration <= leaves) break;
        }
      }
    });
  }

  /** Is the receiver on this channel from `start` for so long? */
  private hears(start: number, duration: number, channel: number): boolean {
    const offset = start - this.started;
    const turn = Math.floor(offset / this.interval);
    return turn % 3 === channel && offset - turn * this.interval + duration <= this.window;
  }

  private list(
    emission: Emission,
    sender: Station,
    event: number,
    start: number,
    duration: number,
    index: number,
    channel: number,
    mean: number,
    weakest: number,
    seed: number,
  ): void {
    const random = hash32(seed, index * 4 + channel);
    const power = mean + this.station.air.fading[tableIndex(random)]!;
    if (power >= weakest) this.push(emission, sender, event, start, start + duration, index, channel, power, random);
  }

  private weakest(phy: "1mbps" | "coded"): number {
    return phy === "coded" ? this.station.sensitivityDbm - CODED_GAIN_DB : this.station.sensitivityDbm;
  }

  /** The receiver's own advertising events: from the first to the last packet it hears nothing. */
  private addOwn(emission: Emission, from: number): void {
    const advertising = emission.advertising;
    emission.schedule.between(from, this.pieceEnd, (time, index) => {
      const length = packetOf(advertising, index).length;
      const end = time + 2 * channelSpacing(advertising, length) + packetSeconds(length, advertising.phy);
      this.push(emission, this.station, time, time, end, index, -1, Number.POSITIVE_INFINITY, 0);
    });
  }

  private push(
    emission: Emission,
    sender: Station,
    event: number,
    start: number,
    end: number,
    index: number,
    channel: number,
    power: number,
    random: number,
  ): void {
    const at = this.used++;
    if (at >= SLOTS) throw new Error("air: more than a million packets within a second");
    const slot = this.slots[at];
    if (slot) {
      slot.emission = emission;
      slot.sender = sender;
      slot.event = event;
      slot.start = start;
      slot.end = end;
      slot.index = index;
      slot.channel = channel;
      slot.power = power;
      slot.random = random;
      slot.gone = false;
    } else {
      this.slots.push({ emission, sender, event, start, end, index, channel, power, random, gone: false });
    }
    if (end - start > this.longest) this.longest = end - start;
    if (this.count === this.keys.length) {
      const grown = new Float64Array(2 * this.keys.length);
      grown.set(this.keys);
      this.keys = grown;
    }
    this.keys[this.count++] = Math.round((start - this.pieceStart) * TICKS) * SLOTS + at;
  }

  private slotAt(index: number): Slot {
    return this.slots[this.keys[index]! % SLOTS]!;
  }

  /** Finds the next packet that will be received and plans its arrival. */
  private arm(): void {
    this.pending?.cancel();
    this.pending = undefined;
    let busy = this.busyUntil;
    for (let i = this.place; i < this.count; i++) {
      const slot = this.slotAt(i);
      if (slot.gone || slot.start < busy) continue;
      busy = slot.end;
      if (slot.channel < 0 || !this.survives(i, slot)) continue;
      this.nextPlace = i + 1;
      this.nextBusy = busy;
      this.pending = this.station.air.clock.at(slot.end, this.deliver);
      return;
    }
    this.nextPlace = this.count;
    this.nextBusy = busy;
  }

  /** Is this packet, which the receiver is on, undisturbed to its end? */
  private survives(at: number, slot: Slot): boolean {
    const air = this.station.air;
    const capture = air.model.captureDb;
    if ((slot.random & 0xfffff) / 0x100000 < air.model.lossProbability) return false;
    for (let i = at - 1; i >= 0; i--) {
      const other = this.slotAt(i);
      if (other.start + this.longest < slot.start) break;
      if (!other.gone && other.end > slot.start && other.power > slot.power - capture) return false;
    }
    for (let i = at + 1; i < this.count; i++) {
      const other = this.slotAt(i);
      if (other.start >= slot.end) break;
      if (!other.gone && other.power > slot.power - capture) return false;
    }
    if (air.rules.length > 0) {
      const transmission = { from: slot.sender, to: this.station, time: slot.start, channel: 37 + slot.channel, rssi: Math.round(slot.power) };
      for (const rule of air.rules) if (rule(transmission)) return false;
    }
    return true;
  }

  private deliverNext(): void {
    const slot = this.slotAt(this.nextPlace - 1);
    const { emission, sender, index, channel, power, end } = slot;
    this.place = this.nextPlace;
    this.busyUntil = this.nextBusy;
    this.pending = undefined;
    const advertising = emission.advertising;
    const report: Report = {
      address: advertising.address,
      rssi: Math.round(power),
      data: packetOf(advertising, index),
      channel: 37 + channel,
      scanResponse: false,
      sender,
    };
    if (this.scanning.active === true && advertising.scannable && advertising.scanResponse) this.planScanResponse(report, end);
    this.arm();
    this.scanning.heard(report);
  }

  /** The answer to a scan request comes two inter-frame spaces and a request (176 us) later, on the same channel, as strong as the packet before. */
  private planScanResponse(report: Report, end: number): void {
    const advertising = report.sender.emission?.advertising;
    const data = advertising?.scanResponse;
    if (!advertising || !data) return;
    const arrival = end + 2 * INTER_FRAME + 176e-6 + packetSeconds(data.length);
    const clock = this.station.air.clock;
    if (this.extras.length > 16) this.extras.splice(0, 8);
    this.extras.push(clock.at(arrival, () => this.scanning.heard({ ...report, data, scanResponse: true })));
  }
}

const ONE_MEGABIT: readonly ("1mbps" | "coded")[] = ["1mbps"];
