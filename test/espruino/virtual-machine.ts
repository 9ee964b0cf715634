import { puckjs } from "../../boards/puckjs.ts";
import { VirtualBoard, type VirtualBoardOptions } from "../../host-tools/simulator/virtual-board.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";
import type { Machine } from "./machine.ts";

/** So fast that the wire is no part of what is compared. */
const BAUD = 1_000_000;
/** Seconds without output after which nothing more is expected. */
const QUIET = 0.05;
/** Seconds of board time after which an answer does not come any more. */
const LATE = 120;

/** A virtual Puck.js without a radio, its console typed at as the real interpreter's. */
export class VirtualMachine implements Machine {
  readonly name = "virtual board";
  readonly clock = new VirtualClock(0);
  readonly board: VirtualBoard;
  text = "";
  private lastOutput = 0;

  constructor(options: Partial<VirtualBoardOptions> = {}) {
    this.board = new VirtualBoard({ facts: puckjs, clock: this.clock, ...options });
    this.board.onOutput((bytes) => {
      this.text += Buffer.from(bytes).toString("latin1");
      this.lastOutput = this.clock.now;
    });
    this.powerOn();
  }

  powerOn(): void {
    this.board.powerOn();
    this.board.link.baud = BAUD;
  }

  type(text: string): void {
    this.board.input(Buffer.from(text, "latin1"));
  }

  async read(mark: string): Promise<string> {
    for (const late = this.clock.now + LATE; !this.text.includes(mark); ) {
      if (this.clock.now > late || !this.clock.step())
        throw new Error(`${JSON.stringify(mark)} was not printed; last: ${JSON.stringify(this.text.slice(-300))}`);
    }
    const at = this.text.indexOf(mark);
    const before = this.text.slice(0, at);
    this.text = this.text.slice(at + mark.length);
    return before;
  }

  async quiet(): Promise<void> {
    const begun = this.clock.now;
    for (let until = begun + QUIET; this.clock.now < until; until = Math.max(begun, this.lastOutput) + QUIET) this.clock.advanceTo(until);
  }

  async advance(ms: number): Promise<void> {
    this.clock.advanceTo(this.clock.now + ms / 1000);
  }

  async close(): Promise<void> {
    this.board.powerOff();
  }
}

/** A virtual board that has started, with echo off. */
export async function startVirtual(options: Partial<VirtualBoardOptions> = {}): Promise<VirtualMachine> {
  const machine = new VirtualMachine(options);
  machine.type("\x10echo(0)\n");
  await machine.quiet();
  machine.text = "";
  return machine;
}
