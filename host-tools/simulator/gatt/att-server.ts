import { ATT, ATT_ERROR, COMMAND_FLAG, errorPdu, LONGEST_VALUE, le16, pdu, readLe16, SMALLEST_MTU, sameBytes, TYPE } from "./att.ts";
import type { Attribute, GattTable } from "./gatt-table.ts";

/** What the owner of a server decides. */
export interface ServerHost {
  /** The table as it is now. */
  table(): GattTable;
  encrypted(): boolean;
  /** A value or a client configuration was written. */
  written(handle: number, value: Uint8Array): void;
  /** The error with which every prepared write is answered; undefined: long writes work. */
  refusesLongWrites?: number;
  /** The value to read, where it is made when it is asked for. */
  read?(attribute: Attribute): Uint8Array;
}

/** The link's protocol as the server needs it: agreed once for both directions. */
export interface Mtu {
  /** Longest PDU, bytes. */
  mtu: number;
  /** Longest that this end takes, bytes. */
  readonly ownMtu: number;
  agree(peerMtu: number): void;
}

const CONFIGURATION_NOTIFY = 1;
const CONFIGURATION_INDICATE = 2;
/** Prepared writes that may wait, for a server that takes them. */
const PREPARED = 64;

/** Answers the requests of one peer. Source: Bluetooth Core 5.4, Vol 3, Part F, 3.4. What is no request that it knows gets an error or, if it asks for no answer, nothing. */
export class AttServer {
  private readonly configurations = new Map<number, Uint8Array>();
  private prepared: { handle: number; offset: number; bytes: Uint8Array }[] = [];

  constructor(
    private readonly host: ServerHost,
    private readonly link: Mtu,
  ) {}

  /** Has the peer asked for notifications (or indications) of this value? `configuration` is the handle of its client configuration. */
  wants(configuration: number, how: "notify" | "indicate"): boolean {
    const bits = this.configurations.get(configuration)?.[0] ?? 0;
    return (bits & (how === "notify" ? CONFIGURATION_NOTIFY : CONFIGURATION_INDICATE)) !== 0;
  }

  /** The answer to a PDU; undefined if none is due. */
  answer(request: Uint8Array): Uint8Array | undefined {
    const opcode = request[0]!;
    const answer = this.respond(opcode, request);
    if ((opcode & COMMAND_FLAG) !== 0) return undefined;
    return typeof answer === "number" ? errorPdu(opcode, this.handleIn(request), answer) : answer.subarray(0, this.link.mtu);
  }

  private handleIn(request: Uint8Array): number {
    return request.length >= 3 && request[0] !== ATT.MTU_REQUEST && request[0] !== ATT.EXECUTE_WRITE_REQUEST ? readLe16(request, 1) : 0;
  }

  /** A PDU, or the code of an error. */
  private respond(opcode: number, request: Uint8Array): Uint8Array | number {
    const { length } = request;
    const exactly = (bytes: number) => length === bytes;
    switch (opcode) {
      case ATT.MTU_REQUEST:
        return exactly(3) ? this.exchange(readLe16(request, 1)) : ATT_ERROR.INVALID_PDU;
      case ATT.FIND_INFORMATION_REQUEST:
        return exactly(5) ? this.findInformation(readLe16(request, 1), readLe16(request, 3)) : ATT_ERROR.INVALID_PDU;
      case ATT.FIND_BY_VALUE_REQUEST:
        return length >= 7 ? this.findByValue(request) : ATT_ERROR.INVALID_PDU;
      case ATT.READ_BY_TYPE_REQUEST:
        return exactly(7) || exactly(21) ? this.readByType(request) : ATT_ERROR.INVALID_PDU;
      case ATT.READ_BY_GROUP_REQUEST:
        return exactly(7) || exactly(21) ? this.readByGroup(request) : ATT_ERROR.INVALID_PDU;
      case ATT.READ_REQUEST:
        return exactly(3) ? this.read(readLe16(request, 1), 0, ATT.READ_RESPONSE) : ATT_ERROR.INVALID_PDU;
      case ATT.READ_BLOB_REQUEST:
        return exactly(5) ? this.read(readLe16(request, 1), readLe16(request, 3), ATT.READ_BLOB_RESPONSE) : ATT_ERROR.INVALID_PDU;
      case ATT.WRITE_REQUEST:
      case ATT.WRITE_COMMAND:
        return length >= 3 ? this.write(readLe16(request, 1), request.subarray(3), opcode) : ATT_ERROR.INVALID_PDU;
      case ATT.PREPARE_WRITE_REQUEST:
        return length >= 5 ? this.prepare(request) : ATT_ERROR.INVALID_PDU;
      case ATT.EXECUTE_WRITE_REQUEST:
        return exactly(2) && request[1]! <= 1 ? this.execute(request[1] === 1) : ATT_ERROR.INVALID_PDU;
      default:
        return ATT_ERROR.REQUEST_NOT_SUPPORTED;
    }
  }

