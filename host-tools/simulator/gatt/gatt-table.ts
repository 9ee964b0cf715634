import type { Uuid } from "../radio-packets.ts";
import { le16, TYPE } from "./att.ts";

/** What a characteristic is made of. */
export interface CharacteristicSpec {
  uuid: Uuid;
  value: Uint8Array;
  maxLength: number;
  readable: boolean;
  /** By a request that is answered. */
  writable: boolean;
  /** By a command that nobody answers. */
  writableByCommand: boolean;
  notify: boolean;
  indicate: boolean;
  description?: Uint8Array;
  /** Only over an encrypted link. */
  secureRead?: boolean;
  secureWrite?: boolean;
}

/** One line of the table that a peer sees. */
export interface Attribute {
  handle: number;
  type: Uuid;
  value: Uint8Array;
  maxLength: number;
  readable: boolean;
  writable: boolean;
  writableByCommand: boolean;
  secureRead: boolean;
  secureWrite: boolean;
  /** Last handle of the service that begins here. */
  groupEnd?: number;
  /** Its value is kept for each link apart: a client configuration. */
  perLink?: boolean;
}

/** Handles of a characteristic, 0 where it has none. */
export interface CharacteristicHandles {
  uuid: Uuid;
  declaration: number;
  value: number;
  description: number;
  configuration: number;
}

export interface TableService {
  uuid: Uuid;
  start: number;
  characteristics: CharacteristicHandles[];
}

const PROPERTY = { READ: 0x02, WRITE_COMMAND: 0x04, WRITE: 0x08, NOTIFY: 0x10, INDICATE: 0x20 };
const CONFIGURATION_BYTES = 2;
const LAST_HANDLE = 0xffff;

/**
 * The attributes of one GATT server, in the order of their handles. Bluetooth Core 5.4, Vol 3, Part G, 3. Descriptors follow the value in the order in which
 * Nordic's `ble_gatts_char_handles_t` names them: description, client configuration.
 */
export class GattTable {
  readonly attributes: Attribute[] = [];
  readonly services: TableService[] = [];

  addService(uuid: Uuid): TableService {
    const start = this.add({ type: TYPE.PRIMARY_SERVICE, value: uuid, readable: true }).handle;
    const service = { uuid, start, characteristics: [] };
    this.services.push(service);
    return service;
  }

  /** To the service that was added last. */
  addCharacteristic(spec: CharacteristicSpec): CharacteristicHandles {
    const properties =
      (spec.readable ? PROPERTY.READ : 0) |
      (spec.writableByCommand ? PROPERTY.WRITE_COMMAND : 0) |
      (spec.writable ? PROPERTY.WRITE : 0) |
      (spec.notify ? PROPERTY.NOTIFY : 0) |
      (spec.indicate ? PROPERTY.INDICATE : 0);
    const declaration = this.attributes.length + 1;
    this.add({ type: TYPE.CHARACTERISTIC, value: Uint8Array.from([properties, ...le16(declaration + 1), ...spec.uuid]), readable: true });
    const { description: _description, uuid, ...access } = spec;
    const value = this.add({ ...access, type: uuid }).handle;
    const description = spec.description ? this.add({ type: TYPE.DESCRIPTION, value: spec.description, readable: true }).handle : 0;
    const configurable = spec.notify || spec.indicate;
    const configuration = configurable
      ? this.add({
          type: TYPE.CONFIGURATION,
          value: new Uint8Array(CONFIGURATION_BYTES),
          maxLength: CONFIGURATION_BYTES,
          readable: true,
          writable: true,
          writableByCommand: true,
          perLink: true,
        }).handle
      : 0;
    const handles = { uuid, declaration, value, description, configuration };
    this.services.at(-1)!.characteristics.push(handles);
    return handles;
  }

  at(handle: number): Attribute | undefined {
    return this.attributes[handle - 1];
  }

  /** Attributes from one handle to another, both included. */
  between(start: number, end: number): Attribute[] {
    return this.attributes.slice(start - 1, Math.min(end, this.attributes.length));
  }

  private add(given: Partial<Attribute> & { type: Uuid; value: Uint8Array }): Attribute {
    const attribute: Attribute = {
      maxLength: given.value.length,
      readable: false,
      writable: false,
      writableByCommand: false,
      secureRead: false,
      secureWrite: false,
      ...given,
      handle: this.attributes.length + 1,
    };
    const service = this.services.at(-1);
    if (attribute.type === TYPE.PRIMARY_SERVICE) {
      // The last service has all the handles that are left.
      if (service) this.at(service.start)!.groupEnd = attribute.handle - 1;
      attribute.groupEnd = LAST_HANDLE;
    }
    this.attributes.push(attribute);
    return attribute;
  }
}

/** Properties out of a characteristic's declaration. */
export function propertiesOf(bits: number): { [property: string]: boolean } {
  return {
    broadcast: (bits & 0x01) !== 0,
    read: (bits & PROPERTY.READ) !== 0,
    writeWithoutResponse: (bits & PROPERTY.WRITE_COMMAND) !== 0,
    write: (bits & PROPERTY.WRITE) !== 0,
    notify: (bits & PROPERTY.NOTIFY) !== 0,
    indicate: (bits & PROPERTY.INDICATE) !== 0,
    authenticatedSignedWrites: (bits & 0x40) !== 0,
  };
}
