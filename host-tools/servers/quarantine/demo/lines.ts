import { decodeBase64Url } from "../../../../protocols/base64.ts";
import { isTokenLength } from "../../../../protocols/fernet/token.ts";
import { parseUtc } from "../../../../protocols/smartbeacon/timestamp.ts";

// What the demonstration's programs tell each other: one line, fields with commas between. Source: "Quarantine Violation Police Alert", demonstration.
// Its fields are not escaped, so here a field that could be mistaken for two is no field.

export type DemoLine =
  | { kind: "setup"; phone: string; beacon: string; key: string }
  | { kind: "token"; phone: string; token: string }
  | { kind: "alert"; beacon: string };

const NAME = /^[\w.-]{1,64}$/;
const KEY_BYTES = 32;
/** A setup with the longest names, and room to spare for the longest token of a carrier. */
const LONGEST_LINE = 512;

/** Reads a line without its end; undefined for what is none. */
export function parseLine(text: string): DemoLine | undefined {
  if (text.length > LONGEST_LINE) return undefined;
  const fields = text.split(",");
  const [header, first, second, third] = fields;
  const names = (count: number) => fields.slice(1, 1 + count).every((field) => NAME.test(field));
  if (header === "HealthAuthority" && fields.length === 4 && names(2) && decodeBase64Url(third)?.length === KEY_BYTES)
    return { kind: "setup", phone: first, beacon: second, key: third };
  if (header === "Smartphone" && fields.length === 3 && names(1) && isTokenLength(decodeBase64Url(second)?.length ?? 0))
    return { kind: "token", phone: first, token: second };
  return header === "App" && fields.length === 2 && names(1) ? { kind: "alert", beacon: first } : undefined;
}

/** @throws where reading it again would give something else */
export function formatLine(line: DemoLine): string {
  const fields =
    line.kind === "setup"
      ? ["HealthAuthority", line.phone, line.beacon, line.key]
      : line.kind === "token"
        ? ["Smartphone", line.phone, line.token]
        : ["App", line.beacon];
  const text = fields.join(",");
  if (!parseLine(text))
    throw new Error(`line of the demonstration: names of 1 to 64 letters, digits, "_", "." or "-", a key of 32 bytes; got a ${line.kind}`);
  return text;
}

/** Microseconds since 1970 of a UTC text like `2020-06-05 10:59:59.250000`; undefined for what is none. */
export function microseconds(text: string): number | undefined {
  const unix = parseUtc(text);
  return unix === undefined ? undefined : unix * 1e6 + Number(text.slice(20));
}
