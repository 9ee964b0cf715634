import { CATCH_HOOK } from "./translate.ts";

/** How a value is written out. Source: Espruino 2v29, src/jswrap_json.c. */
export interface Style {
  /** New lines around what isn't a number. */
  someLines?: boolean;
  /** Everything on a line of its own. */
  allLines?: boolean;
  /** Spaces after commas and inside brackets. */
  pretty?: boolean;
  /** Long arrays, strings and function bodies are cut, as in the answer of the console. */
  limit?: boolean;
  noFunctions?: boolean;
  noUndefined?: boolean;
  buffersAsArrays?: boolean;
  objectNames?: boolean;
  dropQuotes?: boolean;
  /** Escapes as \uXXXX only, pins as strings, NaN as null. */
  json?: boolean;
  toJson?: boolean;
}

export const CONSOLE_ANSWER: Style = { limit: true, someLines: true, pretty: true, objectNames: true, dropQuotes: true };
export const PRINT: Style = { someLines: true, pretty: true, objectNames: true };
export const TO_JS: Style = { dropQuotes: true, noUndefined: true, buffersAsArrays: true, toJson: true };
export const STRINGIFY: Style = { noFunctions: true, noUndefined: true, buffersAsArrays: true, json: true, toJson: true };
export const WRITE_JSON: Style = { ...STRINGIFY, json: false, dropQuotes: true };

/** What the printer has to know of the realm whose values it prints. */
export interface PrinterRealm {
  /** Name of the global that holds this function or class, if one does. */
  globalName(value: unknown): string | undefined;
  /** Is it part of the interpreter rather than of the script? */
  isNative(value: object): boolean;
  /** Pins and devices print as their name. */
  deviceName(value: object): { name: string; pin: boolean } | undefined;
}

/** Espruino's decimal text of a number: about eleven digits after the point. Source: ftoa_bounded_extra, src/jsutils.c. */
export function formatNumber(value: number, radix = 10, fractionDigits = -1): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value < 0 ? "-Infinity" : "Infinity";
  if (value === (value | 0) && fractionDigits <= 0) return (value === 0 ? 0 : value).toString(radix);
  const CLOSE = 0.0000001;
  let text = value < 0 ? "-" : "";
  let rest = Math.abs(value);
  let exponent = 0;
  if (radix === 10 && rest > 0 && fractionDigits < 0) {
    if (rest >= 1e21) {
      for (; rest > 100000; exponent += 5) rest /= 100000;
      for (; rest > 10; exponent += 1) rest /= 10;
    } else if (rest < 1e-6) {
      for (; rest < 1e-5; exponent -= 5) rest *= 100000;
      for (; rest < 1; exponent -= 1) rest *= 10;
    }
  }
  if (rest < 0x7fffffff && Math.trunc(rest + CLOSE) === 1 + Math.trunc(rest)) rest = 1 + Math.trunc(rest);
  let unit = 1;
  while (unit * radix <= rest) unit *= radix;
  for (; unit >= 1; unit /= radix) {
    const digit = Math.trunc(rest / unit);
    rest -= digit * unit;
    text += digit.toString(radix);
  }
  if ((fractionDigits < 0 && rest > 0) || fractionDigits > 0) {
    rest *= radix;
    for (let left = fractionDigits, point = "."; (left < 0 && left > -12 && rest > CLOSE) || left > 0; left--) {
      const digit = Math.trunc(rest + (left === 1 ? 0.5 : 0.00000001));
      rest = (rest - digit) * radix;
      text += point + Math.min(digit, radix - 1).toString(radix);
      point = "";
    }
  }
  if (exponent !== 0) text += "e" + (exponent > 0 ? "+" : "") + exponent;
  return text;
}

/** A string between double quotes; `json` uses \uXXXX where the interpreter else writes \xXX or an octal digit. */
export function quote(text: string, json: boolean): string {
  let out = '"';
  for (let i = 0; i < text.length; i++)
    out += escapeCharacter(text.charCodeAt(i) & 255, i + 1 < text.length ? text.charCodeAt(i + 1) & 255 : -1, json);
  return out + '"';
}

const SHORT_ESCAPES: { [code: number]: string } = { 8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\" };

function escapeCharacter(code: number, next: number, json: boolean): string {
  if (SHORT_ESCAPES[code]) return SHORT_ESCAPES[code];
  if (code === 11 && !json) return "\\v";
  if (code < 8 && !json && (next < 48 || next > 55)) return "\\" + code;
  if (code >= 32 && code < 127) return String.fromCharCode(code);
  const hex = code.toString(16).toUpperCase();
  return json ? "\\u" + hex.padStart(4, "0") : "\\x" + hex.padStart(2, "0");
}

const LIMIT_TEXT = " ... ";
const ARRAY_LIMIT = 15;
const ENDS_SHOWN = 5;
const STRING_LIMIT = 60;
const STRING_ENDS = 27;
const ITEMS_ON_LINE = 4;
const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]*$/;
const INTEGERISH = /^-?\d+$/;

