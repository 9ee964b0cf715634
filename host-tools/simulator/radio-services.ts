import { bytesOf } from "./byte-arguments.ts";
import { LONGEST_VALUE, le16 } from "./gatt/att.ts";
import { type Attribute, type CharacteristicHandles, GattTable } from "./gatt/gatt-table.ts";
import { VendorUuids } from "./gatt/vendor-uuids.ts";
import { BARE_EVENT } from "./radio-advertising.ts";
import { ERROR, type RadioCore, type StackResult, SUCCESS } from "./radio-core.ts";
import type { Callback } from "./radio-host.ts";
import { ArgumentError, keyUuid, NORDIC_UART, parseUuid, type Uuid, uuidText } from "./radio-packets.ts";
import { isPlainObject, toInteger, typeName } from "./script-values.ts";

/** What a central may do with a characteristic. */
export interface Characteristic {
  /** `2a37` or the long form with dashes. */
  uuid: string;
  value: Uint8Array;
  maxLength: number;
  readable: boolean;
  writable: boolean;
  notify: boolean;
  indicate: boolean;
  description: string | undefined;
}

interface Entry extends Characteristic {
  attribute: Attribute;
  handles: CharacteristicHandles;
  onWrite: Callback | undefined;
  onWriteDesc: Callback | undefined;
  subscriber: ((value: Uint8Array) => void) | undefined;
}

/** Longest description that Espruino keeps. */
const DESCRIPTION = 32;
/** Default size of the stack's attribute table, bytes: BLE_GATTS_ATTR_TAB_SIZE_DEFAULT. What an entry takes beside its value is not published, and not counted. */
const TABLE_BYTES = 0x580;
/** Where Espruino reports what the stack answers. */
const ADD_LINE = 3222;
const VALUE_LINE = 2042;
const NOTIFY_LINE = 2063;
const UART_RECEIVE = "6e400002-b5a3-f393-e0a9-e50e24dcca9e";
const UART_SEND = "6e400003-b5a3-f393-e0a9-e50e24dcca9e";

/** Passes a value on to whoever listens over the air; the stack's answer. */
export type Notifier = (handles: CharacteristicHandles, value: Uint8Array, indicate: boolean) => number;

/**
 * What a central finds on a board: the stack's own services, the console's, and those of the script (`NRF.setServices`).
 * Source: Espruino after 2v29, jsble_set_services, jswrap_ble_updateServices, services_init.
 */
export class RadioServices {
  private readonly services = new Map<string, Map<string, Entry>>();
  table = new GattTable();
  readonly uuids = new VendorUuids();
  /** Handle of the device's name in `table`. */
  private nameHandle = 0;
  /** The console's characteristics; undefined where the script has switched it off. */
  uart: { receive: CharacteristicHandles; send: CharacteristicHandles } | undefined;
  /** Set while a link of the air is up. */
  notifier: Notifier | undefined;

  constructor(private readonly core: RadioCore) {
    this.begin(true);
  }

  get empty(): boolean {
    return this.services.size === 0;
  }

  /** The stack has started: its own services and, with `uart`, the console's. */
  begin(uart: boolean): void {
    this.table = new GattTable();
    this.uuids.clear();
    const fixed = (uuid: string, value: Uint8Array) =>
      this.table.addCharacteristic({ ...CLOSED, uuid: parseUuid(uuid, false), value, readable: true });
    this.table.addService(parseUuid("1800", false));
    this.nameHandle = fixed("2a00", new Uint8Array(0)).value;
    fixed("2a01", Uint8Array.from(le16(0)));
    fixed("2a04", Uint8Array.of(6, 0, 6, 0, 0, 0, ...le16(400)));
    fixed("2aa6", Uint8Array.of(1));
    this.table.addService(parseUuid("1801", false));
    this.table.addCharacteristic({ ...CLOSED, uuid: parseUuid("2a05", false), value: new Uint8Array(4), indicate: true });
    this.uart = uart ? this.addUart() : undefined;
  }

  /** A value as a central reads it now. */
  valueNow(attribute: Attribute): Uint8Array {
    return attribute.handle === this.nameHandle ? Uint8Array.from(this.core.deviceName, (letter) => letter.charCodeAt(0)) : attribute.value;
  }

