/** Opcodes of the Attribute Protocol. Source: Bluetooth Core 5.4, Vol 3, Part F, 3.4.8. */
export const ATT = {
  ERROR: 0x01,
  MTU_REQUEST: 0x02,
  MTU_RESPONSE: 0x03,
  FIND_INFORMATION_REQUEST: 0x04,
  FIND_INFORMATION_RESPONSE: 0x05,
  FIND_BY_VALUE_REQUEST: 0x06,
  FIND_BY_VALUE_RESPONSE: 0x07,
  READ_BY_TYPE_REQUEST: 0x08,
  READ_BY_TYPE_RESPONSE: 0x09,
  READ_REQUEST: 0x0a,
  READ_RESPONSE: 0x0b,
  READ_BLOB_REQUEST: 0x0c,
  READ_BLOB_RESPONSE: 0x0d,
  READ_BY_GROUP_REQUEST: 0x10,
  READ_BY_GROUP_RESPONSE: 0x11,
  WRITE_REQUEST: 0x12,
  WRITE_RESPONSE: 0x13,
  PREPARE_WRITE_REQUEST: 0x16,
  PREPARE_WRITE_RESPONSE: 0x17,
  EXECUTE_WRITE_REQUEST: 0x18,
  EXECUTE_WRITE_RESPONSE: 0x19,
  NOTIFICATION: 0x1b,
  INDICATION: 0x1d,
  CONFIRMATION: 0x1e,
  WRITE_COMMAND: 0x52,
} as const;

/** Set in the opcodes that nobody answers. Vol 3, Part F, 3.3.1. */
export const COMMAND_FLAG = 0x40;

/** Error codes of the protocol. Vol 3, Part F, 3.4.1.1; from 0x80 they are the application's. */
export const ATT_ERROR = {
  INVALID_HANDLE: 0x01,
  READ_NOT_PERMITTED: 0x02,
  WRITE_NOT_PERMITTED: 0x03,
  INVALID_PDU: 0x04,
  INSUFFICIENT_AUTHENTICATION: 0x05,
  REQUEST_NOT_SUPPORTED: 0x06,
  INVALID_OFFSET: 0x07,
  PREPARE_QUEUE_FULL: 0x09,
  ATTRIBUTE_NOT_FOUND: 0x0a,
  INVALID_LENGTH: 0x0d,
  UNSUPPORTED_GROUP: 0x10,
} as const;

/** Longest PDU until the two ends have agreed on more, bytes. Vol 3, Part F, 3.2.8. */
export const SMALLEST_MTU = 23;
/** Longest value of an attribute, bytes. Vol 3, Part F, 3.2.9; BLE_GATTS_VAR_ATTR_LEN_MAX. */
export const LONGEST_VALUE = 512;
/** Whoever gets no answer for so many seconds gives up the link's transactions. Vol 3, Part F, 3.3.3. */
export const TRANSACTION_SECONDS = 30;

/** Types of attributes, little-endian. Bluetooth Assigned Numbers, 3.5 and 3.7. */
export const TYPE = {
  PRIMARY_SERVICE: Uint8Array.of(0x00, 0x28),
  CHARACTERISTIC: Uint8Array.of(0x03, 0x28),
  DESCRIPTION: Uint8Array.of(0x01, 0x29),
  CONFIGURATION: Uint8Array.of(0x02, 0x29),
} as const;

export function le16(value: number): [number, number] {
  return [value & 255, (value >> 8) & 255];
}

export function readLe16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

/** A PDU of an opcode and parts: numbers are bytes. */
export function pdu(opcode: number, ...parts: (number | ArrayLike<number>)[]): Uint8Array {
  const out = [opcode];
  for (const part of parts) {
    if (typeof part === "number") out.push(part);
    else for (let i = 0; i < part.length; i++) out.push(part[i]!);
  }
  return Uint8Array.from(out);
}

export function errorPdu(request: number, handle: number, code: number): Uint8Array {
  return pdu(ATT.ERROR, request, le16(handle), code);
}

export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}
