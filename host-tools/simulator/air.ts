import { type Advertising, packetSeconds, Schedule } from "./advertiser.ts";
import { type AirModel, CODED_GAIN_DB, DEFAULT_AIR, fadingTable, hash32, hashName, normalTable, tableIndex } from "./air-model.ts";
import type { LinkEnd } from "./gatt/air-link.ts";
import type { PacketList } from "./packet-list.ts";
import { ScanSession } from "./scan-session.ts";
import type { Scheduled, VirtualClock } from "./virtual-clock.ts";

export type { Advertising } from "./advertiser.ts";
export { type AirModel, DEFAULT_AIR } from "./air-model.ts";

/** Metres on a plane. */
export interface Position {
  x: number;
  y: number;
}

/** A packet as it came in. */
export interface Report {
  /** `aa:bb:cc:dd:ee:ff random` */
  address: string;
  /** Whole dBm. */
  rssi: number;
  data: Uint8Array;
  /** 37, 38 or 39. */
  channel: number;
  scanResponse: boolean;
  sender: Station;
}

/** How a radio listens. In each interval it listens on one channel for the length of the window; 37, 38, 39 in turn. Bluetooth Core 5.4, Vol 6, Part B, 4.4.3. */
export interface Scanning {
  windowMs: number;
  intervalMs: number;
  /** Asks scannable senders for their scan response. */
  active?: boolean;
  extended?: boolean;
  phys?: readonly ("1mbps" | "coded")[];
  heard(report: Report): void;
}

/** A packet on its way between two radios, as a rule of `Air.lose` sees it. */
export interface Transmission {
  from: Station;
  to: Station;
  /** Start, Unix seconds. */
  time: number;
  channel: number;
  rssi: number;
}

/** One run of advertising with unchanged timing; what is sent in it may change. */
export interface Emission {
  advertising: Advertising;
  schedule: Schedule;
  /** Square of the distance, metres, beyond which an ordinary receiver hears nothing of it whatever the shadows. */
  reachSquare: number;
}

/** What a station's radio has done. */
export interface AirTime {
  advertisingEvents: number;
  /** Those of them after which the radio listened for an answer: connectable or scannable. */
  answerableEvents: number;
  /** Seconds of transmitting. */
  transmitSeconds: number;
  /** The same by transmit power, dBm. */
  transmitSecondsAt: { [dBm: number]: number };
  /** Seconds of listening. */
  scanSeconds: number;
  /** Times it began to listen. */
  scans: number;
}

/** A radio in the air: a board's, or anything else that advertises or listens. */
export class Station {
  readonly key: number;
  emission: Emission | undefined;
  session: ScanSession | undefined;
  /** Asked by a central that has heard a connectable advertisement: this radio's end of the link, or undefined if it takes none. */
  acceptor: ((central: string) => LinkEnd | undefined) | undefined;
  /** Antenna in its case, on its wearer, dB. */
  gainDb: number;
  sensitivityDbm: number;
  /** In a tin: neither hears nor is heard. */
  silent = false;
  private starts = 0;
  private where: Position | ((time: number) => Position) = { x: 0, y: 0 };
  private whereAt = Number.NaN;
  private whereWas: Position = { x: 0, y: 0 };
  private readonly spent: AirTime = {
    advertisingEvents: 0,
    answerableEvents: 0,
    transmitSeconds: 0,
    transmitSecondsAt: {},
    scanSeconds: 0,
    scans: 0,
  };
  private counted = 0;

  constructor(
    readonly air: Air,
    readonly name: string,
    readonly order: number,
  ) {
    this.key = hashName(name);
    this.gainDb = air.model.antennaGainDb;
    this.sensitivityDbm = air.model.sensitivityDbm;
  }

  position(time: number): Position {
    if (typeof this.where !== "function") return this.where;
    if (time !== this.whereAt) {
      this.whereWas = this.where(time);
      this.whereAt = time;
    }
    return this.whereWas;
  }

  moveTo(where: Position | ((time: number) => Position)): void {
    this.where = where;
    this.whereAt = Number.NaN;
  }

  /** Starts, replaces or (undefined) stops advertising. The events of the new run start now. */
  advertise(advertising: Advertising | undefined): void {
    const now = this.air.clock.now;
    if (this.emission) {
      this.emission.schedule.end = now;
      this.settle();
    } else if (!advertising) return;
    this.emission = undefined;
    if (advertising) {
      const seed = hash32(hash32(this.air.seed, this.key), this.starts++);
      this.emission = {
        advertising,
        schedule: new Schedule(now, advertising.intervalMs, seed),
        reachSquare: this.air.reachSquare(this, advertising),
      };
      this.counted = 0;
    }
    this.air.changed(this);
  }

