import vm from "node:vm";
import { asText, formatNumber, type PrinterRealm } from "./printer.ts";
import { isSyntaxError, syntaxTrace, withStack } from "./script-errors.ts";
import { CATCH_HOOK, EVAL_HOOK, translate } from "./translate.ts";

/** Names of V8's global object that the interpreter has too; everything else goes. Source: Espruino 2v29, tables of src/jswrap_*.c. */
const GLOBALS = new Set(
  [
    "Array ArrayBuffer Boolean DataView Date Error Function Infinity JSON Math NaN Number Object ReferenceError RegExp String SyntaxError TypeError",
    "Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array",
    "decodeURIComponent encodeURIComponent eval global globalThis isFinite isNaN parseFloat parseInt undefined",
  ].flatMap((names) => names.split(" ")),
);

/** Methods that stay, by where they live. Source: the interpreter's own symbol tables, compared with what it answers. */
const MEMBERS: { [place: string]: string } = {
  Array: "isArray prototype length",
  "Array.prototype":
    "constructor length concat every fill filter find findIndex forEach includes indexOf join map pop push reduce reverse shift slice some sort splice toString unshift",
  ArrayBuffer: "prototype length",
  "ArrayBuffer.prototype": "constructor byteLength",
  "Boolean.prototype": "constructor toString valueOf",
  Date: "now parse prototype length",
  "Date.prototype":
    "constructor getDate getDay getFullYear getHours getMilliseconds getMinutes getMonth getSeconds getTime getTimezoneOffset setDate setFullYear setHours setMilliseconds setMinutes setMonth setSeconds setTime toISOString toJSON toString toUTCString valueOf",
  // Without the limit V8 keeps no stack, and the console could not tell where an error happened.
  Error: "prototype length stackTraceLimit",
  "Error.prototype": "constructor message toString",
  "Function.prototype": "constructor apply bind call toString length",
  JSON: "parse stringify",
  Math: "E LN10 LN2 LOG10E LOG2E PI SQRT1_2 SQRT2 abs acos asin atan atan2 ceil cos exp floor log max min pow random round sign sin sqrt tan",
  Number: "MAX_VALUE MIN_VALUE NaN prototype length",
  "Number.prototype": "constructor toFixed toString valueOf",
  Object:
    "assign create defineProperties defineProperty entries fromEntries getOwnPropertyDescriptor getOwnPropertyDescriptors getOwnPropertyNames getPrototypeOf keys setPrototypeOf values prototype length",
  "Object.prototype": "constructor hasOwnProperty toString valueOf __proto__",
  "RegExp.prototype": "constructor exec test toString flags source global ignoreCase lastIndex",
  RegExp: "prototype length",
  String: "fromCharCode prototype length",
  "String.prototype":
    "constructor charAt charCodeAt concat endsWith includes indexOf lastIndexOf length match padEnd padStart repeat replace replaceAll slice split startsWith substr substring toLowerCase toString toUpperCase trim valueOf",
  "TypedArray.prototype":
    "constructor buffer byteLength byteOffset length every fill filter find findIndex forEach includes indexOf join map reduce reverse set slice some sort subarray toString",
  "DataView.prototype":
    "constructor buffer byteLength byteOffset getFloat32 getFloat64 getInt8 getInt16 getInt32 getUint8 getUint16 getUint32 setFloat32 setFloat64 setInt8 setInt16 setInt32 setUint8 setUint16 setUint32",
};

const TYPED_ARRAYS = "Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array".split(" ");

export interface RealmHost {
  /** First thing in each catch clause; throws what must not be caught. */
  caught(error: unknown): void;
  /** A buffer of so many bytes is about to be made; throws when there is no memory for it. */
  allocate(bytes: number): void;
  /** 0 to 1. */
  random(): number;
  /** Throws for text that the interpreter can't read. */
  checkText(source: string): void;
}

type AnyFunction = (this: unknown, ...args: never[]) => unknown;
type Constructor = new (...args: unknown[]) => object;

const ELEMENT_BYTES: { [name: string]: number } = {
  Int16Array: 2,
  Uint16Array: 2,
  Int32Array: 4,
  Uint32Array: 4,
  Float32Array: 4,
  Float64Array: 8,
};

