import type { BoardCore } from "./board-core.ts";
import { installDate } from "./board-date.ts";
import { bytesOf } from "./byte-arguments.ts";
import { installJson } from "./json.ts";
import { cryptoLibrary } from "./library-crypto.ts";
import { libraryE } from "./library-e.ts";
import { flashLibrary } from "./library-flash.ts";
import { installProcess } from "./library-process.ts";
import { MappedStrings, storageLibrary } from "./library-storage.ts";
import { kindOf } from "./native-ways.ts";
import { installPorts, type Ports } from "./ports.ts";
import { installPromises, type Promises } from "./promises.ts";
import type { ScriptEvents } from "./script-events.ts";

export interface Libraries {
  promises: Promises;
  /** The script's `E`, for its events. */
  e: Record<string, unknown>;
  ports: Ports;
  /** The script's `Bangle`, on a watch. */
  bangle: object | undefined;
}

export interface InterpreterHost {
  core: BoardCore;
  events: ScriptEvents;
  /** Implementation of `NRF`; undefined: the board has none. */
  nrf: Record<string, unknown> | undefined;
  caught(error: unknown): void;
  installPins(): void;
}

/** Fills a fresh realm with everything the interpreter brings. */
export function installLibraries(host: InterpreterHost): Libraries {
  const { core, events } = host;
  const { realm } = core;
  events.install(
    realm,
    (run) => core.enqueue(run),
    (handler, args, self) => core.callScript(handler, args, self),
  );
  installJson(realm);
  installDate(realm, {
    boardTime: () => core.boardTime,
    timeZone: () => core.timeZone,
    utcGetters: core.atLeast(30) || /^2v29\./.test(core.firmware),
  });
  const promises = installPromises(realm, { queue: (run) => core.enqueue(run), caught: host.caught });
  core.timers.install(realm);
  host.installPins();

  const mapped = new MappedStrings();
  const crypto = cryptoLibrary(core);
  const builtIn: Record<string, Record<string, unknown>> = { Flash: flashLibrary(core), Storage: storageLibrary(core, mapped) };
  if (crypto) builtIn.crypto = crypto;
  const modules = [...(core.atLeast(29) ? ["timer"] : []), ...Object.keys(builtIn), "heatshrink"];
  installProcess(core, modules);
  installModules(core, builtIn);

  const e = libraryE(core, mapped);
  realm.define("E", e);
  if (crypto?.AES) realm.define("AES", crypto.AES);
  if (host.nrf) realm.define("NRF", realm.library(host.nrf));
  core.radio?.install?.({
    realm,
    events,
    promises,
    enqueue: (run) => core.enqueue(run),
    hold: (blocks) => core.holdMemory(blocks),
    call: (handler, args, self) => void core.callScript(handler, args, self),
  });
  installText(core);
  const ports = installPorts(core, events);
  installBoardObject(core);
  const bangle = core.wristwatch?.install(realm);
  core.screen?.install(core);
  return { promises, e, ports, bangle };
}

/** `require` and `Modules`. Order: cache, built in, a file of exactly that name. */
function installModules(core: BoardCore, builtIn: Record<string, unknown>): void {
  const { realm } = core;
  const cache = new Map<string, unknown>();
  const load = (source: string): unknown => {
    const module = realm.object({ exports: realm.object({}) });
    const run = realm.run(`(function(exports,module){${source}\n})`) as (exports: unknown, module: unknown) => void;
    run(module.exports, module);
    return module.exports;
  };
  const require = (name: never): unknown => {
    if (typeof name !== "string") throw realm.error(`Expecting module name as a string, got ${kindOf(name)}`, "TypeError");
    const key: string = name;
    if (cache.has(key)) return cache.get(key);
    if (builtIn[key]) return builtIn[key];
    if (key === "heatshrink" || key === "timer") throw realm.error(`Module "${key}" is missing in the virtual board`);
    const file = core.storage.read(key);
    if (!file) throw realm.error(`Module "${key}" not found`);
    const made = load(String.fromCharCode(...file));
    cache.set(key, made);
    return made;
  };
  realm.define("require", realm.native(require));
  realm.define(
    "Modules",
    realm.library({
      addCached: (name: never, module: never) => {
        const given: unknown = module;
        if (typeof given === "function") {
          const holder = realm.object({ exports: realm.object({}) });
          (given as (...args: unknown[]) => void)(holder.exports, holder, realm.global.require);
          cache.set(String(name), holder.exports);
        } else cache.set(String(name), load(String(given)));
      },
      getCached: () => realm.array([...cache.keys()]),
      removeCached: (name: never) => void cache.delete(String(name)),
      removeAllCached: () => cache.clear(),
    }),
  );
}

function installText(core: BoardCore): void {
  const { realm } = core;
  realm.define(
    "btoa",
    realm.native((value: never) => {
      const given: unknown = value;
      if (typeof given !== "string" && (typeof given !== "object" || given === null))
        throw realm.error(`Expecting String or Array, got ${kindOf(given)}`);
      return Buffer.from(bytesOf(given)).toString("base64");
    }),
  );
  realm.define(
    "atob",
    realm.native((value: never) => {
      if (typeof value !== "string") throw realm.error(`Expecting String, got ${kindOf(value)}`);
      const text = (value as string).replaceAll(/\s/g, "");
      const length = Math.floor((text.length * 3) / 4) - (/=*$/.exec(text)![0].length || 0);
      const bytes = Buffer.from(text, "base64").toString("latin1");
      return bytes.padEnd(length, "\0").slice(0, length);
    }),
  );
}

/** `Puck` or `Pixl`: what can be asked without its sensors. */
function installBoardObject(core: BoardCore): void {
  const { realm, facts } = core;
  const percentage = () => Math.max(0, Math.min(100, Math.trunc(((core.batteryVolts - 2.2) / 0.6) * 100)));
  if (facts.id === "puckjs")
    realm.define(
      "Puck",
      realm.library({
        getBatteryPercentage: percentage,
        getTemperature: () => core.temperature,
        light: () => 0.5,
        capSense: () => 0,
        mag: () => realm.object({ x: 0, y: 0, z: 0 }),
        magOn: () => undefined,
        magOff: () => undefined,
        accelOn: () => undefined,
        accelOff: () => undefined,
        IR: () => undefined,
        selfTest: () => true,
      }),
    );
  if (facts.id === "pixljs")
    realm.define(
      "Pixl",
      realm.library({
        getBatteryPercentage: percentage,
        setContrast: () => undefined,
        setLCDPower: (on: never) => {
          if (core.screen) core.screen.on = Boolean(on);
        },
        menu: () => realm.object({}),
        lcdw: () => undefined,
      }),
    );
}
