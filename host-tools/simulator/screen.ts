import type { BoardFacts } from "../../boards/board-facts.ts";
import { bytesOf } from "./byte-arguments.ts";
import { fontScale, Graphics } from "./graphics.ts";
import type { NarrowRealm } from "./narrow-realm.ts";
import type { VirtualClock } from "./virtual-clock.ts";

export interface ScreenHost {
  clock: VirtualClock;
  realm: NarrowRealm;
  /** As in `process.env.VERSION`. */
  firmware: string;
  /** The chip's own address. */
  address: string;
}

/** Pen and paper of a screen at the start, by the bits of a pixel: of three the lowest is red, then green and blue. */
const AT_START: { [bits: number]: { colour: number; background: number; mask: number } } = {
  1: { colour: 1, background: 0, mask: 1 },
  3: { colour: 0, background: 7, mask: 7 },
};
const WHITE_16 = 0xffff;

/**
 * The screen of a Pixl.js or a Bangle.js 2 and what scripts know of it: `g`; the power is the board's. `shown` is what a wearer sees: what was drawn up to the last `g.flip()`, while
 * the screen is on. Source: Espruino 2v29, libs/pixljs/jswrap_pixljs.c, libs/banglejs/jswrap_bangle.c, libs/graphics. Eight colours are all there are; those that the real one
 * would make of dots of them are missing here.
 */
export class Screen {
  private graphics: Graphics;
  private memory: Uint8Array;
  private isOn = false;
  private onSince = 0;
  private onBefore = 0;

  readonly width: number;
  readonly height: number;
  /** Of a pixel: 1, or 3 where there are colours. */
  readonly bits: number;

  constructor(
    facts: NonNullable<BoardFacts["screen"]>,
    private readonly clock: VirtualClock,
  ) {
    this.width = facts.width;
    this.height = facts.height;
    this.bits = facts.bitsPerPixel;
    this.graphics = this.blank();
    this.memory = this.graphics.pixels.slice();
  }

  private blank(): Graphics {
    return new Graphics(this.width, this.height, AT_START[this.bits]);
  }

  get on(): boolean {
    return this.isOn;
  }

  set on(on: boolean) {
    if (on === this.isOn) return;
    if (on) this.onSince = this.clock.now;
    else this.onBefore += this.clock.now - this.onSince;
    this.isOn = on;
  }

  /** For how long it has been on in all. */
  get onSeconds(): number {
    return this.onBefore + (this.isOn ? this.clock.now - this.onSince : 0);
  }

  /** A byte a pixel, row by row: 1 dark, 0 light; or bits 0 to 2 red, green and blue. Undefined while it is off. */
  get shown(): Uint8Array | undefined {
    return this.isOn ? this.memory.slice() : undefined;
  }

  powerOff(): void {
    this.on = false;
    this.memory.fill(0);
  }

  /** The interpreter starts: the screen of a Pixl.js comes on with its release and the board's address. Logos are left out, and all that a watch shows then. */
  install(host: ScreenHost): void {
    this.graphics = this.blank();
    if (this.bits > 1) {
      this.memory = this.graphics.pixels.slice();
      host.realm.define("g", this.library(host.realm));
      return;
    }
    this.graphics.drawText(host.firmware, 28, 39, false);
    this.graphics.drawText(host.address, this.width - 1 - host.address.length * 4, 59, false);
    this.memory = this.graphics.pixels.slice();
    this.on = true;
    host.realm.define("g", this.library(host.realm));
  }

  /** Of `#rgb`, of three parts, or of 16 bits where it is black or white. */
  private colourOfThree([r, green, b]: unknown[], realm: NarrowRealm): number {
    const text = typeof r === "string" ? /^#(?:([0-9a-f])([0-9a-f])([0-9a-f])|([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2}))$/i.exec(r) : undefined;
    if (text === null) throw realm.error("If Color is a String, it must be of the form '#rrggbb' or '#rgb'");
    let parts = [r, green, b].map(Number);
    if (text)
      parts = text
        .slice(1)
        .filter(Boolean)
        .map((digits) => Number.parseInt(digits, 16) / (16 ** digits.length - 1));
    else if (green === undefined) parts = [0, 0, 0].fill((Number(r) & WHITE_16) / WHITE_16);
    if (parts.some((part) => part !== 0 && part !== 1)) throw realm.error("Colours other than the eight are missing in the virtual board");
    return parts.reduce((sum, part, i) => sum + (part << i), 0);
  }

