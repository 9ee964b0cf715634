import type { Report, Scanning } from "./air.ts";
import { ERROR, type RadioCore, type StackResult, SUCCESS, toUnits } from "./radio-core.ts";
import { ArgumentError, parsePacket, parseUuid, uuidText } from "./radio-packets.ts";
import { isPlainObject, toInteger, typeName } from "./script-values.ts";

type Found = Record<string, unknown>;
type Listener = (device: Found) => unknown;

/** A report waits in the queue as header 2, kind and number 3, address 7, RSSI and length 2, and its data. Source: Espruino after 2v29, src/jsdevices.c, BLEAdvReportData. */
const REPORT_OVERHEAD = 14;
const DEFAULT_UNITS = toUnits(100);
/** Where jswrap_ble_setScan reports what the stack answers. */
const SET_SCAN_LINE = 2405;

/** `NRF.setScan` and `NRF.findDevices`. Source: Espruino after 2v29, jswrap_ble_setScan, jsble_set_scanning, jswrap_ble_findDevices. */
export class RadioScanner {
  private listener: Listener | undefined;
  private filters: unknown[] | undefined;
  /** Does Espruino believe that it scans? After a refusal it is wrong. */
  private running = false;
  /** Does the stack scan? */
  scanning = false;
  private found: Found[] | undefined;
  /** Reports that came in, whether the queue had room or not. */
  heard = 0;

  constructor(private readonly core: RadioCore) {}

  set(callback: unknown, options: unknown): void {
    let filters: unknown;
    let problem: ArgumentError | undefined;
    if (isPlainObject(options)) {
      filters = options.filters;
      if (filters && !Array.isArray(filters))
        throw new ArgumentError(`requestDevice expecting an array of filters, got ${typeName(filters)}`, "TypeError");
    } else if (options) problem = new ArgumentError(`Expecting Object, got ${typeName(options)}`, "TypeError");
    this.listener = typeof callback === "function" ? (callback as Listener) : undefined;
    this.filters = this.listener && Array.isArray(filters) ? filters : undefined;
    const result = this.listener ? this.start(options) : this.stop();
    if (problem) throw problem;
    this.core.check(result);
  }

  /** The stack has restarted: whoever listened listens again, with the default window whatever he had asked for. A refusal goes unnoticed. */
  restore(): void {
    this.running = false;
    this.scanning = false;
    if (this.listener) this.start(undefined);
  }

  /** The interpreter was reset. */
  forget(): void {
    this.listener = undefined;
    this.filters = undefined;
    this.found = undefined;
    this.stop();
  }

  find(callback: unknown, options: unknown): void {
    if (typeof callback !== "function") throw new ArgumentError(`Expecting function for first argument, got ${typeName(callback)}`);
    let time = 2000;
    if (typeof options === "number") time = options;
    else if (isPlainObject(options)) {
      if (options.timeout !== undefined) time = Number(options.timeout);
    } else if (options) throw new ArgumentError(`Expecting Number or object, got ${typeName(options)}`);
    if (!(time >= 10)) throw new ArgumentError("Invalid timeout");
    const found: Found[] = [];
    this.found = found;
    this.set((device: Found) => this.merge(found, device), isPlainObject(options) ? options : undefined);
    const { host } = this.core;
    host.clock.after(time / 1000, () => {
      // A reset or another search has taken its place.
      if (this.found !== found) return;
      this.set(undefined, undefined);
      this.found = undefined;
      host.call(callback as Listener, [host.makeArray(found)], 0);
    });
  }

  /** Source: jsble_set_scanning, which remembers that it scans before the stack has agreed. */
  private start(options: unknown): StackResult {
    // While a scan runs only callback and filters change.
    if (this.running) return SUCCESS;
    this.running = true;
    const { faults, frontEnd, connecting } = this.core;
    if (connecting) return { code: ERROR.INVALID_STATE, line: SET_SCAN_LINE };
    if (faults.scan !== 0) return { code: faults.scan, line: SET_SCAN_LINE };
    this.scanning = true;
    frontEnd.scan(this.parameters(isPlainObject(options) ? options : {}));
    return SUCCESS;
  }

  /** A connection attempt has taken the receiver: the stack has stopped, the interpreter goes on believing that it scans. Source: ble_gap.h, sd_ble_gap_connect. */
  stoppedByStack(): void {
    this.scanning = false;
  }

  private stop(): StackResult {
    if (!this.running) return SUCCESS;
    this.running = false;
    // sd_ble_gap_scan_stop outside a scan: ble_gap.h
    if (!this.scanning) return { code: ERROR.INVALID_STATE, line: SET_SCAN_LINE };
    this.scanning = false;
    this.core.frontEnd.scan(undefined);
    return SUCCESS;
  }

