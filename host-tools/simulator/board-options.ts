import type { BoardFacts } from "../../boards/board-facts.ts";
import type { FlashImage } from "./flash.ts";
import type { ScriptWorld } from "./gatt/gatt-objects.ts";
import type { MachineCode } from "./native-calls.ts";
import type { RadioLink } from "./radio-link.ts";
import type { Memory } from "./radio-privacy.ts";
import type { VirtualBoard } from "./virtual-board.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** What a virtual radio is to its board. */
export interface BoardRadio {
  /** The members of the script's `NRF`. */
  readonly nrf: Record<string, unknown>;
  /** Classes that the script has because of the radio. */
  install?(world: ScriptWorld): void;
  powerOff(): void;
  /** The script starts anew. */
  reset(): void;
  /** Does it take a connection now? */
  readonly connectable?: boolean;
  /** A central connects. @throws where it is not `connectable` */
  connect?(central?: string): RadioLink;
  /** Console output for a central; false if there is none. */
  uartSend?(bytes: Uint8Array): boolean;
  /** A supervisor call that is the radio's: its answer; undefined if it is none that is known. */
  supervisorCall?(number: number, args: number[], memory: Memory): number | undefined;
}

export interface VirtualBoardOptions {
  facts: BoardFacts;
  clock: VirtualClock;
  /** Makes the radio each time the power comes; without it the board has no `NRF`. */
  radio?: (board: VirtualBoard) => BoardRadio;
  seed?: number;
  /** Contents of flash; erased if absent. */
  flash?: FlashImage;
  /** The interpreter's release. Before 2v25 it knows no packets. */
  firmware?: string;
  /** The chip's own address, `aa:bb:cc:dd:ee:ff`. */
  address?: string;
  /** Runs machine code, as the processor does. Without it the board knows a supervisor call and nothing else. */
  machineCode?: MachineCode;
  /** How much faster the board's clock runs than true time, parts per million. */
  clockPpm?: number;
  batteryVolts?: number;
  temperature?: number;
  /** Variables ("JsVars") of the interpreter, when not the board's usual number. */
  variables?: number;
  hardwareVersion?: number;
  /** How long the interpreter works on each callback, seconds. The radio's reports queue up meanwhile. */
  callbackSeconds?: number;
  /** Refuse syntax that the interpreter can't read though V8 can. Default true. */
  checkDialect?: boolean;
}
