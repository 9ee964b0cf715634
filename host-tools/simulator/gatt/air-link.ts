import type { Air, Report, Station } from "../air.ts";
import { hash32, tableIndex } from "../air-model.ts";
import type { Scheduled } from "../virtual-clock.ts";

/** Reasons for which a link ends. Source: Nordic's ble_hci.h; Bluetooth Core 5.4, Vol 1, Part F. */
export const HCI = { TIMEOUT: 0x08, BY_PEER: 0x13, BY_HOST: 0x16, NEVER_ESTABLISHED: 0x3e } as const;

export type Role = "central" | "peripheral";

/** What happens on one end of a link. */
export interface LinkEnd {
  readonly station: Station;
  /** As others see it: `aa:bb:cc:dd:ee:ff random`. */
  readonly address: string;
  /** dBm */
  txPower(): number;
  /** Called once, when the link is there. */
  opened(link: AirLink, role: Role): void;
  received(pdu: Uint8Array): void;
  /** The link is gone; HCI reason. */
  ended(reason: number): void;
  intervalChanged(ms: number): void;
  /** The peripheral asks for an interval, ms; only a central is asked. */
  acceptsInterval(ms: number): boolean;
  /** The peer wants to pair (Just Works). False: refused. */
  pairs(state: "start" | "success" | "fail"): boolean;
}

export interface LinkOptions {
  intervalMs: number;
  supervisionMs: number;
}

interface Packet {
  pdu: Uint8Array | undefined;
  sent: (() => void) | undefined;
}

/** From the end of the advertisement to the end of CONNECT_IND: T_IFS and 44 bytes. Core 5.4, Vol 6, Part B, 2.3.3.1 and 4.1. */
const CONNECT_SECONDS = 0.00015 + 0.000352;
/** transmitWindowDelay; the offset and the window's size are the central's choice, here 0 and 1.25 ms. Vol 6, Part B, 4.5.3. */
const FIRST_EVENT = 0.00125;
/** Events in which the first packet must come. Vol 6, Part B, 4.5.2. */
const ESTABLISHING_EVENTS = 6;
/** A new interval counts from this event on at the earliest. Vol 6, Part B, 5.1.1. */
const INSTANT_EVENTS = 6;
/** How often an idle link looks back, seconds. */
const LOOK_BACK = 0.25;
const DATA_CHANNELS = 37;
/** Part of an interval that an event may seem early by. */
const ROUNDING = 0.001;
/** PDUs of Just Works pairing, encryption and the exchange of keys, one for each event. */
const PAIRING_EVENTS = 14;

/**
 * A link between two radios: connection events at an interval, in which each end sends at most one PDU. An event takes place if both packets of it arrive, by the
 * same arithmetic as advertisements do; otherwise what was to be sent is sent again in the next. Events in which nobody has anything to say are not simulated one by
 * one, but looked at afterwards, so that a link out of reach ends at its supervision timeout. Source: Bluetooth Core 5.4, Vol 6, Part B, 4.5.
 */
export class AirLink {
  connected = true;
  encrypted = false;
  intervalMs: number;
  supervisionMs: number;
  readonly since: number;
  private anchor: number;
  /** Number of the event at `anchor`, so that numbers go on when the interval changes. */
  private anchorNumber = 0;
  private lastHeard: number;
  private established = false;
  private next: Scheduled | undefined;
  private watch: Scheduled | undefined;
  private readonly queues: Record<Role, Packet[]> = { central: [], peripheral: [] };
  private leaving: Role | undefined;
  private gone = false;
  private readonly seed: number;

  constructor(
    private readonly air: Air,
    readonly ends: { central: LinkEnd; peripheral: LinkEnd | undefined },
    options: LinkOptions,
  ) {
    const now = air.clock.now;
    this.since = now;
    this.intervalMs = options.intervalMs;
    this.supervisionMs = options.supervisionMs;
    this.anchor = now + FIRST_EVENT;
    this.lastHeard = now;
    const peripheral = ends.peripheral?.station.key ?? 0;
    this.seed = hash32(hash32(hash32(air.seed, ends.central.station.key), peripheral), Math.floor((now % 65536) * 65536));
    this.gone = ends.peripheral === undefined;
    ends.peripheral?.opened(this, "peripheral");
    ends.central.opened(this, "central");
    this.look();
  }

  /** Sends a PDU; `sent` is called when it has been acknowledged. */
  send(from: Role, pdu: Uint8Array, sent?: () => void): void {
    if (!this.connected) return;
    this.queues[from].push({ pdu, sent });
    this.plan();
  }

