import { Air, type AirTime, type Station } from "./air.ts";
import type { CentralRadio } from "./gatt/client-context.ts";
import type { ScriptWorld } from "./gatt/gatt-objects.ts";
import { acceptedAddress, forceStatic, isAddress } from "./radio-address.ts";
import { BARE_EVENT, RadioAdvertiser } from "./radio-advertising.ts";
import { RadioCentral } from "./radio-central.ts";
import { ERROR, errorText, type RadioCore, type RadioFaults, type StackResult } from "./radio-core.ts";
import { RadioEvents } from "./radio-events.ts";
import { FrontEnd } from "./radio-front-end.ts";
import type { Callback, RadioHost } from "./radio-host.ts";
import type { RadioLink } from "./radio-link.ts";
import { ArgumentError } from "./radio-packets.ts";
import { type PeripheralRadio, RadioPeripheral } from "./radio-peripheral.ts";
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
  /** Seconds with a link that a central has made. */
  connectedSeconds: number;
  connections: number;
  /** Seconds of links that the board has made itself, each counted. */
  centralSeconds: number;
  centralConnections: number;
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
/** What `NRF.setServices` knows; boards with Apple's services know more. */
const SERVICE_OPTIONS = ["hid", "uart", "advertise", "ancs", "ams", "cts"];

/**
 * The radio of a virtual board: the `NRF` object of its script and the SoftDevice below it. Powered from the moment it is made: it advertises its name at once,
 * before any script, as a board does. Source throughout: Espruino after 2v29 (commit c5ff787b1), libs/bluetooth and targets/nrf5x/bluetooth.c.
 */
export class Radio implements RadioCore, PeripheralRadio, CentralRadio {
  /** The members of `NRF`. */
  readonly nrf: Record<string, unknown>;
  readonly frontEnd: FrontEnd;
  readonly sdk15: boolean;
  readonly faults: RadioFaults = { scan: 0, advertise: 0, deaf: false };
  txPower = 0;
  uartRuns = true;
  private readonly named: boolean;
  readonly advertiser: RadioAdvertiser;
  readonly scanner: RadioScanner;
  readonly services: RadioServices;
  private readonly central: RadioCentral;
  private readonly privacy: RadioPrivacy;
  readonly events: RadioEvents;
  private readonly peripheral: RadioPeripheral;
  private storedAddress: string | undefined;
  private stackAddress: string;
  private needsRestart = false;
  private servicesWereSet = false;
  private serviceData: unknown;
  private wantsUart = true;
  private powered = true;
  pairable = true;
  private stackRestarts = 0;

  constructor(readonly host: RadioHost) {
    const { facts } = host;
    const air = host.air ?? new Air({ clock: host.clock, seed: 0 });
    this.frontEnd = new FrontEnd(host.clock, air.station(host.factoryAddress), () => host.processorTime?.() ?? host.clock.now);
    this.sdk15 = Number.parseInt(facts.softDevice.version, 10) >= 5;
    // One decibel is what the data sheets of the two chips differ by.
    if (/nrf52840/i.test(facts.chip.part)) this.frontEnd.station.sensitivityDbm = air.model.sensitivityDbm + 1;
    this.named = !facts.espruinoNames.includes("PIXLJS");
    this.events = new RadioEvents(host);
    this.advertiser = new RadioAdvertiser(this);
    this.scanner = new RadioScanner(this);
    this.services = new RadioServices(this);
    this.privacy = new RadioPrivacy(this);
    this.peripheral = new RadioPeripheral(this);
    this.central = new RadioCentral(this);
    this.station.acceptor = (central) => (this.connectable ? this.peripheral.accept(central) : undefined);
    this.stackAddress = this.chipAddress;
    this.nrf = this.members();
    this.advertiser.start();
  }

  /** Where the air knows this radio. */
  get station(): Station {
    return this.frontEnd.station;
  }

  get activity(): RadioActivity {
    const { peripheral, central } = this;
    const links = {
      connectedSeconds: peripheral.seconds,
      connections: peripheral.connections,
      centralSeconds: central.seconds,
      centralConnections: central.made,
    };
    return { ...this.frontEnd.airTime, heard: this.scanner.heard, ...links, stackRestarts: this.stackRestarts };
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
    return this.advertises || this.scanner.scanning || this.anyLink || this.connecting;
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
    return this.peripheral.link !== undefined;
  }

  private get anyLink(): boolean {
    return this.linked || this.central.linked;
  }

  get connecting(): boolean {
    return this.central.connecting;
  }

  /** Does Espruino believe that it advertises? */
  get advertisesNow(): boolean {
    return this.advertiser.running;
  }

  /** The stack counts its connections from 0. */
  get peripheralHandle(): number | undefined {
    return this.linked ? this.peripheral.handle : undefined;
  }

  /** The script's classes for connections. */
  install(world: ScriptWorld): void {
    this.central.install(world);
  }

  makeDevice(plain: Record<string, unknown>): object {
    return this.central.makeDevice(plain);
  }

  errorText(code: number): string {
    return errorText(code, this.named);
  }

  timeoutMistaken(source: number): boolean {
    return this.central.timeoutMistaken(source);
  }

  uartReceived(bytes: Uint8Array): void {
    if (this.uartRuns) this.host.uartReceived?.(bytes);
  }

