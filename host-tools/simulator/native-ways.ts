import type { AnyFunction, Constructor, NarrowRealm } from "./narrow-realm.ts";
import { asText, describeFunction, formatNumber } from "./printer.ts";
import { TYPED_ARRAYS } from "./realm-names.ts";
import { toInteger } from "./script-values.ts";

type Places = { [name: string]: object };

/** What exists in V8 and in the interpreter, and does something else there. Source: Espruino 2v29, src/jswrap_*.c, and what the interpreter answers. */
export function installNativeWays(realm: NarrowRealm, places: Places): void {
  errorClasses(realm, places);
  buffers(realm, places);
  typedArrayMethods(realm, places);
  dataViews(realm, places);
  numbers(realm, places);
  strings(realm, places);
  objects(realm, places);
  const functionOf = (...parts: never[]) => realm.run(`(function(${parts.slice(0, -1).join()}){${parts.at(-1) ?? ""}\n})`);
  const FunctionClass = realm.nativeClass(functionOf);
  Object.defineProperty(FunctionClass, "prototype", { value: realm.intrinsics.Function!.prototype });
  realm.define("Function", FunctionClass);
  realm.methods(places["Function.prototype"]!, {
    toString(this: unknown) {
      return describeFunction(realm, this as object, false);
    },
    replaceWith() {
      throw realm.error("replaceWith is missing in the virtual board");
    },
  });
}

/** Five classes that know nothing of each other; an error has the members message, type and stack, and no name. */
function errorClasses(realm: NarrowRealm, places: Places): void {
  const objectPrototype = places["Object.prototype"]!;
  const text = {
    toString(this: unknown) {
      const error = this as { type?: unknown; message?: unknown };
      const type = error.type === undefined ? "Error" : asText(realm, error.type);
      return error.message === undefined ? type : `${type}: ${asText(realm, error.message)}`;
    },
  };
  for (const type of ["Error", "SyntaxError", "TypeError", "ReferenceError", "InternalError"] as const) {
    const made = realm.nativeClass((message: never) => {
      const error = realm.error(message === undefined ? "" : asText(realm, message), type);
      if (message === undefined) Reflect.deleteProperty(error, "message");
      realm.host.caught(error);
      return error;
    });
    const prototype = type === "InternalError" ? realm.object({}) : (realm.intrinsics[type]!.prototype as object);
    Object.defineProperty(made, "prototype", { value: prototype });
    Object.defineProperty(prototype, "constructor", { value: made, writable: true, configurable: true, enumerable: false });
    for (const name of ["name", "message"]) Reflect.deleteProperty(prototype, name);
    Object.setPrototypeOf(prototype, objectPrototype);
    realm.methods(prototype, text);
    realm.define(type, made);
  }
}

const ELEMENT_BYTES: { [name: string]: number } = {
  Int16Array: 2,
  Uint16Array: 2,
  Int32Array: 4,
  Uint32Array: 4,
  Float32Array: 4,
  Float64Array: 8,
};
const HIGHEST_OFFSET = 65535;

/** Name of a value's kind, as in the interpreter's messages. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "Array";
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** Buffers take memory, and are made only of numbers, arrays and buffers. */
function buffers(realm: NarrowRealm, places: Places): void {
  const guard = (name: string, make: (real: Constructor, args: unknown[]) => object) => {
    const real = realm.intrinsics[name]!;
    const guarded = realm.nativeClass((...args: never[]) => make(real, args));
    const prototype = real.prototype as object;
    Object.defineProperty(guarded, "prototype", { value: prototype, writable: false });
    Object.defineProperty(prototype, "constructor", { value: guarded, writable: true, configurable: true, enumerable: false });
    realm.define(name, guarded);
  };
  const length = (value: unknown, unit: number): number => {
    const count = Math.trunc(Number(value)) || 0;
    if (count < 0) throw realm.error("Invalid length for ArrayBuffer");
    realm.host.allocate(count * unit);
    return count;
  };
  guard("ArrayBuffer", (real, [count]) => new real(length(count, 1)));
  for (const name of TYPED_ARRAYS) {
    const unit = ELEMENT_BYTES[name] ?? 1;
    guard(name, (real, [first, offset, count]) => {
      if (typeof first === "number" || typeof first === "boolean") return new real(length(first, unit));
      if (Number(offset) < 0 || Number(offset) > HIGHEST_OFFSET) throw realm.error("byteOffset too large (or negative)");
      if (kindOf(first) === "ArrayBuffer") return view(real, first as ArrayBuffer, Number(offset) || 0, count, unit);
      if (!Array.isArray(first) && !ArrayBuffer.isView(first)) throw realm.error(`Unsupported first argument of type ${kindOf(first)}`);
      length((first as ArrayLike<unknown>).length, unit);
      return new real(first);
    });
  }
  Object.defineProperty(places["ArrayBuffer.prototype"]!, "length", {
    get: realm.native(function (this: unknown) {
      return (this as ArrayBuffer).byteLength;
    }),
    configurable: true,
    enumerable: false,
  });
  realm.methods(places["ArrayBuffer.prototype"]!, {
    toString(this: unknown) {
      return new Uint8Array(this as ArrayBuffer).join();
    },
  });
}

