import type { BoardCore } from "./board-core.ts";
import { bytesOf, isBuffer, toByteString } from "./byte-arguments.ts";
import { crc32, type MappedStrings } from "./library-storage.ts";
import { nativeCalls } from "./native-calls.ts";
import { printValue, TO_JS } from "./printer.ts";
import { RAM_BASE, RamAddresses } from "./ram-addresses.ts";

/** Shorter ones have no flat string behind them. */
const FLAT_FROM = 17;

/** The `E` object. Source: Espruino 2v29, src/jswrap_espruino.c. What the firmware has no use for is there and says that the virtual board lacks it. */
export function libraryE(core: BoardCore, mapped: MappedStrings): Record<string, unknown> {
  const { realm } = core;
  const ram = new RamAddresses(core.facts.chip.ramKb);

  const addressOf = (value: unknown): number => {
    // Flash beside the chip is not mapped into memory.
    if (typeof value === "string") return core.facts.storage.internal ? mapped.addressOf(core, value) : 0;
    const view = ArrayBuffer.isView(value) ? value : isBuffer(value) ? new Uint8Array(value) : undefined;
    return view ? ram.of(view) : 0;
  };

  const joined = (values: unknown[]): Uint8Array => {
    const bytes = bytesOf(values);
    core.allocate(bytes.length);
    return bytes;
  };

  const numbers = (value: unknown): number[] =>
    Array.isArray(value) ? value.map(Number) : ArrayBuffer.isView(value) ? [...(value as Uint8Array)] : [...bytesOf(value)];

  const members: Record<string, unknown> = {
    CRC32: (data: never) => crc32(bytesOf(data)),
    toString: (...values: never[]) => toByteString(joined(values)),
    toFlatString: (...values: never[]) => toByteString(joined(values)),
    toUint8Array: (...values: never[]) => realm.uint8Array(joined(values)),
    toArrayBuffer: (text: never) => (typeof text === "string" ? realm.arrayBuffer(bytesOf(text)) : undefined),
    toJS: (value: never) => printValue(realm, value, TO_JS),
    hwRand: () => new DataView(core.randomBytes(4).buffer).getInt32(0, true),
    srand: (seed: never) => core.seedScript(Number(seed)),
    getAddressOf: (value: never, flat: never) => (flat ? addressOf(value) : addressOf(value) || RAM_BASE),
    nativeCall: nativeCalls(core, ram),
    getSizeOf: (value: never) => blocksOf(value),
    getErrorFlags: () => realm.array(core.takeErrorFlags()),
    getFlags: () => realm.object(Object.fromEntries(FLAG_NAMES.map((name) => [name, core.flags.get(name) ?? 0]))),
    setFlags: (flags: never) => {
      for (const [name, value] of Object.entries(flags as Record<string, unknown>)) {
        if (FLAG_NAMES.includes(name)) core.flags.set(name, Number(value));
      }
    },
    reverseByte: (byte: never) => Number.parseInt((Number(byte) & 255).toString(2).padStart(8, "0").split("").reverse().join(""), 2),
    sum: (items: never) => numbers(items).reduce((sum, item) => sum + item, 0),
    variance: (items: never, mean: never) => numbers(items).reduce((sum, item) => sum + (item - Number(mean)) ** 2, 0),
    convolve: (first: never, second: never, offset: never) => {
      const [a, b, by] = [numbers(first), numbers(second), Number(offset) || 0];
      return a.reduce((sum, item, i) => sum + item * b[(((i + by) % b.length) + b.length) % b.length]!, 0);
    },
    clip: (value: never, low: never, high: never) => (Number(value) < Number(low) ? low : Number(value) > Number(high) ? high : value),
    mapInPlace: (from: never, to: never, map: never, bits: never) => mapInPlace(from, to, map, bits),
    dumpStr: () => "",
    defrag: () => undefined,
    lockConsole: () => {
      if (core.password !== undefined) core.console.locked = true;
    },
    setPassword: (password: never) => {
      core.password = password === undefined || password === null ? undefined : String(password).slice(0, 20);
    },
    getConsole: () => core.consoleDevice,
    setConsole: (device: never, options: never) => {
      const name = device === null ? null : typeof device === "string" ? device : realm.deviceName(device as object)?.name;
      if (name !== null && !CONSOLE_DEVICES.has(name ?? "")) throw realm.error("Unknown device type undefined");
      core.setConsole(name ?? null, Boolean((options as { force?: unknown } | undefined)?.force));
    },
    setBootCode: (code: never, always: never) => {
      core.storage.erase(".bootcde");
      core.storage.erase(".bootrst");
      if (code !== undefined && String(code).length > 0) core.storage.write(always ? ".bootrst" : ".bootcde", bytesOf(String(code)));
    },
    enableWatchdog: (seconds: never, automatic: never) => core.watchdog.enable(Number(seconds), automatic === undefined || Boolean(automatic)),
    kickWatchdog: () => core.watchdog.kick(),
    reboot: () => core.restart({ kind: "reboot" }),
    getTemperature: () => core.temperature,
    getBattery: () => {
      const volts = core.batteryVolts;
      // a coin cell; or that of a watch, by its own curve. Source: jswrap_espruino.c, jswrap_bangle.c
      const percent = core.facts.battery ? lithiumPercent(volts) : ((volts - 2.2) / 0.6) * 100;
      return Math.max(0, Math.min(100, Math.trunc(percent)));
    },
    getAnalogVRef: () => core.batteryVolts,
    setTimeZone: (hours: never) => {
      core.timeZone = Number(hours);
    },
    setDST: () => undefined,
    isUTF8: () => false,
    asUTF8: () => noUnicode(),
    fromUTF8: () => noUnicode(),
    getPowerUsage: () => realm.object({ device: realm.object({}), total: 0 }),
    stopEventPropagation: () => undefined,
    memoryArea: (address: never, length: never) => {
      const text = toByteString(core.flash.read(Number(address), Number(length)));
      mapped.remember(text, Number(address));
      return text;
    },
  };
  for (const name of MISSING) members[name] = () => missing(name);
  const noUnicode = () => {
    throw realm.error("Unicode not supported on this build");
  };
  const missing = (name: string) => {
    throw realm.error(`E.${name} is missing in the virtual board`);
  };
  return realm.library(members);
}

