import { pixljs } from "../../boards/pixljs.ts";
import { puckjs } from "../../boards/puckjs.ts";
import { DEFAULT_AIR } from "../simulator/air-model.ts";
import type { Calibration } from "./calibration-list.ts";

/**
 * Corrections that nobody has measured: what the simulator assumes of an antenna in its case, against one that is ideal, at both ends. One figure for both boards, for the simulator has no
 * other; it is Espruino's -59 dBm at 1 m for a Puck.js. Lowest confidence, until there are runs: docs/calibration.md.
 */
export const ASSUMED_BOARDS: readonly Calibration[] = [puckjs, pixljs].map(({ id, name }) => ({
  oem: "Espruino",
  device: id,
  model: name,
  correction: { rssi: Math.round(-DEFAULT_AIR.antennaGainDb), txPower: Math.round(DEFAULT_AIR.antennaGainDb) },
  confidence: 0,
}));
