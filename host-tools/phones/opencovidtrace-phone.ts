import { INTERVAL_SECONDS } from "../../protocols/gaen/key-schedule.ts";
import { CHARACTERISTIC, encodeAdvertisement, isAdvertisement, SERVICE } from "../../protocols/opencovidtrace/advertisement.ts";
import { CONNECT_TIMEOUT_MS, mayConnect, SCAN_MS, SCAN_PERIOD_MS } from "../../protocols/opencovidtrace/connections.ts";
import { decodePayload, encodePayload, type Payload, type Position } from "../../protocols/opencovidtrace/payload.ts";
import type { Crypto } from "../../protocols/ports.ts";
import { uuidBytes } from "../../protocols/uuid128.ts";
import type { VirtualPhone } from "../simulator/phone.ts";
import type { PhoneLink } from "../simulator/phone-link.ts";
import { BroadcastPhone, type Heard } from "./broadcast-phone.ts";

const DAY = 86400;
const INTERVAL_MS = 250;
const UUID = uuidBytes(SERVICE);

/** Keys of a day, 16 bytes each; `day` since 1970. */
export interface PhoneDay {
  dailyKey: Uint8Array;
  metaKey: Uint8Array;
  day: number;
}

/** A value that it has read of somebody. */
export interface PhoneContact extends Heard, Payload {}

/**
 * A phone with OpenCovidTrace, as others meet it: connectable all the time, its value made for each connection and kept for it; 10 s of listening in each minute, after which it reads whom it has
 * heard, one after the other. It connects by promises, so the clock must be driven. It doesn't forget or match.
 */
export class OpenCovidTracePhone {
  readonly contacts: PhoneContact[] = [];
  readonly days: PhoneDay[] = [];
  private readonly phone: BroadcastPhone;
  /** By address: RSSI when it was last heard, and time of the last reading. */
  private readonly heard = new Map<string, number>();
  private readonly lastRead = new Map<string, number>();
  private readonly values = new WeakMap<PhoneLink, Uint8Array>();

  /** `position`: where it believes to be. */
  constructor(
    device: VirtualPhone,
    private readonly crypto: Crypto,
    private readonly position?: Position,
  ) {
    this.phone = new BroadcastPhone(device, crypto);
    device.serve({ [SERVICE]: { [CHARACTERISTIC]: { value: (link) => this.valueFor(link) } } });
  }

  /** From now on, for ever. */
  start(): void {
    this.nextInterval();
    this.scan();
  }

  private get today(): PhoneDay {
    const day = Math.floor(this.phone.now / DAY);
    if (this.days.at(-1)?.day !== day) this.days.push({ dailyKey: this.crypto.randomBytes(16), metaKey: this.crypto.randomBytes(16), day });
    return this.days.at(-1)!;
  }

  private valueFor(link: PhoneLink): Uint8Array {
    const { dailyKey, metaKey } = this.today;
    const value = this.values.get(link) ?? encodePayload(this.crypto, dailyKey, metaKey, Math.floor(this.phone.now), this.position);
    this.values.set(link, value);
    return value;
  }

  private nextInterval(): void {
    const { phone } = this;
    phone.broadcast(encodeAdvertisement(UUID), { intervalMs: INTERVAL_MS, connectable: true });
    phone.after(INTERVAL_SECONDS - (phone.now % INTERVAL_SECONDS), () => this.nextInterval());
  }

  private scan(): void {
    const { phone } = this;
    this.heard.clear();
    phone.listen(SCAN_MS / 1000, (data, { rssi }, address) => {
      if (isAdvertisement(data, UUID)) this.heard.set(address, rssi);
    });
    phone.after(SCAN_MS / 1000 + 0.01, () => void this.readAll());
    phone.after(SCAN_PERIOD_MS / 1000, () => this.scan());
  }

  private async readAll(): Promise<void> {
    const until = this.phone.now + (SCAN_PERIOD_MS - SCAN_MS - CONNECT_TIMEOUT_MS) / 1000;
    for (const [address, rssi] of [...this.heard]) {
      const { now } = this.phone;
      if (now > until || !mayConnect(0, this.lastRead.get(address), now)) continue;
      this.lastRead.set(address, now);
      const payload = await this.read(address).catch(() => undefined);
      if (payload) this.contacts.push({ ...payload, at: now, rssi });
    }
  }

  private async read(address: string): Promise<Payload | undefined> {
    const { device } = this.phone;
    const link = await device.connect(address, { timeout: CONNECT_TIMEOUT_MS / 1000 });
    const limit = device.air.clock.after(CONNECT_TIMEOUT_MS / 1000, () => link.disconnect());
    try {
      await link.exchangeMtu();
      const found = (await link.discover()).find(({ service, uuid }) => service === SERVICE && uuid === CHARACTERISTIC);
      return found && decodePayload(await link.readLong(found.handle));
    } finally {
      limit.cancel();
      link.disconnect();
    }
  }
}
