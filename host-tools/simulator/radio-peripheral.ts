import type { LinkEnd } from "./gatt/air-link.ts";
import { BoardServerLink, type CentralsLink, type ServerRadio } from "./gatt/board-server-link.ts";
import type { RadioAdvertiser } from "./radio-advertising.ts";
import { BARE_EVENT } from "./radio-advertising.ts";
import { ERROR } from "./radio-core.ts";
import type { RadioEvents } from "./radio-events.ts";
import { RadioLink } from "./radio-link.ts";
import { isPlainObject } from "./script-values.ts";

/** The stack's form of an address: a type and six bytes. */
const ADDRESS_BYTES = 7;
/** Reasons of the HCI that `disconnect` brings. Bluetooth Core 5.4, Vol 1, Part F. */
const BY_BOARD = 22;
const SUPERVISION_TIMEOUT = 8;
/** Espruino asks for this as long as a link is busy. */
const FASTEST_CONNECTION_MS = 7.5;
const INTERVAL_UNIT_MS = 1.25;
/** Where Espruino reports what the stack answers to `NRF.disconnect`. */
const DISCONNECT_LINE = 732;

/** What the peripheral's side needs of the radio, beyond what its links do. */
export interface PeripheralRadio extends ServerRadio {
  readonly advertiser: RadioAdvertiser;
  readonly events: RadioEvents;
  /** The stack's number for a link that is about to be made. */
  freeHandle(): number;
  /** A restart that waits for the last link. */
  restartIfFree(): void;
}

/** The one link that a central has made to the board, and what advertising has to do with it. Source: Espruino after 2v29, BLE_GAP_EVT_CONNECTED and _DISCONNECTED. */
export class RadioPeripheral {
  link: CentralsLink | undefined;
  handle = 0;
  /** `NRF.setConnectionInterval` has chosen one. */
  fixedIntervalMs: number | undefined;
  connections = 0;
  private secondsBefore = 0;

  constructor(private readonly radio: PeripheralRadio) {}

  /** Seconds with a link, the one that is up included. */
  get seconds(): number {
    return this.secondsBefore + (this.link ? this.radio.host.clock.now - this.link.since : 0);
  }

  /** A host's ideal link. */
  connectIdeal(central: string): RadioLink {
    const { host, services } = this.radio;
    const link = new RadioLink(central, host.clock.now, services, {
      uart: (bytes) => this.radio.uartReceived(bytes),
      ended: (reason) => this.ended(reason),
    });
    this.attach(link);
    return link;
  }

  /** A central of the air has answered an advertisement. */
  accept(central: string): LinkEnd {
    const link = new BoardServerLink(this.radio, central);
    this.attach(link);
    return link;
  }

  /** Asks; the link ends with the next connection event. */
  disconnect(): void {
    const { link } = this;
    if (link?.hangUp) this.radio.check({ code: link.hangUp() ? 0 : ERROR.INVALID_STATE, line: DISCONNECT_LINE });
    else if (link) this.radio.host.clock.after(this.connectionMs / 1000, () => link === this.link && link.drop(BY_BOARD));
  }

  setConnectionInterval(interval: unknown): void {
    if (typeof interval === "number") this.fixedIntervalMs = interval;
    else if (isPlainObject(interval)) this.fixedIntervalMs = Number(interval.maxInterval);
    else if (interval === undefined || interval === "auto") this.fixedIntervalMs = undefined;
    else return;
    this.link?.fixInterval?.(this.fixedIntervalMs);
  }

  securityStatus(): object {
    const { host, advertiser } = this.radio;
    const status: Record<string, unknown> = { advertising: advertiser.running };
    if (!this.link) return host.makeObject({ ...status, connected: false });
    const connectionInterval = this.connectionMs / INTERVAL_UNIT_MS;
    const encrypted = this.link.encrypted ?? false;
    const secure = { connected: true, encrypted, mitm_protected: false, bonded: encrypted, connected_addr: this.link.central };
    return host.makeObject({ ...status, connectionInterval, ...secure });
  }

  ended(reason: number): void {
    if (!this.link) return;
    this.end();
    const { host, advertiser, events } = this.radio;
    host.call(() => events.emit("disconnect", [reason]), [], BARE_EVENT);
    if (!advertiser.sleeping) host.call(() => advertiser.restartQueued(), [], BARE_EVENT);
    this.radio.restartIfFree();
  }

  powerOff(): void {
    const { link } = this;
    this.end();
    if (link?.vanish) link.vanish();
    else link?.drop(SUPERVISION_TIMEOUT);
  }

  private attach(link: CentralsLink): void {
    const { host, advertiser, events, uartRuns } = this.radio;
    this.handle = this.radio.freeHandle();
    this.link = link;
    this.connections += 1;
    advertiser.silence();
    host.call(() => advertiser.stop(), [], BARE_EVENT);
    if (!advertiser.sleeping && advertiser.advertisesWhenConnected) host.call(() => advertiser.restartQueued(), [], BARE_EVENT);
    if (uartRuns) host.linkChanged?.(true);
    host.call(() => events.emit("connect", [link.central]), [], BARE_EVENT + ADDRESS_BYTES);
  }

  private end(): void {
    if (!this.link) return;
    this.secondsBefore += this.radio.host.clock.now - this.link.since;
    this.link = undefined;
    this.radio.services.linkLost();
    this.radio.host.linkChanged?.(false);
  }

  private get connectionMs(): number {
    return this.link?.intervalMs ?? this.fixedIntervalMs ?? FASTEST_CONNECTION_MS;
  }
}
