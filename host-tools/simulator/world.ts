import type { BoardFacts } from "../../boards/board-facts.ts";
import { Air, type Position } from "./air.ts";
import { radioIn } from "./board-radio.ts";
import { VirtualBoard, type VirtualBoardOptions } from "./virtual-board.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** Any number of virtual boards in one air and one time. The same seed gives the same world. */
export class World {
  readonly clock: VirtualClock;
  readonly air: Air;
  readonly boards: VirtualBoard[] = [];

  /** `start`: Unix seconds. */
  constructor(
    start: number,
    readonly seed: number,
  ) {
    this.clock = new VirtualClock(start);
    this.air = new Air({ clock: this.clock, seed });
  }

  /** A board that lies at a place or moves; without power yet. */
  addBoard(
    facts: BoardFacts,
    where: Position | ((time: number) => Position),
    options: Partial<Omit<VirtualBoardOptions, "facts" | "clock" | "radio">> = {},
  ): VirtualBoard {
    const seed = this.seed * 1000 + this.boards.length + 1;
    const board = new VirtualBoard({ seed, ...options, facts, clock: this.clock, radio: radioIn(this.air) });
    this.air.station(board.address).moveTo(where);
    this.boards.push(board);
    return board;
  }
}
