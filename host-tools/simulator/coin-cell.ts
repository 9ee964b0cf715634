import { firmwareAccount } from "./power.ts";
import type { Radio } from "./radio.ts";
import type { VirtualBoard } from "./virtual-board.ts";

/**
 * Voltage at rest and inner resistance of a CR2032 by the part of its charge that is gone. Shape and size as makers draw them for cells at room temperature: flat, then a knee, with the resistance
 * growing long before. No make in particular, and no cell has been measured for it.
 */
const CURVE: { gone: number; volts: number; ohms: number }[] = [
  { gone: 0, volts: 3.1, ohms: 12 },
  { gone: 0.1, volts: 3.0, ohms: 14 },
  { gone: 0.5, volts: 2.95, ohms: 20 },
  { gone: 0.75, volts: 2.88, ohms: 35 },
  { gone: 0.9, volts: 2.75, ohms: 60 },
  { gone: 1, volts: 2.2, ohms: 120 },
];
/** Amperes with the receiver on, as published for the whole board. */
const RECEIVING = 0.012;

export interface CellState {
  /** 0 to 1. */
  gone: number;
  volts: number;
  ohms: number;
}

/** `gone`: part of its charge, from 0 to 1; beyond that the cell is as it was at its end. */
export function cellState(gone: number): CellState {
  const after = CURVE.findIndex((point) => point.gone >= gone);
  if (after <= 0) return { ...CURVE[after < 0 ? CURVE.length - 1 : 0]!, gone };
  const [from, to] = [CURVE[after - 1]!, CURVE[after]!];
  const part = (gone - from.gone) / (to.gone - from.gone);
  return { gone, volts: from.volts + part * (to.volts - from.volts), ohms: from.ohms + part * (to.ohms - from.ohms) };
}

/**
 * Puts a coin cell into a board with our firmware: its voltage falls with what the power account says was used, and sags while the receiver is on.
 * `gone`: part of its charge that is gone already. Answers what it is like at any time.
 */
export function insertCoinCell(board: VirtualBoard, milliampereHours: number, gone = 0): () => CellState {
  const since = board.clock.now;
  const state = () => {
    const { activity } = board.radio as Radio;
    const seconds = Math.max(1, board.clock.now - since);
    const microamps = firmwareAccount(board.facts, activity, seconds).mean;
    return cellState(gone + (microamps * seconds) / (milliampereHours * 3.6e6));
  };
  board.supply = () => {
    const { volts, ohms } = state();
    return volts - ((board.radio as Radio | undefined)?.receiving ? ohms * RECEIVING : 0);
  };
  return state;
}
