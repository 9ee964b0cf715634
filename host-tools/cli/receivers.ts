import { readCalibrationList } from "../calibration/calibration-list.ts";
import { calibrationOf } from "../calibration/lookup.ts";
import type { Store } from "../store/store.ts";

/** What is added to the RSSIs of a board, dB: 0 for one whose model no list knows. */
export type Receivers = (board: string | null) => number;

/** Boards as they are. */
export const UNCORRECTED: Receivers = () => 0;

/** The corrections of the boards in a database, by their models. @throws FormatError of a calibration list */
export async function readReceivers(store: Store, path: string | undefined): Promise<Receivers> {
  if (path === undefined) return UNCORRECTED;
  const list = readCalibrationList(path);
  const known = new Map((await store.boards()).map(({ id, type }) => [id, calibrationOf(list, type ?? "")?.correction.rssi ?? 0]));
  return (board) => known.get(board ?? "") ?? 0;
}

/** An encounter as the reference would have heard it: all that follows from its RSSI is corrected with it. A phone's packets name the corrected power themselves. */
export function asReference<E extends { board: string | null; maxRssi: number; meanRssi: number | null }>(
  encounter: E,
  receivers: Receivers,
): E & { rssiCorrection: number } {
  const rssiCorrection = receivers(encounter.board);
  const { maxRssi, meanRssi } = encounter;
  return { ...encounter, rssiCorrection, maxRssi: maxRssi + rssiCorrection, meanRssi: meanRssi === null ? null : meanRssi + rssiCorrection };
}
