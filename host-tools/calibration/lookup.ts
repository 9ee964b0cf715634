import { findBoard } from "../../boards/index.ts";
import type { Calibration } from "./calibration-list.ts";

const [LOW, MEDIUM] = [1, 2];

/** What a device is called: a board as the command line or the interpreter calls it, or a phone by Android's words. */
export type DeviceName = string | { oem?: string; device?: string; model?: string };

/**
 * The corrections for a device. Its own row, else the mean of those with its device or its model, then of those of its maker, with the confidence lowered to medium and to low.
 * Undefined where nothing fits: then no correction is better than that of any other device. Source of the order: microG, DeviceInfo.kt, which goes on to the mean of all; here boards stand
 * beside phones in one list, so that mean is of nothing.
 */
export function calibrationOf(list: readonly Calibration[], name: DeviceName): Calibration | undefined {
  const { oem, device, model } = wordsOf(name);
  const same = (a: string | undefined, b: string) => a !== undefined && a !== "" && a.toLowerCase() === b.toLowerCase();
  const byMaker = list.filter((one) => same(oem, one.oem));
  const own = (oem === undefined ? list : byMaker).find((one) => same(device, one.device) && (model === undefined || same(model, one.model)));
  if (own) return own;
  const sisters = list.filter((one) => same(device, one.device) || same(model, one.model));
  if (sisters.length > 0) return meanOf(sisters, MEDIUM, name);
  return byMaker.length > 0 ? meanOf(byMaker, LOW, name) : undefined;
}

function wordsOf(name: DeviceName): { oem?: string | undefined; device?: string | undefined; model?: string | undefined } {
  if (typeof name !== "string") return name;
  const facts = findBoard(name);
  return facts ? { device: facts.id } : { device: name };
}

function meanOf(rows: readonly Calibration[], most: number, name: DeviceName): Calibration {
  const mean = (of: (one: Calibration) => number) => Math.round(rows.reduce((sum, one) => sum + of(one), 0) / rows.length);
  const { oem = "", device = "", model = "" } = wordsOf(name);
  return {
    oem,
    device,
    model,
    correction: { rssi: mean((one) => one.correction.rssi), txPower: mean((one) => one.correction.txPower) },
    confidence: Math.min(most, ...rows.map((one) => one.confidence)),
  };
}