/** Where V8 refuses, the interpreter takes what there is; a view that is not aligned becomes a copy here. */
function view(real: Constructor, buffer: ArrayBuffer, offset: number, count: unknown, unit: number): object {
  const room = Math.max(0, Math.floor((buffer.byteLength - offset) / unit));
  const wanted = count === undefined || Number(count) === 0 ? room : Math.min(room, Number(count));
  if (offset > buffer.byteLength) return new real(0);
  if (offset % unit === 0) return new real(buffer, offset, wanted);
  const copy = new real(wanted) as Uint8Array;
  new Uint8Array(copy.buffer).set(new Uint8Array(buffer, offset, wanted * unit));
  return copy;
}

function typedArrayMethods(realm: NarrowRealm, places: Places): void {
  const plainSlice = Array.prototype.slice;
  realm.methods(places["TypedArray.prototype"]!, {
    slice(this: unknown, ...range: never[]) {
      return realm.array(plainSlice.apply([...(this as Uint8Array)], range as unknown as [number?, number?]));
    },
    filter(this: unknown, fn: never, self: never) {
      return realm.array([...(this as Uint8Array)].filter(fn, self));
    },
    // Takes strings and buffers too, and leaves out what does not fit.
    set(this: unknown, source: never, offset: never) {
      const target = this as Uint8Array;
      const from = Number(offset) || 0;
      const given: unknown = source;
      if (typeof given !== "string" && (typeof given !== "object" || given === null))
        throw realm.error(`First argument must be Array, not ${kindOf(given)}`);
      const text = typeof given === "string";
      const items: unknown[] = text
        ? given.split("")
        : [...(kindOf(given) === "ArrayBuffer" ? new Uint8Array(given as ArrayBuffer) : (given as Uint8Array))];
      for (let i = 0; i < items.length && from + i < target.length; i++) target[from + i] = text ? String(items[i]).charCodeAt(0) : Number(items[i]);
    },
  });
}

/** Past the end reads are 0 and writes are lost. */
function dataViews(realm: NarrowRealm, places: Places): void {
  const prototype = places["DataView.prototype"]!;
  for (const name of Object.getOwnPropertyNames(prototype)) {
    if (!/^[gs]et/.test(name)) continue;
    const real = (prototype as Record<string, AnyFunction>)[name]!;
    realm.methods(prototype, {
      [name](this: unknown, ...args: never[]) {
        try {
          return real.apply(this, args);
        } catch {
          return name.startsWith("get") ? 0 : undefined;
        }
      },
    });
  }
  const real = realm.intrinsics.DataView!;
  const made = realm.nativeClass((...args: never[]) => {
    if (kindOf(args[0]) !== "ArrayBuffer") throw realm.error(`Expecting ArrayBuffer, got ${kindOf(args[0])}`, "TypeError");
    return new real(...args);
  });
  Object.defineProperty(made, "prototype", { value: prototype });
  Object.defineProperty(prototype, "constructor", { value: made, writable: true, configurable: true, enumerable: false });
  realm.define("DataView", made);
}

const MOST_DIGITS = 20;

