import { FormatError } from "./errors.ts";

export interface CsvRow {
  /** As an editor counts lines: from 1 on. */
  line: number;
  cells: string[];
}

/**
 * A table as spreadsheets write it: fields in quotes where they contain the separator, a quote or a line break. Separated by commas, or by semicolons if
 * the first line, which has the names, has no comma. Empty lines and lines that begin with # are left out. Source: RFC 4180.
 * @throws FormatError "bad_csv"
 */
export function parseCsv(text: string, file: string): CsvRow[] {
  const content = text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  const first = content.split("\n").find((text) => text.trim() !== "" && !text.startsWith("#")) ?? "";
  const separator = !first.includes(",") && first.includes(";") ? ";" : ",";
  const rows: CsvRow[] = [];
  let line = 1;
  let at = 0;
  while (at < content.length) {
    const row: CsvRow = { line, cells: [] };
    if (content[at] === "#") {
      const end = content.indexOf("\n", at);
      at = end < 0 ? content.length : end + 1;
      line += 1;
      continue;
    }
    for (;;) {
      const cell = takeCell(content, at, separator);
      if (!cell)
        throw new FormatError("bad_csv", `${file}, line ${line}: a quote is opened and not closed, or has text behind it; quotes inside are doubled`);
      row.cells.push(cell.value.trim());
      line += content.slice(at, cell.end).split("\n").length - 1;
      at = cell.end + 1;
      if (content[cell.end] !== separator) break;
    }
    line += 1;
    if (row.cells.some((value) => value !== "")) rows.push(row);
  }
  return rows;
}

/** A line that parseCsv() reads as these cells: in quotes what contains a separator, a quote or a line break, or might be taken for a comment. */
export function csvLine(cells: readonly (string | number | boolean | null)[]): string {
  const quoted = (text: string) => (/[",;\r\n#]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return cells.map((cell) => (cell === null ? "" : quoted(String(cell)))).join(",");
}

/** The cell that begins at `from`, and where it ends: at a separator, a line break or the end of the text. */
function takeCell(text: string, from: number, separator: string): { value: string; end: number } | undefined {
  if (text[from] !== '"') {
    let end = from;
    while (end < text.length && text[end] !== separator && text[end] !== "\n") end += 1;
    return { value: text.slice(from, end), end };
  }
  let value = "";
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] !== '"') value += text[at];
    else if (text[at + 1] === '"') {
      value += '"';
      at += 1;
    } else {
      const end = at + 1;
      return end === text.length || text[end] === separator || text[end] === "\n" ? { value, end } : undefined;
    }
  }
  return undefined;
}