/** Plain text of a value, as `""+value` on the board. */
export function asText(realm: PrinterRealm, value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return formatNumber(value);
  if (value === null || value === undefined || typeof value === "boolean") return String(value);
  if (typeof value === "function") return describeFunction(realm, value, false);
  const device = realm.deviceName(value as object);
  if (device) return device.name;
  if (Array.isArray(value)) return value.map((item) => (item === undefined || item === null ? "" : asText(realm, item))).join();
  const ownText = (value as { toString?: unknown }).toString;
  return typeof ownText === "function" ? String((ownText as () => unknown).call(value)) : "[object Object]";
}

/** Writes a value out the way the interpreter does. */
export function printValue(realm: PrinterRealm, value: unknown, style: Style, indentText = "  "): string {
  const seen = new Set<unknown>();
  const newLine = (depth: number) => "\n" + indentText.repeat(depth);
  const comma = style.pretty ? ", " : ",";
  /** Does the console put this on a line of its own? Numbers and pins it does not. */
  const needsLine = (item: unknown): boolean =>
    !(item === undefined || item === null || typeof item === "number" || typeof item === "boolean") &&
    !(typeof item === "object" && realm.deviceName(item)?.pin);

  const show = (item: unknown, depth: number): string => {
    if (item === undefined) return style.noUndefined ? "null" : "undefined";
    if (item === null || typeof item === "boolean") return String(item);
    if (typeof item === "number") return style.json && !Number.isFinite(item) ? "null" : formatNumber(item);
    if (typeof item === "string") {
      if (style.limit && item.length > STRING_LIMIT)
        return quote(item.slice(0, STRING_ENDS), false) + LIMIT_TEXT + quote(item.slice(-STRING_ENDS), false);
      return quote(item, style.json === true);
    }
    if (typeof item === "symbol" || typeof item === "bigint") return String(item);
    if (seen.has(item)) return LIMIT_TEXT;
    seen.add(item);
    try {
      return showObject(item as object, depth);
    } finally {
      seen.delete(item);
    }
  };

  const showObject = (item: object, depth: number): string => {
    const device = realm.deviceName(item);
    if (device) return device.pin && style.json ? quote(device.name, true) : device.name;
    if (Array.isArray(item)) return showArray(item, depth);
    const buffer = bufferItems(item);
    if (buffer) return showBuffer(buffer.name, buffer.items);
    if (typeof item === "function" || realm.isNative(item))
      return style.noFunctions ? "undefined" : describeFunction(realm, item, style.limit === true);
    let prefix = "";
    if (style.objectNames) {
      const prototype = Object.getPrototypeOf(item) as { constructor?: unknown } | null;
      const plain = prototype === null || Object.getPrototypeOf(prototype) === null || !Object.hasOwn(prototype, "constructor");
      const name = plain ? undefined : realm.globalName(prototype?.constructor);
      if (name !== undefined) prefix = name + ": ";
      const ownText = (item as { toString?: unknown }).toString;
      if (!plain && Object.prototype.toString.call(item) !== "[object RegExp]" && typeof ownText === "function" && ownText !== objectToString(item))
        return prefix + asText(realm, (ownText as () => unknown).call(item));
    }
    const toJson = (item as { toJSON?: unknown }).toJSON;
    if (style.toJson && typeof toJson === "function")
      return printValue(realm, (toJson as () => unknown).call(item), { ...style, toJson: false }, indentText);
    const regex = Object.prototype.toString.call(item) === "[object RegExp]";
    const body = members(regex ? ["source", "flags", "lastIndex"] : Object.keys(item), item, depth, true);
    return prefix + (style.pretty ? "{ " : "{") + body.text + (body.open ? newLine(depth) : "") + (style.pretty ? " }" : "}");
  };

  const members = (keys: string[], item: object, depth: number, first: boolean): { text: string; open: boolean } => {
    let text = "";
    let open = false;
    let onLine = 0;
    for (const key of keys) {
      const descriptor = Object.getOwnPropertyDescriptor(item, key);
      if (descriptor?.get || descriptor?.set) continue;
      const member = (item as { [key: string]: unknown })[key];
      if (style.noFunctions && typeof member === "function") continue;
      if (style.noUndefined && member === undefined) continue;
      onLine += 1;
      if (!first) text += comma;
      const lineForThis = style.allLines || (style.someLines && needsLine(member));
      if (style.allLines || (style.someLines && onLine > ITEMS_ON_LINE)) open = true;
      if (open || lineForThis) {
        text += newLine(depth + 1);
        open = false;
        onLine = 0;
      }
      const bare = style.dropQuotes && (INTEGERISH.test(key) || (key.length < 63 && IDENTIFIER.test(key)));
      text += (bare ? key : quote(key, style.json === true)) + (style.pretty ? ": " : ":");
      first = false;
      text += show(member, depth + 1);
      open = lineForThis === true;
    }
    return { text, open };
  };

  const showArray = (items: unknown[], depth: number): string => {
    const limited = style.limit === true && items.length > ARRAY_LIMIT;
    let text = style.pretty ? "[ " : "[";
    let open = false;
    let first = true;
    for (let i = 0; i < items.length; i++) {
      if (limited && i >= ENDS_SHOWN && i < items.length - ENDS_SHOWN) continue;
      if (!first) text += comma;
      first = false;
      if (limited && i === items.length - ENDS_SHOWN) text += LIMIT_TEXT;
      const lineForThis = style.allLines || (style.someLines && needsLine(items[i]));
      if (style.allLines || open || lineForThis) {
        text += newLine(depth + 1);
        open = false;
      }
      text += show(items[i], depth + 1);
      open = lineForThis === true;
    }
    if (style.pretty && !style.json) {
      const named = Object.keys(items).filter((key) => !INTEGERISH.test(key));
      text += members(named, items, depth, first).text;
    }
    return text + (open ? newLine(depth) : "") + (style.pretty ? " ]" : "]");
  };

  const showBuffer = (name: string, items: number[]): string => {
    if (!style.buffersAsArrays && items.every((item) => item === 0)) return `new ${name}(${items.length})`;
    const limited = style.limit === true && items.length > ARRAY_LIMIT;
    let text = "";
    items.forEach((item, i) => {
      if (limited && i >= ENDS_SHOWN && i < items.length - ENDS_SHOWN) return;
      if (i > 0) text += comma;
      if (style.allLines) text += newLine(1);
      if (limited && i === items.length - ENDS_SHOWN) text += LIMIT_TEXT;
      text += formatNumber(item);
    });
    if (style.buffersAsArrays) return `[${text}]`;
    return name === "ArrayBuffer" ? `new Uint8Array([${text}]).buffer` : `new ${name}([${text}])`;
  };

  return show(value, 0);
}