  private addUart(): { receive: CharacteristicHandles; send: CharacteristicHandles } {
    this.uuids.add(NORDIC_UART);
    const maxLength = this.core.host.facts.gatt.mtu - 3;
    const empty = { ...CLOSED, value: new Uint8Array(0), maxLength };
    this.table.addService(NORDIC_UART);
    const send = this.table.addCharacteristic({ ...empty, uuid: parseUuid(UART_SEND, false), notify: true });
    const receive = this.table.addCharacteristic({ ...empty, uuid: parseUuid(UART_RECEIVE, false), writable: true, writableByCommand: true });
    return { send, receive };
  }

  /** Adds; what is there can only go by a restart of the stack. The interpreter goes on after an exception of its own, so what comes later is added all the same. */
  add(data: unknown): void {
    if (!isPlainObject(data)) return;
    let problem: unknown;
    const attempt = (work: () => void) => {
      try {
        work();
        return true;
      } catch (error) {
        problem ??= error;
        return false;
      }
    };
    for (const [key, characteristics] of Object.entries(data)) {
      const table = new Map<string, Entry>();
      const known = attempt(() => {
        const uuid = this.known(keyUuid(key, "Service"), "Service");
        this.services.set(uuidText(uuid), table);
        this.table.addService(uuid);
      });
      if (!known) break;
      for (const [name, given] of Object.entries(isPlainObject(characteristics) ? characteristics : {})) {
        let uuid: Uuid | undefined;
        attempt(() => {
          uuid = this.known(keyUuid(name, "Characteristic"), "Characteristic");
        });
        if (!uuid) break;
        const of = uuid;
        attempt(() => this.addCharacteristic(table, of, isPlainObject(given) ? given : {}));
      }
    }
    if (problem) throw problem;
  }

  private known(uuid: Uuid, what: string): Uuid {
    if (!this.uuids.add(uuid)) throw new ArgumentError(`Invalid ${what} UUID: Too many custom UUIDs`);
    return uuid;
  }

  private addCharacteristic(table: Map<string, Entry>, uuid: Uuid, given: Record<string, unknown>): void {
    const value = given.value === undefined ? new Uint8Array(0) : bytesOf(given.value);
    const maxLength = Math.max(toInteger(given.maxLen) & 0xffff || 1, value.length);
    this.core.check(this.refusal(maxLength));
    const description = typeof given.description === "string" ? given.description.slice(0, DESCRIPTION) : undefined;
    const access = {
      maxLength,
      readable: Boolean(given.readable),
      writable: Boolean(given.writable),
      notify: Boolean(given.notify),
      indicate: Boolean(given.indicate),
    };
    const handles = this.table.addCharacteristic({
      ...access,
      uuid,
      value,
      writableByCommand: access.writable,
      description: description === undefined ? undefined : bytesOf(description),
      secureRead: isSecure(given.security, "read"),
      secureWrite: isSecure(given.security, "write"),
    });
    const attribute = this.table.at(handles.value)!;
    const fn = (name: string) => (typeof given[name] === "function" ? (given[name] as Callback) : undefined);
    table.set(uuidText(uuid), {
      ...access,
      uuid: uuidText(uuid),
      get value() {
        return attribute.value;
      },
      description,
      attribute,
      handles,
      onWrite: fn("onWrite"),
      onWriteDesc: fn("onWriteDesc"),
      subscriber: undefined,
    });
  }

  private refusal(maxLength: number): StackResult {
    if (maxLength > LONGEST_VALUE) return { code: ERROR.DATA_SIZE, line: ADD_LINE };
    let used = maxLength;
    for (const entry of this.entries()) used += entry.maxLength;
    return used > TABLE_BYTES ? { code: ERROR.NO_MEM, line: ADD_LINE } : SUCCESS;
  }

  clear(): void {
    this.services.clear();
  }

  /** The interpreter was reset: the services stay in the stack, their functions are gone. */
  forgetFunctions(): void {
    for (const entry of this.entries()) {
      entry.onWrite = undefined;
      entry.onWriteDesc = undefined;
    }
  }

