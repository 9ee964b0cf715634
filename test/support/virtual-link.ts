import { findBoard } from "../../boards/index.ts";
import type { Board } from "../../host-tools/device/board.ts";
import { hostClockOn } from "../../host-tools/device/host-clock.ts";
import { type ConsolePins, openMemory } from "../../host-tools/device/memory.ts";
import { openBoard } from "../../host-tools/device/open-board.ts";
import { VirtualBoard, type VirtualBoardOptions } from "../../host-tools/simulator/virtual-board.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";

export const PORT = "/dev/ttyTEST";

export function virtualBoard(
  id: string,
  options: Partial<VirtualBoardOptions> = {},
  now = 1_790_000_000,
): { clock: VirtualClock; board: VirtualBoard } {
  const clock = options.clock ?? new VirtualClock(now);
  const board = new VirtualBoard({ facts: findBoard(id)!, clock, ...options });
  board.powerOn();
  return { clock, board };
}

/**
 * One run of a command against a board: opens the link, works, closes, all on the virtual clock. The link is cut when the host is about to make
 * its `cutBefore`th write: the messages before have arrived.
 */
export function overLink<T>(
  clock: VirtualClock,
  pins: ConsolePins,
  work: (board: Board) => Promise<T>,
  cutBefore = Number.POSITIVE_INFINITY,
): Promise<T> {
  const transport = openMemory(pins, PORT);
  let writes = 0;
  const write = transport.write;
  transport.write = (bytes) => {
    if (++writes >= cutBefore) transport.cut();
    return write(bytes);
  };
  return clock.drive(
    (async () => {
      const board = await openBoard(transport, { clock: hostClockOn(clock) });
      try {
        return await work(board);
      } finally {
        await transport.close();
      }
    })(),
  );
}