function numbers(realm: NarrowRealm, places: Places): void {
  const math: Record<string, unknown> = {};
  for (const name of Object.getOwnPropertyNames(places.Math)) math[name] = (places.Math as Record<string, unknown>)[name];
  realm.define(
    "Math",
    realm.library({
      ...math,
      pow: (x: never, y: never) => power(Number(x), Number(y)),
      clip: (x: never, low: never, high: never) => Math.max(low, Math.min(high, x)),
      wrap: (x: never, size: never) => (Number(size) < 0 ? 0 : (Number(x) / Number(size) - Math.trunc(Number(x) / Number(size))) * Number(size)),
      round: (x: never) => {
        const value = Number(x);
        return Number.isFinite(value) ? Math.trunc(value + (value < 0 ? -0.5 : 0.5)) : value;
      },
      random: () => realm.host.random(),
      randInt: (limit: never) => Math.floor(realm.host.random() * (Number(limit) || 2 ** 31)),
    }),
  );
  realm.methods(places["Number.prototype"]!, {
    toString(this: unknown, radix: never) {
      const base = Number(radix);
      return formatNumber(Number(this), base >= 2 && base <= 36 ? base : 10);
    },
    toFixed(this: unknown, digits: never) {
      return formatNumber(Number(this), 10, Math.max(0, Math.min(MOST_DIGITS, Number(digits) || 0)));
    },
  });
  // V8's own class has constants that can't be deleted.
  const wrapper = realm.intrinsics.Number!;
  const NumberClass = realm.nativeClass(function (this: unknown, ...args: never[]) {
    const value = args.length === 0 ? 0 : toNumber(args[0]);
    return this instanceof wrapper ? new wrapper(value) : value;
  }) as unknown as Record<string, unknown>;
  Object.defineProperty(NumberClass, "prototype", { value: places["Number.prototype"] });
  for (const name of ["MAX_VALUE", "MIN_VALUE", "NaN", "POSITIVE_INFINITY", "NEGATIVE_INFINITY"] as const)
    Object.defineProperty(NumberClass, name, { value: Number[name] });
  realm.define("Number", NumberClass);
}

/** A string with blanks around its number is no number. */
function toNumber(value: unknown): number {
  return typeof value === "string" && value !== "" && /^\s|\s$/.test(value) ? Number.NaN : Number(value);
}

/** Exact only for small whole exponents; else by logarithms. */
function power(x: number, y: number): number {
  if (y >= 0 && y < 10 && y === Math.trunc(y)) {
    let result = 1;
    for (let i = 0; i < y; i++) result *= x;
    return result;
  }
  if (x === 0 && y < 0) return Number.POSITIVE_INFINITY;
  if (x < 0) {
    if (y !== Math.trunc(y)) return Number.NaN;
    return (y % 2 === 0 ? 1 : -1) * Math.exp(y * Math.log(-x));
  }
  return x === 0 ? 0 : Math.exp(y * Math.log(x));
}

/** Where `wanted` begins in `text`, -1 if it doesn't. At the very end its mere beginning will do. Source: Espruino 2v29, src/jswrap_string.c, jswrap_string_indexOf. */
function placeOf(text: string, wanted: string, from: unknown): number {
  if (wanted.length > text.length) return -1;
  const first = typeof from === "number" || typeof from === "boolean" ? toInteger(from) : 0;
  for (let at = Math.min(Math.max(first, 0), text.length - wanted.length + 1); at < text.length; at++)
    if (wanted.startsWith(text.slice(at, at + wanted.length))) return at;
  return -1;
}