  /** PDUs that wait to be sent. */
  waiting(from: Role): number {
    return this.queues[from].length;
  }

  /** Ends it with the next event. False: it is ending already. */
  disconnect(from: Role): boolean {
    if (!this.connected || this.leaving) return false;
    this.leaving = from;
    this.plan();
    return true;
  }

  /** One end has lost its supply or its stack: the other finds out by its timeout. */
  vanish(role: Role): void {
    if (!this.connected) return;
    this.gone = true;
    this.queues[role].length = 0;
    // The end that is gone hears of nothing any more.
    if (role === "central") this.ends.central = deaf(this.ends.central);
    else if (this.ends.peripheral) this.ends.peripheral = deaf(this.ends.peripheral);
  }

  /** The peripheral asks for an interval and a supervision timeout; the central decides. */
  askInterval(ms: number, supervisionMs: number): void {
    this.send("peripheral", new Uint8Array(0), () => {
      if (this.ends.central.acceptsInterval(ms)) this.changeInterval(ms, supervisionMs);
    });
  }

  /** The central changes both, as it does for a peripheral that has asked. */
  changeInterval(ms: number, supervisionMs: number): void {
    if (!this.connected || ms === this.intervalMs) return;
    const instant = this.timeOf(this.numberAt(this.air.clock.now) + INSTANT_EVENTS);
    this.air.clock.at(instant, () => this.applyInterval(ms, supervisionMs));
  }

  /** Pairs without a key (Just Works), which takes its events; `done(false)` if the peer refuses. */
  pair(from: Role, done: (bonded: boolean) => void): void {
    const peer = from === "central" ? this.ends.peripheral : this.ends.central;
    this.send(from, new Uint8Array(0), () => {
      const accepted = peer?.pairs("start") ?? false;
      this.air.clock.after((PAIRING_EVENTS * this.intervalMs) / 1000, () => {
        if (!this.connected) return done(false);
        this.encrypted = accepted;
        peer?.pairs(accepted ? "success" : "fail");
        done(accepted);
      });
    });
  }

  private applyInterval(ms: number, supervisionMs: number): void {
    if (!this.connected) return;
    const number = this.numberAt(this.air.clock.now);
    this.lookBack();
    this.anchor = this.timeOf(number);
    this.anchorNumber = number;
    this.intervalMs = ms;
    this.supervisionMs = supervisionMs;
    this.ends.central.intervalChanged(ms);
    this.ends.peripheral?.intervalChanged(ms);
    this.next?.cancel();
    this.next = undefined;
    this.plan();
  }

  private timeOf(number: number): number {
    return this.anchor + ((number - this.anchorNumber) * this.intervalMs) / 1000;
  }

  /** The first event that begins after `time`. Unix time as a float is exact to a quarter of a microsecond only. */
  private numberAt(time: number): number {
    return Math.max(this.anchorNumber, this.anchorNumber + Math.floor(((time - this.anchor) * 1000) / this.intervalMs + ROUNDING) + 1);
  }

  private plan(): void {
    if (this.next || !this.connected) return;
    if (this.queues.central.length === 0 && this.queues.peripheral.length === 0 && !this.leaving) return;
    const number = this.numberAt(this.air.clock.now);
    this.next = this.air.clock.at(this.timeOf(number), () => this.event(number));
  }

  private event(number: number): void {
    this.next = undefined;
    if (this.takesPlace(number)) {
      this.heardAt(this.air.clock.now);
      this.exchange();
    }
    this.plan();
  }

  /** What was queued before the event goes out in it; answers wait for the next. */
  private exchange(): void {
    const { leaving } = this;
    const central = this.queues.central.shift();
    const peripheral = this.queues.peripheral.shift();
    if (central?.pdu?.length) this.ends.peripheral?.received(central.pdu);
    if (peripheral?.pdu?.length && this.connected) this.ends.central.received(peripheral.pdu);
    central?.sent?.();
    peripheral?.sent?.();
    if (leaving && this.connected && this.queues[leaving].length === 0) this.end(leaving);
  }

  private end(by: Role): void {
    this.close();
    const { central, peripheral } = this.ends;
    central.ended(by === "central" ? HCI.BY_HOST : HCI.BY_PEER);
    peripheral?.ended(by === "peripheral" ? HCI.BY_HOST : HCI.BY_PEER);
  }

  private close(): void {
    this.connected = false;
    this.next?.cancel();
    this.watch?.cancel();
  }

