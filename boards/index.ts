import { bangle2 } from "./bangle2.ts";
import type { BoardFacts } from "./board-facts.ts";
import { mdbt42q } from "./mdbt42q.ts";
import { microbit2 } from "./microbit2.ts";
import { nrf52840dk } from "./nrf52840dk.ts";
import { pixljs } from "./pixljs.ts";
import { puckjs } from "./puckjs.ts";

/** Every board we know, those that can do most first. */
export const BOARDS: BoardFacts[] = [puckjs, mdbt42q, pixljs, nrf52840dk, microbit2, bangle2];

/** Facts of the board called `name`: an id as on the command line, or what the interpreter calls itself in `process.env.BOARD`. */
export function findBoard(name: string): BoardFacts | undefined {
  for (let i = 0; i < BOARDS.length; i++) {
    if (BOARDS[i].id === name || BOARDS[i].espruinoNames.indexOf(name) >= 0) return BOARDS[i];
  }
  return undefined;
}
