import type { VirtualBoard } from "../host-tools/simulator/virtual-board.ts";

/** What a command of the firmware prints, run in the main loop. */
export function ask(board: VirtualBoard, call: string): string {
  let printed = "";
  let done = false;
  board.enqueue(() => {
    const off = board.onPrint((text) => {
      printed += text;
    });
    board.evaluate(`T.${call}`);
    off();
    done = true;
  });
  while (!done && board.clock.step());
  return printed;
}