/** Strings are bytes. */
function strings(realm: NarrowRealm, places: Places): void {
  const { match, replace } = String.prototype;
  const withoutGroups = (found: RegExpMatchArray | null) => {
    if (found) Reflect.deleteProperty(found, "groups");
    return found;
  };
  realm.methods(places["String.prototype"]!, {
    toUpperCase(this: unknown) {
      return String(this).replace(/[a-z]+/g, (letters) => letters.toUpperCase());
    },
    toLowerCase(this: unknown) {
      return String(this).replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
    },
    removeAccents(this: unknown) {
      return String(this);
    },
    indexOf(this: unknown, wanted: never, from?: never) {
      return placeOf(String(this), String(wanted), from);
    },
    includes(this: unknown, wanted: never, from?: never) {
      return placeOf(String(this), String(wanted), from) >= 0;
    },
    match(this: unknown, pattern: never) {
      if (typeof pattern === "string") {
        const index = placeOf(String(this), pattern, 0);
        return index < 0 ? null : Object.assign(realm.array([pattern]), { index, input: pattern });
      }
      const found = withoutGroups(match.call(String(this), pattern));
      return found === null && (pattern as RegExp | undefined)?.global ? realm.array([]) : found;
    },
    // A function in place of the new text is called for a regular expression only.
    replace(this: unknown, pattern: never, by: never) {
      const given: unknown = by;
      if (typeof pattern === "string") {
        const whole = String(this);
        const at = placeOf(whole, pattern, 0);
        const text = typeof given === "function" ? asText(realm, given) : String(given);
        return at < 0 ? whole : whole.slice(0, at) + text + whole.slice(at + (pattern as string).length);
      }
      const text: unknown = by;
      return replace.call(String(this), pattern, text as () => string);
    },
  });
  const { exec } = RegExp.prototype;
  realm.methods(places["RegExp.prototype"]!, {
    exec(this: unknown, text: never) {
      return withoutGroups(exec.call(this as RegExp, text));
    },
    toString: () => "[object Object]",
  });
  realm.methods(places.String!, { fromCharCode: (...codes: never[]) => String.fromCharCode(...codes.map((code) => Number(code) & 255)) });
  const ascii = (convert: (text: string) => string) => (value: never) => {
    const text = asText(realm, value);
    if (/[^\0-\x7f]/.test(text)) throw realm.error("Invalid URI");
    try {
      return convert(text);
    } catch {
      throw realm.error("Invalid URI");
    }
  };
  realm.define("encodeURIComponent", realm.native(ascii(encodeURIComponent)));
  realm.define(
    "decodeURIComponent",
    realm.native(
      ascii((text) =>
        text.replace(/%(.?.?)/g, (_all, digits: string) => {
          if (!/^[\da-fA-F]{2}$/.test(digits)) throw new Error("digits");
          return String.fromCharCode(Number.parseInt(digits, 16));
        }),
      ),
    ),
  );
}

/** What is defined is enumerable and can be changed unless the descriptor says `writable: false`: then it is a constant. */
function asDefined(realm: NarrowRealm, descriptor: unknown): unknown {
  if (typeof descriptor !== "object" || descriptor === null || !("value" in descriptor)) return descriptor;
  const { value, writable } = descriptor as PropertyDescriptor;
  const constant = {
    get: realm.native(() => value),
    set: realm.native(() => {
      throw realm.error("Assignment to a constant", "TypeError");
    }),
  };
  return { enumerable: true, configurable: true, ...(writable === false ? constant : { value, writable: true }) };
}

function objects(realm: NarrowRealm, places: Places): void {
  const from = places.Object as unknown as Record<string, (...args: unknown[]) => unknown>;
  const { keys, assign, defineProperty, getOwnPropertyDescriptor } = from;
  realm.methods(places.Object!, {
    keys: (value: never) => (value === undefined || value === null ? realm.array([]) : keys!(value)),
    assign: (target: never, ...sources: never[]) => (typeof target === "object" && target !== null ? assign!(target, ...sources) : realm.object({})),
    defineProperty: (target: never, name: never, descriptor: never) => {
      if ((typeof target !== "object" && typeof target !== "function") || target === null)
        throw realm.error(`First argument must be Object, Function or Array, got ${kindOf(target)}`);
      return defineProperty!(target, name, asDefined(realm, descriptor));
    },
    getOwnPropertyDescriptor: (target: never, name: never) => {
      const found = getOwnPropertyDescriptor!(target, name) as PropertyDescriptor | undefined;
      if (!found || found.get || found.set) return found;
      const { writable, enumerable, configurable, value } = found;
      return realm.object({ writable, enumerable, configurable, value });
    },
  });
  realm.methods(places["Object.prototype"]!, {
    clone(this: unknown) {
      if (Array.isArray(this)) return realm.array(this);
      return Object.assign(Object.create(Object.getPrototypeOf(this) as object) as object, this);
    },
  });
}
