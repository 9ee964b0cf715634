import type { Station } from "../air.ts";
import type { RadioCore } from "../radio-core.ts";
import type { RadioServices } from "../radio-services.ts";
import type { AirLink, LinkEnd } from "./air-link.ts";
import { AttBearer } from "./att-bearer.ts";

/** What the radio does for its end of a link that it has made. */
export interface ClientRadio extends RadioCore {
  readonly station: Station;
  readonly services: RadioServices;
  readonly pairable: boolean;
}

interface ClientEvents {
  opened(link: BoardClientLink): void;
  ended(link: BoardClientLink, reason: number): void;
  notified(link: BoardClientLink, handle: number, value: Uint8Array): void;
  bonding(state: "start" | "success" | "fail"): void;
}

/** The board's end of a link that it has made itself. It asks, and like every device it also answers: its peer may read the board's services over the same link. */
export class BoardClientLink implements LinkEnd {
  link: AirLink | undefined;
  /** The stack's number of the connection. */
  handle = -1;
  /** The script's BluetoothRemoteGATTServer. */
  server: Record<string, unknown> | undefined;
  readonly bearer: AttBearer;

  constructor(
    private readonly radio: ClientRadio,
    private readonly events: ClientEvents,
  ) {
    const { clock, facts } = radio.host;
    this.bearer = new AttBearer({
      clock,
      ownMtu: facts.gatt.mtu,
      server: {
        table: () => radio.services.table,
        encrypted: () => this.link?.encrypted ?? false,
        written: (handle, value) => radio.services.written(handle, value),
        // Espruino answers every prepared write so (APP_FEATURE_NOT_SUPPORTED).
        refusesLongWrites: 0x82,
        read: (attribute) => radio.services.valueNow(attribute),
      },
      send: (bytes, sent) => this.link?.send("central", bytes, sent),
      notified: (handle, value) => events.notified(this, handle, value),
      timedOut: () => this.link?.disconnect("central"),
    });
  }

  get station(): Station {
    return this.radio.station;
  }

  get address(): string {
    return this.radio.airAddress;
  }

  txPower(): number {
    return this.radio.txPower;
  }

  opened(link: AirLink): void {
    this.link = link;
    this.events.opened(this);
  }

  received(pdu: Uint8Array): void {
    this.bearer.receive(pdu);
  }

  intervalChanged(): void {
    // Espruino remembers the interval of its peripheral link only.
  }

  /** Espruino agrees with what a peripheral asks for. Source: BLE_GAP_EVT_CONN_PARAM_UPDATE_REQUEST. */
  acceptsInterval(): boolean {
    return true;
  }

  pairs(state: "start" | "success" | "fail"): boolean {
    if (!this.radio.pairable) return false;
    this.events.bonding(state);
    return true;
  }

  ended(reason: number): void {
    this.bearer.close();
    this.events.ended(this, reason);
  }

  vanish(): void {
    this.bearer.close();
    this.link?.vanish("central");
  }
}
