// Integers in and out of byte arrays. Little-endian unless the name says otherwise.
// `u32` values are unsigned: bit operators make them signed on the way, `>>> 0` brings them back (GAEN-04: times to 2^32-1).

/** Unsigned 16-bit little-endian integer at `offset`. */
export function readU16(bytes: Uint8Array, offset: number): number {
  return bytes[offset] | (bytes[offset + 1] << 8);
}

/** Unsigned 32-bit little-endian integer at `offset`. */
export function readU32(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] | (bytes[offset + 1] << 8) | (bytes[offset + 2] << 16) | (bytes[offset + 3] << 24)) >>> 0;
}

/** Unsigned 32-bit big-endian integer at `offset`. */
export function readU32BE(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] << 24) | (bytes[offset + 1] << 16) | (bytes[offset + 2] << 8) | bytes[offset + 3]) >>> 0;
}

/** Writes `value`, 0 to 2^32-1, big-endian. */
export function writeU32BE(bytes: Uint8Array, offset: number, value: number): void {
  bytes.set([value >>> 24, value >>> 16, value >>> 8, value], offset);
}

/** Writes the low `size` bytes of `value` little-endian at `offset`. Values wrap, negative ones as two's complement. */
export function writeInt(bytes: Uint8Array, offset: number, size: number, value: number): void {
  for (let i = 0; i < size; i++) bytes[offset + i] = value >> (8 * i);
}

/** Concatenation as a new array. */
export function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}

/** Bytes of an ASCII string. */
export function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Text of bytes as Latin-1: one character a byte. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]);
  return text;
}

/** Equality in time that depends on the length only (COM-02). */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i];
  return difference === 0;
}

/** Lower-case hexadecimal digits, two a byte, with `separator` between bytes. */
export function hex(bytes: Uint8Array, separator?: string): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += ((i && separator) || "") + (bytes[i] + 256).toString(16).substr(1);
  return text;
}