  private library(realm: NarrowRealm): object {
    const { graphics } = this;
    const g = realm.object({});
    const number = (value: unknown) => Math.trunc(Number(value)) || 0;
    const colourOf = (given: unknown[]): number => {
      const [r, green, b] = given;
      if (this.bits > 1) return this.colourOfThree(given, realm);
      // three parts of 0 to 1, of which half is enough; or the bits themselves
      if (green !== undefined && b !== undefined) return Number(r) + Number(green) + Number(b) >= 1.5 ? 1 : 0;
      if (typeof r !== "string") return number(r) & 1;
      throw realm.error("Colours as text are missing in the virtual board");
    };
    const rectangle = (given: unknown[]): [number, number, number, number] => {
      if (typeof given[0] === "object") throw realm.error("Rectangles as objects are missing in the virtual board");
      return [number(given[0]), number(given[1]), number(given[2]), number(given[3])];
    };
    const drawing: { [name: string]: (...given: unknown[]) => void } = {
      reset: () => graphics.reset(),
      clear: (reset) => {
        if (reset) graphics.reset();
        graphics.clear();
      },
      setColor: (...given) => {
        graphics.colour = colourOf(given);
      },
      setBgColor: (...given) => {
        graphics.background = colourOf(given);
      },
      fillRect: (...given) => graphics.fillRect(...rectangle(given), graphics.colour),
      clearRect: (...given) => graphics.fillRect(...rectangle(given), graphics.background),
      drawRect: (...given) => graphics.drawRect(...rectangle(given)),
      setPixel: (x, y, colour) => graphics.setPixel(number(x), number(y), colour === undefined ? graphics.colour : colourOf([colour])),
      setFontAlign: (x, y) => graphics.align(number(x), y === undefined ? 0 : number(y)),
      setFont: (name, size) => {
        const text = size === undefined || String(name).includes(":") ? String(name) : `${name}:${number(size)}`;
        const scale = fontScale(text);
        if (!scale && (/^(Vector|6x15|12x20)/.test(text) || (this.bits > 1 && text.startsWith("6x8"))))
          throw realm.error(`Font ${text} is missing in the virtual board`);
        if (!scale) throw realm.error(`Unknown font ${JSON.stringify(text.replace(/:.*/, ""))}`);
        graphics.font = scale;
      },
      drawString: (text, x, y, solid) => graphics.drawText(String(text), number(x), number(y), Boolean(solid)),
      drawImage: (image, x, y, options) => {
        const { scale = 1, ...other } = (options ?? {}) as { scale?: unknown };
        if (!Number.isInteger(scale) || (scale as number) < 1 || Object.keys(other).length > 0)
          throw realm.error("Images that are turned, or scaled by anything but a whole number, are missing in the virtual board");
        if (typeof image !== "string") throw realm.error("Images other than text are missing in the virtual board");
        const bytes = bytesOf(image);
        const [width = 0, height = 0, bits = 0] = bytes;
        if (width === 0 || height === 0) throw realm.error("Expecting valid Image");
        if ((bits & 127) !== 1) throw realm.error("Images of more than one bit a pixel are missing in the virtual board");
        graphics.drawBits(
          bytes.subarray(bits & 128 ? 4 : 3),
          width,
          height,
          number(x),
          number(y),
          bits & 128 ? bytes[3] : undefined,
          scale as number,
        );
      },
    };
    const asking: { [name: string]: (...given: unknown[]) => unknown } = {
      flip: () => {
        this.memory = graphics.pixels.slice();
      },
      getWidth: () => graphics.width,
      getHeight: () => graphics.height,
      getBPP: () => (this.bits > 1 ? 16 : 1),
      getColor: () => graphics.colour,
      getBgColor: () => graphics.background,
      getPixel: (x, y) => graphics.pixel(number(x), number(y)),
      getFontHeight: () => graphics.fontHeight,
      stringWidth: (text) => graphics.textWidth(String(text)),
    };
    for (const [name, draw] of Object.entries(drawing))
      asking[name] = (...given) => {
        draw(...given);
        return g;
      };
    realm.methods(g, asking as Record<string, (...given: never[]) => unknown>);
    return g;
  }
}
