import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { pixljs } from "../../boards/pixljs.ts";
import { puckjs } from "../../boards/puckjs.ts";
import { bench } from "../support/bench-board.ts";

/** A Pixl.js at its prompt, and what a wearer sees of a corner of its screen: `#` dark, `.` light. */
function pixl() {
  const made = bench({ facts: pixljs });
  const screen = made.board.screen!;
  return {
    ...made,
    board: made.board,
    screen,
    run: (script: string) => {
      made.board.evaluate(script);
      expect(made.board.errors).toEqual([]);
    },
    corner: (width: number, height: number) =>
      Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_, x) => (screen.shown![y * screen.width + x] ? "#" : ".")).join("")),
    value: (expression: string) => made.value(expression),
    pass: (seconds: number) => made.pass(seconds),
  };
}

describe("the screen of a Pixl.js", () => {
  test("is on after a start and shows the release and the board's own address", () => {
    const { screen, board } = pixl();
    expect(screen.on).toBe(true);
    const rows = Array.from({ length: 64 }, (_, y) => screen.shown!.subarray(y * 128, y * 128 + 128).some(Boolean));
    expect(rows.flatMap((dark, y) => (dark ? [y] : []))).toEqual([39, 40, 41, 42, 43, 59, 60, 61, 62, 63]);
    expect(board.errors).toEqual([]);
  });

  test("shows what was drawn with the next flip, and nothing while it is off", () => {
    const { screen, run, corner } = pixl();
    run("g.clear().fillRect(1,1,3,2)");
    expect(corner(5, 1)).toEqual(["....."]);
    run("g.flip()");
    expect(corner(5, 4)).toEqual([".....", ".###.", ".###.", "....."]);
    run("Pixl.setLCDPower(0);g.setPixel(0,0).flip()");
    expect(screen.shown).toBeUndefined();
    run("Pixl.setLCDPower(1)");
    expect(corner(5, 2)).toEqual(["#....", ".###."]);
  });

  test("comes on again with a new start of the script", () => {
    const { screen, run, pass } = pixl();
    run("Pixl.setLCDPower(0)");
    pass(10);
    const before = screen.onSeconds;
    run("load()");
    pass(5);
    expect(screen.on).toBe(true);
    expect(screen.onSeconds - before).toBeCloseTo(5, 0);
  });

  test("cuts off what is drawn beside it", () => {
    const { run, corner } = pixl();
    run("g.clear(1).fillRect(-5,-5,0,0).fillRect(127,63,300,300).drawString('W',-2,0).flip()");
    expect(corner(4, 2)[0]).toBe("#...");
  });

  test("writes letters of 4 by 6 pixels, doubled and stretched as the font says", () => {
    const { run, value, corner } = pixl();
    expect(value("[g.stringWidth('Tracelet'),g.getFontHeight()]")).toEqual([32, 6]);
    expect(value("[g.setFont('4x6:2').stringWidth('Tracelet'),g.getFontHeight()]")).toEqual([64, 12]);
    expect(value("[g.setFont('4x6:2x3').stringWidth('one\\nthree'),g.getFontHeight()]")).toEqual([40, 18]);
    run("g.clear(1).drawString('L',0,0).drawString('L\\nI',4,0).flip()");
    expect(corner(8, 11)).toEqual([
      "#...#...",
      "#...#...",
      "#...#...",
      "#...#...",
      "###.###.",
      "........",
      "....###.",
      ".....#..",
      ".....#..",
      ".....#..",
      "....###.",
    ]);
    run("g.clear(1).setFont('4x6:2x1').drawString('L',0,0).flip()");
    expect(corner(8, 6)).toEqual(["##......", "##......", "##......", "##......", "######..", "........"]);
  });

  test("has no larger bitmap font, and says so as the interpreter does", () => {
    const { board } = pixl();
    board.evaluate("g.setFont('6x8')");
    expect(board.errors.join()).toContain('Unknown font "6x8"');
  });

  test("aligns text to the right, to the middle and to the bottom", () => {
    const { run, corner } = pixl();
    run("g.clear(1).setFontAlign(1,1).drawString('|',4,6).flip()");
    expect(corner(5, 6)).toEqual([".#...", ".#...", ".#...", ".#...", ".#...", "....."]);
    run("g.clear(1).setFontAlign(0,-1).drawString('||',4,0).flip()");
    expect(corner(8, 1)).toEqual([".#...#.."]);
  });

  test("draws images of one bit a pixel in the pen's colours, row after row without a gap", () => {
    const { run, corner } = pixl();
    // 101 001 010
    run("g.clear(1).fillRect(0,0,4,4).drawImage('\\3\\3\\1\\xa5\\0',1,1).flip()");
    expect(corner(5, 5)).toEqual(["#####", "##.##", "#..##", "#.#.#", "#####"]);
    run("g.clear(1).fillRect(0,0,4,4).drawImage('\\3\\3\\x81\\0\\xa5\\0',1,1).flip()");
    expect(corner(5, 5)).toEqual(["#####", "#####", "#####", "#####", "#####"]);
  });

  // CRC-32 of all pixels, 8 a byte, as the real interpreter (2v29, its Linux build with the Graphics library) has them after the same script
  test.each([
    ["fillRect(-5,-5,0,0).fillRect(127,63,300,300).fillRect(50,20,40,10)", 998193318],
    ["drawImage('\\3\\3\\1\\xa5\\0',-1,-1).drawImage('\\3\\3\\1\\xa5\\0',126,62)", 89348122],
    ["drawRect(10,10,20,30).setColor(0).drawRect(15,5,17,40)", 3305954014],
    ["setBgColor(1).clear()", 3090874356],
    ["setBgColor(1).setColor(0).drawString('   ',10,10,true)", 3237932173],
    ["setFont('4x6:2').setBgColor(1).setColor(0).drawString(' ',10,10,true)", 2289154130],
  ])("g.clear(1).%s has the pixels of the real interpreter", (script, expected) => {
    const { run, screen } = pixl();
    run(`g.clear(1).${script}.flip()`);
    const bytes = new Uint8Array(1024);
    screen.shown!.forEach((dark, at) => {
      if (dark) bytes[at >> 3]! |= 128 >> (at & 7);
    });
    expect(crc32(bytes)).toBe(expected);
  });

  // corners of what a row of H, a letter without a slant, covers there
  test.each([
    ["drawString('HHH',10,10)", [10, 10, 20, 14]],
    ["setFont('4x6:2').drawString('HH\\nH',10,10)", [10, 10, 23, 31]],
    ["setFontAlign(1,1).drawString('HHH',100,50)", [88, 44, 98, 48]],
    ["setFontAlign(0,0).drawString('HH\\nHHH',60,30)", [54, 24, 64, 34]],
    ["drawString('HHH',-5,60)", [0, 60, 5, 63]],
  ])("g.clear(1).%s writes where the real interpreter does", (script, expected) => {
    const { run, screen } = pixl();
    run(`g.clear(1).${script}.flip()`);
    const dark = [...screen.shown!.entries()].flatMap(([at, bit]) => (bit ? [[at % 128, at >> 7]] : []));
    const [xs, ys] = [0, 1].map((i) => dark.map((point) => point[i]!));
    expect([Math.min(...xs!), Math.min(...ys!), Math.max(...xs!), Math.max(...ys!)]).toEqual(expected);
  });

  test("answers the object itself, so that calls can follow one another", () => {
    const { value } = pixl();
    expect(value("g.clear()===g&&g.setColor(0)===g&&g.drawString('a',0,0)===g&&g.flip()===undefined")).toBe(true);
    expect(value("[g.getWidth(),g.getHeight(),g.getBPP(),g.getColor(),typeof g]")).toEqual([128, 64, 1, 0, "object"]);
  });
});

test("a board without a screen has neither g nor Pixl", () => {
  const { board } = bench({ facts: puckjs });
  expect(board.screen).toBeUndefined();
  expect(board.evaluate("typeof g+typeof Pixl")).toBe("undefinedundefined");
});
