import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { readU32 } from "../../protocols/bytes.ts";
import { command } from "./worn-boards.ts";

/** Has a board take it for confirmed what it sends, as `tracelet prove` does after another has heard it `ago` seconds before. @throws where nothing is on the air */
export function confirm(board: VirtualBoard, ago: number): void {
  const answer = command(board, "p(1,2,3,4,0)");
  if (!answer[0]) throw new Error("nothing is on the air");
  command(board, `y(${readU32(answer, 1)},${ago})`);
}
