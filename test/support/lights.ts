import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import type { WornWorld } from "./worn-boards.ts";

/** A time in which a board's lights were on and did not change. Seconds since the watching began. */
export interface Shine {
  from: number;
  to: number;
  /** Names of the lights that are on. */
  lights: string[];
}

const STEP = 0.01;

/** Lets so many seconds pass and writes down what the lights do, to a hundredth of a second. */
export function watchLights(world: WornWorld, board: VirtualBoard, seconds: number): Shine[] {
  const shines: Shine[] = [];
  let lit: Shine | undefined;
  for (let i = 0; i < seconds / STEP; i++) {
    world.pass(STEP);
    const lights = Object.entries(board.lights).flatMap(([name, level]) => (level > 0 ? [name] : []));
    if (lit?.lights.join() !== lights.join()) {
      lit = lights.length > 0 ? { from: i * STEP, to: i * STEP, lights } : undefined;
      if (lit) shines.push(lit);
    }
    if (lit) lit.to = (i + 1) * STEP;
  }
  return shines;
}

/** Presses the button for so long and watches from then on. */
export function pressAndWatch(world: WornWorld, board: VirtualBoard, seconds = 4, pressMs = 200): Shine[] {
  board.pressButton(pressMs);
  return watchLights(world, board, seconds);
}

const COLOURS: { [lights: string]: string } = {
  LED1: "red",
  LED2: "green",
  LED3: "blue",
  "LED1,LED2": "yellow",
  "LED1,LED2,LED3": "white",
};

/** In words: `short green`, `long blue`; of a board with lights that aren't red, green and blue only `short` and `long`. */
export function inWords(shines: Shine[], board: VirtualBoard): string[] {
  const coloured = board.facts.lights[2]?.colour === "blue";
  return shines.map(({ from, to, lights }) => {
    const length = to - from < 0.3 ? "short" : to - from < 1 ? "long" : "very long";
    return coloured ? `${length} ${COLOURS[lights.join()] ?? lights.join()}` : length;
  });
}
