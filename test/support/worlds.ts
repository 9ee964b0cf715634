import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";

/** The worlds that a test file has made so far; `expectQuietConsoles` looks at their boards. */
export const wornWorlds: { boards: readonly VirtualBoard[] }[] = [];
