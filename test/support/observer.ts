import type { Advertising, Air, Station } from "../../host-tools/simulator/air.ts";
import { hashName } from "../../host-tools/simulator/air-model.ts";
import { classify } from "../../protocols/classify.ts";
import { decodeAdvertisement } from "../../protocols/gaen/advertisement.ts";
import { toHex } from "./vectors.ts";

/** A packet as an observer received it. */
export interface Observed {
  /** Unix seconds. */
  time: number;
  sender: Station;
  address: string;
  data: Uint8Array;
  rssi: number;
  connectable: boolean;
  scannable: boolean;
  intervalMs: number;
  txPower: number;
}

/** A radio that never stops listening, in the middle of everything. */
export function observe(air: Air, where = { x: 0, y: 0 }): Observed[] {
  const seen: Observed[] = [];
  const station = air.station("observer");
  station.moveTo(where);
  station.scan({
    windowMs: 100,
    intervalMs: 100,
    heard: ({ sender, address, data, rssi }) => {
      const { connectable, scannable, intervalMs, txPower } = sender.emission!.advertising;
      seen.push({ time: air.clock.now, sender, address, data, rssi, connectable, scannable, intervalMs, txPower });
    },
  });
  return seen;
}

/** What a radio sends from one change to the next. Each is on the air at least once: the first packet goes out at once. */
export interface Phase extends Advertising {
  from: number;
  /** Undefined while it lasts. */
  to: number | undefined;
}

/** Writes down all that a station sends from now on, without listening: the air asks nobody to hear it, so days cost nothing. */
export function keepRecord(station: Station): Phase[] {
  const phases: Phase[] = [];
  const { clock } = station.air;
  const note = (advertising: Advertising | undefined) => {
    const last = phases.at(-1);
    if (last && last.to === undefined) last.to = clock.now;
    if (advertising) phases.push({ ...advertising, packets: advertising.packets.map((packet) => packet.slice()), from: clock.now, to: undefined });
  };
  if (station.emission) note(station.emission.advertising);
  const advertise = station.advertise.bind(station);
  const amend = station.amend.bind(station);
  station.advertise = (advertising) => {
    advertise(advertising);
    note(advertising);
  };
  station.amend = (changes) => {
    amend(changes);
    if (station.emission) note(station.emission.advertising);
  };
  return phases;
}

/** One identifier on the air, from the moment it came to the moment it went. */
export interface Lifetime {
  rpi: string;
  aem: string;
  address: string;
  txPower: number;
  from: number;
  to: number | undefined;
}

/** Identifiers of the phases that send GAEN, one entry for each stretch in which neither identifier nor address changes. The stack's own restarts every three minutes don't count. */
export function lifetimesIn(phases: Phase[]): Lifetime[] {
  const lifetimes: Lifetime[] = [];
  for (const { packets, address, txPower, from, to } of phases) {
    const decoded = packets.length === 1 ? decodeAdvertisement(packets[0]) : undefined;
    if (!decoded) continue;
    const rpi = toHex(decoded.rpi);
    const last = lifetimes.at(-1);
    if (last && last.rpi === rpi && last.address === address && last.txPower === txPower && last.to !== undefined && from - last.to < 0.1)
      last.to = to;
    else lifetimes.push({ rpi, aem: toHex(decoded.aem), address, txPower, from, to });
  }
  return lifetimes;
}

/** An identifier of any protocol on the air, in one stretch with one address. */
export interface Voice {
  protocol: string;
  id: string;
  address: string;
  from: number;
  to: number | undefined;
}

/** Identifiers of all protocols, each as often as it came on the air with an address that was not the one before. */
export function voicesIn(phases: Phase[]): Voice[] {
  const voices: Voice[] = [];
  const latest = new Map<string, Voice>();
  for (const { packets, address, from, to } of phases) {
    for (const packet of packets) {
      const claim = classify(packet);
      if (!claim) continue;
      const id = toHex("ephid" in claim ? claim.ephid : "rpi" in claim ? claim.rpi : packet.slice(7));
      const last = latest.get(claim.protocol);
      if (last && last.id === id && last.address === address) last.to = to;
      else {
        const voice = { protocol: claim.protocol, id, address, from, to };
        voices.push(voice);
        latest.set(claim.protocol, voice);
      }
    }
  }
  return voices;
}

/** What would let a listener follow the board from one identifier to the next: one identifier from two addresses or two from one, or one that comes back. */
export function linksIn(lifetimes: Lifetime[]): string[] {
  const links: string[] = [];
  const seen = new Map<string, Lifetime>();
  for (const lifetime of lifetimes) {
    for (const key of [lifetime.rpi, lifetime.address, lifetime.aem]) {
      const before = seen.get(key);
      if (before) links.push(`${key} is sent from ${before.address} at ${before.from} and from ${lifetime.address} at ${lifetime.from}`);
      seen.set(key, lifetime);
    }
  }
  return links;
}

/** A report as a board's radio made it, before anything of the interpreter. */
export interface Heard {
  time: number;
  data: Uint8Array;
  address: string;
  rssi: number;
}

/** Writes down all that a board's radio reports from now on. */
export function keepHeard(station: Station): Heard[] {
  const reports: Heard[] = [];
  const scan = station.scan.bind(station);
  station.scan = (scanning) =>
    scan(
      scanning && {
        ...scanning,
        heard: (report) => {
          reports.push({ time: station.air.clock.now, data: report.data, address: report.address, rssi: report.rssi });
          scanning.heard(report);
        },
      },
    );
  return reports;
}

/** Somebody else's beacon: sends the same packet for ever. */
export function beacon(air: Air, name: string, where: { x: number; y: number }, data: Uint8Array, options: Partial<Advertising> = {}): Station {
  const station = air.station(name);
  station.moveTo(where);
  const address = `c0:${hashName(name).toString(16).padStart(10, "0").match(/../g)!.join(":")} random`;
  station.advertise({ address, packets: [data], intervalMs: 250, txPower: 0, connectable: false, scannable: false, ...options });
  return station;
}
