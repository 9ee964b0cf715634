import { isBuffer } from "./byte-arguments.ts";

/** What the interpreter calls an object: no array, buffer, function or null. Values come from another realm, so `instanceof` says nothing about them. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isBuffer(value) && !ArrayBuffer.isView(value);
}

export function isBufferOrView(value: unknown): boolean {
  return isBuffer(value) || ArrayBuffer.isView(value);
}

/** The interpreter's 32-bit integer of a value; what isn't a number in some way is 0. Source: Espruino 2v29, src/jsvar.c, jsvGetInteger. */
export function toInteger(value: unknown): number {
  if (typeof value === "number") return Number.isFinite(value) ? Math.trunc(value) | 0 : 0;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "string") return toInteger(Number(value));
  return 0;
}

/** The name of a value's type as `%t` in an error message prints it. */
export function typeName(value: unknown): string {
  if (value === undefined) return "undefined";
  if (value === null) return "null";
  if (typeof value === "function") return "Function";
  if (typeof value !== "object") return (typeof value)[0]!.toUpperCase() + (typeof value).slice(1);
  return Object.prototype.toString.call(value).slice(8, -1);
}
