import { CHARACTERISTIC, decodeAdvertisement, encodeAdvertisement, SERVICE } from "../../protocols/dp3t/advertisement.ts";
import { currentEphId, dayNumber, EPOCH_SECONDS, EPOCHS, ephIds, nextSecretKey, shuffledEpochs } from "../../protocols/dp3t/low-cost.ts";
import type { BlockCipher, Crypto } from "../../protocols/ports.ts";
import type { VirtualPhone } from "../simulator/phone.ts";
import { BroadcastPhone, type Heard } from "./broadcast-phone.ts";

const INTERVAL_MS = 250;
const SCAN_SECONDS = 20;
const SCAN_PERIOD = 60;
/** An identifier begins so many seconds after its epoch at most (DP-03). */
const OFFSET = 60;

/** What an iPhone shows in the background: Flags and the service, no identifier. */
const BACKGROUND = Uint8Array.of(2, 1, 0x1a, 3, 3, 0x68, 0xfd);

/** SK of a day, 32 bytes, and its number, days since 1970. */
export interface PhoneSecret {
  sk: Uint8Array;
  day: number;
}
export interface Dp3tSighting extends Heard {
  ephId: Uint8Array;
  /** dBm, where the packet tells it. */
  txPower: number | undefined;
}

/**
 * A phone with DP-3T's low-cost design, as others meet it: connectable, the EphID in its advertisement and in its characteristic, 20 s of listening in each minute. In the background, as iPhones
 * are, it advertises the service alone, and its EphID must be read. It doesn't connect, forget or match.
 */
export class Dp3tPhone {
  readonly sightings: Dp3tSighting[] = [];
  /** SK of the first day: all others follow from it. */
  readonly first: PhoneSecret;
  private readonly phone: BroadcastPhone;
  private today: PhoneSecret;
  private ids = new Uint8Array(0);
  private order = new Uint8Array(0);
  /** What it sends, and answers, now. */
  ephId = new Uint8Array(0);

  /** `aes256`: takes keys of 32 bytes. `background`: see above. */
  constructor(
    device: VirtualPhone,
    private readonly crypto: Crypto,
    private readonly aes256: BlockCipher,
    private readonly background = false,
  ) {
    device.serve({ [SERVICE]: { [CHARACTERISTIC]: { value: () => this.ephId } } });
    this.phone = new BroadcastPhone(device, crypto);
    this.first = { sk: crypto.randomBytes(32), day: dayNumber(this.phone.now) };
    this.today = this.first;
    this.useDay();
  }

  /** From now on, for ever. */
  start(): void {
    this.nextEpoch();
    this.scan();
  }

  private useDay(): void {
    this.ids = Uint8Array.from(ephIds(this.crypto, this.aes256, this.today.sk, EPOCHS));
    this.order = Uint8Array.from(shuffledEpochs(this.crypto));
  }

  private nextEpoch(): void {
    const { phone, crypto } = this;
    const unix = phone.now;
    while (this.today.day < dayNumber(unix)) {
      this.today = { sk: nextSecretKey(crypto, this.today.sk), day: this.today.day + 1 };
      this.useDay();
    }
    this.ephId = Uint8Array.from(currentEphId(this.ids, this.order, unix));
    const data = this.background ? BACKGROUND : encodeAdvertisement(this.ephId, phone.device.txPower);
    phone.broadcast(data, { intervalMs: INTERVAL_MS, connectable: true });
    const left = EPOCH_SECONDS - (unix % EPOCH_SECONDS);
    // at midnight at once: no identifier of a day may be sent on the next
    phone.after(dayNumber(unix + left) > this.today.day ? left : left + phone.random(OFFSET), () => this.nextEpoch());
  }

  private scan(): void {
    this.phone.listen(SCAN_SECONDS, (data, how) => {
      const decoded = decodeAdvertisement(data);
      if (decoded) this.sightings.push({ ...decoded, ...how });
    });
    this.phone.after(SCAN_PERIOD, () => this.scan());
  }
}