function bufferItems(item: object): { name: string; items: number[] } | undefined {
  const tag = Object.prototype.toString.call(item).slice(8, -1);
  if (tag === "ArrayBuffer") return { name: tag, items: [...new Uint8Array(item as ArrayBuffer)] };
  if (!ArrayBuffer.isView(item) || tag === "DataView") return undefined;
  return { name: tag, items: [...(item as Uint8Array)] };
}

function objectToString(item: object): unknown {
  let root: object = item;
  for (let up = Object.getPrototypeOf(root) as object | null; up; up = Object.getPrototypeOf(root) as object | null) root = up;
  return (root as { toString?: unknown }).toString;
}

/** `function (a,b) { ... }`: the interpreter keeps no names. */
export function describeFunction(realm: PrinterRealm, fn: object, limit: boolean): string {
  if (realm.isNative(fn) || typeof fn !== "function") return "function () { [native code] }";
  const { parameters, body, expression } = functionParts(fn as () => unknown);
  if (body === "") return `function (${parameters}) {}`;
  if (limit) return `function (${parameters}) {${LIMIT_TEXT}}`;
  const lines = body.includes("\n");
  return `function (${parameters}) {${lines ? "\n  " : ""}${expression ? "return " : ""}${body}${lines ? "\n" : ""}}`;
}

/** Parameters and body of a function, from its text as V8 has it. */
function functionParts(fn: () => unknown): { parameters: string; body: string; expression: boolean } {
  const text = Function.prototype.toString.call(fn).replaceAll(new RegExp(`\\${CATCH_HOOK}\\([\\w$]+\\);`, "g"), "");
  if (text.startsWith("class")) {
    const own = /\bconstructor\s*\(([^)]*)\)\s*\{/.exec(text);
    if (!own) return { parameters: "", body: "", expression: false };
    const from = own.index + own[0].length;
    return { parameters: tidy(own[1]!), body: text.slice(from, closingBrace(text, from)).trim(), expression: false };
  }
  const open = text.indexOf("(");
  const arrow = text.indexOf("=>");
  const brace = text.indexOf("{");
  if (arrow >= 0 && (open < 0 || arrow < open)) return arrowParts(text.slice(0, arrow), text.slice(arrow + 2));
  const close = text.indexOf(")", open);
  const parameters = text.slice(open + 1, close);
  if (arrow >= 0 && text.slice(close + 1, arrow).trim() === "") return arrowParts(parameters, text.slice(arrow + 2));
  return { parameters: tidy(parameters), body: withoutLead(text.slice(brace + 1, text.lastIndexOf("}"))), expression: false };
}

/** The interpreter's copy of a body begins with its first token. */
function withoutLead(body: string): string {
  return body.replace(/^(?:\s|\/\/[^\n]*\n|\/\*[\s\S]*?\*\/)+/, "").trimEnd();
}

function closingBrace(text: string, from: number): number {
  let depth = 1;
  for (let i = from; i < text.length; i++) {
    if (text[i] === "{") depth += 1;
    if (text[i] === "}") depth -= 1;
    if (depth === 0) return i;
  }
  return text.length;
}

function arrowParts(parameters: string, rest: string): { parameters: string; body: string; expression: boolean } {
  const body = rest.trim();
  if (!body.startsWith("{")) return { parameters: tidy(parameters), body, expression: true };
  return { parameters: tidy(parameters), body: body.slice(1, body.lastIndexOf("}")).trim(), expression: false };
}

function tidy(parameters: string): string {
  return parameters.replaceAll(/\s/g, "");
}
