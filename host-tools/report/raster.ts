import { PNG } from "pngjs";
import { drawText, LETTER_HEIGHT, textWidth } from "../label/letters.ts";
import { LIGHT, type Scene, type Shape } from "./scene.ts";

// A scene as dots, for whom SVG is no use: light colours, letters as on a board's label, capitals only.

/** Dots for each unit of the scene. */
const SCALE = 2;
/** Letters of 5 by 7 dots, so large. */
const LETTER_SCALE = 2;
const DASH = 8;

type Colour = readonly [number, number, number];
const colourOf = (hex: string): Colour => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as unknown as Colour;

class Dots {
  readonly image: PNG;

  constructor(width: number, height: number) {
    this.image = new PNG({ width: Math.ceil(width * SCALE), height: Math.ceil(height * SCALE) });
  }

  /** Fills a rectangle, in dots; what lies outside is left out. */
  fill(left: number, top: number, width: number, height: number, [red, green, blue]: Colour): void {
    const { data, width: across, height: down } = this.image;
    const right = Math.min(across, Math.round(left + width));
    const bottom = Math.min(down, Math.round(top + height));
    for (let y = Math.max(0, Math.round(top)); y < bottom; y++)
      for (let x = Math.max(0, Math.round(left)); x < right; x++) data.set([red, green, blue, 255], (y * across + x) * 4);
  }
}

function draw(dots: Dots, shape: Shape): void {
  const colour = colourOf(LIGHT[shape.paint]);
  switch (shape.kind) {
    case "rect": {
      const [x, y, width, height] = [shape.x, shape.y, shape.width, shape.height].map((value) => value * SCALE);
      if (!shape.outline) {
        dots.fill(x, y, Math.max(1, width), Math.max(1, height), colour);
        return;
      }
      for (const side of [y, y + height - SCALE]) dots.fill(x, side, width, SCALE, colour);
      for (const side of [x, x + width - SCALE]) dots.fill(side, y, SCALE, height, colour);
      return;
    }
    case "line": {
      // all lines of the plots go along an axis
      const [x1, y1, x2, y2] = [shape.x1, shape.y1, shape.x2, shape.y2].map((value) => value * SCALE);
      const length = Math.max(x2 - x1, y2 - y1);
      const step = shape.dashed ? DASH * 2 : length;
      for (let at = 0; at < length; at += step) {
        const part = Math.min(shape.dashed ? DASH : length, length - at);
        if (x2 - x1 >= y2 - y1) dots.fill(x1 + at, y1, part, SCALE / 2, colour);
        else dots.fill(x1, y1 + at, SCALE / 2, part, colour);
      }
      return;
    }
    case "text": {
      const width = textWidth(shape.text) * LETTER_SCALE;
      const left = shape.x * SCALE - (shape.anchor === "end" ? width : shape.anchor === "middle" ? width / 2 : 0);
      const top = shape.y * SCALE - LETTER_HEIGHT * LETTER_SCALE;
      drawText(shape.text, (x, y) => dots.fill(left + x * LETTER_SCALE, top + y * LETTER_SCALE, LETTER_SCALE, LETTER_SCALE, colour));
    }
  }
}

/** A PNG file, two dots for each unit of the scene. */
export function pngFile(scene: Scene): Buffer {
  const dots = new Dots(scene.width, scene.height);
  dots.fill(0, 0, dots.image.width, dots.image.height, colourOf(LIGHT.paper));
  for (const shape of scene.shapes) draw(dots, shape);
  return PNG.sync.write(dots.image, { colorType: 2 });
}