  /** Source: BLEP_BONDING_STATUS. */
  bonding(state: "request" | "start" | "success" | "fail"): void {
    this.host.call(() => this.emit("bond", [state]), [], BARE_EVENT);
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
    this.peripheral.powerOff();
    this.station.acceptor = undefined;
    this.central.powerOff();
    this.advertiser.silence();
    this.scanner.forget();
    this.privacy.off();
    this.frontEnd.off();
    this.events.clear();
  }

  /**
   * The script's `reset()` or `load()`: its functions, data, services' handlers and the address it asked for are forgotten, the interval is the default. The stack
   * is not restarted: it keeps the address on the air, a link, `sleep`, and the flags connectable, scannable and whenConnected.
   */
  reset(): void {
    this.events.clear();
    this.scanner.forget();
    this.central.reset();
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
   * A host connects for the console: at once, over any distance, without radio time.
   * @throws if the board takes no connection now.
   */
  connect(central = "c0:ff:ee:00:00:01 random"): RadioLink {
    if (!this.connectable) throw new Error(`radio ${this.host.factoryAddress}: takes no connection now`);
    return this.peripheral.connectIdeal(central);
  }

  linkEnded(reason: number): void {
    this.peripheral.ended(reason);
  }

  freeHandle(): number {
    return this.central.freeHandle();
  }

  get fixedIntervalMs(): number | undefined {
    return this.peripheral.fixedIntervalMs;
  }

  /** Bytes of the console for the central; false if there is none to take them. */
  uartSend(bytes: Uint8Array): boolean {
    const { link } = this.peripheral;
    if (!link || !this.uartRuns) return false;
    link.deliver(bytes);
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
    this.events.emit(event, args);
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

  private wake(): void {
    this.advertiser.sleeping = false;
    const result = this.advertiser.start();
    this.check(result.code !== 0 && result.line === 0 ? { ...result, line: 773 } : result);
  }

  private sleep(): void {
    this.advertiser.sleeping = true;
    this.advertiser.stop();
    this.peripheral.disconnect();
  }

  private setAddress(address: unknown): void {
    if (typeof address !== "string" || !isAddress(address)) throw new ArgumentError("Expecting mac address of the form aa:bb:cc:dd:ee:ff");
    this.storedAddress = address;
    this.restart(undefined);
  }

  private restart(callback: unknown): void {
    if (this.anyLink) {
      this.host.print("BLE Connected, queueing BLE restart for later\n");
      this.needsRestart = true;
    } else this.restartStack(typeof callback === "function" ? (callback as Callback) : undefined);
  }

  private restartStack(callback: Callback | undefined): void {
    const wasSleeping = this.advertiser.sleeping;
    this.needsRestart = false;
    this.servicesWereSet = false;
    this.stackRestarts += 1;
    this.faults.deaf = false;
    this.sleep();
    const ms = RESTART_MS + (2 * this.host.random() - 1) * RESTART_JITTER_MS;
    this.frontEnd.goDown(ms / 1000);
    this.host.onStackRestart(ms);
    this.privacy.off();
    this.central.stackDown();
    this.services.clear();
    try {
      (callback as (() => unknown) | undefined)?.();
    } finally {
      this.takeAddress();
      this.advertiser.gapName = undefined;
      this.uartRuns = this.wantsUart;
      this.services.begin(this.uartRuns);
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
    if (options !== undefined && !isPlainObject(options)) throw new ArgumentError(`Expecting Object or undefined, got ${typeName(options)}`);
    const given: Record<string, unknown> = options ?? {};
    for (const key of Object.keys(given)) if (!SERVICE_OPTIONS.includes(key)) throw new ArgumentError(`Unknown option ${JSON.stringify(key)}`);
    this.wantsUart = given.uart === undefined || Boolean(given.uart);
    if (this.wantsUart !== this.uartRuns) this.needsRestart = true;
    this.serviceData = data;
    if (given.advertise) this.needsRestart = true;
    this.advertiser.advertiseServices(given.advertise);
    if (this.servicesWereSet || this.needsRestart) this.restart(undefined);
    else this.addServices();
  }

  private addServices(): void {
    try {
      this.services.add(this.serviceData);
    } finally {
      if (!this.services.empty) this.servicesWereSet = true;
    }
  }

  private updateServices(data: unknown): void {
    if (this.needsRestart) throw new ArgumentError("Can't update services until BLE restart");
    this.peripheral.link?.activity?.();
    this.services.update(data);
  }

  centralLinkEnded(): void {
    this.restartIfFree();
  }

  /** A restart that waited for the last link. */
  restartIfFree(): void {
    if (this.needsRestart && !this.anyLink) this.host.call(() => this.restartStack(undefined), [], BARE_EVENT);
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
      disconnect: () => this.peripheral.disconnect(),
      getBattery: () => host.batteryVolts(),
      getSecurityStatus: () => this.peripheral.securityStatus(),
      setServices: (data: unknown, options: unknown) => this.setServices(data, options),
      updateServices: (data: unknown) => this.updateServices(data),
      setConnectionInterval: (interval: unknown) => this.peripheral.setConnectionInterval(interval),
      setRSSIHandler: () => undefined,
      setSecurity: (options: unknown) => {
        this.pairable = !isPlainObject(options) || options.pair === undefined || Boolean(options.pair);
      },
      connect: (address: unknown, options: unknown) => this.central.connectTo(address, options),
      requestDevice: (options: unknown) => this.central.requestDevice(options),
      setWhitelist: () => undefined,
      eraseBonds: () => {
        if (this.anyLink) throw new ArgumentError("BLE Connected, can't erase bonds.");
      },
      ...this.events.members(),
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
