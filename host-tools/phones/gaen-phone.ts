import { decodeAdvertisement, encodeAdvertisement, FLAGS } from "../../protocols/gaen/advertisement.ts";
import {
  intervalNumber,
  metadataKey,
  rollingProximityIdentifier,
  rollingProximityIdentifierKey,
  rollingStart,
} from "../../protocols/gaen/key-schedule.ts";
import { encodeMetadata, encryptMetadata } from "../../protocols/gaen/metadata.ts";
import type { Crypto } from "../../protocols/ports.ts";
import type { VirtualPhone } from "../simulator/phone.ts";
import { BroadcastPhone, type Heard } from "./broadcast-phone.ts";

const DAY = 86400;
/** Rotation falls between 601 and 1199 s after the last one (GAEN-05). */
const SHORTEST = 601;
const SPREAD = 599;
const INTERVAL_MS = 250;
const SCAN_SECONDS = 4;
/** Seconds from one scan to the next: the least, and by how many they may be more. */
const PAUSE = 210;
const PAUSE_SPREAD = 91;

/** A key, 16 bytes, and the interval with which its day begins. */
export interface PhoneKey {
  tek: Uint8Array;
  rollingStart: number;
}
export interface GaenSighting extends Heard {
  rpi: Uint8Array;
  aem: Uint8Array;
}

/** A phone with Exposure Notification v1.2, as others meet it: it sends an identifier of today's key, and hears theirs in scans of 4 s every 210 to 300 s. It doesn't forget and doesn't match. */
export class GaenPhone {
  /** One a day. */
  readonly keys: PhoneKey[] = [];
  readonly sightings: GaenSighting[] = [];
  private readonly phone: BroadcastPhone;

  constructor(device: VirtualPhone, crypto: Crypto) {
    this.phone = new BroadcastPhone(device, crypto);
  }

  /** From now on, for ever. */
  start(): void {
    this.rotate();
    this.scan();
  }

  private rotate(): void {
    const { phone } = this;
    const { crypto } = phone;
    const unix = Math.floor(phone.now);
    const interval = intervalNumber(unix);
    const day = rollingStart(interval);
    if (this.keys.at(-1)?.rollingStart !== day) this.keys.push({ tek: crypto.randomBytes(16), rollingStart: day });
    const { tek } = this.keys.at(-1)!;
    const rpi = rollingProximityIdentifier(crypto, rollingProximityIdentifierKey(crypto, tek), interval);
    const metadata = encodeMetadata(phone.device.txPower);
    const data = encodeAdvertisement(rpi, encryptMetadata(crypto, metadataKey(crypto, tek), rpi, metadata), FLAGS);
    phone.broadcast(data, { intervalMs: INTERVAL_MS, connectable: false });
    // past the end of the interval, so that it isn't sent again from another address, and not past the end of the day (GAEN-06)
    phone.after(Math.min(SHORTEST + phone.random(SPREAD), DAY - (unix % DAY)), () => this.rotate());
  }

  private scan(): void {
    this.phone.listen(SCAN_SECONDS, (data, how) => {
      const decoded = decodeAdvertisement(data);
      if (decoded) this.sightings.push({ rpi: decoded.rpi, aem: decoded.aem, ...how });
    });
    this.phone.after(PAUSE + this.phone.random(PAUSE_SPREAD), () => this.scan());
  }
}
