import { Air, type AirTime, type Station } from "./air.ts";
import { BARE_EVENT, RadioAdvertiser } from "./radio-advertising.ts";
import { ERROR, errorText, type RadioCore, type RadioFaults, type StackResult } from "./radio-core.ts";
import { FrontEnd } from "./radio-front-end.ts";
import type { Callback, RadioHost } from "./radio-host.ts";
import { RadioLink } from "./radio-link.ts";
import { ArgumentError } from "./radio-packets.ts";
import { type Memory, RadioPrivacy } from "./radio-privacy.ts";
import { RadioScanner } from "./radio-scanning.ts";
import { RadioServices } from "./radio-services.ts";
import { isPlainObject, toInteger, typeName } from "./script-values.ts";
import type { VirtualClock } from "./virtual-clock.ts";

export type { RadioHost } from "./radio-host.ts";

/** What a radio has done, for the energy account and for tests. */
export interface RadioActivity extends AirTime {
  /** Reports that came from the air. */
  heard: number;
  /** Seconds with a link. */
  connectedSeconds: number;
  connections: number;
  stackRestarts: number;
}

/** The names that boards advertise: BLUETOOTH_NAME_PREFIX of Espruino's board files; others are `Espruino` and the board, without digits of the address. */
const NAME_PREFIXES: Record<string, string> = {
  PUCKJS: "Puck.js",
  PIXLJS: "Pixl.js",
  MDBT42Q: "MDBT42Q",
  JOLTJS: "Jolt.js",
  BANGLEJS2: "Bangle.js",
  RUUVITAG: "RuuviTag",
  THINGY52: "Thingy",
  XIAOBLE: "XIAOBLE",
};

/** A restart of the stack takes 30 ms, give or take 10; nobody has published a measurement. */
const RESTART_MS = 30;
const RESTART_JITTER_MS = 10;
/** The stack's form of an address: a type and six bytes. */
const ADDRESS_BYTES = 7;
/** Reasons of the HCI that `disconnect` brings. Bluetooth Core 5.4, Vol 1, Part F. */
const BY_BOARD = 22;
const SUPERVISION_TIMEOUT = 8;
/** Espruino asks for this as long as a link is busy. */
const FASTEST_CONNECTION_MS = 7.5;
const ADDRESS = /^([\da-f]{2}):([\da-f]{2}):([\da-f]{2}):([\da-f]{2}):([\da-f]{2}):([\da-f]{2})/i;

/**
 * The radio of a virtual board: the `NRF` object of its script and the SoftDevice below it. Powered from the moment it is made: it advertises its name at once,
 * before any script, as a board does. Source throughout: Espruino after 2v29 (commit c5ff787b1), libs/bluetooth and targets/nrf5x/bluetooth.c.
 */
export class Radio implements RadioCore {
  /** The members of `NRF`. */
  readonly nrf: Record<string, unknown>;
  readonly frontEnd: FrontEnd;
  readonly sdk15: boolean;
  readonly faults: RadioFaults = { scan: 0, advertise: 0, deaf: false };
  txPower = 0;
  uartRuns = true;
  private readonly named: boolean;
  private readonly advertiser: RadioAdvertiser;
  private readonly scanner: RadioScanner;
  private readonly services: RadioServices;
  private readonly privacy: RadioPrivacy;
  private readonly listeners = new Map<string, Callback[]>();
  private link: RadioLink | undefined;
  private storedAddress: string | undefined;
  private stackAddress: string;
  private needsRestart = false;
  private servicesWereSet = false;
  private serviceData: unknown;
  private wantsUart = true;
  private powered = true;
  private connectionMs = FASTEST_CONNECTION_MS;
  private readonly spent = { connectedSeconds: 0, connections: 0, stackRestarts: 0 };

  constructor(readonly host: RadioHost) {
    const { facts } = host;
    const air = host.air ?? new Air({ clock: host.clock, seed: 0 });
    this.frontEnd = new FrontEnd(host.clock, air.station(host.factoryAddress), () => host.processorTime?.() ?? host.clock.now);
    this.sdk15 = Number.parseInt(facts.softDevice.version, 10) >= 5;
    // One decibel is what the data sheets of the two chips differ by.
    if (/nrf52840/i.test(facts.chip.part)) this.frontEnd.station.sensitivityDbm = air.model.sensitivityDbm + 1;
    this.named = !facts.espruinoNames.includes("PIXLJS");
    this.advertiser = new RadioAdvertiser(this);
    this.scanner = new RadioScanner(this);
    this.services = new RadioServices(this);
    this.privacy = new RadioPrivacy(this);
    this.stackAddress = this.chipAddress;
    this.nrf = this.members();
    this.advertiser.start();
  }

  /** Where the air knows this radio. */
  get station(): Station {
    return this.frontEnd.station;
  }

