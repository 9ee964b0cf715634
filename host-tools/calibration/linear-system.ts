/** An equation `coefficients · x = value` that holds about as well as `weight` says; coefficients by column, others 0. */
export interface Equation {
  coefficients: ReadonlyMap<number, number>;
  value: number;
  weight: number;
}

export interface Solution {
  /** One for each column; meaningless where it is not determined. */
  x: number[];
  determined: boolean[];
  /** Diagonal of the inverse normal matrix: variances of `x` for errors of variance 1 and equal weights. */
  variances: number[];
  rank: number;
}

/** Below this a pivot is rounding: coefficients are 1 and weights at most 1. */
const SMALLEST_PIVOT = 1e-9;

/** Least squares by the normal equations. Unknowns that these don't determine are taken for 0, which changes nothing of the others: a solution, and which of it is one. */
export function leastSquares(equations: readonly Equation[], unknowns: number): Solution {
  // [N | b | I]: what turns N into the identity turns b into the solution, I into the inverse
  const width = 2 * unknowns + 1;
  const rows = Array.from({ length: unknowns }, (_, i) => {
    const row = new Float64Array(width);
    row[unknowns + 1 + i] = 1;
    return row;
  });
  for (const { coefficients, value, weight } of equations) {
    for (const [i, a] of coefficients) {
      for (const [j, b] of coefficients) rows[i][j] += weight * a * b;
      rows[i][unknowns] += weight * a * value;
    }
  }
  const free: number[] = [];
  let rank = 0;
  /** Row that solves for a column. */
  const pivots = new Map<number, number>();
  for (let column = 0; column < unknowns; column++) {
    let best = rank;
    for (let i = rank; i < unknowns; i++) if (Math.abs(rows[i][column]) > Math.abs(rows[best]?.[column] ?? 0)) best = i;
    if (rank >= unknowns || Math.abs(rows[best][column]) < SMALLEST_PIVOT) {
      free.push(column);
      continue;
    }
    [rows[rank], rows[best]] = [rows[best], rows[rank]];
    const pivot = rows[rank];
    const scale = pivot[column];
    for (let k = 0; k < width; k++) pivot[k] /= scale;
    for (const [i, row] of rows.entries()) {
      const factor = row[column];
      if (i === rank || factor === 0) continue;
      for (let k = 0; k < width; k++) row[k] -= factor * pivot[k];
    }
    pivots.set(column, rank++);
  }
  const solution: Solution = { x: [], determined: [], variances: [], rank };
  for (let column = 0; column < unknowns; column++) {
    const row = rows[pivots.get(column) ?? -1];
    solution.determined.push(row !== undefined && free.every((other) => Math.abs(row[other]) <= SMALLEST_PIVOT));
    solution.x.push(row?.[unknowns] ?? 0);
    solution.variances.push(row?.[unknowns + 1 + column] ?? 0);
  }
  return solution;
}