/** A class that asks before it makes an instance. `new.target` is not handed on: the interpreter's classes can't extend a buffer. */
const GUARDED_CLASS = "(function(Real,check){return function(a,b,c){check(a);return new Real(a,b,c)}})";

const WRAP = new vm.Script("(function(f){return function(){return f.apply(this,arguments)}})");
const MAKE_CLASS = new vm.Script("(function(f){return function C(){var r=f.apply(this,arguments);return r===undefined?this:r}})");

/**
 * One V8 realm with nothing in it but what the interpreter has: fresh intrinsics, everything absent on a board deleted, and the interpreter's
 * own ways where they differ (typed-array `slice`, `Math.pow`, decimal text, strings of bytes).
 */
export class NarrowRealm implements PrinterRealm {
  readonly global: Record<string, unknown>;
  readonly context: vm.Context;
  private readonly natives = new WeakSet<object>();
  private readonly devices = new WeakMap<object, { name: string; pin: boolean }>();
  private readonly wrap: (fn: AnyFunction) => AnyFunction;
  private readonly makeClass: (fn: AnyFunction) => Constructor;
  private readonly intrinsics: Record<string, Constructor & Record<string, unknown>> = {};

  constructor(private readonly host: RealmHost) {
    const sandbox = {};
    this.context = vm.createContext(sandbox, { codeGeneration: { strings: true, wasm: false } });
    this.global = vm.runInContext("globalThis", this.context) as Record<string, unknown>;
    this.wrap = WRAP.runInContext(this.context) as (fn: AnyFunction) => AnyFunction;
    this.makeClass = MAKE_CLASS.runInContext(this.context) as (fn: AnyFunction) => Constructor;
    for (const name of [...GLOBALS, "RangeError"]) {
      const value = this.global[name];
      if (typeof value === "function" && /^[A-Z]/.test(name)) this.intrinsics[name] = value as Constructor & Record<string, unknown>;
    }
    this.narrow();
    this.guardBuffers(host.allocate);
    this.seedRandom(host.random);
    this.hook(CATCH_HOOK, (error: never) => host.caught(error));
    this.hook(EVAL_HOOK, (text: never) => (typeof text === "string" ? this.translated(text) : text));
    const functionOf = (...parts: never[]) => this.run(`(function(${parts.slice(0, -1).join()}){${parts.at(-1) ?? ""}\n})`);
    const FunctionClass = this.nativeClass(functionOf);
    Object.defineProperty(FunctionClass, "prototype", { value: this.intrinsics.Function!.prototype });
    this.define("Function", FunctionClass);
  }

  // ---- making values of the realm

  /** A function of the realm around one of ours. What it throws must be made by `error`. */
  native<F extends AnyFunction>(fn: F): F {
    const wrapped = this.wrap(fn);
    this.natives.add(wrapped);
    return wrapped as F;
  }

  /** A constructor of the realm; `init` gets `this` and may return another object. */
  nativeClass(init: AnyFunction): Constructor {
    const made = this.makeClass(init);
    this.natives.add(made);
    return made;
  }

  /** An object of the interpreter with functions on it. Functions are made native; other values stay. */
  library(members: Record<string, unknown>): Record<string, unknown> {
    const object = this.object({});
    for (const [name, value] of Object.entries(members))
      object[name] = typeof value === "function" && !this.natives.has(value) ? this.native(value as AnyFunction) : value;
    this.natives.add(object);
    return object;
  }

  object(plain: Record<string, unknown>): Record<string, unknown> {
    return Object.assign(new this.intrinsics.Object!() as Record<string, unknown>, plain);
  }

  array(items: unknown[]): unknown[] {
    const array = new this.intrinsics.Array!() as unknown[];
    for (const item of items) array[array.length] = item;
    return array;
  }

  arrayBuffer(bytes: Uint8Array): ArrayBuffer {
    const buffer = new this.intrinsics.ArrayBuffer!(bytes.length) as ArrayBuffer;
    new Uint8Array(buffer).set(bytes);
    return buffer;
  }

  uint8Array(bytes: Uint8Array): Uint8Array {
    return new this.intrinsics.Uint8Array!(this.arrayBuffer(bytes)) as Uint8Array;
  }

