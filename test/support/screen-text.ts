import { Graphics } from "../../host-tools/simulator/graphics.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";

const LARGEST = 3;

/** Does the board's screen show this line somewhere, in letters of any size, dark on light or light on dark? */
export function showsText(board: VirtualBoard, text: string): boolean {
  const { screen } = board;
  const shown = screen?.shown;
  if (!screen || !shown) return false;
  for (let scale = 1; scale <= LARGEST; scale++) {
    const width = text.length * 4 * scale - scale;
    const line = new Graphics(width, 5 * scale);
    line.font = { x: scale, y: scale };
    line.drawText(text, 0, 0, false);
    for (let y = 0; y + line.height <= screen.height; y++)
      for (let x = 0; x + width <= screen.width; x++) if (matches(shown, screen.width, line, x, y)) return true;
  }
  return false;
}

/** Light letters count as well: then every pixel differs. */
function matches(shown: Uint8Array, width: number, line: Graphics, x: number, y: number): boolean {
  const differs = (at: number) => shown[(y + Math.floor(at / line.width)) * width + x + (at % line.width)] !== line.pixels[at];
  const inverted = differs(0);
  for (let at = 1; at < line.pixels.length; at++) if (differs(at) !== inverted) return false;
  return true;
}
