import type { Crypto } from "../../protocols/ports.ts";
import { formatAddress, NON_RESOLVABLE_PRIVATE, RESOLVABLE_PRIVATE, randomAddress } from "../../protocols/random-address.ts";
import type { VirtualPhone } from "../simulator/phone.ts";

/** Advertising data that was heard. */
export interface Heard {
  /** Unix seconds, with a fraction. */
  at: number;
  rssi: number;
}

/** What the phones have in common whose identifiers are in their advertisements: packets from an address that nobody ever has again, and listening now and then. */
export class BroadcastPhone {
  constructor(
    readonly device: VirtualPhone,
    readonly crypto: Crypto,
  ) {}

  /** Unix seconds, with a fraction. */
  get now(): number {
    return this.device.air.clock.now;
  }

  after(seconds: number, fn: () => void): void {
    this.device.air.clock.after(seconds, fn);
  }

  /** An integer from 0 on, below `limit` of at most 65,536; nearly equal chances. */
  random(limit: number): number {
    const [low, high] = this.crypto.randomBytes(2);
    return Math.floor(((high * 256 + low) / 65536) * limit);
  }

  /** In one radio-silent moment another address and other data (BLE-06). Whoever can be connected to has a resolvable one, whose key nobody here has. Source: Bluetooth Core 5.4, Vol 3, Part C, 10.7.1. */
  broadcast(data: Uint8Array, { intervalMs, connectable }: { intervalMs: number; connectable: boolean }): void {
    const { device, crypto } = this;
    device.advertise();
    device.address = connectable
      ? `${this.resolvable()} private-resolvable`
      : `${formatAddress(randomAddress(crypto.randomBytes, NON_RESOLVABLE_PRIVATE))} private-nonresolvable`;
    device.advertise([data], { intervalMs, connectable });
  }

  /** Listens for so many seconds, all the time. */
  listen(seconds: number, heard: (data: Uint8Array, how: Heard, address: string) => void): void {
    this.device.scan(({ data, rssi, address }) => heard(data, { at: this.now, rssi }, address));
    this.after(seconds, () => this.device.scan());
  }

  private resolvable(): string {
    const address = this.crypto.randomBytes(6);
    address[0] = (address[0] & 0x3f) | RESOLVABLE_PRIVATE;
    return formatAddress(address);
  }
}
