import type { Air, Report, Station } from "./air.ts";
import { type AirLink, answerAdvertisement, type LinkEnd, type Role } from "./gatt/air-link.ts";
import { LONGEST_VALUE } from "./gatt/att.ts";
import { type Attribute, GattTable } from "./gatt/gatt-table.ts";
import { PhoneLink } from "./phone-link.ts";
import { parseUuid } from "./radio-packets.ts";

/** What a phone does that a board must bear. */
export interface Hostility {
  /** Answers each request so late, seconds. */
  answerSeconds?: number;
  /** Answers nothing at all. */
  mute?: boolean;
  /** `disconnect` does nothing: the link lasts until the board ends it or loses the phone. */
  staysConnected?: boolean;
  /** `asks`: wants to pair as soon as a link is there. `demands`: shows nothing of its own before that. */
  bonding?: "asks" | "demands";
}

export interface PhoneOptions {
  air: Air;
  /** Names the phone in the air; everything random about it hangs on this. */
  name: string;
  /** As others see it, `aa:bb:cc:dd:ee:ff random`. */
  address: string;
  /** dBm */
  txPower?: number;
  /** Longest PDU that it takes, 23 to 517. */
  mtu?: number;
  hostile?: Hostility;
}

/** A characteristic that a phone serves. Without `value` and `onWrite` it is neither readable nor writable. */
export interface Served {
  value?: Uint8Array | ((link: PhoneLink) => Uint8Array);
  onWrite?(bytes: Uint8Array, link: PhoneLink): void;
  notify?: boolean;
  /** Bytes. */
  maxLength?: number;
  /** Writes without an answer are taken as well. Default true. */
  commands?: boolean;
}

/** By UUID of service and characteristic. */
export interface ServedServices {
  [service: string]: { [characteristic: string]: Served };
}

export interface ConnectOptions {
  intervalMs?: number;
  supervisionMs?: number;
  /** Seconds. */
  timeout?: number;
}

const DEFAULT_MTU = 185;
const NONE = { maxLength: 0, readable: false, writable: false, writableByCommand: false, notify: false, indicate: false };

/** A device in the air that is no board: it advertises, scans, connects, and answers what it is asked. Programs on a host stand behind it. */
export class VirtualPhone {
  readonly station: Station;
  readonly table = new GattTable();
  readonly links: PhoneLink[] = [];
  readonly mtu: number;
  readonly txPower: number;
  readonly hostile: Hostility;
  address: string;
  /** Somebody has connected, or the phone has. */
  onLink: ((link: PhoneLink) => void) | undefined;
  private readonly served = new Map<number, Served>();

  constructor(options: PhoneOptions) {
    const { air, name, address, mtu = DEFAULT_MTU, txPower = 0, hostile = {} } = options;
    this.station = air.station(name);
    this.address = address;
    this.mtu = mtu;
    this.txPower = txPower;
    this.hostile = hostile;
    this.station.acceptor = (peer) => this.end(peer);
    this.serve({ "1800": { "2a00": { value: Uint8Array.from(name, (letter) => letter.charCodeAt(0)) } } });
  }

  get air(): Air {
    return this.station.air;
  }

  /** Adds services. */
  serve(services: ServedServices): void {
    const secure = this.hostile.bonding === "demands";
    for (const [service, characteristics] of Object.entries(services)) {
      this.table.addService(parseUuid(service, false));
      for (const [uuid, one] of Object.entries(characteristics)) {
        const writable = one.onWrite !== undefined;
        const handles = this.table.addCharacteristic({
          ...NONE,
          uuid: parseUuid(uuid, false),
          value: one.value instanceof Uint8Array ? one.value : new Uint8Array(0),
          maxLength: one.maxLength ?? LONGEST_VALUE,
          readable: one.value !== undefined,
          writable,
          writableByCommand: writable && one.commands !== false,
          notify: one.notify ?? false,
          secureRead: secure,
          secureWrite: secure,
        });
        this.served.set(handles.value, one);
      }
    }
  }

  /** The value of a characteristic as it is now, for whoever is at the other end of this link. */
  valueOf(attribute: Attribute, link: PhoneLink): Uint8Array {
    const value = this.served.get(attribute.handle)?.value;
    return typeof value === "function" ? value(link) : attribute.value;
  }

  written(handle: number, bytes: Uint8Array, link: PhoneLink): void {
    this.served.get(handle)?.onWrite?.(bytes, link);
  }

  /** Connectable, until it is called without packets; others may connect again and again. */
  advertise(packets?: readonly Uint8Array[], options: { intervalMs?: number; scanResponse?: Uint8Array; connectable?: boolean } = {}): void {
    const { intervalMs = 250, scanResponse, connectable = true } = options;
    const { address, txPower } = this;
    this.station.advertise(
      packets && { address, packets, intervalMs, txPower, connectable, scannable: connectable || scanResponse !== undefined, scanResponse },
    );
  }

  /** Listens; without a listener it stops. A connection attempt takes the receiver for itself, and gives it back. */
  scan(heard?: (report: Report) => void, options: { windowMs?: number; intervalMs?: number; active?: boolean } = {}): void {
    const { windowMs = 100, intervalMs = 100, active = false } = options;
    this.station.scan(heard && { windowMs, intervalMs, active, heard });
  }

  /** Connects to whoever advertises with this address. @throws after `timeout` seconds */
  connect(address: string, options: ConnectOptions = {}): Promise<PhoneLink> {
    const { intervalMs = 30, supervisionMs = 4000, timeout = 10 } = options;
    const { station, air } = this;
    const before = station.session?.scanning;
    return new Promise((resolve, reject) => {
      let over = false;
      const stop = () => {
        over = true;
        limit.cancel();
        station.scan(before);
      };
      const limit = air.clock.after(timeout, () => {
        stop();
        reject(
          new Error(
            `phone ${station.name}: ${address} was not to be connected within ${timeout} s; is it in reach, connectable, and without another central?`,
          ),
        );
      });
      const end = this.end(address, (link) => {
        stop();
        resolve(link);
      });
      station.scan({
        windowMs: 100,
        intervalMs: 100,
        heard: (report) => {
          if (!over && end) over = answerAdvertisement(report, address, end, { intervalMs, supervisionMs });
        },
      });
    });
  }

  private end(peer: string, opened?: (link: PhoneLink) => void): LinkEnd | undefined {
    const phone = this;
    let link: PhoneLink | undefined;
    return {
      station: this.station,
      get address() {
        return phone.address;
      },
      txPower: () => this.txPower,
      opened: (air: AirLink, role: Role) => {
        link = new PhoneLink(this, air, role, peer);
        this.links.push(link);
        if (this.hostile.bonding === "asks") void link.pair();
        opened?.(link);
        this.onLink?.(link);
      },
      received: (pdu) => link?.received(pdu),
      ended: (reason) => {
        this.links.splice(this.links.indexOf(link!), 1);
        link?.ended(reason);
      },
      intervalChanged: () => undefined,
      acceptsInterval: () => true,
      pairs: () => true,
    };
  }
}
