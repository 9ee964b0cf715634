import { channelSpacing, packetOf, packetSeconds } from "./advertiser.ts";
import type { Emission, Report, Scanning, Station } from "./air.ts";
import { CODED_GAIN_DB, hash32, tableIndex } from "./air-model.ts";
import { GONE, OWN, PacketList } from "./packet-list.ts";
import type { Scheduled } from "./virtual-clock.ts";

/** Scanning is worked out in pieces of about this length, seconds: positions are looked up once per piece. */
const PIECE = 1;
/** T_IFS, seconds. Bluetooth Core 5.4, Vol 6, Part B, 4.1. */
const INTER_FRAME = 0.00015;

/**
 * One run of listening, from `setScan` to its end. For each piece it lists the packets of all senders in reach, on the channel the receiver is on, in the
 * order in which they begin, and walks along that list: a receiver that is on one packet misses the next; a packet is lost if another one overlaps it
 * that is not weaker by the capture ratio; what the own radio sends deafens it. Packets below the sensitivity neither arrive nor disturb.
 */
export class ScanSession {
  private readonly started: number;
  private readonly window: number;
  private readonly interval: number;
  private readonly packets: PacketList;
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
    this.packets = station.air.spareLists.pop() ?? new PacketList();
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
    this.packets.release();
    this.pieceEnd = Number.NEGATIVE_INFINITY;
    this.station.air.spareLists.push(this.packets);
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
    const { packets } = this;
    for (let i = this.place; i < packets.count; i++) {
      const slot = packets.order[i]!;
      if (packets.senders[slot] === sender && packets.events[slot]! > now) {
        packets.channels[slot] = GONE;
        touched = true;
      }
    }
    const before = packets.count;
    const fresh = sender.emission?.schedule.start === now;
    this.add(sender, fresh ? now : now + 1e-6);
    if (!touched && packets.count === before) return;
    if (packets.count > before) this.packets.sort(this.place);
    this.arm();
  }

  private openPiece(): void {
    const clock = this.station.air.clock;
    const first = Math.round((clock.now - this.started) / this.interval);
    const intervals = Math.max(1, Math.floor(PIECE / this.interval));
    this.pieceStart = clock.now;
    this.pieceEnd = this.started + (first + intervals - 1) * this.interval + this.window;
    this.place = 0;
    this.packets.clear(this.pieceStart);
    for (const sender of this.station.air.emitting) this.add(sender, this.pieceStart);
    this.packets.sort(this.place);
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
    const { schedule } = emission;
    schedule.seek(from);
    let index = schedule.index;
    for (let time = schedule.at; time < this.pieceEnd && time <= schedule.end; time += schedule.gap(++index)) {
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
    }
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
    if (power >= weakest) this.packets.add(emission, sender, event, start, start + duration, index, channel, power, random);
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
      this.packets.add(emission, this.station, time, time, end, index, OWN, Number.POSITIVE_INFINITY, 0);
    });
  }

  /** Finds the next packet that will be received and plans its arrival. */
  private arm(): void {
    this.pending?.cancel();
    this.pending = undefined;
    const { packets } = this;
    let busy = this.busyUntil;
    for (let i = this.place; i < packets.count; i++) {
      const slot = packets.order[i]!;
      const channel = packets.channels[slot]!;
      if (channel === GONE || packets.starts[slot]! < busy) continue;
      busy = packets.ends[slot]!;
      if (channel === OWN || !this.survives(i, slot)) continue;
      this.nextPlace = i + 1;
      this.nextBusy = busy;
      this.pending = this.station.air.clock.at(busy, this.deliver);
      return;
    }
    this.nextPlace = packets.count;
    this.nextBusy = busy;
  }

  /** Is this packet, which the receiver is on, undisturbed to its end? */
  private survives(at: number, slot: number): boolean {
    const { packets } = this;
    const air = this.station.air;
    const start = packets.starts[slot]!;
    const end = packets.ends[slot]!;
    const harmless = packets.powers[slot]! - air.model.captureDb;
    if ((packets.randoms[slot]! & 0xfffff) / 0x100000 < air.model.lossProbability) return false;
    for (let i = at - 1; i >= 0; i--) {
      const other = packets.order[i]!;
      if (packets.starts[other]! + packets.longest < start) break;
      if (packets.channels[other] !== GONE && packets.ends[other]! > start && packets.powers[other]! > harmless) return false;
    }
    for (let i = at + 1; i < packets.count; i++) {
      const other = packets.order[i]!;
      if (packets.starts[other]! >= end) break;
      if (packets.channels[other] !== GONE && packets.powers[other]! > harmless) return false;
    }
    if (air.rules.length > 0) {
      const rssi = Math.round(packets.powers[slot]!);
      const transmission = { from: packets.senders[slot]!, to: this.station, time: start, channel: 37 + packets.channels[slot]!, rssi };
      for (const rule of air.rules) if (rule(transmission)) return false;
    }
    return true;
  }

  private deliverNext(): void {
    const { packets } = this;
    const slot = packets.order[this.nextPlace - 1]!;
    this.place = this.nextPlace;
    this.busyUntil = this.nextBusy;
    this.pending = undefined;
    const { advertising } = packets.emissions[slot]!;
    const report: Report = {
      address: advertising.address,
      rssi: Math.round(packets.powers[slot]!),
      data: packetOf(advertising, packets.numbers[slot]!),
      channel: 37 + packets.channels[slot]!,
      scanResponse: false,
      sender: packets.senders[slot]!,
    };
    if (this.scanning.active === true && advertising.scannable && advertising.scanResponse) this.planScanResponse(report, packets.ends[slot]!);
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
