import type { BoardFacts } from "../../boards/board-facts.ts";
import type { Air } from "./air.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** What a virtual board brings to its radio. Objects that the script sees are made by the board, because they belong to the script's realm. */
export interface RadioHost {
  clock: VirtualClock;
  facts: BoardFacts;
  /** Without one the radio hears nobody and nobody hears it. */
  air?: Air;
  /** Seeded, 0 to 1. */
  random(): number;
  /** Queues a call of the script's function; `queueBytes` is what it takes of the board's input queue (the board drops it and sets FIFO_FULL if there is no room). */
  call(fn: (...args: never[]) => unknown, args: unknown[], queueBytes: number): void;
  /** Text on the console. */
  print(text: string): void;
  /** Throws an Error of the script's realm; `type` as Espruino's `e.type`. */
  throwError(message: string, type?: "Error" | "TypeError"): never;
  /** An ArrayBuffer of the script's realm with a copy of these bytes. */
  makeArrayBuffer(bytes: Uint8Array): ArrayBuffer;
  makeObject(plain: Record<string, unknown>): object;
  makeArray(items: unknown[]): unknown[];
  /** The SoftDevice is down for so many milliseconds: the script stands still and the board's clock loses them. */
  onStackRestart(ms: number): void;
  /** `aa:bb:cc:dd:ee:ff`, the address of the chip. */
  factoryAddress: string;
  batteryVolts(): number;
  /** The script's function promised to be called while the SoftDevice is off (`NRF.restart(callback)`); runs it now. Default: `call`. */
  callNow?(fn: (...args: never[]) => unknown, args: unknown[]): void;
}
