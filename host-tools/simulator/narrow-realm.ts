import vm from "node:vm";
import { readTokens } from "../generator/tokens.ts";
import { installNativeWays } from "./native-ways.ts";
import type { PrinterRealm } from "./printer.ts";
import { GLOBALS, MEMBERS, TYPED_ARRAYS } from "./realm-names.ts";
import { isSyntaxError, syntaxTrace, withStack } from "./script-errors.ts";
import { ASSIGN_HOOK, CATCH_HOOK, EVAL_HOOK, redeclare, type ScriptKind, translate } from "./translate.ts";

export interface RealmHost {
  /** Gives an error V8 made the interpreter's words; throws what no catch clause may stop. */
  caught(error: unknown): void;
  /** A buffer of so many bytes is about to be made; throws when there is no memory for it. */
  allocate(bytes: number): void;
  /** 0 to 1. */
  random(): number;
  /** Throws for text that the interpreter can't read. */
  checkText(source: string): void;
}

export type AnyFunction = (this: unknown, ...args: never[]) => unknown;
export type Constructor = new (...args: unknown[]) => object;
type ErrorType = "Error" | "TypeError" | "SyntaxError" | "ReferenceError" | "InternalError";

const WRAP = new vm.Script("(function(f){return function(){return f.apply(this,arguments)}})");
const WRAP_ARROW = new vm.Script("(function(f){return ()=>f()})");
const MAKE_CLASS = new vm.Script("(function(f){return function C(){var r=f.apply(this,arguments);return r===undefined?this:r}})");

/** Node would else write the place into the stack text. */
const QUIET = { displayErrors: false };

/**
 * One V8 realm with nothing in it but what the interpreter has: fresh intrinsics, everything absent on a board deleted, and the interpreter's
 * own ways where they differ (native-ways.ts). What the interpreter brings lies one prototype below what the script defines: deleting an
 * overridden function brings the native one back, as on the board.
 */
export class NarrowRealm implements PrinterRealm {
  readonly global: Record<string, unknown>;
  readonly context: vm.Context;
  /** V8's own classes of this realm. */
  readonly intrinsics: Record<string, Constructor & Record<string, unknown>> = {};
  private readonly builtIn: Record<string, unknown> = Object.create(null);
  private readonly natives = new WeakSet<object>();
  private readonly devices = new WeakMap<object, { name: string; pin: boolean }>();
  private readonly wrap: (fn: AnyFunction) => AnyFunction;
  private readonly wrapArrow: (fn: AnyFunction) => AnyFunction;
  private readonly makeClass: (fn: AnyFunction) => Constructor;

