import fc from "fast-check";
import jsqr from "jsqr";
import { PNG } from "pngjs";
import { describe, expect, test } from "vitest";
import { drawLabel, LABEL_PIXELS, labelText, nameProblem } from "../../host-tools/label/label.ts";
import { drawText, LETTER_HEIGHT } from "../../host-tools/label/letters.ts";
import { qrCode } from "../../host-tools/label/qr-code.ts";

const LOG_ID = "0123456789abcdef";

/** What a QR reader makes of a picture. */
function read(file: Buffer): string | undefined {
  const { data, width, height } = PNG.sync.read(file);
  return jsqr.default(new Uint8ClampedArray(data), width, height)?.data;
}

/** A line of a label as text. */
function dots(text: string): string[] {
  const lines = Array.from({ length: LETTER_HEIGHT }, () => "");
  drawText(text, (x, y) => {
    lines[y] = `${lines[y].padEnd(x)}#`;
  });
  return lines;
}

describe("a label", () => {
  test("is a PNG of 25 mm a side at 300 dots an inch, and its QR code says short id and name", () => {
    const file = drawLabel(LOG_ID, "Puck-07");
    expect(read(file)).toBe("TL:01234567 Puck-07");
    const { width, height } = PNG.sync.read(file);
    expect([width, height]).toEqual([LABEL_PIXELS, LABEL_PIXELS]);
    // 300 / 25.4 mm
    const at = file.indexOf("pHYs");
    expect([file.readUInt32BE(at + 4), file.readUInt32BE(at + 8), file[at + 12]]).toEqual([11811, 11811, 1]);
    expect((LABEL_PIXELS / 11811) * 1000).toBeCloseTo(25, 1);
  });

  test("without a name has the short id alone", () => {
    expect(read(drawLabel(LOG_ID))).toBe("TL:01234567");
  });

  test("is read with a tenth of the code's middle blotted out", () => {
    const picture = PNG.sync.read(drawLabel(LOG_ID, "p1"));
    for (let y = 110; y < 150; y++) picture.data.fill(0, (y * LABEL_PIXELS + 130) * 4, (y * LABEL_PIXELS + 160) * 4);
    for (let i = 3; i < picture.data.length; i += 4) picture.data[i] = 255;
    expect(read(PNG.sync.write(picture))).toBe("TL:01234567 p1");
  });

  test("tells nothing of a log id but its first eight digits", () => {
    expect(labelText(LOG_ID, "a")).not.toContain(LOG_ID.slice(8));
  });

  test("is read back for any name that is allowed", () => {
    const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,19}$/);
    fc.assert(
      fc.property(name, fc.stringMatching(/^[0-9a-f]{16}$/), (name, id) => {
        expect(read(drawLabel(id, name))).toBe(`TL:${id.slice(0, 8)} ${name}`);
      }),
      { numRuns: 15 },
    );
  });

  test("refuses a name that is no file's name or too long to print", () => {
    for (const wrong of ["", "a/b", "..", "-p", "Ä", "a b", "x".repeat(21), "a\nb", "a\n"]) {
      expect(nameProblem(wrong), wrong).toContain("1 to 20 letters");
      expect(() => drawLabel(LOG_ID, wrong)).toThrow("1 to 20 letters");
    }
    expect(nameProblem("Puck_07.b-1")).toBeUndefined();
  });
});

test("letters are drawn, small ones as capitals", () => {
  expect(dots("t1")).toEqual(["#####   #", "  #    ##", "  #     #", "  #     #", "  #     #", "  #     #", "  #    ###"]);
  // each is different from each other
  const all = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:"];
  expect(new Set(all.map((letter) => dots(letter).join("/"))).size).toBe(all.length);
});

test("a QR code of a short id takes 21 modules a side: at two pixels each it fits the 64 lines of a Pixl.js", () => {
  expect(qrCode(labelText(LOG_ID)).size).toBe(21);
});
