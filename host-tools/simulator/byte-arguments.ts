/**
 * What the interpreter takes where it wants data: a number (one byte), a string (a byte a character), arrays and typed arrays (a byte an element),
 * buffers, `{data, count}` (repeated) and `{callback}` (what it answers).
 */
export function bytesOf(value: unknown): Uint8Array {
  if (typeof value === "string") return fromByteString(value);
  if (Object.prototype.toString.call(value) === "[object Uint8Array]") return new Uint8Array(value as Uint8Array);
  const out: number[] = [];
  collect(value, out);
  return Uint8Array.from(out);
}

function collect(value: unknown, out: number[]): void {
  if (typeof value === "string") for (let i = 0; i < value.length; i++) out.push(value.charCodeAt(i) & 255);
  else if (typeof value === "number" || typeof value === "boolean") out.push(Number(value) & 255);
  else if (Array.isArray(value)) for (const item of value) collect(item, out);
  else if (isBuffer(value)) for (const byte of new Uint8Array(value)) out.push(byte);
  else if (ArrayBuffer.isView(value)) {
    if (Object.prototype.toString.call(value) === "[object DataView]") collect(value.buffer, out);
    else for (const item of value as Uint8Array) out.push(item & 255);
  } else if (typeof value === "object" && value !== null) {
    const { data, count, callback } = value as { data?: unknown; count?: unknown; callback?: unknown };
    if (typeof callback === "function") collect((callback as () => unknown)(), out);
    else for (let i = 0; i < Number(count ?? 0); i++) collect(data, out);
  }
}

/** Data for flash: memory of a typed array goes in as it lies, only lists of numbers are cut to bytes. Undefined: there is none. */
export function storableBytes(data: unknown): Uint8Array | undefined {
  if (data === undefined || data === null || typeof data === "function") return undefined;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength).slice();
  return bytesOf(data);
}

export function isBuffer(value: unknown): value is ArrayBuffer {
  return Object.prototype.toString.call(value) === "[object ArrayBuffer]";
}

/** A string of the board: one character a byte. */
export function toByteString(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

export function fromByteString(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i) & 255;
  return bytes;
}
