import type { Advertising } from "./air.ts";
import { bytesOf } from "./byte-arguments.ts";
import { ERROR, type RadioCore, type StackResult, SUCCESS, toUnits } from "./radio-core.ts";
import { ArgumentError, buildPacket, defaultScanResponse, parseUuid, type Uuid } from "./radio-packets.ts";
import { isBufferOrView, isPlainObject, toInteger, typeName } from "./script-values.ts";
import type { Scheduled } from "./virtual-clock.ts";

const DEFAULT_INTERVAL_MS = 375;
const LEGACY_BYTES = 31;
/** S132 stops advertising after so many seconds and Espruino starts it again (APP_ADV_TIMEOUT_IN_SECONDS). */
const S132_TIMEOUT = 180;
/** BLE_GAP_TIMEOUT_SRC_ADVERTISING of S132 3.1. */
const ADVERTISING_TIMEOUT = 0;
/** Queue bytes of an event without data: header 2, kind 1, number 2. */
export const BARE_EVENT = 5;

const IMPROPER = "WARNING: Extended/coded advertisements can only be used with scannable:false. Disabling scan response.\n";

/**
 * `NRF.setAdvertising` and what belongs to it. Flags are kept from call to call and over `reset()`, data and options until `reset()`.
 * Data that is an array or a buffer is kept by reference and read at each start. Source: Espruino after 2v29, jswrap_ble_setAdvertising, jsble_advertising_start.
 */
export class RadioAdvertiser {
  /** Does Espruino believe that it advertises? After a refusal it is wrong. */
  running = false;
  sleeping = false;
  private connectable = true;
  private scannable = true;
  private whenConnected = false;
  private multiple = false;
  private intervalUnits = toUnits(DEFAULT_INTERVAL_MS);
  private data: unknown;
  private options: unknown;
  private response: unknown;
  private advertised: Uuid[] = [];
  private timeout: Scheduled | undefined;

  constructor(private readonly core: RadioCore) {}

  /** Name in the GAP service, if the script chose one. */
  gapName: string | undefined;

  get advertisesWhenConnected(): boolean {
    return this.whenConnected;
  }

  set(data: unknown, options: unknown): void {
    let wasRunning = this.running;
    if (options !== undefined && !isPlainObject(options))
      throw new ArgumentError(`Expecting Object or undefined, got ${typeName(options)}`, "TypeError");
    if (options) wasRunning = this.takeOptions(options) || wasRunning;
    let problem: unknown;
    let stored: unknown;
    try {
      stored = this.prepare(data, options);
    } catch (error) {
      // The interpreter goes on after an exception of its own: the default packet replaces what could not be made.
      problem = error;
    }
    this.data = stored;
    this.options = options;
    if (wasRunning) this.stop();
    const result = wasRunning ? this.start() : SUCCESS;
    if (problem !== undefined) throw problem;
    this.core.check(result.code !== 0 && result.line === 0 ? { ...result, line: 1486 } : result);
  }

  /** The stack has restarted: what was there before is put back, and waits for a start. */
  restore(): void {
    this.running = false;
    this.set(this.data, this.options);
  }

  /** The interpreter was reset: data and options are gone, flags are not. */
  forget(): void {
    this.response = undefined;
    this.advertised = [];
    this.intervalUnits = toUnits(DEFAULT_INTERVAL_MS);
    this.set(undefined, undefined);
  }

  start(): StackResult {
    if (this.running) return SUCCESS;
    if (!this.whenConnected && this.core.linked) return SUCCESS;
    const { core } = this;
    const options: Record<string, unknown> = isPlainObject(this.options) ? this.options : {};
    const phy = core.sdk15 ? options.phy : undefined;
    const extended =
      core.sdk15 && (phy === "2mbps" || phy === "coded" || phy === "coded,1mbps" || phy === "1mbps,coded" || Boolean(options.extended));
    if (extended && this.scannable) {
      core.host.print(IMPROPER);
      this.scannable = false;
    }
    const connectable = this.connectable && !core.linked;
    const packets = this.currentPackets();
    const advertising: Advertising = {
      address: core.airAddress,
      packets,
      intervalMs: this.intervalUnits * 0.625,
      txPower: core.txPower,
      connectable,
      scannable: this.scannable,
      scanResponse: this.scannable ? this.scanResponse() : undefined,
      extended,
      phy: phy === "coded" || phy === "coded,1mbps" ? "coded" : "1mbps",
    };
    const result = this.refusal(advertising);
    this.running = true;
    core.emit("advertising", [true]);
    if (result.code !== 0) return result;
    core.frontEnd.advertise(advertising);
    if (!core.sdk15) this.timeout = core.host.clock.after(S132_TIMEOUT, () => this.timedOut());
    return SUCCESS;
  }

  stop(): void {
    if (!this.running) return;
    this.silence();
    this.running = false;
    this.core.emit("advertising", [false]);
  }

  /** The stack has stopped by itself: a connection, no supply. */
  silence(): void {
    this.timeout?.cancel();
    this.timeout = undefined;
    this.core.frontEnd.advertise(undefined);
  }

  setScanResponse(data: unknown): void {
    if (data === undefined) {
      this.response = undefined;
      return;
    }
    if (!Array.isArray(data) && !isBufferOrView(data)) {
      throw new ArgumentError(`Expecting array-like object or undefined, got ${typeName(data)}`, "TypeError");
    }
    this.response = data;
    const bytes = bytesOf(data);
    this.core.check(this.formatOf(bytes, true, 1587));
    this.core.frontEnd.amend({ scanResponse: this.core.frontEnd.advertising?.scannable ? bytes : undefined });
  }

