import { createInterface } from "node:readline";
import { InvalidArgumentError } from "commander";
import { BOARDS, findBoard } from "../../boards/index.ts";
import { ConfigError } from "../errors.ts";
import { Air } from "../simulator/air.ts";
import { radioIn } from "../simulator/board-radio.ts";
import { LiveBoard } from "../simulator/serve.ts";
import { VirtualBoard } from "../simulator/virtual-board.ts";
import { VirtualClock } from "../simulator/virtual-clock.ts";
import { createOutput, type RegisterCommand } from "./output.ts";

interface Options {
  board: string;
  tcp?: number;
  pty?: string;
  state?: string;
  speed: number;
  firmware: string;
  seed: number;
  button?: boolean;
  press?: boolean;
  json?: boolean;
}

const HIGHEST_PORT = 65535;
const SHORT_PRESS_MS = 200;

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > HIGHEST_PORT) throw new InvalidArgumentError(`a port from 0 to ${HIGHEST_PORT}, got ${text}`);
  return port;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError(`a number above 0, got ${text}`);
  return value;
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError(`a whole number, got ${text}`);
  return Number(text);
}

function release(text: string): string {
  if (!/^\d+v\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError(`a release such as 2v29, got ${text}`);
  return text;
}

/** Presses its button when a line says so. Answers how to stop. */
function pressByLine(live: LiveBoard): () => void {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const asked = /^press(?:\s+(\d+))?$/.exec(line.trim());
    if (asked) live.press(Number(asked[1] ?? SHORT_PRESS_MS));
    else if (line.trim() !== "") process.stderr.write(`tracelet: "${line.trim()}": press, or press 1000\n`);
  });
  return () => lines.close();
}

/** Until the user ends it; that is no failure. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.removeAllListeners(signal);
      process.on(signal, () => resolve());
    }
  });
}

export const register: RegisterCommand = (program) => {
  program
    .command("virtual")
    .description("a board without a board: interpreter, console and flash in this process, for host tools and for the Espruino IDE's command line")
    .option("--board <board>", "board to be: " + BOARDS.map((board) => board.id).join(", "), "puckjs")
    .option("--tcp <port>", "console as raw bytes over TCP on this machine; 0 takes a free port", portNumber)
    .option("--pty <path>", "console as a terminal at this path (needs socat)")
    .option("--state <dir>", "keep flash in this folder")
    .option("--speed <factor>", "how much faster than real time", positive, 1)
    .option("--firmware <release>", "the interpreter's release; before 2v25 it knows no packets", release, "2v29")
    .option("--seed <n>", "for its address and random numbers", wholeNumber, 1)
    .option("--button", "hold the button while the power comes: saved code does not run")
    .option("--press", "read lines from standard input: press, or press 1000 for so many milliseconds, and its button goes down")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nExamples:\n  tracelet virtual --board puckjs --tcp 9601 --state out/puck\n  tracelet virtual --pty /tmp/puck --speed 10\nCtrl-C ends it; flash is saved before.",
    )
    .action(async (options: Options) => {
      const facts = findBoard(options.board);
      if (!facts) throw new ConfigError("unknown_board", `no board is called ${options.board}; known: ${BOARDS.map((board) => board.id).join(", ")}`);
      if (options.tcp === undefined && options.pty === undefined)
        throw new ConfigError("no_console", "say where its console shall be: --tcp <port>, --pty <path> or both");
      const clock = new VirtualClock(Date.now() / 1000);
      const board = new VirtualBoard({
        facts,
        clock,
        seed: options.seed,
        firmware: options.firmware,
        clockPpm: facts.clock.ppm / 10,
        radio: radioIn(new Air({ clock, seed: options.seed })),
      });
      const live = new LiveBoard(board, { speed: options.speed, stateFolder: options.state });
      try {
        const port = options.tcp === undefined ? undefined : await live.listenTcp(options.tcp);
        if (options.pty) await live.listenPty(options.pty);
        live.start({ buttonHeld: options.button === true });
        const stopPressing = options.press ? pressByLine(live) : undefined;
        const places = [...(port === undefined ? [] : [`tcp://localhost:${port}`]), ...(options.pty ? [options.pty] : [])];
        createOutput(options.json === true).result(
          { board: facts.id, firmware: board.firmware, address: board.address, speed: options.speed, ports: places, state: options.state ?? null },
          `${facts.name} ${board.address} with Espruino ${board.firmware}, ${options.speed === 1 ? "in real time" : `${options.speed} times as fast`}\n` +
            `console: ${places.join("  ")}\n` +
            (facts.console.device === "Terminal" ? "a connection stands for one over Bluetooth, and is refused where the board takes none\n" : "") +
            (options.state ? `flash: ${options.state}\n` : "flash is forgotten at the end; --state <dir> keeps it\n") +
            "Ctrl-C ends it.",
        );
        await interrupted();
        stopPressing?.();
      } finally {
        await live.stop();
      }
    });
};
