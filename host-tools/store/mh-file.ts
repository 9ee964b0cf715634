import { closeSync, openSync, readSync } from "node:fs";
import { FormatError } from "../errors.ts";
import { MH_KINDS, type MhKind, type MhRow, mhHeader, parseMhLine } from "./mh-csv.ts";

// A file of the peer tool, line by line. Files grow for months: they are read in pieces, never whole.

const PIECE_BYTES = 1 << 16;
/** The longest legal line has some 150 characters. */
const LONGEST_LINE = 1024;
/** How far into a file its kind is looked for: the first line may be half a one. */
const LINES_TO_DETECT = 20;
const OTHER_SEPARATORS: [string, string][] = [
  [",", "a comma"],
  ["\t", "a tab"],
  ["|", "a bar"],
  [":", "a colon"],
  [" ", "a space"],
];

export interface TextLine {
  /** From 1. */
  number: number;
  text: string;
  /** Did a line end follow? The last line of a file that is being written may lack it. */
  ended: boolean;
}
/** A row, or why the line is none. Headers are passed over. */
export type MhItem = { line: number; row: MhRow } | { line: number; problem: string };

/**
 * Lines of a file, without LF or CR LF and without a byte order mark. A longer line than any legal one is cut; that it fails later says so.
 */
export function* readLines(path: string): Generator<TextLine> {
  const file = reading(path, () => openSync(path, "r"));
  try {
    const buffer = Buffer.alloc(PIECE_BYTES);
    let rest = "";
    let number = 0;
    for (;;) {
      const length = reading(path, () => readSync(file, buffer));
      if (length === 0) break;
      const piece = buffer.subarray(0, length);
      if (number === 0 && rest === "" && (piece[0] === 0xff || piece[0] === 0xfe) && piece[0] + piece[1] === 0x1fd) {
        throw new FormatError("utf16", `${path}: UTF-16 text; save it as plain UTF-8 text and import that`);
      }
      // Latin-1 keeps one character a byte, so no character is ever torn at the end of a piece. All legal text is ASCII.
      const lines = (rest + piece.toString("latin1")).split("\n");
      rest = (lines.pop() as string).slice(0, LONGEST_LINE);
      for (const text of lines) yield { number: ++number, text: clean(text, number), ended: true };
    }
    if (rest !== "") yield { number: ++number, text: clean(rest, number), ended: false };
  } finally {
    closeSync(file);
  }
}

function clean(text: string, number: number): string {
  const unmarked = number === 1 && text.startsWith("\u00ef\u00bb\u00bf") ? text.slice(3) : text;
  return unmarked.endsWith("\r") ? unmarked.slice(0, -1) : unmarked;
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new FormatError("unreadable_file", `${path}: can't be read (${(error as Error).message}); check the name`, { cause: error });
  }
}

/**
 * Which of the three files this is: by its header, or by what most of its first lines are where the header is missing.
 * @throws FormatError `wrong_separator` names the separator found; `unknown_file` where nothing fits; `empty_file`.
 */
export function detectMhKind(path: string): MhKind {
  const lines: string[] = [];
  for (const { text } of readLines(path)) {
    // Quotes don't hide the kind: that they are wrong is told line by line.
    if (lines.push(text.replaceAll('"', "")) >= LINES_TO_DETECT) break;
  }
  if (lines.length === 0) throw new FormatError("empty_file", `${path}: the file is empty`);
  const kind = kindOfLines(lines);
  if (kind) return kind;
  for (const [separator, name] of OTHER_SEPARATORS) {
    if (!kindOfLines(lines.map((line) => line.split(separator).join(";")))) continue;
    const expected = 'a semicolon (";") is expected, as the peer tool writes it';
    throw new FormatError("wrong_separator", `${path}: fields are separated by ${name} (${JSON.stringify(separator)}); ${expected}`);
  }
  const headers = MH_KINDS.map((one) => `"${mhHeader(one)}"`).join(", ");
  throw new FormatError("unknown_file", `${path}: neither tek_data, rx_raw_data nor rx_data; its first line should be one of ${headers}`);
}

/** A header decides. Without one the most rows do: half a line of one file may be a whole one of another. */
function kindOfLines(lines: string[]): MhKind | undefined {
  const found = MH_KINDS.map((kind) => {
    const parsed = lines.map((line) => parseMhLine(kind, line));
    return { kind, headers: parsed.filter((line) => "header" in line).length, rows: parsed.filter((line) => "row" in line).length };
  });
  const [best] = found.sort((a, b) => b.headers - a.headers || b.rows - a.rows);
  return best.headers + best.rows > 0 ? best.kind : undefined;
}

/** Rows of a file of `kind` with their line numbers, and the lines that are none. */
export function* readMhFile(path: string, kind: MhKind): Generator<MhItem> {
  for (const line of readLines(path)) {
    const parsed = parseMhLine(kind, line.text);
    if ("header" in parsed) continue;
    if ("problem" in parsed) yield { line: line.number, problem: describe(line, parsed.problem) };
    else if (!line.ended && mayBeCutShort(parsed.row)) yield { line: line.number, problem: "the line has no end: it may be cut short" };
    else yield { line: line.number, row: parsed.row };
  }
}

/** A cut position is still a number; every other row shows that it is whole by its last field. */
function mayBeCutShort(row: MhRow): boolean {
  return row.kind !== "tek_data" && row.position !== undefined;
}

function describe(line: TextLine, problem: string): string {
  if (line.text.includes('"')) return "fields are quoted; the peer tool quotes nothing";
  return line.ended ? problem : "the line is cut short: " + problem;
}
