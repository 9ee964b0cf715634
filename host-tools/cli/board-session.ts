import { type Command, InvalidArgumentError } from "commander";
import type { Board } from "../device/board.ts";
import { raiseSpeed } from "../device/link-speed.ts";
import { openBoard, openPort } from "../device/open-board.ts";
import { onInterrupt } from "./interrupt.ts";
import { chooseLockKey, type KeyOptions, withKeyOptions } from "./lock-key.ts";
import { createOutput, type Output } from "./output.ts";

export interface LinkOptions extends KeyOptions {
  port: string;
  baud?: number;
  fast: boolean;
  json?: boolean;
}

function baudRate(text: string): number {
  const baud = Number(text);
  if (!Number.isInteger(baud) || baud < 300 || baud > 1_000_000) throw new InvalidArgumentError("a speed in baud from 300 to 1000000 is expected.");
  return baud;
}

/** Ends the session of a board that was opened for us. Does not throw: a board without it ends by itself. */
async function leave(board: Board): Promise<void> {
  if (!board.repl.unlocked || board.repl.stays) return;
  await board.endSession().catch(() => {});
}

/** Adds the options that every command with a board has, and examples to its help. */
export function withLinkOptions(command: Command, examples: string[]): Command {
  return withKeyOptions(command)
    .addHelpText("after", `\nExamples:\n${examples.map((example) => `  tracelet ${example}`).join("\n")}`)
    .requiredOption("-p, --port <port>", "where the board is: /dev/ttyUSB0, /dev/serial0, tcp://localhost:9601")
    .option("--baud <n>", "speed of the board's console as it starts", baudRate, 9600)
    .option("--no-fast", "don't raise the speed of the wire meanwhile")
    .option("--json", "print one JSON document");
}

/**
 * Opens the board, does the work, closes. `fast`: is it worth raising the speed of the wire? Whatever happens, Ctrl-C included, the board is
 * left at its usual speed, and locked again if it was.
 */
export async function withBoard(options: LinkOptions, fast: boolean, work: (board: Board, output: Output) => Promise<void>): Promise<void> {
  const output = createOutput(options.json === true);
  const key = await chooseLockKey(options);
  const transport = await openPort(options.port, options.baud);
  const forgetPort = onInterrupt(() => transport.close());
  try {
    const board = await openBoard(transport, { baud: options.baud, key });
    const forgetSession = onInterrupt(() => leave(board));
    for (const warning of board.repl.warnings) process.stderr.write(`tracelet: ${board.name}: ${warning}\n`);
    const raised = fast && options.fast ? await raiseSpeed(board.repl, board.identity) : undefined;
    const forgetSpeed = raised ? onInterrupt(raised.restore) : () => {};
    try {
      await work(board, output);
    } finally {
      await raised?.restore();
      forgetSpeed();
      await leave(board);
      forgetSession();
    }
  } finally {
    await transport.close();
    forgetPort();
  }
}
