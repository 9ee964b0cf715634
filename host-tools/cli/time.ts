import { type Synchronised, synchronise } from "../device/clock-sync.ts";
import { durationInWords, offsetInWords } from "../device/clock-words.ts";
import { Store } from "../store/store.ts";
import { type LinkOptions, withBoard, withLinkOptions } from "./board-session.ts";
import type { RegisterCommand } from "./output.ts";

function describe(port: string, { before, after, roundTripMs, driftPpm, sinceLast }: Synchronised): string {
  const lines = [
    `${port}: clock set`,
    `  before  ${offsetInWords(before.offsetMs, before.boardMs)}`,
    `  now     ${Math.abs(after.offsetMs)} ms ${after.offsetMs < 0 ? "behind" : "ahead"}, measured within ${roundTripMs} ms`,
  ];
  if (driftPpm !== undefined && sinceLast !== undefined)
    lines.push(
      `  drift   ${Math.abs(driftPpm)} ppm ${driftPpm > 0 ? "slow" : "fast"} in the ${durationInWords(sinceLast * 1000)} since the last time`,
    );
  return lines.join("\n");
}

export const register: RegisterCommand = (program) => {
  withLinkOptions(program.command("time"), ["time --port /dev/ttyUSB0", "time --port /dev/ttyUSB0 --db tracelet.db"])
    .description("set a board's clock to this computer's, and tell how far it was off")
    .option("--db <file>", "keep the measurement here; two of them tell the drift")
    .option("--force", "also put a clock that runs forward by more than a day")
    .action(async (options: LinkOptions & { db?: string; force?: boolean }) => {
      const store = options.db === undefined ? undefined : Store.open(options.db);
      try {
        await withBoard(options, false, async (board, output) => {
          const result = await synchronise(board, store, { force: options.force });
          const { status: _, ...figures } = result;
          output.result({ port: options.port, ...figures }, describe(options.port, result));
        });
      } finally {
        await store?.close();
      }
    });
};