  private heardAt(time: number): void {
    this.established = true;
    this.lastHeard = Math.max(this.lastHeard, time);
  }

  private get patience(): number {
    return this.established ? this.supervisionMs / 1000 : (ESTABLISHING_EVENTS * this.intervalMs) / 1000 + FIRST_EVENT;
  }

  private look(): void {
    if (!this.connected) return;
    this.lookBack();
    const over = this.lastHeard + this.patience;
    const now = this.air.clock.now;
    if (now >= over - 1e-9) {
      const { leaving } = this;
      const reason = this.established ? HCI.TIMEOUT : HCI.NEVER_ESTABLISHED;
      this.close();
      this.ends.central.ended(leaving === "central" ? HCI.BY_HOST : reason);
      this.ends.peripheral?.ended(leaving === "peripheral" ? HCI.BY_HOST : reason);
      return;
    }
    this.watch = this.air.clock.at(Math.min(over, now + Math.max(LOOK_BACK, this.intervalMs / 1000)), () => this.look());
  }

  /** The last event that took place up to now. Events with something to send have been looked at as they came, but looking twice gives the same answer. */
  private lookBack(): void {
    for (let number = this.numberAt(this.air.clock.now) - 1; number >= this.anchorNumber && this.timeOf(number) > this.lastHeard; number--)
      if (this.takesPlace(number)) {
        this.heardAt(this.timeOf(number));
        return;
      }
  }

  private takesPlace(number: number): boolean {
    const { central, peripheral } = this.ends;
    if (this.gone || !peripheral) return false;
    const time = this.timeOf(number);
    return this.arrives(central, peripheral, number, 0, time) && this.arrives(peripheral, central, number, 1, time);
  }

  private arrives(from: LinkEnd, to: LinkEnd, number: number, way: number, time: number): boolean {
    const { air } = this;
    const mean = air.linkPower(from.station, to.station, from.txPower(), time);
    if (mean === undefined) return false;
    const random = hash32(this.seed, number * 2 + way);
    const power = mean + air.fading[tableIndex(random)]!;
    if (power < to.station.sensitivityDbm || hash32(random, 1) < air.model.lossProbability * 2 ** 32) return false;
    const transmission = { from: from.station, to: to.station, time, channel: hash32(random, 2) % DATA_CHANNELS, rssi: Math.round(power) };
    return !air.rules.some((rule) => rule(transmission));
  }
}

/**
 * A central that waits for `wanted` has heard an advertisement: if it is the one, and takes a link, CONNECT_IND goes out and `open` is called when it has ended.
 * Lost on the way, the central believes in a link that ends after six events. True: an answer is on its way, so listen no longer.
 */
export function answerAdvertisement(report: Report, wanted: string, central: LinkEnd, options: LinkOptions): boolean {
  const { sender } = report;
  if (report.scanResponse || !sameAddress(report.address, wanted) || sender.emission?.advertising.connectable !== true) return false;
  const { air } = central.station;
  air.clock.after(CONNECT_SECONDS, () => {
    const seed = hash32(hash32(air.seed, central.station.key), Math.floor((air.clock.now % 65536) * 65536));
    const power = air.linkPower(central.station, sender, central.txPower(), air.clock.now);
    const rssi = power === undefined ? Number.NEGATIVE_INFINITY : power + air.fading[tableIndex(seed)]!;
    const transmission = { from: central.station, to: sender, time: air.clock.now, channel: report.channel, rssi: Math.round(rssi) };
    const lost = hash32(seed, 3) < air.model.lossProbability * 2 ** 32 || air.rules.some((rule) => rule(transmission));
    const peripheral = rssi >= sender.sensitivityDbm && !lost ? sender.acceptor?.(central.address) : undefined;
    new AirLink(air, { central, peripheral }, options);
  });
  return true;
}

/** On the air an address is public or random; which kind of random its upper bits say. */
export function sameAddress(one: string, other: string): boolean {
  return one.slice(0, 17).toLowerCase() === other.slice(0, 17).toLowerCase() && isPublic(one) === isPublic(other);
}

function isPublic(address: string): boolean {
  return address.length === 17 || address.startsWith("public", 18);
}

function deaf(end: LinkEnd): LinkEnd {
  return {
    station: end.station,
    address: end.address,
    txPower: () => end.txPower(),
    opened: () => undefined,
    received: () => undefined,
    ended: () => undefined,
    intervalChanged: () => undefined,
    acceptsInterval: () => false,
    pairs: () => false,
  };
}