  get activity(): RadioActivity {
    const { connectedSeconds, connections, stackRestarts } = this.spent;
    const open = this.link ? this.host.clock.now - this.link.since : 0;
    return { ...this.frontEnd.airTime, heard: this.scanner.heard, connectedSeconds: connectedSeconds + open, connections, stackRestarts };
  }

  get airAddress(): string {
    return this.privacy.address ?? this.stackAddress;
  }

  get identity(): string {
    return this.stackAddress;
  }

  /** Is the receiver on? */
  get receiving(): boolean {
    return this.scanner.scanning;
  }

  get clock(): VirtualClock {
    return this.host.clock;
  }

  get advertises(): boolean {
    return this.frontEnd.advertising !== undefined;
  }

  get rolesRunning(): boolean {
    return this.advertises || this.scanner.scanning || this.linked;
  }

  random(): number {
    return this.host.random();
  }

  addressChanged(address: string): void {
    this.frontEnd.amend({ address });
  }

  supervisorCall(number: number, args: number[], memory: Memory): number | undefined {
    return this.privacy.call(number, args, memory);
  }

  get linked(): boolean {
    return this.link !== undefined;
  }

  /** Does a central that wants a link find one to make? */
  get connectable(): boolean {
    return this.powered && !this.linked && this.station.emission?.advertising.connectable === true;
  }

  /** What a central reads as the device's name. */
  get deviceName(): string {
    return this.advertiser.gapName ?? String.fromCharCode(...this.defaultName());
  }

  /** The supply is gone. Make another Radio when it comes back. */
  powerOff(): void {
    this.powered = false;
    const link = this.link;
    this.endLink();
    link?.drop(SUPERVISION_TIMEOUT);
    this.advertiser.silence();
    this.scanner.forget();
    this.privacy.off();
    this.frontEnd.off();
    this.listeners.clear();
  }

  /**
   * The script's `reset()` or `load()`: its functions, data, services' handlers and the address it asked for are forgotten, the interval is the default. The stack
   * is not restarted: it keeps the address on the air, a link, `sleep`, and the flags connectable, scannable and whenConnected.
   */
  reset(): void {
    this.listeners.clear();
    this.scanner.forget();
    this.storedAddress = undefined;
    this.serviceData = undefined;
    this.wantsUart = true;
    this.services.forgetFunctions();
    try {
      this.advertiser.forget();
    } catch (error) {
      // Flags that survive may not go with the default packet; nobody is there yet to catch it.
      this.host.print(`Uncaught ${String(error)}\n`);
    }
  }

  /**
   * A central connects, as a hub does for the console.
   * @throws if the board takes no connection now.
   */
  connect(central = "c0:ff:ee:00:00:01 random"): RadioLink {
    if (!this.connectable) throw new Error(`radio ${this.host.factoryAddress}: takes no connection now`);
    this.link = new RadioLink(central, this.host.clock.now, this.services, {
      uart: (bytes) => this.uartRuns && this.host.uartReceived?.(bytes),
      ended: (reason) => this.linkEnded(reason),
    });
    this.spent.connections += 1;
    this.advertiser.silence();
    this.host.call(() => this.advertiser.stop(), [], BARE_EVENT);
    if (!this.advertiser.sleeping && this.advertiser.advertisesWhenConnected) this.host.call(() => this.advertiser.restartQueued(), [], BARE_EVENT);
    if (this.uartRuns) this.host.linkChanged?.(true);
    this.host.call(() => this.emit("connect", [central]), [], BARE_EVENT + ADDRESS_BYTES);
    return this.link;
  }

  /** Bytes of the console for the central; false if there is none to take them. */
  uartSend(bytes: Uint8Array): boolean {
    if (!this.link || !this.uartRuns) return false;
    this.link.deliver(bytes);
    return true;
  }

  defaultName(): Uint8Array {
    const { facts } = this.host;
    const board = facts.espruinoNames[0] ?? facts.id.toUpperCase();
    const prefix = NAME_PREFIXES[board] ?? (board.startsWith("PUCKJS") ? "Puck.js" : undefined);
    const name = prefix === undefined ? `Espruino ${board}` : `${prefix} ${this.address(true).slice(12).replace(":", "")}`;
    return Uint8Array.from(name, (letter) => letter.charCodeAt(0));
  }

  emit(event: string, args: unknown[]): void {
    // Without a listener nothing is queued.
    if (this.listeners.has(event)) this.host.call(() => this.fire(event, args), [], 0);
  }

  check(result: StackResult): void {
    if (result.code === 0) return;
    const text = errorText(result.code, this.named);
    this.emit("error", [text]);
    this.host.throwError(`${text} (:${result.line})`);
  }

  private get chipAddress(): string {
    return `${forceStatic(this.host.factoryAddress)} random`;
  }

