import { eachDot, isLetter, LETTER } from "./letters.ts";

/** What of a text line counts: where it is tied to its point. -1 left or top, 0 middle, 1 right or bottom. */
type Align = -1 | 0 | 1;

/** A font by its name, `4x6`, `4x6:2` or `4x6:2x3`; undefined where it is another one. */
export function fontScale(name: string): { x: number; y: number } | undefined {
  const match = /^4x6(?::(\d+)(?:x(\d+))?)?$/.exec(name);
  if (!match) return undefined;
  // one number is kept in 13 bits, two in 6 each
  const within = (text: string | undefined, most: number) => Math.min(most, Math.max(1, Number(text ?? 1)));
  return match[2] === undefined ? { x: within(match[1], 4095), y: within(match[1], 4095) } : { x: within(match[1], 63), y: within(match[2], 63) };
}

/**
 * What is drawn to: a buffer of one bit a pixel, or three, and the state of the pen, as the interpreter's Graphics of type ArrayBuffer. Coordinates are whole
 * pixels from the left and from the top; what falls beside is cut off. Source: Espruino 2v29, libs/graphics/graphics.c and jswrap_graphics.c.
 */
export class Graphics {
  /** 0 or 1 a pixel, or a colour of eight, row by row. */
  readonly pixels: Uint8Array;
  colour: number;
  background: number;
  font = { x: 1, y: 1 };
  private alignX: Align = -1;
  private alignY: Align = -1;

  constructor(
    readonly width: number,
    readonly height: number,
    /** What pen and paper are at the start, and the bits of a pixel. */
    private readonly start = { colour: 1, background: 0, mask: 1 },
  ) {
    this.pixels = new Uint8Array(width * height).fill(start.background);
    this.colour = start.colour;
    this.background = start.background;
  }

  /** Colours, font and alignment as at the start; what is drawn stays. */
  reset(): void {
    this.colour = this.start.colour;
    this.background = this.start.background;
    this.font = { x: 1, y: 1 };
    this.align(-1, -1);
  }

  clear(): void {
    this.pixels.fill(this.background);
  }

  align(x: number, y: number): void {
    this.alignX = Math.sign(x) as Align;
    this.alignY = Math.sign(y) as Align;
  }

  pixel(x: number, y: number): number {
    return this.isInside(x, y) ? this.pixels[y * this.width + x]! : 0;
  }

  setPixel(x: number, y: number, colour: number): void {
    if (this.isInside(x, y)) this.pixels[y * this.width + x] = colour & this.start.mask;
  }

  private isInside(x: number, y: number): boolean {
    return x >= 0 && y >= 0 && x < this.width && y < this.height;
  }

  /** Both corners are filled. */
  fillRect(x1: number, y1: number, x2: number, y2: number, colour: number): void {
    for (let y = Math.min(y1, y2); y <= Math.max(y1, y2); y++) for (let x = Math.min(x1, x2); x <= Math.max(x1, x2); x++) this.setPixel(x, y, colour);
  }

  drawRect(x1: number, y1: number, x2: number, y2: number): void {
    this.fillRect(x1, y1, x2, y1, this.colour);
    this.fillRect(x2, y1, x2, y2, this.colour);
    this.fillRect(x1, y2, x2, y2, this.colour);
    this.fillRect(x1, y2, x1, y1, this.colour);
  }

  get fontHeight(): number {
    return LETTER.height * this.font.y;
  }

  /** Of the widest line. */
  textWidth(text: string): number {
    return Math.max(...text.split("\n").map((line) => line.length)) * LETTER.width * this.font.x;
  }

  /** `solid`: what is no letter takes the background's colour. */
  drawText(text: string, x: number, y: number, solid: boolean): void {
    const lines = text.split("\n");
    const top = y - Math.trunc((lines.length * this.fontHeight * (this.alignY + 1)) / 2);
    lines.forEach((line, i) => {
      const left = x - Math.trunc((this.textWidth(line) * (this.alignX + 1)) / 2);
      for (let at = 0; at < line.length; at++)
        this.drawLetter(line.charCodeAt(at) & 255, left + at * LETTER.width * this.font.x, top + i * this.fontHeight, solid);
    });
  }

  private drawLetter(code: number, x: number, y: number, solid: boolean): void {
    const { font } = this;
    const advance = LETTER.width * font.x;
    if (x <= -advance || x >= this.width - 1 || y <= -this.fontHeight || y >= this.height) return;
    // behind what is no letter a little less is filled
    if (solid && isLetter(code)) this.fillRect(x, y, x + advance - 1, y + this.fontHeight - 1, this.background);
    else if (solid) this.fillRect(x, y, x + 2 * font.x, y + 5 * font.y, this.background);
    eachDot(code, (column, row) => {
      const left = x + column * font.x;
      const top = y + row * font.y;
      this.fillRect(left, top, left + font.x - 1, top + font.y - 1, this.colour);
    });
  }

  /** An image of one bit a pixel: its bits follow one another from the top left, most significant first, without a gap between rows; 1 takes the pen's colour, 0 the background's; `scale` dots each way. */
  drawBits(bits: Uint8Array, width: number, height: number, x: number, y: number, transparent: number | undefined, scale: number): void {
    for (let row = 0; row < height * scale; row++)
      for (let column = 0; column < width * scale; column++) {
        const i = Math.floor(row / scale) * width + Math.floor(column / scale);
        const bit = ((bits[i >> 3] ?? 0) >> (7 - (i & 7))) & 1;
        if (bit !== transparent) this.setPixel(x + column, y + row, bit ? this.colour : this.background);
      }
  }
}
