import { labelText } from "./label.ts";
import { type QrCode, qrCode } from "./qr-code.ts";

/**
 * A QR code as the interpreter draws images: width, height, bits a pixel (1), then the pixels row after row, most significant bit first, 1 dark. A dot a module, without the blank
 * border.
 */
export function codeImage(code: QrCode): Uint8Array {
  const side = code.size;
  const image = new Uint8Array(3 + Math.ceil((side * side) / 8));
  image.set([side, side, 1]);
  for (let at = 0; at < side * side; at++) {
    if (code.isDark(Math.floor(at / side), at % side)) image[3 + (at >> 3)]! |= 128 >> (at & 7);
  }
  return image;
}

/** The code of a board's label for its own screen: the firmware draws it in twice the size, and what is around it is blank. `logId`: hex. */
export function screenImage(logId: string): Uint8Array {
  return codeImage(qrCode(labelText(logId)));
}
