import { labelText } from "./label.ts";
import { qrCode } from "./qr-code.ts";

/** Dots a module: two can be told apart on a Pixl.js, and a code of 21 modules with its border fits into 64 dots. */
const SCALE = 2;

/**
 * The QR code of a board's label for its own screen, as the interpreter draws images: width, height, bits a pixel (1), then the pixels row after row, most
 * significant bit first, 1 dark. Without the blank border: what is around it on the screen is blank. `logId`: hex.
 */
export function screenImage(logId: string): Uint8Array {
  const code = qrCode(labelText(logId));
  const side = code.size * SCALE;
  const image = new Uint8Array(3 + Math.ceil((side * side) / 8));
  image.set([side, side, 1]);
  for (let at = 0; at < side * side; at++) {
    const row = Math.floor(at / side / SCALE);
    const column = Math.floor((at % side) / SCALE);
    if (code.isDark(row, column)) image[3 + (at >> 3)]! |= 128 >> (at & 7);
  }
  return image;
}