function lithiumPercent(volts: number): number {
  if (volts >= 3.95) return 80 + ((volts - 3.95) * 20) / (4.2 - 3.95);
  return volts >= 3.7 ? 10 + ((volts - 3.7) * 70) / (3.95 - 3.7) : ((volts - 3.3) * 10) / (3.7 - 3.3);
}

const CONSOLE_DEVICES = new Set(["Serial1", "USB", "Bluetooth", "Terminal", "LoopbackA", "LoopbackB"]);
const FLAG_NAMES = ["deepSleep", "unsafeFlash", "unsyncFiles", "pretokenise", "jitDebug", "onErrorSave", "onErrorFlash"];

const MISSING =
  "FFT HSBtoRGB asm compiledC decodeUTF8 dumpFragmentation dumpFreeList dumpLockedVars dumpVariables getClock setClock memoryMap pipe setComparator lookupNoCase".split(
    " ",
  );

function mapInPlace(from: unknown, to: unknown, map: unknown, bits: unknown): void {
  const source = from as Uint8Array;
  const target = to as Uint8Array;
  const apply = (value: number, index: number): number =>
    typeof map === "function"
      ? Number((map as (value: number, index: number) => unknown)(value, index))
      : map
        ? Number((map as ArrayLike<unknown>)[value])
        : value;
  const width = bits === undefined || bits === null ? 0 : Number(bits);
  if (width === 0) {
    for (let i = 0; i < Math.min(source.length, target.length); i++) target[i] = apply(source[i]!, i);
    return;
  }
  const size = Math.abs(width);
  const unit = source.BYTES_PER_ELEMENT ? 8 * source.BYTES_PER_ELEMENT : 8;
  let index = 0;
  for (const item of source)
    for (let shift = 0; shift < unit && index < target.length; shift += size) {
      const at = width > 0 ? unit - size - shift : shift;
      target[index] = apply((item >>> at) & ((1 << size) - 1), index);
      index += 1;
    }
}

/** Blocks of 13 bytes that a value takes: 8 characters in the first of a string, 9 in each further one; flat buffers lie in one piece. Source: measured with E.getSizeOf on the real interpreter. */
export function blocksOf(value: unknown, depth = 0): number {
  if (typeof value === "string") return value.length <= 8 ? 1 : 1 + Math.ceil((value.length - 8) / 9);
  if (Array.isArray(value))
    return 1 + value.reduce((sum: number, item) => sum + (Number.isInteger(item) ? 1 : 1 + (depth < 8 ? blocksOf(item, depth + 1) : 1)), 0);
  if (isBuffer(value)) return 1 + bufferBlocks(value.byteLength);
  if (ArrayBuffer.isView(value)) return 2 + bufferBlocks(value.buffer.byteLength);
  if (typeof value === "object" && value !== null && depth < 8)
    return 1 + Object.values(value).reduce((sum: number, item) => sum + (Number.isInteger(item) ? 1 : 1 + blocksOf(item, depth + 1)), 0);
  return 1;
}

function bufferBlocks(bytes: number): number {
  return bytes < FLAT_FROM ? Math.max(1, Math.ceil((bytes - 8) / 9) + 1) : 1 + Math.ceil(bytes / 13);
}