  private address(current: boolean): string {
    return forceStatic((current ? this.storedAddress : undefined) ?? this.host.factoryAddress);
  }

  private fire(event: string, args: unknown[]): void {
    for (const listener of [...(this.listeners.get(event) ?? [])]) (listener as (...args: unknown[]) => unknown)(...args);
  }

  private wake(): void {
    this.advertiser.sleeping = false;
    const result = this.advertiser.start();
    this.check(result.code !== 0 && result.line === 0 ? { ...result, line: 773 } : result);
  }

  private sleep(): void {
    this.advertiser.sleeping = true;
    this.advertiser.stop();
    this.disconnect();
  }

  /** Asks; the link ends with the next connection event. */
  private disconnect(): void {
    const link = this.link;
    if (link) this.host.clock.after(this.connectionMs / 1000, () => link === this.link && link.drop(BY_BOARD));
  }

  private setAddress(address: unknown): void {
    if (typeof address !== "string" || !isAddress(address)) throw new ArgumentError("Expecting mac address of the form aa:bb:cc:dd:ee:ff");
    this.storedAddress = address;
    this.restart(undefined);
  }

  private restart(callback: unknown): void {
    if (this.link) {
      this.host.print("BLE Connected, queueing BLE restart for later\n");
      this.needsRestart = true;
    } else this.restartStack(typeof callback === "function" ? (callback as Callback) : undefined);
  }

  private restartStack(callback: Callback | undefined): void {
    const wasSleeping = this.advertiser.sleeping;
    this.needsRestart = false;
    this.servicesWereSet = false;
    this.spent.stackRestarts += 1;
    this.faults.deaf = false;
    this.sleep();
    const ms = RESTART_MS + (2 * this.host.random() - 1) * RESTART_JITTER_MS;
    this.frontEnd.goDown(ms / 1000);
    this.host.onStackRestart(ms);
    this.privacy.off();
    this.services.clear();
    try {
      (callback as (() => unknown) | undefined)?.();
    } finally {
      this.takeAddress();
      this.advertiser.gapName = undefined;
      this.uartRuns = this.wantsUart;
      // SDK 12 hands the power to the stack and forgets it; SDK 15 sets it at each start.
      if (!this.sdk15) this.txPower = 0;
      this.scanner.restore();
      this.advertiser.restore();
      this.addServices();
      if (!wasSleeping) this.wake();
    }
  }

  /** Public and static random addresses are accepted. After a refusal the stack has the chip's. */
  private takeAddress(): void {
    this.stackAddress = this.chipAddress;
    if (this.storedAddress === undefined) return;
    const accepted = acceptedAddress(this.storedAddress);
    if (accepted) this.stackAddress = accepted;
    else this.host.print(`pm_id_addr_set failed: 0x${ERROR.INVALID_BLE_ADDR.toString(16)}\n`);
  }

  private setTxPower(value: unknown): void {
    const power = (toInteger(value) << 24) >> 24;
    if (!this.host.facts.txPowers.includes(power)) this.check({ code: ERROR.INVALID_PARAM, line: 3440 });
    this.txPower = power;
    this.frontEnd.amend({ txPower: power });
  }

  private setServices(data: unknown, options: unknown): void {
    if (data !== undefined && !isPlainObject(data)) throw new ArgumentError(`Expecting Object or undefined, got ${typeName(data)}`, "TypeError");
    const given: Record<string, unknown> = isPlainObject(options) ? options : {};
    this.wantsUart = given.uart === undefined || Boolean(given.uart);
    if (this.wantsUart !== this.uartRuns) this.needsRestart = true;
    this.serviceData = data;
    if (given.advertise) this.needsRestart = true;
    this.advertiser.advertiseServices(given.advertise);
    if (this.servicesWereSet || this.needsRestart) this.restart(undefined);
    else this.addServices();
  }

  private addServices(): void {
    this.services.add(this.serviceData);
    if (!this.services.empty) this.servicesWereSet = true;
  }

  private updateServices(data: unknown): void {
    if (this.needsRestart) throw new ArgumentError("Can't update services until BLE restart");
    this.services.update(data);
  }

  private securityStatus(): object {
    const status: Record<string, unknown> = { advertising: this.advertiser.running };
    if (!this.link) return this.host.makeObject({ ...status, connected: false });
    const connectionInterval = this.connectionMs / 1.25;
    const secure = { connected: true, encrypted: false, mitm_protected: false, bonded: false, connected_addr: this.link.central };
    return this.host.makeObject({ ...status, connectionInterval, ...secure });
  }

  private setConnectionInterval(interval: unknown): void {
    if (typeof interval === "number") this.connectionMs = interval;
    else if (isPlainObject(interval)) this.connectionMs = Number(interval.maxInterval);
    else if (interval === undefined || interval === "auto") this.connectionMs = FASTEST_CONNECTION_MS;
  }

