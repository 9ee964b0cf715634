import type { PeripheralSession, PhoneLink, PhoneRadio } from "../../host-tools/phones/phone-ports.ts";
import type { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";

/** Of a phone, what the air calls. */
interface Phone {
  heard(data: Uint8Array, address: string, rssi: number): void;
  connected(address: string): PeripheralSession | undefined;
}

/** Seconds between two advertisements, and for one step of a connection. */
const ADVERTISING_INTERVAL = 1;
const STEP = 0.1;

/** Phones in one room, in memory: everybody hears everybody, and a link does what it is asked after a tenth of a second. */
export class PhoneAir {
  readonly log: string[] = [];
  private readonly radios = new Map<string, RoomRadio>();

  constructor(
    readonly clock: VirtualClock,
    readonly mtu = 23,
  ) {}

  /** A radio at `name`'s place; its addresses are `name` and a number that grows. */
  radio(name: string, rssi = -60): RoomRadio {
    const radio = new RoomRadio(this, name, rssi);
    this.radios.set(name, radio);
    return radio;
  }

  broadcast(from: RoomRadio, data: Uint8Array): void {
    for (const radio of this.radios.values()) if (radio !== from && radio.scanning) radio.phone?.heard(data, from.address, from.rssi);
  }

  find(address: string): RoomRadio | undefined {
    return [...this.radios.values()].find((radio) => radio.address === address && radio.advertising !== undefined);
  }
}

export class RoomRadio implements PhoneRadio {
  phone: Phone | undefined;
  scanning = false;
  advertising: Uint8Array | undefined;
  address: string;
  /** Open links, whoever opened them. */
  links = 0;
  private addresses = 0;
  private ticks = 0;

  constructor(
    private readonly air: PhoneAir,
    private readonly name: string,
    readonly rssi: number,
  ) {
    this.address = this.fresh();
  }

  private fresh(): string {
    const serial = (this.addresses++).toString(16).padStart(8, "0").match(/../g)!.join(":");
    return `${(0xc0 + this.name.charCodeAt(0) - 97).toString(16)}:00:${serial}`;
  }

  startScan(): void {
    this.scanning = true;
    this.say("scan");
  }
  stopScan(): void {
    this.scanning = false;
    this.say("rest");
  }
  advertise(data: Uint8Array, freshAddress: boolean): void {
    if (freshAddress) this.address = this.fresh();
    this.advertising = data;
    this.say(`advertise${freshAddress ? " from a new address" : ""}`);
    const mine = ++this.ticks;
    const tick = () => {
      if (mine !== this.ticks || !this.advertising) return;
      this.air.broadcast(this, this.advertising);
      this.air.clock.after(ADVERTISING_INTERVAL, tick);
    };
    tick();
  }
  stopAdvertising(): void {
    if (this.advertising) this.say("silent");
    this.advertising = undefined;
  }

  connect(address: string, seconds: number, done: (link: PhoneLink | undefined) => void): void {
    const peer = this.air.find(address);
    const session = peer?.phone?.connected(this.address);
    if (!peer || !session) {
      this.air.clock.after(seconds, () => done(undefined));
      return;
    }
    this.air.clock.after(STEP, () => done(this.link(peer, session)));
  }

  private link(peer: RoomRadio, session: PeripheralSession): PhoneLink {
    const { mtu, clock } = this.air;
    let open = true;
    this.links++;
    peer.links++;
    const later = (fn: () => void) => void clock.after(STEP, fn);
    return {
      mtu,
      read: (offset, done) => later(() => done(open ? session.read(offset)?.slice(0, mtu - 1) : undefined)),
      write: (value, done) =>
        later(() => {
          if (value.length <= mtu - 3) return done(open && session.write(value));
          let accepted = true;
          for (let at = 0; at < value.length; at += mtu - 5) accepted &&= session.prepare(at, value.subarray(at, at + mtu - 5));
          done(session.execute(accepted) && accepted);
        }),
      disconnect: () => {
        if (!open) return;
        open = false;
        this.links--;
        peer.links--;
      },
    };
  }

  private say(what: string): void {
    this.air.log.push(`${this.name} ${this.air.clock.now} ${what}`);
  }
}