  typed(name: string, ...args: unknown[]): object {
    return new this.intrinsics[name]!(...args);
  }

  /** An error of the realm, to throw. */
  error(message: string, type: "Error" | "TypeError" | "SyntaxError" | "ReferenceError" = "Error"): Error {
    const error = new this.intrinsics[type]!(message) as Error & { type: string };
    error.type = type;
    return error;
  }

  isError(value: unknown): value is Error & { type?: string } {
    return typeof value === "object" && value !== null && value instanceof this.intrinsics.Error!;
  }

  isPlainObject(value: unknown): value is Record<string, unknown> {
    return (
      typeof value === "object" &&
      value !== null &&
      !Array.isArray(value) &&
      !ArrayBuffer.isView(value) &&
      !(value instanceof this.intrinsics.ArrayBuffer!)
    );
  }

  /** Puts a global in place, as the script could have done. */
  define(name: string, value: unknown): void {
    this.global[name] = value;
  }

  markDevice(value: object, name: string, pin = false): void {
    this.devices.set(value, { name, pin });
  }

  markNative(value: object): void {
    this.natives.add(value);
  }

  // ---- running text

  /** Text for V8's own `eval`. @throws an error of the realm */
  private translated(text: string): string {
    try {
      this.host.checkText(text);
      return translate(text).code;
    } catch (error) {
      if (!isSyntaxError(error)) throw error;
      const trace = syntaxTrace(text, error.message, error.pos, undefined);
      throw withStack(this.error(trace.message, "SyntaxError"), trace.stack);
    }
  }

  private hook(name: string, fn: AnyFunction): void {
    Object.defineProperty(this.global, name, { value: this.native(fn), enumerable: false });
  }

  /** Runs a script in the realm and answers its value. @throws what the script throws; acorn's SyntaxError for text that isn't one */
  run(source: string): unknown {
    return translate(source).script.runInContext(this.context);
  }

  // ---- what the printer asks

  globalName(value: unknown): string | undefined {
    for (const name of Object.keys(this.global)) if (this.global[name] === value) return name;
    for (const name in this.intrinsics) if (this.intrinsics[name] === value) return name;
    return undefined;
  }

  isNative(value: object): boolean {
    return this.natives.has(value);
  }

  deviceName(value: object): { name: string; pin: boolean } | undefined {
    return this.devices.get(value);
  }

  // ---- narrowing

  private narrow(): void {
    const { intrinsics, global } = this;
    for (const name of Object.getOwnPropertyNames(global)) if (!GLOBALS.has(name)) Reflect.deleteProperty(global, name);
    global.global = global;
    const typedPrototype = Object.getPrototypeOf(intrinsics.Uint8Array!.prototype) as object;
    const places: { [name: string]: object } = { "TypedArray.prototype": typedPrototype, Math: global.Math as object, JSON: global.JSON as object };
    for (const [name, value] of Object.entries(intrinsics)) {
      places[name] = value;
      places[name + ".prototype"] = value.prototype as object;
      this.natives.add(value);
    }
    for (const [place, keep] of Object.entries(MEMBERS)) deleteAllBut(places[place]!, keep.split(" "));
    deleteAllBut(Object.getPrototypeOf(intrinsics.Uint8Array!) as object, ["prototype", "length"]);
    for (const name of TYPED_ARRAYS) {
      deleteAllBut(intrinsics[name]!, ["prototype", "length"]);
      deleteAllBut(intrinsics[name]!.prototype as object, ["constructor"]);
    }
    this.natives.add(global.Math as object);
    this.natives.add(global.JSON as object);
    this.markMethods([...Object.values(places), typedPrototype]);
    this.replaceMethods(places);
  }