  advertiseServices(services: unknown): void {
    this.advertised = Array.isArray(services) ? services.slice(0, 4).map((service: unknown) => parseUuid(service, false)) : [];
  }

  packet(data: unknown, options: unknown, defaults: boolean): Uint8Array {
    return buildPacket(data, options, this.core.defaultName(), this.limit, defaults);
  }

  private get limit(): number {
    const facts = this.core.host.facts.advertising;
    return this.core.sdk15 ? (facts.extendedBytes ?? facts.dataBytes) : LEGACY_BYTES;
  }

  /** True if this makes advertising start. */
  private takeOptions(options: Record<string, unknown>): boolean {
    let starts = false;
    if (options.interval !== undefined) this.intervalUnits = Math.min(0x4000, Math.max(0x20, toUnits(toInteger(options.interval)) & 0xffff));
    if (options.connectable !== undefined) this.connectable = Boolean(options.connectable);
    if (options.scannable !== undefined) this.scannable = Boolean(options.scannable);
    if (options.whenConnected !== undefined) {
      this.whenConnected = Boolean(options.whenConnected);
      starts = this.whenConnected && this.core.linked;
    }
    if (options.name !== undefined) this.gapName = String(options.name);
    return starts;
  }

  private prepare(data: unknown, options: unknown): unknown {
    if (data === undefined || isPlainObject(data)) {
      const packet = this.packet(data, options, true);
      return data === undefined ? undefined : packet;
    }
    if (isBufferOrView(data)) {
      this.multiple = false;
      return data;
    }
    if (!Array.isArray(data)) throw new ArgumentError(`Expecting Array or Object, got ${typeName(data)}`, "TypeError");
    this.multiple = false;
    let nested = false;
    data.forEach((item: unknown, i: number) => {
      if (item === undefined || isPlainObject(item)) data[i] = this.packet(item, options, true);
      else if (Array.isArray(item)) data[i] = bytesOf(item).subarray(0, this.limit);
      else if (!isBufferOrView(item)) return;
      nested = true;
    });
    this.multiple = nested && data.length > 1;
    return data;
  }

  private currentPackets(): Uint8Array[] {
    if (this.data === undefined) return [this.packet(undefined, undefined, true)];
    if (!this.multiple) return [bytesOf(this.data)];
    // An object's packet replaced an alternating array: the interpreter looks for an element in it, finds none, and sends nothing.
    if (!Array.isArray(this.data)) return [new Uint8Array(0)];
    const packets = this.data.map((item: unknown) => bytesOf(item));
    const bad = packets.findIndex((packet) => packet.length === 0 || this.formatOf(packet, false, 0).code !== 0);
    // Alternation ends at the first packet that the stack refuses; the one before stays.
    return bad < 0 ? packets : [packets[Math.max(0, bad - 1)]!];
  }

  private scanResponse(): Uint8Array {
    return this.response === undefined ? defaultScanResponse(this.core.uartRuns, this.advertised) : bytesOf(this.response).subarray(0, LEGACY_BYTES);
  }

  private refusal(advertising: Advertising): StackResult {
    const { facts } = this.core.host;
    if (this.core.faults.advertise !== 0) return { code: this.core.faults.advertise, line: 0 };
    const format = this.formatOf(advertising.packets[0]!, false, 2806);
    if (format.code !== 0) return format;
    if (advertising.packets[0]!.length > (advertising.extended ? this.limit : LEGACY_BYTES)) return { code: ERROR.DATA_SIZE, line: 2806 };
    if (advertising.extended) return SUCCESS;
    const line = this.core.sdk15 ? 2806 : 0;
    // Directed advertising without a peer's address.
    if (advertising.connectable && !advertising.scannable) return { code: ERROR.INVALID_ADDR, line };
    const minimum = advertising.connectable ? facts.advertising.minimumMs : facts.advertising.minimumNonConnectableMs;
    return advertising.intervalMs < minimum ? { code: ERROR.INVALID_PARAM, line } : SUCCESS;
  }

  /** S132 looks at the format of what it is to send: AD structures that fill the packet, no flags in a scan response (ble_gap.h, sd_ble_gap_adv_data_set). S140 does not. */
  private formatOf(bytes: Uint8Array, response: boolean, line: number): StackResult {
    if (this.core.sdk15) return SUCCESS;
    if (bytes.length > LEGACY_BYTES) return { code: ERROR.INVALID_LENGTH, line };
    for (let at = 0; at < bytes.length; at += bytes[at]! + 1) {
      if (bytes[at]! === 0) break;
      if (at + 1 + bytes[at]! > bytes.length || (response && bytes[at + 1] === 0x01)) return { code: ERROR.INVALID_DATA, line };
    }
    return SUCCESS;
  }

  private timedOut(): void {
    this.core.frontEnd.advertise(undefined);
    if (this.core.timeoutMistaken(ADVERTISING_TIMEOUT)) return;
    this.running = false;
    this.core.host.call(() => this.restartQueued(), [], BARE_EVENT);
  }

  /** From the input queue: what it answers is ignored. */
  restartQueued(): void {
    if (this.running) this.stop();
    this.start();
  }
}
