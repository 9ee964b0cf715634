import { escaped } from "./words.ts";

// A picture as a list of shapes: drawn as SVG here, as dots in raster.ts.

/** Names of colours; palettes below. */
export type Paint = "ink" | "soft" | "grid" | "paper" | "very-near" | "near" | "some-way" | "far" | "unknown" | "protected" | "place" | "limit";

export type Shape =
  | { kind: "rect"; x: number; y: number; width: number; height: number; paint: Paint; title?: string; outline?: boolean }
  | { kind: "line"; x1: number; y1: number; x2: number; y2: number; paint: Paint; dashed?: boolean }
  | { kind: "text"; x: number; y: number; text: string; paint: Paint; anchor: "start" | "middle" | "end"; bold?: boolean };

export interface Scene {
  width: number;
  height: number;
  /** What it shows, in a few words and in a sentence: for those who don't see it. */
  title: string;
  description: string;
  shapes: Shape[];
}

const LETTER_SIZE = 12;

export const LIGHT: Record<Paint, string> = {
  ink: "#1c2733",
  soft: "#55616e",
  grid: "#dfe4e9",
  paper: "#ffffff",
  "very-near": "#a3121f",
  near: "#d9731a",
  "some-way": "#3f7fb5",
  far: "#93a3b3",
  unknown: "#b9a7c9",
  protected: "#2c7a4b",
  place: "#6b5b95",
  limit: "#1c2733",
};
export const DARK: Record<Paint, string> = {
  ink: "#e8edf2",
  soft: "#a5b1bd",
  grid: "#333d47",
  paper: "#14191f",
  "very-near": "#ff6b6b",
  near: "#f2a154",
  "some-way": "#6fb1e6",
  far: "#8496a6",
  unknown: "#9d86b5",
  protected: "#5fbf85",
  place: "#b3a1e0",
  limit: "#e8edf2",
};

const variables = (palette: Record<Paint, string>) =>
  Object.entries(palette)
    .map(([name, colour]) => `--${name}:${colour}`)
    .join(";");

/** Light by day and on paper, dark where the reader's screen is. For a page, or for a picture by itself. */
export const COLOURS = `:root{${variables(LIGHT)}}@media screen and (prefers-color-scheme:dark){:root{${variables(DARK)}}}`;

const number = (value: number) => String(Math.round(value * 10) / 10);

function shapeAsSvg(shape: Shape): string {
  switch (shape.kind) {
    case "rect": {
      const { x, y, width, height, paint, title, outline } = shape;
      const look = outline ? `style="fill:none;stroke:var(--${paint})"` : `style="fill:var(--${paint})"`;
      const place = `x="${number(x)}" y="${number(y)}" width="${number(width)}" height="${number(height)}"`;
      return title === undefined ? `<rect ${place} ${look}/>` : `<rect ${place} ${look}><title>${escaped(title)}</title></rect>`;
    }
    case "line": {
      const { x1, y1, x2, y2, paint, dashed } = shape;
      const place = `x1="${number(x1)}" y1="${number(y1)}" x2="${number(x2)}" y2="${number(y2)}"`;
      return `<line ${place} style="stroke:var(--${paint})"${dashed ? ' stroke-dasharray="4 3"' : ""}/>`;
    }
    case "text": {
      const { x, y, text, paint, anchor, bold } = shape;
      const look = `style="fill:var(--${paint})${bold ? ";font-weight:600" : ""}"`;
      return `<text x="${number(x)}" y="${number(y)}" text-anchor="${anchor}" ${look}>${escaped(text)}</text>`;
    }
  }
}

/** Part of a page that has COLOURS. `id`: of this picture in the page. */
export function inlineSvg({ width, height, title, description, shapes }: Scene, id: string): string {
  const head = `<svg viewBox="0 0 ${number(width)} ${number(height)}" role="img" aria-labelledby="${id}-t ${id}-d" font-family="system-ui,sans-serif" font-size="${LETTER_SIZE}">`;
  return `${head}<title id="${id}-t">${escaped(title)}</title><desc id="${id}-d">${escaped(description)}</desc>${shapes.map(shapeAsSvg).join("")}</svg>`;
}

/** A file by itself, with a ground of its own. */
export function svgFile(scene: Scene): string {
  const { width, height } = scene;
  const ground: Shape = { kind: "rect", x: 0, y: 0, width, height, paint: "paper" };
  const svg = inlineSvg({ ...scene, shapes: [ground, ...scene.shapes] }, "picture");
  const sized = svg.replace("<svg ", `<svg xmlns="http://www.w3.org/2000/svg" width="${number(width)}" height="${number(height)}" `);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${sized.replace("<title ", `<style>${COLOURS.replaceAll(":root", "svg")}</style><title `)}\n`;
}