  private exchange(peerMtu: number): Uint8Array {
    const { ownMtu } = this.link;
    // Nordic's answer goes out with the length as it was; what follows may be longer.
    this.link.agree(Math.max(SMALLEST_MTU, peerMtu));
    return pdu(ATT.MTU_RESPONSE, le16(ownMtu));
  }

  private range(start: number, end: number): Attribute[] | number {
    if (start === 0 || start > end) return ATT_ERROR.INVALID_HANDLE;
    return this.host.table().between(start, end);
  }

  private findInformation(start: number, end: number): Uint8Array | number {
    const range = this.range(start, end);
    if (typeof range === "number") return range;
    const entries = this.fitting(range, (one) => [...le16(one.handle), ...one.type], this.link.mtu - 2);
    return entries.length === 0
      ? ATT_ERROR.ATTRIBUTE_NOT_FOUND
      : pdu(ATT.FIND_INFORMATION_RESPONSE, entries[0]!.length === 4 ? 1 : 2, entries.flat());
  }

  private findByValue(request: Uint8Array): Uint8Array | number {
    const range = this.range(readLe16(request, 1), readLe16(request, 3));
    if (typeof range === "number") return range;
    const type = request.subarray(5, 7);
    const found = range.filter((one) => sameBytes(one.type, type) && sameBytes(one.value, request.subarray(7)));
    const entries = this.fitting(found, (one) => [...le16(one.handle), ...le16(one.groupEnd ?? one.handle)], this.link.mtu - 1);
    return entries.length === 0 ? ATT_ERROR.ATTRIBUTE_NOT_FOUND : pdu(ATT.FIND_BY_VALUE_RESPONSE, entries.flat());
  }

  private readByType(request: Uint8Array): Uint8Array | number {
    const range = this.range(readLe16(request, 1), readLe16(request, 3));
    if (typeof range === "number") return range;
    const type = request.subarray(5);
    const found = range.filter((one) => sameBytes(one.type, type));
    const [first] = found;
    if (!first) return ATT_ERROR.ATTRIBUTE_NOT_FOUND;
    const refused = this.readError(first);
    if (refused !== undefined) return refused;
    const readable = found.filter((one) => this.readError(one) === undefined);
    const longest = Math.min(this.link.mtu - 4, 253);
    const entries = this.fitting(readable, (one) => [...le16(one.handle), ...this.valueOf(one).subarray(0, longest)], this.link.mtu - 2);
    return pdu(ATT.READ_BY_TYPE_RESPONSE, entries[0]!.length, entries.flat());
  }

  private readByGroup(request: Uint8Array): Uint8Array | number {
    const range = this.range(readLe16(request, 1), readLe16(request, 3));
    if (typeof range === "number") return range;
    if (!sameBytes(request.subarray(5), TYPE.PRIMARY_SERVICE)) return ATT_ERROR.UNSUPPORTED_GROUP;
    const found = range.filter((one) => one.groupEnd !== undefined);
    const entries = this.fitting(found, (one) => [...le16(one.handle), ...le16(one.groupEnd!), ...one.value], this.link.mtu - 2);
    return entries.length === 0 ? ATT_ERROR.ATTRIBUTE_NOT_FOUND : pdu(ATT.READ_BY_GROUP_RESPONSE, entries[0]!.length, entries.flat());
  }

