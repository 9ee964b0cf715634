import { readFileSync, statSync } from "node:fs";
import { csvLine, parseCsv } from "../csv.ts";
import { FormatError } from "../errors.ts";
import type { Correction } from "./attenuation.ts";

// The list of corrections for phone models that Google published as `en-calibration-<date>.csv`, one row a model, whole dB; boards have rows of their own in it.
// oem                     who makes it
// device, model           as Android's Build.DEVICE and Build.MODEL; of a board its id and its name
// rssi correction         dB, added to what it reports
// tx                      dB, as `Correction.txPower`; of a phone what an iPhone would be set to that sends as strongly as it does at ADVERTISE_TX_POWER_LOW
// calibration confidence  0 lowest, 1 low, 2 medium, 3 high

export interface Calibration {
  oem: string;
  device: string;
  model: string;
  correction: Correction;
  confidence: number;
}

/** In words, by number. */
export const CONFIDENCES = ["lowest", "low", "medium", "high"];
const MOST_BYTES = 16 * 2 ** 20;
const MOST_DB = 100;

/** Names of the columns as this file writes them, and what is taken for one: they were spelled differently over the months. */
const COLUMNS: [name: string, spelling: RegExp][] = [
  ["oem", /^(oem|manufacturer)$/],
  ["device", /^device$/],
  ["model", /^model$/],
  ["rssi correction", /^rssi[ _]?(correction|offset)$/],
  ["tx", /^tx([ _]?(power|correction|calibration power))?$/],
  ["calibration confidence", /^(calibration[ _]?)?confidence$/],
];

/** Reads a list. @throws FormatError "bad_calibration" with the line, "unreadable_file" */
export function readCalibrationList(path: string): Calibration[] {
  return parseCalibrationList(readText(path), path);
}

/** @throws FormatError "bad_calibration" */
export function parseCalibrationList(text: string, name: string): Calibration[] {
  const [header, ...rows] = parseCsv(text, name);
  const places = COLUMNS.map(([, spelling]) => header?.cells.findIndex((cell) => spelling.test(cell.toLowerCase())) ?? -1);
  const missing = COLUMNS.filter((_, i) => places[i] < 0).map(([column]) => column);
  if (missing.length > 0)
    throw new FormatError(
      "bad_calibration",
      `${name}: no calibration list: the first line has no column ${missing.join(", ")}; expected: ${headerLine()}`,
    );
  return rows.map(({ line, cells }) => {
    const [oem, device, model, rssi, txPower, confidence] = places.map((place) => cells[place] ?? "");
    const problem = (what: string) => new FormatError("bad_calibration", `${name}, line ${line}: ${what}`);
    const decibels = (cell: string, column: string) => {
      if (!/^[+-]?\d{1,3}(\.\d+)?$/.test(cell) || Math.abs(Number(cell)) > MOST_DB)
        throw problem(`${column}: decibels from -${MOST_DB} to ${MOST_DB} expected, got "${cell.slice(0, 20)}"`);
      // published ones are whole, as reports of a radio are
      return Math.round(Number(cell));
    };
    if (device === "" && model === "") throw problem("neither device nor model is named");
    const known = /^[0-3]$/.test(confidence) ? Number(confidence) : CONFIDENCES.indexOf(confidence.toLowerCase());
    if (known < 0) throw problem(`calibration confidence: 0 to 3 expected, got "${confidence.slice(0, 20)}"`);
    const correction = { rssi: decibels(rssi, "rssi correction"), txPower: decibels(txPower, "tx") };
    return { oem, device, model, correction, confidence: known };
  });
}

/** Lines of a list, its header first; decibels rounded to whole ones. */
export function calibrationLines(list: readonly Calibration[]): string[] {
  const rows = list.map(({ oem, device, model, correction, confidence }) =>
    csvLine([oem, device, model, Math.round(correction.rssi), Math.round(correction.txPower), confidence]),
  );
  return [headerLine(), ...rows];
}

const headerLine = () => csvLine(COLUMNS.map(([column]) => column));

export function readText(path: string): string {
  try {
    const { size } = statSync(path);
    if (size > MOST_BYTES) throw new FormatError("too_large", `${path}: ${size} bytes, at most ${MOST_BYTES} are read; is it the right file?`);
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError("unreadable_file", `${path}: can't be read (${(error as Error).message}); check the name`, { cause: error });
  }
}
