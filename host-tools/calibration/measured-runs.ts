import { parseCsv } from "../csv.ts";
import { FormatError } from "../errors.ts";
import type { BoardContact } from "../study/who-met-whom.ts";
import { utcTime } from "../utc-time.ts";
import { deviceWord, type Run, setupName } from "./runs.ts";

// Runs out of a database: who heard whom, and how strongly, while somebody had put two boards into a setup and written down when.

/** Two boards that were alone with each other in a setup, from one time to another. */
export interface PlannedSetup {
  /** With its distance, as `Run.setup`. */
  setup: string;
  /** Board ids. */
  boards: [string, string];
  /** Unix seconds. */
  from: number;
  to: number;
}

const COLUMNS = ["distance", "a", "b", "from", "to"];

/** Reads a table of setups: `setup` (may be missing), `distance` (m), `a` and `b` (board ids), `from` and `to` (UTC, 2026-03-02 08:00 or Unix seconds). @throws FormatError "bad_setups" */
export function parseSetups(text: string, name: string): PlannedSetup[] {
  const [header, ...rows] = parseCsv(text, name);
  const columns = (header?.cells ?? []).map((cell) => cell.toLowerCase());
  const missing = COLUMNS.filter((column) => !columns.includes(column));
  if (missing.length > 0)
    throw new FormatError("bad_setups", `${name}: the first line has no column ${missing.join(", ")}; expected: setup,distance,a,b,from,to`);
  return rows.map(({ line, cells }) => {
    const problem = (what: string) => new FormatError("bad_setups", `${name}, line ${line}: ${what}`);
    const cell = (column: string) => cells[columns.indexOf(column)] ?? "";
    const distance = Number(cell("distance"));
    if (!(distance > 0 && distance <= 1000)) throw problem("distance: metres expected");
    const [a, b] = [cell("a"), cell("b")];
    if (a === "" || b === "" || a === b) throw problem("a, b: two boards expected");
    const [from, to] = [unixOf(cell("from")), unixOf(cell("to"))];
    if (from === undefined || to === undefined || from >= to)
      throw problem("from, to: times in order expected, as 2026-03-02 08:00 (UTC) or in Unix seconds");
    return { setup: setupName(cell("setup"), distance), boards: [a, b], from, to };
  });
}

function unixOf(text: string): number | undefined {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  // a day alone would be no time of a setup
  return text.includes(":") ? utcTime(text)?.first : undefined;
}

/**
 * Contacts that lie in a setup of their two boards, whole, with a mean strength; and setups without any. `types`: of boards, as the database has them.
 * @throws FormatError "bad_setups": a board that isn't there, or whose type nobody knows
 */
export function measuredRuns(
  contacts: readonly BoardContact[],
  setups: readonly PlannedSetup[],
  types: ReadonlyMap<string, string | null>,
): { runs: Run[]; empty: string[] } {
  const typeOf = (board: string): string => {
    const type = types.get(board);
    if (!type)
      throw new FormatError("bad_setups", `board ${board}: ${type === undefined ? "not in this database" : "its type is not known; pull it once"}`);
    return deviceWord(type);
  };
  const runs = setups.map(({ setup, boards, from, to }) => {
    const names = boards.map(typeOf);
    return contacts.flatMap(({ listener, sender, firstSeen, lastSeen, txPower, meanRssi, count }): Run[] => {
      const [r, t] = [boards.indexOf(listener), boards.indexOf(sender)];
      if (r < 0 || t < 0 || firstSeen < from || lastSeen > to || txPower === null || meanRssi === null) return [];
      return [{ setup, transmitter: names[t], receiver: names[r], txPower, rssi: meanRssi, count: count ?? 1 }];
    });
  });
  return { runs: runs.flat(), empty: setups.flatMap(({ setup }, i) => (runs[i].length === 0 ? setup : [])) };
}