  /** As many as fit; all entries of one answer have the same length. */
  private fitting(attributes: Attribute[], entry: (attribute: Attribute) => number[], room: number): number[][] {
    const entries: number[][] = [];
    for (const attribute of attributes) {
      const bytes = entry(attribute);
      if (entries.length > 0 && (bytes.length !== entries[0]!.length || (entries.length + 1) * bytes.length > room)) break;
      entries.push(bytes);
    }
    return entries;
  }

  private valueOf(attribute: Attribute): Uint8Array {
    if (attribute.perLink) return this.configurations.get(attribute.handle) ?? attribute.value;
    return this.host.read?.(attribute) ?? attribute.value;
  }

  private readError(attribute: Attribute): number | undefined {
    if (!attribute.readable) return ATT_ERROR.READ_NOT_PERMITTED;
    return attribute.secureRead && !this.host.encrypted() ? ATT_ERROR.INSUFFICIENT_AUTHENTICATION : undefined;
  }

  private read(handle: number, offset: number, response: number): Uint8Array | number {
    const attribute = this.host.table().at(handle);
    if (!attribute) return ATT_ERROR.INVALID_HANDLE;
    const refused = this.readError(attribute);
    if (refused !== undefined) return refused;
    const value = this.valueOf(attribute);
    if (offset > value.length) return ATT_ERROR.INVALID_OFFSET;
    return pdu(response, value.subarray(offset, offset + this.link.mtu - 1));
  }

  /** The attribute that may be written so, or the error. */
  private target(handle: number, opcode: number): Attribute | number {
    const attribute = this.host.table().at(handle);
    if (!attribute) return ATT_ERROR.INVALID_HANDLE;
    if (!(opcode === ATT.WRITE_COMMAND ? attribute.writableByCommand : attribute.writable)) return ATT_ERROR.WRITE_NOT_PERMITTED;
    return attribute.secureWrite && !this.host.encrypted() ? ATT_ERROR.INSUFFICIENT_AUTHENTICATION : attribute;
  }

  private write(handle: number, bytes: Uint8Array, opcode: number): Uint8Array | number {
    const attribute = this.target(handle, opcode);
    if (typeof attribute === "number") return attribute;
    if (bytes.length > attribute.maxLength) return ATT_ERROR.INVALID_LENGTH;
    this.store(attribute, bytes.slice());
    return pdu(ATT.WRITE_RESPONSE);
  }

  private store(attribute: Attribute, value: Uint8Array): void {
    if (attribute.perLink) this.configurations.set(attribute.handle, value);
    else attribute.value = value;
    this.host.written(attribute.handle, value);
  }

  private prepare(request: Uint8Array): Uint8Array | number {
    const handle = readLe16(request, 1);
    const attribute = this.target(handle, ATT.WRITE_REQUEST);
    if (typeof attribute === "number") return attribute;
    if (this.host.refusesLongWrites !== undefined) return this.host.refusesLongWrites;
    if (this.prepared.length >= PREPARED) return ATT_ERROR.PREPARE_QUEUE_FULL;
    this.prepared.push({ handle, offset: readLe16(request, 3), bytes: request.slice(5) });
    return pdu(ATT.PREPARE_WRITE_RESPONSE, request.subarray(1));
  }

  private execute(now: boolean): Uint8Array | number {
    const { prepared } = this;
    this.prepared = [];
    if (!now) return pdu(ATT.EXECUTE_WRITE_RESPONSE);
    if (this.host.refusesLongWrites !== undefined) return this.host.refusesLongWrites;
    const values = new Map<Attribute, Uint8Array>();
    for (const { handle, offset, bytes } of prepared) {
      const attribute = this.host.table().at(handle);
      if (!attribute) return ATT_ERROR.INVALID_HANDLE;
      const before = values.get(attribute) ?? new Uint8Array(0);
      if (offset > before.length) return ATT_ERROR.INVALID_OFFSET;
      if (offset + bytes.length > Math.min(attribute.maxLength, LONGEST_VALUE)) return ATT_ERROR.INVALID_LENGTH;
      values.set(attribute, Uint8Array.from([...before.subarray(0, offset), ...bytes]));
    }
    for (const [attribute, value] of values) this.store(attribute, value);
    return pdu(ATT.EXECUTE_WRITE_RESPONSE);
  }
}
