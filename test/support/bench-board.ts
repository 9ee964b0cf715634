import { puckjs } from "../../boards/puckjs.ts";
import { VirtualBoard, type VirtualBoardOptions } from "../../host-tools/simulator/virtual-board.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";

/** 2023-11-14, some Tuesday. */
export const START = 1_700_000_000;

/** A board on the bench, its console within reach. Text has one byte a character. */
export class Bench {
  readonly clock: VirtualClock;
  readonly board: VirtualBoard;
  /** What came out since it was last taken. */
  output = "";

  constructor(options: Partial<VirtualBoardOptions> = {}) {
    this.clock = options.clock ?? new VirtualClock(START);
    this.board = new VirtualBoard({ facts: puckjs, ...options, clock: this.clock });
    this.board.onOutput((bytes) => {
      this.output += Buffer.from(bytes).toString("latin1");
    });
  }

  /** Lets virtual seconds pass. */
  pass(seconds: number): void {
    this.clock.advanceTo(this.clock.now + seconds);
  }

  take(): string {
    const { output } = this;
    this.output = "";
    return output;
  }

  /** Types, and answers what came back within so many virtual seconds. */
  type(text: string, seconds = 3): string {
    this.take();
    this.board.input(Buffer.from(text, "latin1"));
    this.pass(seconds);
    return this.take();
  }

  /** Switches on and answers what was printed. */
  powerOn(options?: Parameters<VirtualBoard["powerOn"]>[0]): string {
    this.take();
    this.board.powerOn(options);
    this.pass(2);
    return this.take();
  }

  /** Value of an expression, made of plain things by way of JSON. */
  value(expression: string): unknown {
    const text = this.board.evaluate(`JSON.stringify([(${expression})])`) as string | undefined;
    return text === undefined ? undefined : (JSON.parse(text) as unknown[])[0];
  }
}

/** A board that has power and stands at its prompt. */
export function bench(options: Partial<VirtualBoardOptions> = {}): Bench {
  const made = new Bench(options);
  made.powerOn();
  return made;
}