  private parameters(options: Record<string, unknown>): Scanning {
    const units = (value: unknown) => {
      const asked = toUnits(toInteger(value));
      return asked >= 4 && asked <= 16384 ? asked : DEFAULT_UNITS;
    };
    const window = units(options.window);
    let interval = Math.max(units(options.interval), window);
    const phy = this.core.sdk15 ? options.phy : undefined;
    if (phy === "both") interval = Math.max(interval, 2 * window);
    return {
      windowMs: window * 0.625,
      intervalMs: interval * 0.625,
      active: Boolean(options.active),
      extended: this.core.sdk15 && (Boolean(options.extended) || phy === "2mbps" || phy === "coded" || phy === "both"),
      phys: phy === "coded" ? ["coded"] : phy === "both" ? ["1mbps", "coded"] : ["1mbps"],
      heard: (report) => this.report(report),
    };
  }

  private report(report: Report): void {
    if (this.core.faults.deaf) return;
    this.heard += 1;
    const { host } = this.core;
    // What does not fit into an event of the queue together with its header is dropped by the main loop (BLEP_ADV_REPORT).
    if (report.data.length > Math.max(64, host.facts.gatt.mtu + 3) - 12) return;
    host.call(() => this.pass(report), [], REPORT_OVERHEAD + report.data.length);
  }

  /** In the main loop: the object is made, then the filters look at it, then the script. */
  private pass(report: Report): void {
    const listener = this.listener;
    if (!listener) return;
    const device = this.device(report);
    if (this.filters && !this.filters.some((filter) => matches(filter, device)) && !this.found?.some((one) => one.id === device.id)) return;
    listener(device);
  }

  private device(report: Report): Found {
    const { host } = this.core;
    const parsed = parsePacket(report.data);
    const device: Found = { id: report.address, rssi: report.rssi, data: host.makeArrayBuffer(report.data) };
    if (parsed.shortName !== undefined) device.shortName = parsed.shortName;
    if (parsed.name !== undefined) device.name = parsed.name;
    if (parsed.manufacturer !== undefined) device.manufacturer = parsed.manufacturer;
    if (parsed.manufacturerData) device.manufacturerData = host.makeArrayBuffer(parsed.manufacturerData);
    if (parsed.services.length > 0) device.services = host.makeArray(parsed.services);
    const services = Object.keys(parsed.serviceData);
    if (services.length > 0) {
      const data: Record<string, unknown> = {};
      for (const uuid of services) data[uuid] = host.makeArrayBuffer(parsed.serviceData[uuid]!);
      device.serviceData = host.makeObject(data);
    }
    return this.core.makeDevice(device) as Found;
  }

  private merge(found: Found[], device: Found): void {
    const known = found.find((one) => one.id === device.id);
    if (!known) {
      found.push(device);
      return;
    }
    for (const key of Object.keys(device)) {
      if (key === "services" && known.services) {
        const list = known.services as unknown[];
        for (const uuid of device.services as unknown[]) if (!list.includes(uuid)) list.push(uuid);
      } else if (key === "serviceData" && known.serviceData) Object.assign(known.serviceData, device.serviceData);
      else known[key] = device[key];
    }
  }
}

/** All that a filter names must be there; of service and manufacturer data only the key counts. Source: jswrap_ble_filter_device. */
function matches(filter: unknown, device: Found): boolean {
  if (!isPlainObject(filter)) return true;
  const { services, name, namePrefix, id, serviceData, manufacturerData } = filter;
  if (services !== undefined) {
    const offered = (device.services as string[] | undefined) ?? [];
    for (const service of services as unknown[]) if (!offered.includes(normalUuid(service))) return false;
  }
  if (name !== undefined && device.name !== name) return false;
  if (namePrefix !== undefined && !(typeof device.name === "string" && device.name.startsWith(String(namePrefix)))) return false;
  if (id !== undefined && device.id !== id) return false;
  if (isPlainObject(serviceData)) {
    for (const uuid of Object.keys(serviceData)) if (!isPlainObject(device.serviceData) || !Object.hasOwn(device.serviceData, uuid)) return false;
  }
  if (isPlainObject(manufacturerData)) for (const company of Object.keys(manufacturerData)) if (company !== String(device.manufacturer)) return false;
  return true;
}

/** What is no UUID matches none. */
function normalUuid(value: unknown): string {
  try {
    return uuidText(parseUuid(value, false));
  } catch {
    return "";
  }
}
