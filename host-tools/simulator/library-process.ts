import type { BoardCore } from "./board-core.ts";
import { asText, PRINT, printValue } from "./printer.ts";

/** `process`, `print`, `console`, `echo`, `reset`, `load` and the like. Source: Espruino 2v29, src/jswrap_process.c, jswrap_functions.c, jswrap_interactive.c. */
export function installProcess(core: BoardCore, modules: string[]): void {
  const { realm, facts } = core;
  const print = (...values: never[]) => {
    const text = values.map((value: unknown) => (typeof value === "string" ? value : printValue(realm, value, PRINT))).join(" ");
    core.print(text + "\n");
  };
  const env = () =>
    realm.object({
      VERSION: core.firmware,
      GIT_COMMIT: "virtual",
      BOARD: facts.espruinoNames[0] ?? facts.id.toUpperCase(),
      RAM: facts.chip.ramKb * 1024,
      FLASH: facts.chip.flashKb * 1024,
      ...(core.hardwareVersion === undefined ? {} : { HWVERSION: core.hardwareVersion }),
      STORAGE: facts.storage.pages * facts.storage.pageBytes,
      SERIAL: core.serialNumber,
      CONSOLE: core.consoleDevice,
      MODULES: modules.join(","),
      EXPTR: 0x1f1d4,
      ...(core.atLeast(28) ? { SOFTDEVICE: facts.softDevice.firmwareId } : {}),
    });
  const memory = () => {
    const { usage, total } = core.memoryUsage();
    return realm.object({
      free: total - usage,
      usage,
      total,
      history: core.console.historyLines.reduce((sum, line) => sum + 1 + Math.ceil(line.length / 10), 0),
      gc: 0,
      gctime: 1.5,
      blocksize: facts.variables.bytes,
      stackEndAddress: 0x20000000 + facts.chip.ramKb * 1024 - 6000,
      stackFree: 5000,
      flash_start: 0,
      flash_binary_end: facts.storage.address,
      flash_code_start: facts.storage.address,
      flash_length: facts.chip.flashKb * 1024,
    });
  };
  const process = realm.library({ version: core.firmware, memory });
  Object.defineProperty(process, "env", { get: realm.native(env), set: undefined, enumerable: true, configurable: true });
  realm.define("process", process);
  realm.define("print", realm.native(print));
  realm.define("console", realm.library({ log: print, debug: print, info: print, warn: print, error: print, trace: () => undefined }));
  const define = (name: string, fn: (...args: never[]) => unknown) => realm.define(name, realm.native(fn));
  define("echo", (on: never) => {
    core.console.echo = Boolean(on);
  });
  define("getTime", () => {
    // Reading the clock takes a while; without it a script that waits in a loop would wait for ever.
    core.spend(0.00005);
    return core.boardTime;
  });
  define("setTime", (seconds: never) => core.setBoardTime(Number(seconds)));
  define("getSerial", () => core.serialNumber);
  define("reset", (erase: never) => core.restart({ kind: "reset", eraseCode: Boolean(erase) }));
  define("load", (file: never) => core.restart(file === undefined ? { kind: "load" } : { kind: "load", file: asText(realm, file) }));
  define("save", () => {
    if (core.atLeast(29) && core.storage.find(".bootcde")) throw realm.error("Cannot save: .bootcde file already exists. Please remove it first.");
    throw realm.error("save() is missing in the virtual board; write the code to a file of Storage");
  });
  define("dump", () => undefined);
  define("edit", () => undefined);
  define("trace", () => undefined);
  define("setBusyIndicator", () => undefined);
  define("setSleepIndicator", () => undefined);
  for (const name of ["peek8", "peek16", "peek32", "poke8", "poke16", "poke32"])
    define(name, () => {
      throw realm.error(`${name} is missing in the virtual board`);
    });
}
