import type { DeviceStatus } from "../../protocols/device-link.ts";
import type { Board } from "./board.ts";

/** What the store keeps of a board. */
export interface BoardDescription {
  logId: string;
  id?: string;
  type: string;
  role: string;
  firmware: string;
  /** Health authority of a board that speaks BlueTrace. */
  authority?: string;
}

export function describeBoard(board: Board, status: DeviceStatus): BoardDescription {
  return {
    logId: status.id,
    id: board.identity.serial || undefined,
    type: status.b,
    role: status.r,
    firmware: status.v,
    authority: status.ha || undefined,
  };
}
