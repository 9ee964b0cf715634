import { findBoard } from "../../boards/index.ts";
import { parseCsv } from "../csv.ts";
import { FormatError } from "../errors.ts";

// What is measured: how strongly one device hears another one in a setup. A setup is everything that must stay as it is while devices take each other's places: room, distance, height, which way
// they look. Its loss is found out with the corrections, so it needn't be known.

export interface Run {
  /** Name of the setup, its distance included. */
  setup: string;
  /** Devices, such as `puckjs`; units of one model have one name. */
  transmitter: string;
  receiver: string;
  /** dBm that the transmitter was set to. */
  txPower: number;
  /** dBm, one report or the mean of `count`. */
  rssi: number;
  count: number;
}

const REQUIRED = ["distance", "transmitter", "receiver", "tx", "rssi"];
const [LEAST_DBM, MOST_DBM] = [-127, 20];

/**
 * Reads a table of runs: `distance` (m), `transmitter`, `receiver`, `tx`, `rssi`; where there are several setups at a distance `setup` tells them apart; `count` where a row is a mean.
 * @throws FormatError "bad_runs" with the line
 */
export function parseRuns(text: string, name: string): Run[] {
  const [header, ...rows] = parseCsv(text, name);
  const columns = (header?.cells ?? []).map((cell) => cell.toLowerCase());
  const missing = REQUIRED.filter((column) => !columns.includes(column));
  if (missing.length > 0)
    throw new FormatError(
      "bad_runs",
      `${name}: the first line has no column ${missing.join(", ")}; expected: setup,distance,transmitter,receiver,tx,rssi,count`,
    );
  return rows.map(({ line, cells }) => {
    const problem = (what: string) => new FormatError("bad_runs", `${name}, line ${line}: ${what}`);
    const cell = (column: string) => cells[columns.indexOf(column)] ?? "";
    const number = (column: string, least: number, most: number) => {
      const value = Number(cell(column));
      if (cell(column) === "" || !(value >= least && value <= most)) throw problem(`${column}: a number from ${least} to ${most} expected`);
      return value;
    };
    const device = (column: string) => {
      if (cell(column) === "") throw problem(`${column}: no device is named`);
      return deviceWord(cell(column));
    };
    return {
      setup: setupName(cell("setup"), number("distance", 0.01, 1000)),
      transmitter: device("transmitter"),
      receiver: device("receiver"),
      txPower: number("tx", LEAST_DBM, MOST_DBM),
      rssi: number("rssi", LEAST_DBM, MOST_DBM),
      count: cell("count") === "" ? 1 : number("count", 1, 1e9),
    };
  });
}

/** A board under whatever name is one board. */
export function deviceWord(name: string): string {
  return findBoard(name)?.id ?? findBoard(name.toUpperCase())?.id ?? name.toLowerCase();
}

export function setupName(setup: string, distance: number): string {
  return setup === "" ? `${distance} m` : `${setup}, ${distance} m`;
}