  /** Buffers take memory, and none is made from a string. */
  private guardBuffers(allocate: (bytes: number) => void): void {
    const guard = new vm.Script(GUARDED_CLASS).runInContext(this.context) as (real: Constructor, check: (first: unknown) => void) => Constructor;
    for (const name of [...TYPED_ARRAYS, "ArrayBuffer"]) {
      const real = this.intrinsics[name]!;
      const unit = ELEMENT_BYTES[name] ?? 1;
      const guarded = guard(real, (first) => {
        if (typeof first === "string") throw this.error(`Unsupported first argument of type String`);
        if (typeof first === "number") allocate(first * unit);
        else if (typeof first === "object" && first !== null && "length" in first) allocate(Number(first.length) * unit);
      });
      Object.defineProperty(guarded, "prototype", { value: real.prototype, writable: false });
      Object.defineProperty(real.prototype as object, "constructor", { value: guarded, writable: true, configurable: true, enumerable: false });
      this.natives.add(guarded);
      this.define(name, guarded);
    }
  }

  private seedRandom(random: () => number): void {
    const math = this.global.Math as Record<string, unknown>;
    const put = (name: string, fn: AnyFunction) =>
      Object.defineProperty(math, name, { value: this.native(fn), writable: true, configurable: true, enumerable: false });
    put("random", random);
    put("randInt", (limit: never) => Math.floor(random() * (Number(limit) || 2147483648)));
  }

  private markMethods(places: object[]): void {
    for (const place of places)
      for (const name of Object.getOwnPropertyNames(place)) {
        const value = Object.getOwnPropertyDescriptor(place, name)?.value as unknown;
        if (typeof value === "function") this.natives.add(value);
      }
    for (const value of Object.values(this.global)) if (typeof value === "function") this.natives.add(value);
  }

  /** Methods that exist on both sides and do something else on the board. */
  private replaceMethods(places: { [name: string]: object }): void {
    const put = (place: string, members: Record<string, AnyFunction>) => {
      for (const [name, fn] of Object.entries(members))
        Object.defineProperty(places[place]!, name, { value: this.native(fn), writable: true, configurable: true, enumerable: false });
    };
    const realm = this;
    const plainSlice = Array.prototype.slice;
    put("TypedArray.prototype", {
      slice(this: unknown, ...range: never[]) {
        return realm.array(plainSlice.apply([...(this as Uint8Array)], range as unknown as [number?, number?]));
      },
      filter(this: unknown, fn: never, self: never) {
        return realm.array([...(this as Uint8Array)].filter(fn, self));
      },
      // Espruino accepts strings and cuts what does not fit.
      set(this: unknown, source: never, offset: never) {
        const target = this as Uint8Array;
        const from = (offset as number) || 0;
        const items: ArrayLike<unknown> = source;
        const text = typeof items === "string";
        for (let i = 0; i < items.length && from + i < target.length; i++) target[from + i] = text ? String(items).charCodeAt(i) : Number(items[i]);
      },
    });
    put("Math", {
      pow: (x: never, y: never) => power(Number(x), Number(y)),
      clip: (x: never, low: never, high: never) => Math.max(low, Math.min(high, x)),
      wrap: (x: never, size: never) => (Number(size) < 0 ? 0 : (Number(x) / Number(size) - Math.floor(Number(x) / Number(size))) * Number(size)),
    });
    put("Number.prototype", {
      toString(this: unknown, radix: never) {
        return formatNumber(Number(this), radix === undefined ? 10 : Number(radix));
      },
      toFixed(this: unknown, digits: never) {
        return formatNumber(Number(this), 10, Math.max(0, Number(digits ?? 0)));
      },
    });
    put("String.prototype", {
      toUpperCase(this: unknown) {
        return String(this).replace(/[a-z]+/g, (letters) => letters.toUpperCase());
      },
      toLowerCase(this: unknown) {
        return String(this).replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
      },
      removeAccents(this: unknown) {
        return String(this);
      },
    });
    put("String", { fromCharCode: (...codes: never[]) => String.fromCharCode(...codes.map((code) => Number(code) & 255)) });
    put("Error.prototype", {
      toString(this: unknown) {
        const error = this as { type?: string; message?: string };
        const type = error.type ?? "Error";
        return error.message ? `${type}: ${asText(realm, error.message)}` : type;
      },
    });
  }
}

function deleteAllBut(place: object, keep: string[]): void {
  for (const name of Object.getOwnPropertyNames(place)) if (!keep.includes(name)) Reflect.deleteProperty(place, name);
}

/** Exact only for small whole exponents; else by logarithms. Source: jswrap_math_pow, src/jswrap_math.c. */
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
