import { findBoard } from "../../boards/index.ts";
import type { Calibration } from "./calibration-list.ts";
import type { Difference, Fit } from "./fit.ts";

/** Of boards that Espruino's maker doesn't sell. */
const MAKERS: Record<string, string> = { nrf52840dk: "Nordic Semiconductor", microbit2: "micro:bit" };

/** Standard error and setups that a confidence asks for, from high down; this project's own figures. */
const CONFIDENCE: [confidence: number, standardError: number, setups: number][] = [
  [3, 0.5, 6],
  [2, 1, 4],
  [1, 2, 2],
];

/** Rows for a list; a device that was measured in one direction only has none, for a row has both. */
export function fittedList({ devices }: Fit): Calibration[] {
  return devices.flatMap(({ device, receives, sends }) => {
    if (!receives || !sends) return [];
    const facts = findBoard(device);
    const correction = { rssi: Math.round(-receives.decibels), txPower: Math.round(sends.decibels) };
    const confidence = Math.min(confidenceOf(receives), confidenceOf(sends));
    return { oem: facts ? (MAKERS[facts.id] ?? "Espruino") : "", device, model: facts?.name ?? device, correction, confidence };
  });
}

function confidenceOf({ standardError, setups }: Difference): number {
  return CONFIDENCE.find(([, error, least]) => standardError !== null && standardError <= error && setups >= least)?.[0] ?? 0;
}