  /** Other content or transmit power from the next event on, at the same pace. */
  amend(changes: Partial<Omit<Advertising, "intervalMs">>): void {
    if (!this.emission) return;
    this.settle();
    const advertising = { ...this.emission.advertising, ...changes };
    this.emission = { advertising, schedule: this.emission.schedule, reachSquare: this.air.reachSquare(this, advertising) };
    this.air.changed(this);
  }

  /** Starts, replaces or (undefined) stops listening. */
  scan(scanning: Scanning | undefined): void {
    if (this.session) {
      this.spent.scanSeconds += this.session.openSeconds(this.air.clock.now);
      this.session.stop();
      this.air.sessions.delete(this.session);
      this.session = undefined;
    }
    if (scanning) {
      this.session = new ScanSession(this, scanning);
      this.air.sessions.add(this.session);
      this.session.start();
      this.spent.scans += 1;
    }
  }

  /** What the radio has done up to now. */
  get airTime(): AirTime {
    this.settle();
    return {
      ...this.spent,
      transmitSecondsAt: { ...this.spent.transmitSecondsAt },
      scanSeconds: this.spent.scanSeconds + (this.session?.openSeconds(this.air.clock.now) ?? 0),
    };
  }

  private settle(): void {
    if (!this.emission) return;
    const { advertising, schedule } = this.emission;
    const events = schedule.count(this.air.clock.now);
    let bytes = 0;
    for (const packet of advertising.packets) bytes += packet.length / advertising.packets.length;
    const fresh = events - this.counted;
    this.spent.advertisingEvents += fresh;
    if (advertising.connectable || advertising.scannable) this.spent.answerableEvents += fresh;
    const sent = fresh * 3 * packetSeconds(bytes, advertising.phy);
    const { transmitSecondsAt } = this.spent;
    this.spent.transmitSeconds += sent;
    transmitSecondsAt[advertising.txPower] = (transmitSecondsAt[advertising.txPower] ?? 0) + sent;
    this.counted = events;
  }
}

/**
 * One air for any number of radios, on one clock, from one seed. Nothing is simulated while nobody listens: when a scan window opens, the advertising
 * events that fall into it are computed from each sender's schedule, in full (every event and every random delay, none approximated); so a board that
 * advertises four times a second and is heard two seconds in three hundred costs next to nothing in between. All random quantities are hashes of what
 * they belong to (pair, start, event, channel): results depend neither on the order of questions nor on who else asks.
 */
export class Air {
  readonly clock: VirtualClock;
  readonly seed: number;
  readonly model: AirModel;
  readonly sessions = new Set<ScanSession>();
  /** For the next scan. */
  readonly spareLists: PacketList[] = [];
  readonly fading: Float64Array;
  readonly emitting: Station[] = [];
  readonly rules: ((transmission: Transmission) => boolean)[] = [];
  private readonly shadowing: Float64Array;
  private readonly stations = new Map<string, Station>();
  private readonly barriers = new Map<number, number>();
  private readonly strongestFade: number;

  constructor(options: { clock: VirtualClock; seed: number; model?: Partial<AirModel> }) {
    this.clock = options.clock;
    this.seed = hash32(options.seed >>> 0, 0x616972);
    this.model = { ...DEFAULT_AIR, ...options.model };
    this.fading = fadingTable(this.model.ricianKDb);
    this.shadowing = normalTable(this.model.shadowingDb);
    this.strongestFade = Math.max(...this.fading);
  }

  /** The radio of that name, a new one if there is none yet. The name stands for it in all random quantities, so adding one changes nothing for the others. */
  station(name: string): Station {
    let station = this.stations.get(name);
    if (!station) {
      station = new Station(this, name, this.stations.size);
      this.stations.set(name, station);
    }
    return station;
  }

  /** Puts a radio somewhere, or on a path over time. A window that is open follows within a second. */
  place(who: Station | { station?: Station }, where: Position | ((time: number) => Position)): void {
    stationOf(who).moveTo(where);
  }

  /** Something between two radios that takes `db` of every packet, both ways: a wall, a body. 0 takes it away. */
  obstacle(one: Station | { station?: Station }, other: Station | { station?: Station }, db: number): void {
    const pair = this.pair(stationOf(one), stationOf(other));
    if (db === 0) this.barriers.delete(pair);
    else this.barriers.set(pair, db);
    this.changed(stationOf(one));
    this.changed(stationOf(other));
  }

