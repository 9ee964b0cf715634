/**
 * Letters for the virtual board's screen, of the metrics of the interpreter's smallest font, 4x6: each takes a place 4 wide and 6 high and is drawn in the 3 columns on the
 * left; `!` to `~` have a shape, a space is left blank. The shapes are stand-ins of our own: those of the interpreter belong to it and differ in single pixels.
 *
 * One word a letter, from `!` on; a digit is a row from the top, its bits the columns from the left (4, 2, 1).
 */
const ROWS = (
  "222020 550000 575750 363620 512450 252530 220000 122210 422240 052500 027200 000224 007000 000020 112440 " +
  // 0 to 9
  "755570 262270 717470 713170 557110 747170 747570 712220 757570 757170 " +
  "020200 020240 124210 070700 421240 612020 255430 " +
  // A to Z
  "257550 656560 344430 655560 746470 746440 345530 557550 722270 111520 556550 444470 577550 655550 255520 656440 255630 656550 342160 722220 555570 " +
  "555520 557750 552550 552220 712470 " +
  "644460 442110 311130 250000 000007 420000 " +
  // a to z
  "035530 465560 034430 135530 025630 127220 035316 465550 202220 101116 456550 622270 057750 065550 025520 065644 035311 056440 036360 272210 055530 " +
  "055520 055750 052250 055316 073670 " +
  "322230 222220 623260 036000"
).split(" ");

const FIRST = "!".charCodeAt(0);

export const LETTER = { width: 4, height: 6, drawn: 3 };

/** Has it a shape? `code`: one byte. */
export function isLetter(code: number): boolean {
  return ROWS[code - FIRST] !== undefined;
}

/** Calls back for each dark pixel of a letter, by column and row. */
export function eachDot(code: number, dot: (column: number, row: number) => void): void {
  const rows = ROWS[code - FIRST];
  if (!rows) return;
  for (let row = 0; row < LETTER.height; row++)
    for (let column = 0; column < LETTER.drawn; column++) if (Number(rows[row]) & (4 >> column)) dot(column, row);
}
