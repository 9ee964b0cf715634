import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { ASSUMED_BOARDS } from "../calibration/assumed-boards.ts";
import { type Calibration, CONFIDENCES, calibrationLines, readCalibrationList, readText } from "../calibration/calibration-list.ts";
import { type Difference, type Fit, fitRuns } from "../calibration/fit.ts";
import { fittedList } from "../calibration/fitted-list.ts";
import { measuredRuns, parseSetups } from "../calibration/measured-runs.ts";
import { deviceWord, parseRuns, type Run } from "../calibration/runs.ts";
import { ConfigError } from "../errors.ts";
import { Store } from "../store/store.ts";
import { whoMetWhom } from "../study/who-met-whom.ts";
import { createOutput, type RegisterCommand } from "./output.ts";
import { makeFolder, writeLines } from "./private-files.ts";

interface Options {
  reference?: string;
  db?: string;
  setups?: string;
  assumed?: boolean;
  out?: string;
  json?: boolean;
}

/** Runs of tables, or of a database with the setups somebody wrote down; and setups that gave none. */
async function gatherRuns(files: string[], { db, setups }: Options): Promise<{ runs: Run[]; empty: string[] }> {
  if (db === undefined) return { runs: files.flatMap((file) => parseRuns(readText(file), file)), empty: [] };
  const planned = parseSetups(readText(setups!), setups!);
  const store = Store.open(db, { readOnly: true });
  try {
    const types = new Map((await store.boards()).map(({ id, type }) => [id, type]));
    const { runs, empty } = measuredRuns((await whoMetWhom(store)).contacts, planned, types);
    const tables = files.flatMap((file) => parseRuns(readText(file), file));
    return { runs: [...runs, ...tables], empty };
  } finally {
    await store.close();
  }
}

function checkUsage(files: string[], { reference, db, setups, assumed, out }: Options): void {
  if (assumed) {
    if (files.length > 0 || db !== undefined || reference !== undefined)
      throw new ConfigError("usage", "--assumed: what nobody has measured is written as it is; leave the runs and --reference out");
    if (out === undefined) throw new ConfigError("usage", "--assumed: name a file with --out");
    return;
  }
  if (reference === undefined) throw new ConfigError("usage", "--reference: name the device that the others are compared with");
  if ((db === undefined) !== (setups === undefined)) throw new ConfigError("usage", "--db and --setups go together");
  if (files.length === 0 && db === undefined) throw new ConfigError("usage", "name a table of runs, or --db with --setups");
}

/** Writes the rows, and keeps those of other devices that are in the file. Answers how many it has. */
function writeList(path: string, rows: readonly Calibration[]): number {
  const kept = existsSync(path) ? readCalibrationList(path).filter((old) => !rows.some(({ device }) => device === old.device)) : [];
  const list = [...kept, ...rows];
  makeFolder(dirname(path));
  writeLines(dirname(path), basename(path), calibrationLines(list));
  return list.length;
}

const signed = (decibels: number) => `${decibels > 0 ? "+" : ""}${decibels.toFixed(1)} dB`;

function describeDirection(what: string, difference: Difference | undefined, sign: number): string {
  if (!difference) return `  ${what}: not measured`;
  const { decibels, standardError, setups } = difference;
  const error = standardError === null ? "no more runs than unknowns, so no error is known" : `standard error ${standardError.toFixed(1)} dB`;
  return `  ${what}: ${signed(sign * decibels)}, ${error}, ${setups} ${setups === 1 ? "setup" : "setups"}`;
}

function describe({ reference, devices, cells, setups, residual, outliers }: Fit, rows: readonly Calibration[], empty: string[]): string {
  const lines = [
    `${cells} pairs in ${setups} setups, against ${reference}${residual === null ? "" : `; ${residual.toFixed(1)} dB left unexplained`}`,
  ];
  for (const { device, receives, sends } of devices) {
    const row = rows.find((one) => one.device === device);
    lines.push(row ? `${device}: confidence ${CONFIDENCES[row.confidence]}` : `${device}: no row for a list, which needs both directions`);
    lines.push(describeDirection("added to its RSSI", receives, -1), describeDirection("added to its transmit power", sends, 1));
  }
  for (const { transmitter, receiver, setup, decibels } of outliers)
    lines.push(`far off: ${transmitter} heard by ${receiver} in ${setup}, ${signed(decibels)}; counted little`);
  for (const setup of empty) lines.push(`nothing was heard in ${setup}`);
  return lines.join("\n");
}

export const register: RegisterCommand = (program) => {
  program
    .command("calibrate")
    .description("fit what models of boards differ by, in receiving and in sending, from measured runs: docs/calibration.md")
    .argument("[runs...]", "tables: setup,distance,transmitter,receiver,tx,rssi,count")
    .option("--reference <device>", "device that the others are compared with, such as puckjs; in the runs as any other")
    .option("--db <file>", "take runs from what boards heard of each other")
    .option("--setups <file>", "table of when two boards were in which setup: setup,distance,a,b,from,to")
    .option("--out <file>", "calibration list to write, or to bring up to date")
    .option("--assumed", "write what is assumed of Puck.js and Pixl.js, without any measurement")
    .option("--json", "one JSON document instead of text")
    .action(async (files: string[], options: Options) => {
      checkUsage(files, options);
      const output = createOutput(options.json === true);
      if (options.assumed) {
        const rows = writeList(options.out!, ASSUMED_BOARDS);
        const names = ASSUMED_BOARDS.map(({ model }) => model).join(", ");
        return output.result(
          { out: options.out, rows, calibrations: ASSUMED_BOARDS },
          `${options.out}: ${rows} rows. ${names}: assumptions, nobody has measured them (confidence lowest)`,
        );
      }
      const { runs, empty } = await gatherRuns(files, options);
      const fit = fitRuns(runs, deviceWord(options.reference!));
      const calibrations = fittedList(fit);
      const rows = options.out === undefined ? undefined : writeList(options.out, calibrations);
      const written = rows === undefined ? "" : `\n${options.out}: ${rows} rows`;
      output.result(
        { ...fit, calibrations, empty, ...(rows !== undefined && { out: options.out, rows }) },
        describe(fit, calibrations, empty) + written,
      );
    });
};