  /** A radio in a tin (true) or out of it: neither heard nor hearing. */
  silence(who: Station | { station?: Station }, silent: boolean): void {
    const station = stationOf(who);
    station.silent = silent;
    this.changed(station);
    for (const sender of this.emitting) station.session?.refresh(sender);
  }

  /** Loses every packet for which the rule says true: a jammer, a place without reception, one packet of a test. */
  lose(rule: (transmission: Transmission) => boolean): Scheduled {
    this.rules.push(rule);
    return {
      cancel: () => {
        const index = this.rules.indexOf(rule);
        if (index >= 0) this.rules.splice(index, 1);
      },
    };
  }

  /** Mean power at a receiver, dBm, without fading; undefined if nothing of it can be heard there. Radios are at least 0.1 m apart. */
  meanPower(from: Station, to: Station, time: number): number | undefined {
    const { emission } = from;
    if (!emission || from.silent || to.silent) return undefined;
    const a = from.position(time);
    const b = to.position(time);
    const square = Math.max(0.01, (a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y));
    // Most pairs of a large place end here.
    if (square > emission.reachSquare && to.gainDb <= this.model.antennaGainDb && to.sensitivityDbm >= this.model.sensitivityDbm) return undefined;
    let power = this.budget(from, emission.advertising) + to.gainDb - 5 * this.model.exponent * Math.log10(square) + this.shadow(from, to);
    if (this.barriers.size > 0) power -= this.barriers.get(this.pair(from, to)) ?? 0;
    return power < this.floor(to.sensitivityDbm, emission.advertising) ? undefined : power;
  }

  /** Mean power of a link's packets, dBm, whatever the sender advertises; undefined if one of the two is in a tin. */
  linkPower(from: Station, to: Station, txPower: number, time: number): number | undefined {
    if (from.silent || to.silent) return undefined;
    const a = from.position(time);
    const b = to.position(time);
    const square = Math.max(0.01, (a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y));
    const leaves = txPower + from.gainDb - this.model.referenceLossDb;
    const barrier = this.barriers.size > 0 ? (this.barriers.get(this.pair(from, to)) ?? 0) : 0;
    return leaves + to.gainDb - 5 * this.model.exponent * Math.log10(square) + this.shadow(from, to) - barrier;
  }

  /** See `Emission`. */
  reachSquare(from: Station, advertising: Advertising): number {
    const { model } = this;
    const spare = this.budget(from, advertising) + model.antennaGainDb + 3 * model.shadowingDb - this.floor(model.sensitivityDbm, advertising);
    return 10 ** (spare / (5 * model.exponent));
  }

  /** What leaves a sender less the first metre, dBm. Beyond it, half of 10 n log10(d^2) spares the square root. */
  private budget(from: Station, advertising: Advertising): number {
    return advertising.txPower + from.gainDb - this.model.referenceLossDb;
  }

  /** Mean power below which not even the luckiest packet arrives, dBm. */
  private floor(sensitivityDbm: number, advertising: Advertising): number {
    return sensitivityDbm - (advertising.phy === "coded" ? CODED_GAIN_DB : 0) - this.strongestFade;
  }

  /** Called by a station whose sending changed: windows that are open learn of it. */
  changed(station: Station): void {
    const index = this.emitting.indexOf(station);
    if (!station.emission && index >= 0) this.emitting.splice(index, 1);
    if (station.emission && index < 0) {
      // In the order of their names, so that the list doesn't tell who came first.
      const after = this.emitting.findIndex((other) => other.key > station.key);
      this.emitting.splice(after < 0 ? this.emitting.length : after, 0, station);
    }
    for (const session of this.sessions) session.refresh(station);
  }

  private shadow(from: Station, to: Station): number {
    const low = Math.min(from.key, to.key);
    const high = Math.max(from.key, to.key);
    return this.shadowing[tableIndex(hash32(hash32(this.seed, low), high))]!;
  }

  private pair(one: Station, other: Station): number {
    return Math.min(one.order, other.order) * 0x100000 + Math.max(one.order, other.order);
  }
}

function stationOf(who: Station | { station?: Station }): Station {
  if (who instanceof Station) return who;
  if (!who.station) throw new Error("air: this radio is in no air; give its board one");
  return who.station;
}