  /** `NRF.updateServices`: the stack finds a characteristic by its own UUID, whatever service it is named under. */
  update(data: unknown): void {
    if (data === undefined) return;
    if (!isPlainObject(data)) throw new ArgumentError(`Expecting Object or undefined, got ${typeName(data)}`, "TypeError");
    for (const [key, characteristics] of Object.entries(data)) {
      keyUuid(key, "Service");
      for (const [name, given] of Object.entries(isPlainObject(characteristics) ? characteristics : {})) {
        const uuid = uuidText(keyUuid(name, "Characteristic"));
        const entry = this.find(uuid);
        if (!entry) throw new ArgumentError(`Unable to find service with UUID ${uuid.length === 4 ? "0x" : ""}${uuid}`);
        if (!isPlainObject(given) || given.value === undefined) continue;
        const value = bytesOf(given.value);
        if (value.length === 0) continue;
        if (value.length > entry.maxLength) this.core.check({ code: ERROR.DATA_SIZE, line: VALUE_LINE });
        entry.attribute.value = value;
        if (given.notify || given.indicate) this.passOn(entry, value, given);
      }
    }
  }

  private passOn(entry: Entry, value: Uint8Array, given: Record<string, unknown>): void {
    // A notification carries what fits beside its 3-byte header.
    if ((given.notify && entry.notify) || (given.indicate && entry.indicate))
      entry.subscriber?.(value.subarray(0, this.core.host.facts.gatt.mtu - 3));
    const code = this.notifier?.(entry.handles, value, Boolean(given.indicate)) ?? 0;
    this.core.check({ code, line: NOTIFY_LINE });
  }

  /** As a central sees them after discovery. */
  list(): { uuid: string; characteristics: Characteristic[] }[] {
    return [...this.services].map(([uuid, table]) => ({
      uuid,
      characteristics: [...table.values()].map(
        ({ attribute: _attribute, handles: _handles, onWrite: _write, onWriteDesc: _desc, subscriber: _subscriber, ...characteristic }) =>
          characteristic,
      ),
    }));
  }

  read(uuid: string): Uint8Array | undefined {
    const entry = this.find(uuid);
    return entry?.readable ? entry.value.slice() : undefined;
  }

  /** False: the stack refuses it. */
  write(uuid: string, bytes: Uint8Array): boolean {
    const entry = this.find(uuid);
    if (!entry?.writable || bytes.length > entry.maxLength) return false;
    entry.attribute.value = bytes.slice();
    this.written(entry.handles.value, bytes);
    return true;
  }

  /** A value or a client configuration has been written: the script's function is called from the input queue. */
  written(handle: number, bytes: Uint8Array): void {
    const { host } = this.core;
    const handler = () => {
      for (const entry of this.entries()) {
        if (entry.handles.value === handle) return entry.onWrite;
        if (entry.handles.configuration === handle) return entry.onWriteDesc;
      }
      return undefined;
    };
    const run = () => {
      const fn = handler();
      if (fn) (fn as (argument: object) => unknown)(host.makeObject({ data: host.makeArrayBuffer(bytes) }));
    };
    host.call(run, [], BARE_EVENT + bytes.length);
  }

  subscribe(uuid: string, subscriber: ((value: Uint8Array) => void) | undefined): boolean {
    const entry = this.find(uuid);
    if (!entry || !(entry.notify || entry.indicate)) return false;
    entry.subscriber = subscriber;
    return true;
  }

  linkLost(): void {
    this.notifier = undefined;
    for (const entry of this.entries()) entry.subscriber = undefined;
  }

  private *entries(): Generator<Entry> {
    for (const table of this.services.values()) yield* table.values();
  }

  private find(uuid: string): Entry | undefined {
    for (const table of this.services.values()) {
      const entry = table.get(uuid);
      if (entry) return entry;
    }
    return undefined;
  }
}

const CLOSED = { maxLength: 0, readable: false, writable: false, writableByCommand: false, notify: false, indicate: false };

/** Does `security` ask for more than an open link? Source: Espruino after 2v29, set_security_mode. */
function isSecure(security: unknown, way: string): boolean {
  const mode = isPlainObject(security) ? security[way] : undefined;
  return isPlainObject(mode) && Boolean(mode.signed || mode.lesc || mode.encrypted);
}
