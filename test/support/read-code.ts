import jsqr from "jsqr";

/** What a phone's camera reads off a picture: it is larger there, with something light around it. `isDark`: by the pixel's value. */
export function readCode(
  pixels: ArrayLike<number>,
  width: number,
  height: number,
  isDark: (pixel: number) => boolean = (pixel) => pixel === 1,
  scale = 1,
): string | undefined {
  const border = 8;
  const [wide, high] = [width * scale + 2 * border, height * scale + 2 * border];
  const rgba = new Uint8ClampedArray(wide * high * 4).fill(255);
  for (let y = 0; y < height * scale; y++)
    for (let x = 0; x < width * scale; x++) {
      const to = ((y + border) * wide + x + border) * 4;
      if (isDark(pixels[Math.floor(y / scale) * width + Math.floor(x / scale)]!)) rgba.fill(0, to, to + 3);
    }
  return jsqr.default(rgba, wide, high)?.data;
}
