import { readFileSync } from "node:fs";

/** A row of a vector file. Every group has its own shape, told in the file's `_doc`. */
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Row = Record<string, any>;

/** One file of test/vectors/: its groups by name. A group is a list of rows, or one row. */
export function loadVectors(name: string): Record<string, Row[] & Row> {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), "utf8"));
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "base64"));
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
