import { crc32 } from "node:zlib";
import { PNG } from "pngjs";

const WHITE = 255;
/** Signature and the IHDR chunk, which comes first. */
const HEAD_BYTES = 8 + 25;
const INCH_METRES = 0.0254;
const PER_METRE = 1;

/** A black and white picture in the making: all white at first. */
export class Picture {
  private readonly data: Buffer;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.data = Buffer.alloc(width * height, WHITE);
  }

  /** Blackens a square of `side` pixels; what lies outside is left out. */
  blacken(x: number, y: number, side: number): void {
    const from = Math.max(0, x);
    const to = Math.min(this.width, x + side);
    for (let row = Math.max(0, y); row < Math.min(this.height, y + side); row++) this.data.fill(0, row * this.width + from, row * this.width + to);
  }

  /** A PNG file that says how large it is to be printed: `dotsPerInch`. */
  png(dotsPerInch: number): Buffer {
    const image = new PNG({ width: this.width, height: this.height, colorType: 0 });
    this.data.forEach((grey, at) => {
      image.data.fill(grey, at * 4, at * 4 + 3);
      image.data[at * 4 + 3] = WHITE;
    });
    const file = PNG.sync.write(image, { colorType: 0 });
    return Buffer.concat([file.subarray(0, HEAD_BYTES), resolutionChunk(dotsPerInch), file.subarray(HEAD_BYTES)]);
  }
}

/** Chunk pHYs: pixels per metre both ways. Source: PNG specification, 11.3.5.3. */
function resolutionChunk(dotsPerInch: number): Buffer {
  const chunk = Buffer.alloc(21);
  chunk.writeUInt32BE(9, 0);
  chunk.write("pHYs", 4, "latin1");
  chunk.writeUInt32BE(Math.round(dotsPerInch / INCH_METRES), 8);
  chunk.writeUInt32BE(Math.round(dotsPerInch / INCH_METRES), 12);
  chunk[16] = PER_METRE;
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 17)), 17);
  return chunk;
}