  private linkEnded(reason: number): void {
    if (!this.link) return;
    this.endLink();
    const { host, advertiser } = this;
    host.call(() => this.emit("disconnect", [reason]), [], BARE_EVENT);
    if (!advertiser.sleeping) host.call(() => advertiser.restartQueued(), [], BARE_EVENT);
    if (this.needsRestart) host.call(() => this.restartStack(undefined), [], BARE_EVENT);
  }

  private endLink(): void {
    if (!this.link) return;
    this.spent.connectedSeconds += this.host.clock.now - this.link.since;
    this.link = undefined;
    this.services.linkLost();
    this.host.linkChanged?.(false);
  }

  private members(): Record<string, unknown> {
    const { advertiser, scanner, host } = this;
    const members: Record<string, Callback> = {
      setAdvertising: (data: unknown, options: unknown) => advertiser.set(data, options),
      getAdvertisingData: (data: unknown, options: unknown) => host.makeArrayBuffer(advertiser.packet(data, options, false)),
      setScanResponse: (data: unknown) => advertiser.setScanResponse(data),
      getAdvertisingName: () => String.fromCharCode(...this.defaultName()),
      setScan: (callback: unknown, options: unknown) => scanner.set(callback, options),
      findDevices: (callback: unknown, options: unknown) => scanner.find(callback, options),
      getAddress: (current: unknown) => this.address(Boolean(current)),
      setAddress: (address: unknown) => this.setAddress(address),
      setTxPower: (power: unknown) => this.setTxPower(power),
      sleep: () => this.sleep(),
      wake: () => this.wake(),
      restart: (callback: unknown) => this.restart(callback),
      disconnect: () => this.disconnect(),
      getBattery: () => host.batteryVolts(),
      getSecurityStatus: () => this.securityStatus(),
      setServices: (data: unknown, options: unknown) => this.setServices(data, options),
      updateServices: (data: unknown) => this.updateServices(data),
      setConnectionInterval: (interval: unknown) => this.setConnectionInterval(interval),
      setRSSIHandler: () => undefined,
      setSecurity: () => undefined,
      setWhitelist: () => undefined,
      eraseBonds: () => {
        if (this.link) throw new ArgumentError("BLE Connected, can't erase bonds.");
      },
      on: (event: unknown, listener: unknown) => {
        if (typeof listener !== "function") throw new ArgumentError("Function or String not supplied!");
        this.listeners.set(String(event), [...(this.listeners.get(String(event)) ?? []), listener as Callback]);
      },
      emit: (event: unknown, ...args: unknown[]) => this.emit(String(event), args),
      removeListener: (event: unknown, listener: unknown) => {
        const left = (this.listeners.get(String(event)) ?? []).filter((one) => one !== listener);
        if (left.length > 0) this.listeners.set(String(event), left);
        else this.listeners.delete(String(event));
      },
      removeAllListeners: (event: unknown) => {
        if (event === undefined) this.listeners.clear();
        else this.listeners.delete(String(event));
      },
    };
    for (const [name, member] of Object.entries(members)) members[name] = this.guard(member as (...args: unknown[]) => unknown);
    return members;
  }

  /** What a call refuses becomes an exception of the script. */
  private guard(member: (...args: unknown[]) => unknown): Callback {
    return (...args: unknown[]) => {
      try {
        return member(...args);
      } catch (error) {
        if (error instanceof ArgumentError) this.host.throwError(error.message, error.type);
        throw error;
      }
    };
  }
}

/** The first byte's upper bits say that a random address is static; the interpreter prints every address that way. */
function forceStatic(address: string): string {
  const bytes = ADDRESS.exec(address)!
    .slice(1)
    .map((byte) => Number.parseInt(byte, 16));
  bytes[0]! |= 0xc0;
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

function isAddress(text: string): boolean {
  return ADDRESS.test(text) && (text.length === 17 || /^ (public|random|private-resolvable|private-nonresolvable)/.test(text.slice(17)));
}

/** The address as a scanner will see it, or undefined where the stack refuses: private addresses, and random ones that are not static. */
function acceptedAddress(text: string): string | undefined {
  const digits = text.slice(0, 17).toLowerCase();
  const type = text.slice(18);
  if (type === "" || type.startsWith("public")) return `${digits} public`;
  if (!type.startsWith("random")) return undefined;
  const bits = digits.replace(/:/g, "");
  const random = BigInt(`0x${bits}`) & 0x3fffffffffffn;
  const isStatic = Number.parseInt(bits.slice(0, 2), 16) >= 0xc0 && random !== 0n && random !== 0x3fffffffffffn;
  return isStatic ? `${digits} random` : undefined;
}
