import type { BoardFacts } from "../../boards/board-facts.ts";
import type { BoardRadio } from "./board-options.ts";
import type { Console } from "./console.ts";
import type { FlashImage, FlashTiming } from "./flash.ts";
import type { InputQueue } from "./input-queue.ts";
import type { NarrowRealm } from "./narrow-realm.ts";
import type { MachineCode } from "./native-calls.ts";
import type { Screen } from "./screen.ts";
import type { SerialLink } from "./serial-link.ts";
import type { Storage } from "./storage.ts";
import type { Timers } from "./timers.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import type { Watchdog } from "./watchdog.ts";
import type { Wristwatch } from "./wristwatch.ts";

export type ErrorFlag = "FIFO_FULL" | "BUFFER_FULL" | "CALLBACK" | "LOW_MEMORY" | "MEMORY" | "UART_OVERFLOW";

/** `bitten`: by the watchdog. */
export type Restart = { kind: "reset"; eraseCode: boolean } | { kind: "load"; file?: string } | { kind: "reboot"; bitten?: boolean };

/** What the interpreter's libraries need of the board they run on. `VirtualBoard` is one. */
export interface BoardCore {
  readonly facts: BoardFacts;
  /** As in `process.env.VERSION`. */
  readonly firmware: string;
  readonly realm: NarrowRealm;
  readonly console: Console;
  readonly link: SerialLink;
  readonly queue: InputQueue;
  readonly timers: Timers;
  readonly flash: FlashImage;
  readonly flashTiming: FlashTiming;
  readonly storage: Storage;
  /** Flags of `E.setFlags`. */
  readonly flags: Map<string, number>;
  /** The board's clock, Unix seconds. */
  readonly boardTime: number;
  setBoardTime(seconds: number): void;
  /** Seconds since power-on by the board's clock, steady over `setTime`. */
  uptime(): number;
  /** 0 to 1, from the board's seed. */
  random(): number;
  /** `Math.random` repeats itself from here. */
  seedScript(seed: number): void;
  /** Bytes from the board's seeded hardware generator. */
  randomBytes(count: number): Uint8Array;
  /** The script stands still for so long (flash, radio restart). */
  spend(seconds: number): void;
  print(text: string): void;
  /** Calls a function or evaluates a string from the main loop; what it throws is reported. False: it was thrown out for want of memory. */
  callScript(callback: unknown, args: unknown[], self?: unknown): boolean;
  /** Runs in the main loop, after the timers that are due and before the next ones. */
  enqueue(run: () => void): void;
  /** Runs something of the board's own; what it throws is reported at the end of the turn. */
  attempt(work: () => void): void;
  flagError(flag: ErrorFlag): void;
  takeErrorFlags(): ErrorFlag[];
  /** At the end of this turn of the main loop. */
  restart(what: Restart): void;
  /** Takes memory for so many bytes, or throws the script out. */
  allocate(bytes: number): void;
  memoryUsage(): { usage: number; total: number };
  /** Variables that objects of the interpreter's own take, or (negative) give back. */
  holdMemory(blocks: number): void;
  password: string | undefined;
  /** Hours ahead of UTC. */
  timeZone: number;
  readonly temperature: number;
  readonly batteryVolts: number;
  readonly hardwareVersion: number | undefined;
  /** As `getSerial()` tells it. */
  readonly serialNumber: string;
  /** Is the interpreter of release 2v`minor` or later? */
  atLeast(minor: number): boolean;
  /** The console's device: `Serial1`, or null when switched off. */
  consoleDevice: string | null;
  /** `force`: connections that come and go don't move it. */
  setConsole(device: string | null, force: boolean): void;
  /** Characters to a port, whether or not it is the console. */
  writePort(port: string, text: string): void;
  /** As if a port had received this. */
  inject(port: string, bytes: Uint8Array): void;
  readonly watchdog: Watchdog;
  readonly clock: VirtualClock;
  /** The chip's own address. */
  readonly address: string;
  /** Of boards whose screen is modelled. */
  readonly screen: Screen | undefined;
  /** Of a board that is a watch. */
  readonly wristwatch: Wristwatch | undefined;
  /** Undefined without power, and for boards that were given none. */
  readonly radio: BoardRadio | undefined;
  readonly machineCode: MachineCode | undefined;
}
