import type { BoardFacts } from "../../boards/board-facts.ts";
import type { Air } from "./air.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** A function of the script, or one of the radio that is called in the script's stead. */
export type Callback = (...args: never[]) => unknown;

/** What a virtual board brings to its radio. Objects that the script sees are made by the board, because they belong to the script's realm. */
export interface RadioHost {
  clock: VirtualClock;
  facts: BoardFacts;
  /** True time as far as the processor has worked, Unix seconds: later than the clock's while a script runs that has spent time. Without it, the clock's. */
  processorTime?(): number;
  /** Without one the radio hears nobody and nobody hears it. */
  air?: Air;
  /** Seeded, 0 to 1. */
  random(): number;
  /** Has the main loop call a function; `queueBytes` is what waits for it in the input queue, 0 if nothing does. No room: dropped, and FIFO_FULL is set. */
  call(fn: Callback, args: unknown[], queueBytes: number): void;
  /** Text on the console. */
  print(text: string): void;
  /** Throws an Error of the script's realm; `type` is Espruino's `e.type`. */
  throwError(message: string, type?: "Error" | "TypeError" | "InternalError"): never;
  /** An ArrayBuffer of the script's realm with a copy of these bytes. */
  makeArrayBuffer(bytes: Uint8Array): ArrayBuffer;
  makeObject(plain: Record<string, unknown>): object;
  makeArray(items: unknown[]): unknown[];
  /** The SoftDevice is down for so many milliseconds: the script stands still and the board's clock loses them. */
  onStackRestart(ms: number): void;
  /** `aa:bb:cc:dd:ee:ff`, the address of the chip. It also names the radio in the air. */
  factoryAddress: string;
  batteryVolts(): number;
  /** A central's link came up or went down: the console moves. */
  linkChanged?(up: boolean): void;
  /** Bytes from a central for the console (Nordic UART). */
  uartReceived?(bytes: Uint8Array): void;
}
