import type { Station } from "../air.ts";
import { ERROR, type RadioCore } from "../radio-core.ts";
import type { RadioServices } from "../radio-services.ts";
import type { AirLink, LinkEnd } from "./air-link.ts";
import { AttBearer } from "./att-bearer.ts";
import type { CharacteristicHandles } from "./gatt-table.ts";
import { IntervalKeeper } from "./interval-keeper.ts";

/** BLE_GATT_STATUS_ATTERR_APP_BEGIN + 2: with this Espruino answers whoever prepares a write (APP_FEATURE_NOT_SUPPORTED). */
const FEATURE_NOT_SUPPORTED = 0x82;
/** Notifications that wait in the stack; one more is lost. S140: BLE_GATTS_HVN_TX_QUEUE_SIZE_DEFAULT. S132 3.1: not in its headers, the number is our choice. */
const NOTIFICATIONS = { sdk12: 7, sdk15: 1 };

/** CONN_SUP_TIMEOUT, which Espruino's peripheral asks for along with an interval. */
const SUPERVISION_MS = 4000;

/** A central's link to a board, as the radio needs it: one of the air or, for a host, an ideal one (radio-link.ts). */
export interface CentralsLink {
  /** `aa:bb:cc:dd:ee:ff random` */
  readonly central: string;
  /** Unix seconds. */
  readonly since: number;
  readonly intervalMs?: number;
  readonly encrypted?: boolean;
  /** Bytes of the console. */
  deliver(bytes: Uint8Array): void;
  /** Ends it at once. */
  drop(reason: number): void;
  /** Asks for its end; false: it is ending already. */
  hangUp?(): boolean;
  /** The board has no supply any more. */
  vanish?(): void;
  /** The script has used it. */
  activity?(): void;
  fixInterval?(ms: number | undefined): void;
}

/** What the radio does for its end of a link. */
export interface ServerRadio extends RadioCore {
  readonly station: Station;
  readonly services: RadioServices;
  readonly pairable: boolean;
  readonly fixedIntervalMs: number | undefined;
  linkEnded(reason: number): void;
  uartReceived(bytes: Uint8Array): void;
  bonding(state: "request" | "start" | "success" | "fail"): void;
}

/** The board's end of a link that a central has made: its services over the Attribute Protocol. */
export class BoardServerLink implements LinkEnd, CentralsLink {
  readonly since: number;
  private link: AirLink | undefined;
  private readonly bearer: AttBearer;
  private readonly keeper: IntervalKeeper;

  constructor(
    private readonly radio: ServerRadio,
    readonly central: string,
  ) {
    const { clock, facts } = radio.host;
    const { services } = radio;
    this.since = clock.now;
    this.bearer = new AttBearer({
      clock,
      ownMtu: facts.gatt.mtu,
      server: {
        table: () => services.table,
        encrypted: () => this.encrypted,
        written: (handle, value) => this.written(handle, value),
        refusesLongWrites: FEATURE_NOT_SUPPORTED,
        read: (attribute) => services.valueNow(attribute),
      },
      send: (bytes, sent) => this.link?.send("peripheral", bytes, sent),
      notified: () => undefined,
      timedOut: () => this.link?.disconnect("peripheral"),
    });
    this.keeper = new IntervalKeeper(
      clock,
      { intervalMs: () => this.intervalMs ?? 0, ask: (ms) => this.link?.askInterval(ms, SUPERVISION_MS) },
      radio.fixedIntervalMs,
    );
    services.notifier = (handles, value, indicate) => this.notify(handles, value, indicate);
  }

  get station(): Station {
    return this.radio.station;
  }

  get address(): string {
    return this.radio.airAddress;
  }

  get intervalMs(): number | undefined {
    return this.link?.intervalMs;
  }

  get encrypted(): boolean {
    return this.link?.encrypted ?? false;
  }

  txPower(): number {
    return this.radio.txPower;
  }

  opened(link: AirLink): void {
    this.link = link;
  }

  received(pdu: Uint8Array): void {
    this.bearer.receive(pdu);
  }

  intervalChanged(): void {
    // The interpreter only remembers it, for getSecurityStatus.
  }

  acceptsInterval(): boolean {
    return false;
  }

  pairs(state: "start" | "success" | "fail"): boolean {
    if (!this.radio.pairable) return false;
    this.radio.bonding(state);
    return true;
  }

  ended(reason: number): void {
    this.keeper.stop();
    this.bearer.close();
    this.radio.linkEnded(reason);
  }

  /** Nobody listens: what was to be sent is thrown away. Source: nus_transmit_string. */
  deliver(bytes: Uint8Array): void {
    const { uart } = this.radio.services;
    this.activity();
    if (!uart || !this.bearer.server.wants(uart.send.configuration, "notify")) return;
    const room = this.bearer.mtu - 3;
    for (let at = 0; at < bytes.length; at += room) this.bearer.notify(uart.send.value, bytes.subarray(at, at + room));
  }

  drop(): void {
    this.link?.disconnect("peripheral");
  }

  hangUp(): boolean {
    return this.link?.disconnect("peripheral") ?? false;
  }

  vanish(): void {
    this.keeper.stop();
    this.bearer.close();
    this.link?.vanish("peripheral");
  }

  activity(): void {
    this.keeper.activity();
  }

  fixInterval(ms: number | undefined): void {
    this.keeper.fix(ms);
  }

  private written(handle: number, value: Uint8Array): void {
    this.activity();
    const { uart } = this.radio.services;
    if (uart && handle === uart.receive.value) this.radio.uartReceived(value);
    else this.radio.services.written(handle, value);
  }

  /** Not asked for: no error that Espruino would report. A queue that is full loses the value in silence. */
  private notify(handles: CharacteristicHandles, value: Uint8Array, indicate: boolean): number {
    const { server } = this.bearer;
    if (!this.link || !server.wants(handles.configuration, indicate ? "indicate" : "notify")) return 0;
    if (indicate) return this.bearer.indicate(handles.value, value) ? 0 : ERROR.BUSY;
    const room = this.radio.sdk15 ? NOTIFICATIONS.sdk15 : NOTIFICATIONS.sdk12;
    if (this.link.waiting("peripheral") < room) this.bearer.notify(handles.value, value);
    return 0;
  }
}
