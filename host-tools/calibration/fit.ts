import { FormatError } from "../errors.ts";
import { type Equation, leastSquares, type Solution } from "./linear-system.ts";
import type { Run } from "./runs.ts";

// RSSI = transmit power + what the transmitter differs by + what the receiver differs by − loss of the setup. The reference differs by nothing; everything else is found by least squares, with
// little weight for what lies far off (Huber), since people walk through rooms. The loss is one unknown a setup: no law of distance is assumed.

/** One direction of a device: what it differs by from the reference, dB, and the standard error of that; null where there is nothing to spare to tell it by. */
export interface Difference {
  decibels: number;
  standardError: number | null;
  /** Setups in which it was measured. */
  setups: number;
}

export interface FittedDevice {
  device: string;
  /** As a receiver and as a transmitter; undefined where it was none, or the runs don't tell. A correction of RSSI is the first with its sign turned. */
  receives: Difference | undefined;
  sends: Difference | undefined;
}

export interface Fit {
  reference: string;
  /** All but the reference, by name. */
  devices: FittedDevice[];
  /** Pairs of devices in a setup. */
  cells: number;
  setups: number;
  /** Standard deviation of what is left, dB, without what lies far off; null where there are no more cells than unknowns. */
  residual: number | null;
  /** Cells that lie further off than three times that, dB. */
  outliers: { setup: string; transmitter: string; receiver: string; decibels: number }[];
}

interface Cell {
  setup: string;
  transmitter: string;
  receiver: string;
  /** Mean of RSSI − transmit power, dB. */
  gain: number;
}

/** Where Huber's weight begins to fall, in standard deviations: 95 % as good as least squares where nothing lies far off. */
const HUBER = 1.345;
const ROUNDS = 30;
/** A residual of cells is never taken for smaller, dB: reports are whole dBm. */
const LEAST_SCALE = 0.3;
const MOST_SETUPS = 400;

/**
 * Fits all devices in the runs against `reference`, which has to be among them, sending or receiving.
 * @throws FormatError "bad_runs": no reference, too many setups; "not_connected": they tell of no device, and what to measure
 */
export function fitRuns(runs: readonly Run[], reference: string): Fit {
  const cells = cellsOf(runs);
  const setups = [...new Set(cells.map(({ setup }) => setup))];
  if (!cells.some(({ transmitter, receiver }) => transmitter === reference || receiver === reference))
    throw new FormatError(
      "bad_runs",
      `the reference ${reference} is in no run; known: ${[...new Set(cells.flatMap((one) => [one.transmitter, one.receiver]))].join(", ")}`,
    );
  if (setups.length > MOST_SETUPS) throw new FormatError("bad_runs", `${setups.length} setups, at most ${MOST_SETUPS} are fitted at a time`);
  const columns = new Map<string, number>();
  const column = (name: string) => columns.get(name) ?? columns.set(name, columns.size).get(name)!;
  const equations = cells.map(({ setup, transmitter, receiver, gain }): Equation => {
    const coefficients = new Map([[column(`loss of ${setup}`), -1]]);
    if (transmitter !== reference) coefficients.set(column(`${transmitter} as transmitter`), 1);
    if (receiver !== reference) coefficients.set(column(`${receiver} as receiver`), 1);
    return { coefficients, value: gain, weight: 1 };
  });
  const { solution, residuals, scale } = robust(equations, columns.size);
  const residual = spread(equations, residuals, cells.length - solution.rank);
  const difference = (name: string, counted: (cell: Cell) => boolean): Difference | undefined => {
    const at = columns.get(name);
    if (at === undefined || !solution.determined[at]) return undefined;
    const standardError = residual === null ? null : residual * Math.sqrt(solution.variances[at]);
    return { decibels: solution.x[at], standardError, setups: new Set(cells.filter(counted).map(({ setup }) => setup)).size };
  };
  const names = [...new Set(cells.flatMap(({ transmitter, receiver }) => [transmitter, receiver]))].filter((name) => name !== reference).sort();
  const devices = names.map((device) => ({
    device,
    receives: difference(`${device} as receiver`, ({ receiver }) => receiver === device),
    sends: difference(`${device} as transmitter`, ({ transmitter }) => transmitter === device),
  }));
  if (devices.every(({ receives, sends }) => !receives && !sends))
    throw new FormatError(
      "not_connected",
      `the runs tell nothing of ${names.join(", ") || "any other device"}: in one setup at least, it and ${reference} have to take each other's place, with the same device at the other end`,
    );
  const outliers = cells.flatMap(({ gain: _, ...cell }, i) => (Math.abs(residuals[i]) > 3 * scale ? { ...cell, decibels: residuals[i] } : []));
  return { reference, devices, cells: cells.length, setups: setups.length, residual, outliers };
}

/** Reports of one pair in one setup as one: a thousand of them are no better known than the setup is. */
function cellsOf(runs: readonly Run[]): Cell[] {
  const cells = new Map<string, Cell & { sum: number; count: number }>();
  for (const { setup, transmitter, receiver, txPower, rssi, count } of runs) {
    const key = JSON.stringify([setup, transmitter, receiver]);
    const cell = cells.get(key) ?? { setup, transmitter, receiver, gain: 0, sum: 0, count: 0 };
    cell.sum += (rssi - txPower) * count;
    cell.count += count;
    cells.set(key, cell);
  }
  return [...cells.values()].map(({ sum, count, ...cell }) => ({ ...cell, gain: sum / count }));
}

/** Least squares again and again, each time with weights by what was left the time before. Weights stay in `equations`; variances are for equal ones. */
function robust(equations: Equation[], unknowns: number): { solution: Solution; residuals: number[]; scale: number } {
  let solution = leastSquares(equations, unknowns);
  const { variances } = solution;
  const left = () => equations.map(({ coefficients, value }) => value - [...coefficients].reduce((sum, [i, a]) => sum + a * solution.x[i], 0));
  let scale = LEAST_SCALE;
  for (let round = 0; round < ROUNDS; round++) {
    const residuals = left();
    scale = Math.max(LEAST_SCALE, 1.4826 * median(residuals.map(Math.abs)));
    for (const [i, equation] of equations.entries()) equation.weight = Math.min(1, (HUBER * scale) / Math.max(Math.abs(residuals[i]), 1e-12));
    solution = leastSquares(equations, unknowns);
  }
  return { solution: { ...solution, variances }, residuals: left(), scale };
}

/** Standard deviation that errors of a Huber estimate follow: of the residuals as far as they count, by the part of them that counts in full. Source: Huber, Robust Statistics, 7.6. */
function spread(equations: readonly Equation[], residuals: readonly number[], freedom: number): number | null {
  if (freedom <= 0) return null;
  const full = equations.filter(({ weight }) => weight === 1).length / equations.length;
  const counted = residuals.reduce((sum, one, i) => sum + (equations[i].weight * one) ** 2, 0);
  return Math.sqrt(counted / freedom) / full;
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
