import { Graphics } from "../../host-tools/simulator/graphics.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";

/** How much wider and higher than drawn the letters may be. */
const SCALES = [
  [1, 1],
  [2, 2],
  [3, 3],
];
/** Those of a larger screen. */
const LARGE_SCALES = [
  [2, 2],
  [2, 3],
  [3, 3],
  [4, 4],
  [8, 8],
];

/** Does the board's screen show this line somewhere, in letters of any size, of one colour on another? */
export function showsText(board: VirtualBoard, text: string): boolean {
  const { screen } = board;
  const shown = screen?.shown;
  if (!screen || !shown) return false;
  for (const [across, down] of screen.bits > 1 ? LARGE_SCALES : SCALES) {
    const width = text.length * 4 * across! - across!;
    const line = new Graphics(width, 5 * down!);
    line.font = { x: across!, y: down! };
    line.drawText(text, 0, 0, false);
    for (let y = 0; y + line.height <= screen.height; y++)
      for (let x = 0; x + width <= screen.width; x++) if (matches(shown, screen.width, line, x, y)) return true;
  }
  return false;
}

function matches(shown: Uint8Array, width: number, line: Graphics, x: number, y: number): boolean {
  /** Of what is a letter, and of what is none. */
  const colours: (number | undefined)[] = [undefined, undefined];
  for (let at = 0; at < line.pixels.length; at++) {
    const colour = shown[(y + Math.floor(at / line.width)) * width + x + (at % line.width)];
    const letter = line.pixels[at]!;
    colours[letter] ??= colour;
    if (colours[letter] !== colour || colours[0] === colours[1]) return false;
  }
  return true;
}
