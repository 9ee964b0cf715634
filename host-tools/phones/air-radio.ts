import { CHARACTERISTICS, SERVICES } from "../../protocols/bluetrace/advertisement.ts";
import { formatAddress, RESOLVABLE_PRIVATE } from "../../protocols/random-address.ts";
import type { VirtualPhone } from "../simulator/phone.ts";
import type { PhoneLink as AirLink } from "../simulator/phone-link.ts";
import type { PeripheralSession, PhoneLink, PhoneRadio } from "./phone-ports.ts";

/** What a phone's logic has for its radio. */
export interface PhoneLogic {
  heard(data: Uint8Array, address: string, rssi: number): void;
  connected(address: string): PeripheralSession | undefined;
}

/** A BlueTrace phone's radio in the virtual air: its characteristic for others to read and write, and theirs, found by discovery. */
export class AirRadio implements PhoneRadio {
  private logic: PhoneLogic | undefined;
  private readonly sessions = new WeakMap<AirLink, PeripheralSession>();
  private listening = false;
  private connecting = false;

  /** `service`: index into OpenTrace's services. */
  constructor(
    private readonly phone: VirtualPhone,
    private readonly randomBytes: (length: number) => Uint8Array,
    service = 0,
  ) {
    phone.serve({
      [SERVICES[service]]: {
        [CHARACTERISTICS[service]]: {
          value: (link) => this.sessions.get(link)?.read(0) ?? new Uint8Array(0),
          onWrite: (value, link) => void this.sessions.get(link)?.write(value),
        },
      },
    });
    phone.onLink = (link) => {
      if (link.role === "peripheral") this.connected(link);
    };
  }

  /** Whom to tell. */
  attach(logic: PhoneLogic): void {
    this.logic = logic;
  }

  startScan(): void {
    this.listening = true;
    this.tune();
  }

  stopScan(): void {
    this.listening = false;
    this.tune();
  }

  advertise(data: Uint8Array, freshAddress: boolean): void {
    this.phone.advertise();
    if (freshAddress) this.phone.address = `${formatAddress(this.privateAddress())} private-resolvable`;
    this.phone.advertise([data]);
  }

  stopAdvertising(): void {
    this.phone.advertise();
  }

  connect(address: string, seconds: number, done: (link: PhoneLink | undefined) => void): void {
    this.open(address, seconds).then(done, () => done(undefined));
  }

  /** Connects and finds the characteristic, both within `seconds`; whatever goes wrong ends the link. */
  private async open(address: string, seconds: number): Promise<PhoneLink> {
    this.connecting = true;
    const connecting = this.phone.connect(address, { timeout: seconds });
    const link = await connecting.finally(() => {
      this.connecting = false;
      this.tune();
    });
    const limit = this.phone.air.clock.after(seconds, () => link.disconnect());
    try {
      await link.exchangeMtu();
      const found = (await link.discover()).find(({ uuid }) => CHARACTERISTICS.includes(uuid));
      if (!found) throw new Error(`${address}: no BlueTrace characteristic`);
      return this.portOf(link, found.handle);
    } catch (error) {
      link.disconnect();
      throw error;
    } finally {
      limit.cancel();
    }
  }

  private portOf(link: AirLink, handle: number): PhoneLink {
    return {
      get mtu() {
        return link.mtu;
      },
      read: (offset, done) => {
        link.read(handle, offset).then(done, () => done(undefined));
      },
      write: (value, done) => {
        const written = value.length <= link.mtu - 3 ? link.write(handle, value) : link.writeLong(handle, value);
        written.then(
          () => done(true),
          () => done(false),
        );
      },
      disconnect: () => link.disconnect(),
    };
  }

  private connected(link: AirLink): void {
    const session = this.logic?.connected(link.peer);
    if (session) this.sessions.set(link, session);
    else link.disconnect();
  }

  /** Resolvable, as phones have it: whoever can be connected to must not use the other kind. Nobody here has the key that resolves it. Source: Bluetooth Core 5.4, Vol 3, Part C, 10.7.1. */
  private privateAddress(): Uint8Array {
    const address = this.randomBytes(6);
    address[0] = (address[0] & 0x3f) | RESOLVABLE_PRIVATE;
    return address;
  }

  /** A connection attempt has the receiver to itself; afterwards it goes back to what was asked meanwhile. */
  private tune(): void {
    if (this.connecting) return;
    if (this.listening) this.phone.scan((report) => this.listening && this.logic?.heard(report.data, report.address, report.rssi));
    else this.phone.scan();
  }
}
