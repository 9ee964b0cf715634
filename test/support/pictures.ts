import { PNG } from "pngjs";
import { Graphics } from "../../host-tools/simulator/graphics.ts";
import type { Shine } from "./lights.ts";

type Colour = readonly [number, number, number];

/** An LCD in daylight. */
const LCD_LIGHT: Colour = [197, 211, 191];
const LCD_DARK: Colour = [28, 38, 43];
const CASE: Colour = [32, 36, 42];
const INK: Colour = [150, 158, 168];
const LCD_SCALE = 3;
const LCD_BORDER = 12;

const LIGHT_COLOURS: { [lights: string]: Colour } = {
  LED1: [232, 65, 58],
  LED2: [53, 199, 89],
  LED3: [74, 134, 255],
  "LED1,LED2": [245, 197, 24],
  "LED1,LED2,LED3": [255, 255, 255],
};
/** Where the colour says nothing. */
const ANY_LIGHT: Colour = [255, 220, 170];

class Canvas {
  readonly png: PNG;

  constructor(width: number, height: number, colour: Colour) {
    this.png = new PNG({ width, height });
    this.fill(0, 0, width, height, colour);
  }

  fill(x: number, y: number, width: number, height: number, colour: Colour): void {
    for (let row = y; row < y + height; row++)
      for (let column = x; column < x + width; column++) this.png.data.set([...colour, 255], (row * this.png.width + column) * 4);
  }

  /** A bar with round ends, `radius` high above and below `y`. */
  pill(from: number, to: number, y: number, radius: number, colour: Colour): void {
    for (let row = -radius; row < radius; row++) {
      const inset = Math.round(radius - Math.sqrt(radius * radius - (row + 0.5) ** 2));
      if (to - from > 2 * inset) this.fill(from + inset, y + row, to - from - 2 * inset, 1, colour);
    }
  }

  text(words: string, x: number, y: number, scale: number, colour: Colour): void {
    const letters = new Graphics(words.length * 4 * scale, 6 * scale);
    letters.font = { x: scale, y: scale };
    letters.drawText(words, 0, 0, false);
    letters.pixels.forEach((dark, at) => {
      if (dark) this.fill(x + (at % letters.width), y + Math.floor(at / letters.width), 1, 1, colour);
    });
  }
}

/** Of three bits a pixel: red, green and blue, of a screen that light falls on. */
const REFLECTED = { on: 214, off: 24 };
const WATCH_SCALE = 2;
const WATCH_BORDER = 14;

/** A screen of eight colours as a wearer sees it. */
export function watchPicture(pixels: Uint8Array, width: number, height: number): PNG {
  const canvas = new Canvas(width * WATCH_SCALE + 2 * WATCH_BORDER, height * WATCH_SCALE + 2 * WATCH_BORDER, CASE);
  pixels.forEach((bits, at) => {
    const part = (bit: number) => (bits & bit ? REFLECTED.on : REFLECTED.off);
    const x = WATCH_BORDER + (at % width) * WATCH_SCALE;
    canvas.fill(x, WATCH_BORDER + Math.floor(at / width) * WATCH_SCALE, WATCH_SCALE, WATCH_SCALE, [part(1), part(2), part(4)]);
  });
  return canvas.png;
}

/** A screen of one bit a pixel as a wearer sees it. */
export function screenPicture(pixels: Uint8Array, width: number, height: number): PNG {
  const canvas = new Canvas(width * LCD_SCALE + 2 * LCD_BORDER, height * LCD_SCALE + 2 * LCD_BORDER, LCD_LIGHT);
  pixels.forEach((dark, at) => {
    const x = LCD_BORDER + (at % width) * LCD_SCALE;
    if (dark) canvas.fill(x, LCD_BORDER + Math.floor(at / width) * LCD_SCALE, LCD_SCALE, LCD_SCALE, LCD_DARK);
  });
  return canvas.png;
}

const SECOND = 120;
const ROW = 34;
const RADIUS = 9;
const LEFT = 108;
const AXIS = 26;

/** What lights do in `seconds`, one row a board, from left to right. */
export function lightsPicture(rows: { title: string; shines: Shine[]; coloured: boolean }[], seconds: number): PNG {
  const canvas = new Canvas(LEFT + seconds * SECOND + 16, rows.length * ROW + AXIS + 10, CASE);
  rows.forEach(({ title, shines, coloured }, i) => {
    const y = 8 + i * ROW + ROW / 2;
    canvas.text(title, 12, y - 5, 2, INK);
    canvas.fill(LEFT, y, seconds * SECOND, 1, [70, 76, 84]);
    for (const { from, to, lights } of shines) {
      const colour = coloured ? (LIGHT_COLOURS[lights.join()] ?? ANY_LIGHT) : ANY_LIGHT;
      canvas.pill(LEFT + Math.round(from * SECOND), LEFT + Math.round(to * SECOND), y, RADIUS, colour);
    }
  });
  const axis = 8 + rows.length * ROW;
  for (let half = 0; half <= 2 * seconds; half++) canvas.fill(LEFT + (half * SECOND) / 2, axis, 1, half % 2 ? 4 : 7, INK);
  for (let second = 0; second < seconds; second++) canvas.text(`${second} s`, LEFT + second * SECOND - 3, axis + 11, 2, INK);
  return canvas.png;
}
