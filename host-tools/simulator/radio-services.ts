import { bytesOf } from "./byte-arguments.ts";
import { BARE_EVENT } from "./radio-advertising.ts";
import { ERROR, type RadioCore } from "./radio-core.ts";
import type { Callback } from "./radio-host.ts";
import { ArgumentError, keyUuid, uuidText } from "./radio-packets.ts";
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
  onWrite: Callback | undefined;
  subscriber: ((value: Uint8Array) => void) | undefined;
}

/** Longest description that Espruino keeps. */
const DESCRIPTION = 32;

/** The services that a script offers (`NRF.setServices`), without the console's own. Source: Espruino after 2v29, jsble_set_services, jswrap_ble_updateServices. */
export class RadioServices {
  private readonly services = new Map<string, Map<string, Entry>>();

  constructor(private readonly core: RadioCore) {}

  get empty(): boolean {
    return this.services.size === 0;
  }

  /** Adds; what is there can only go by a restart of the stack. */
  add(data: unknown): void {
    if (!isPlainObject(data)) return;
    for (const [key, characteristics] of Object.entries(data)) {
      const table = new Map<string, Entry>();
      this.services.set(uuidText(keyUuid(key, "Service")), table);
      if (!isPlainObject(characteristics)) continue;
      for (const [name, given] of Object.entries(characteristics)) {
        const uuid = uuidText(keyUuid(name, "Characteristic"));
        table.set(uuid, entryOf(uuid, isPlainObject(given) ? given : {}));
      }
    }
  }

  clear(): void {
    this.services.clear();
  }

  /** The interpreter was reset: the services stay in the stack, their functions are gone. */
  forgetFunctions(): void {
    for (const table of this.services.values()) for (const entry of table.values()) entry.onWrite = undefined;
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
        if (value.length > entry.maxLength) this.core.check({ code: ERROR.DATA_SIZE, line: 2042 });
        entry.value = value;
        // A notification carries what fits beside its 3-byte header.
        if ((given.notify && entry.notify) || (given.indicate && entry.indicate))
          entry.subscriber?.(value.subarray(0, this.core.host.facts.gatt.mtu - 3));
      }
    }
  }

  /** As a central sees them after discovery. */
  list(): { uuid: string; characteristics: Characteristic[] }[] {
    return [...this.services].map(([uuid, table]) => ({
      uuid,
      characteristics: [...table.values()].map(({ onWrite: _write, subscriber: _subscriber, ...characteristic }) => characteristic),
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
    entry.value = bytes.slice();
    const { host } = this.core;
    host.call(() => entry.onWrite && call(entry.onWrite, host.makeObject({ data: host.makeArrayBuffer(bytes) })), [], BARE_EVENT + bytes.length);
    return true;
  }

  subscribe(uuid: string, subscriber: ((value: Uint8Array) => void) | undefined): boolean {
    const entry = this.find(uuid);
    if (!entry || !(entry.notify || entry.indicate)) return false;
    entry.subscriber = subscriber;
    return true;
  }

  linkLost(): void {
    for (const table of this.services.values()) for (const entry of table.values()) entry.subscriber = undefined;
  }

  private find(uuid: string): Entry | undefined {
    for (const table of this.services.values()) {
      const entry = table.get(uuid);
      if (entry) return entry;
    }
    return undefined;
  }
}

function entryOf(uuid: string, given: Record<string, unknown>): Entry {
  const value = given.value === undefined ? new Uint8Array(0) : bytesOf(given.value);
  return {
    uuid,
    value,
    maxLength: Math.max(toInteger(given.maxLen) || 1, value.length),
    readable: Boolean(given.readable),
    writable: Boolean(given.writable),
    notify: Boolean(given.notify),
    indicate: Boolean(given.indicate),
    description: typeof given.description === "string" ? given.description.slice(0, DESCRIPTION) : undefined,
    onWrite: typeof given.onWrite === "function" ? (given.onWrite as Callback) : undefined,
    subscriber: undefined,
  };
}

function call(fn: Callback, argument: object): void {
  (fn as (argument: object) => unknown)(argument);
}