  constructor(readonly host: RealmHost) {
    this.context = vm.createContext(Object.create(this.builtIn), { codeGeneration: { strings: true, wasm: false } });
    this.global = vm.runInContext("globalThis", this.context) as Record<string, unknown>;
    this.wrap = WRAP.runInContext(this.context) as (fn: AnyFunction) => AnyFunction;
    this.wrapArrow = WRAP_ARROW.runInContext(this.context) as (fn: AnyFunction) => AnyFunction;
    this.makeClass = MAKE_CLASS.runInContext(this.context) as (fn: AnyFunction) => Constructor;
    for (const name of [...GLOBALS, "RangeError"]) {
      const value = this.global[name];
      if (typeof value === "function" && /^[A-Z]/.test(name)) this.intrinsics[name] = value as Constructor & Record<string, unknown>;
    }
    installNativeWays(this, this.narrow());
    this.hook(CATCH_HOOK, (error: never) => host.caught(error));
    this.hook(ASSIGN_HOOK, (name: never, value: never) => this.assignable(name) && value);
    this.hook(EVAL_HOOK, (text: never) => (typeof text === "string" ? this.translated(text) : text));
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

  /** A library: `typeof` says function, and its members, made native, are not enumerable as its own. */
  library(members: Record<string, unknown>): Record<string, unknown> {
    const below = this.object({});
    for (const [name, value] of Object.entries(members))
      Object.defineProperty(below, name, {
        value: typeof value === "function" && !this.natives.has(value) ? this.native(value as AnyFunction) : value,
        writable: true,
        configurable: true,
        enumerable: false,
      });
    const library = this.wrapArrow(() => undefined) as unknown as Record<string, unknown>;
    for (const name of Object.getOwnPropertyNames(library)) Reflect.deleteProperty(library, name);
    Object.setPrototypeOf(library, below);
    this.natives.add(library);
    return library;
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

  /** An error of the realm, to throw. Its stack text follows when it is caught. */
  error(message: string, type: ErrorType = "Error"): Error {
    const error = new (this.intrinsics[type] ?? this.intrinsics.Error!)(message) as Error & { type: string };
    error.type = type;
    return error;
  }

  /** Class of an error, as V8 threw it. */
  errorClass(error: Error): string {
    const prototype = Object.getPrototypeOf(error) as object;
    return ["TypeError", "SyntaxError", "ReferenceError"].find((type) => this.intrinsics[type]!.prototype === prototype) ?? "Error";
  }

  /** Makes an error an instance of the class that the interpreter would have thrown. */
  setErrorType(error: Error, type: string): void {
    const made = this.builtIn[type] as { prototype: object } | undefined;
    if (made && Object.getPrototypeOf(error) !== made.prototype) Object.setPrototypeOf(error, made.prototype);
  }

  isError(value: unknown): value is Error & { type?: string } {
    return Object.prototype.toString.call(value) === "[object Error]";
  }

  isPlainObject(value: unknown): value is Record<string, unknown> {
    return Object.prototype.toString.call(value) === "[object Object]" && !this.devices.has(value as object);
  }

  /** Brings a global that the interpreter has of itself. */
  define(name: string, value: unknown): void {
    Reflect.deleteProperty(this.global, name);
    this.builtIn[name] = value;
  }

  markDevice(value: object, name: string, pin = false): void {
    this.devices.set(value, { name, pin });
  }

  markNative(value: object): void {
    this.natives.add(value);
  }

  /** Puts native methods on an object of the realm, not enumerable. */
  methods(place: object, members: Record<string, AnyFunction>): void {
    for (const [name, fn] of Object.entries(members))
      Object.defineProperty(place, name, { value: this.native(fn), writable: true, configurable: true, enumerable: false });
  }

  // ---- running text

  /**
   * Runs a script in the realm and answers its value. What a file declares at its top is fast, but no property of `global`.
   * @throws what the script throws; acorn's SyntaxError for text that isn't one
   */
  run(source: string, kind: ScriptKind = "console"): unknown {
    const translation = translate(source, kind);
    try {
      return translation.script.runInContext(this.context, QUIET);
    } catch (error) {
      const again = /^Identifier '(.+)' has already been declared$/.exec((error as Error | undefined)?.message ?? "");
      if (!again) throw error;
      return redeclare(source, kind, again[1]!, (code) => code.runInContext(this.context, QUIET));
    }
  }

  /** Text for V8's own `eval`. @throws an error of the realm */
  private translated(script: string): string {
    const { text } = readTokens(script);
    try {
      this.host.checkText(text);
      const { code, id } = translate(text, "console");
      return `${code}\n//# sourceURL=${id}`;
    } catch (error) {
      if (!isSyntaxError(error)) throw error;
      const trace = syntaxTrace(text, error.message, error.pos, { root: undefined, fileOf: () => undefined });
      throw withStack(this.error(trace.message, "SyntaxError"), trace.stack);
    }
  }

  /** @throws where the interpreter would not find a variable of that name to put a value into */
  private assignable(name: string): true {
    const brought = Object.hasOwn(this.context, name) ? undefined : this.builtIn[name];
    if (typeof brought === "function" && this.natives.has(brought)) throw this.error("Unable to assign value to non-reference Function");
    return true;
  }

  private hook(name: string, fn: AnyFunction): void {
    this.builtIn[name] = this.native(fn);
  }

  // ---- what the printer asks

  globalName(value: unknown): string | undefined {
    for (const name of Object.keys(this.global)) if (this.global[name] === value) return name;
    for (const name in this.builtIn) if (this.builtIn[name] === value) return name;
    for (const name in this.intrinsics) if (this.intrinsics[name] === value) return name;
    return undefined;
  }

  isNative(value: object): boolean {
    return this.natives.has(value);
  }

  deviceName(value: object): { name: string; pin: boolean } | undefined {
    return this.devices.get(value);
  }

  /** Deletes what the interpreter lacks; answers the places where methods live. */
  private narrow(): { [name: string]: object } {
    const { intrinsics, global } = this;
    for (const name of Object.getOwnPropertyNames(global)) if (!GLOBALS.has(name)) Reflect.deleteProperty(global, name);
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
    for (const place of Object.values(places))
      for (const name of Object.getOwnPropertyNames(place)) {
        const value = Object.getOwnPropertyDescriptor(place, name)?.value as unknown;
        if (typeof value === "function") this.natives.add(value);
      }
    for (const value of Object.values(global)) if (typeof value === "function") this.natives.add(value);
    this.define("global", global);
    return places;
  }
}

function deleteAllBut(place: object, keep: string[]): void {
  for (const name of Object.getOwnPropertyNames(place)) if (!keep.includes(name)) Reflect.deleteProperty(place, name);
}
