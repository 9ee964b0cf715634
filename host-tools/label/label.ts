import { ConfigError } from "../errors.ts";
import { drawText, LETTER_HEIGHT, textWidth } from "./letters.ts";
import { Picture } from "./png.ts";
import { qrCode } from "./qr-code.ts";

// A label is 25 mm by 25 mm at 300 dots an inch: it fits on the lid of a Puck.js (36 mm) and is a size that label printers and sheets have.

export const LABEL_DOTS_PER_INCH = 300;
export const LABEL_PIXELS = 295;
/** Blank modules around a QR code. Source: ISO/IEC 18004, quiet zone. */
const QUIET = 4;
const TEXT_PIXELS = 64;
const LARGEST_LETTERS = 4;
const GAP = 6;

/** Letters, digits, dot, hyphen, underscore; begins with a letter or a digit. So it can be a file's name as well. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,19}$/;

/** Why `name` can't be a board's name, or `undefined` where it can. */
export function nameProblem(name: string): string | undefined {
  if (NAME.test(name)) return undefined;
  return `a name has 1 to 20 letters, digits, dots, hyphens and underscores, and begins with a letter or a digit; got "${name}"`;
}

/** First digits of a log id: enough to tell the boards of one fleet apart, and secret from nobody who holds the board. */
export function shortId(logId: string): string {
  return logId.slice(0, 8);
}

/** What the QR code of a label says: `TL:`, the first 8 digits of the log id, and the name where there is one. Nothing secret: neither is sent by radio. */
export function labelText(logId: string, name?: string): string {
  return `TL:${shortId(logId)}${name ? ` ${name}` : ""}`;
}

/** Label of a board: QR code, name and short id. Answers a PNG file. @throws ConfigError "bad_name" */
export function drawLabel(logId: string, name?: string): Buffer {
  const problem = name === undefined ? undefined : nameProblem(name);
  if (problem) throw new ConfigError("bad_name", problem);
  const picture = new Picture(LABEL_PIXELS, LABEL_PIXELS);
  const code = qrCode(labelText(logId, name));
  const scale = Math.floor((LABEL_PIXELS - TEXT_PIXELS) / (code.size + 2 * QUIET));
  const left = Math.floor((LABEL_PIXELS - code.size * scale) / 2);
  for (let row = 0; row < code.size; row++) {
    for (let column = 0; column < code.size; column++) {
      if (code.isDark(row, column)) picture.blacken(left + column * scale, (QUIET + row) * scale, scale);
    }
  }
  let y = (code.size + 2 * QUIET) * scale;
  for (const line of [...(name ? [name] : []), shortId(logId)]) y += write(picture, line, y) + GAP;
  return picture.png(LABEL_DOTS_PER_INCH);
}

/** A line in the middle, as large as it fits. Answers its height. */
function write(picture: Picture, text: string, top: number): number {
  const scale = Math.min(LARGEST_LETTERS, Math.floor(picture.width / textWidth(text)));
  const left = Math.floor((picture.width - textWidth(text) * scale) / 2);
  drawText(text, (x, y) => picture.blacken(left + x * scale, top + y * scale, scale));
  return LETTER_HEIGHT * scale;
}
