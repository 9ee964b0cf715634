import type { CentralsLink } from "./gatt/board-server-link.ts";
import type { Characteristic, RadioServices } from "./radio-services.ts";

/** HCI: remote user terminated connection. */
const BY_CENTRAL = 19;

interface Ends {
  uart(bytes: Uint8Array): void;
  ended(reason: number): void;
}

/** A host's ideal link to a board, seen from the host: services to read and write, and the console's bytes both ways, at once and over any distance. */
export class RadioLink implements CentralsLink {
  connected = true;
  /** Bytes of the board's console. */
  onUart: ((bytes: Uint8Array) => void) | undefined;
  /** The board, or the way to it, has ended the link; HCI reason. */
  onDisconnect: ((reason: number) => void) | undefined;

  constructor(
    /** `aa:bb:cc:dd:ee:ff random` */
    readonly central: string,
    /** Unix seconds. */
    readonly since: number,
    private readonly table: RadioServices,
    private readonly ends: Ends,
  ) {}

  services(): { uuid: string; characteristics: Characteristic[] }[] {
    this.mustBeUp();
    return this.table.list();
  }

  /** Value of a characteristic; undefined if there is none to read. */
  read(uuid: string): Uint8Array | undefined {
    this.mustBeUp();
    return this.table.read(uuid);
  }

  /** False: the board refuses, by permission or length. */
  write(uuid: string, bytes: Uint8Array): boolean {
    this.mustBeUp();
    return this.table.write(uuid, bytes);
  }

  /** Notifications and indications; undefined ends them. */
  subscribe(uuid: string, subscriber: ((value: Uint8Array) => void) | undefined): boolean {
    this.mustBeUp();
    return this.table.subscribe(uuid, subscriber);
  }

  /** Types on the board's console. */
  uart(bytes: Uint8Array): void {
    this.mustBeUp();
    this.ends.uart(bytes);
  }

  disconnect(): void {
    this.drop(BY_CENTRAL);
  }

  /** The board's side: console output. */
  deliver(bytes: Uint8Array): void {
    this.onUart?.(bytes);
  }

  /** Ends the link for the reason given, once. */
  drop(reason: number): void {
    if (!this.connected) return;
    this.connected = false;
    this.ends.ended(reason);
    if (reason !== BY_CENTRAL) this.onDisconnect?.(reason);
  }

  private mustBeUp(): void {
    if (!this.connected) throw new Error(`link of ${this.central}: it has ended`);
  }
}
