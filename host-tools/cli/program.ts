import { Command, CommanderError } from "commander";
import { ToolError } from "../errors.ts";
import { projectVersion } from "../project.ts";
import { register as bluetrace } from "./bluetrace.ts";
import { register as build } from "./build.ts";
import { register as calibrate } from "./calibrate.ts";
import { register as clocks } from "./clocks.ts";
import { register as config } from "./config.ts";
import { register as contact } from "./contact.ts";
import { register as decode } from "./decode.ts";
import { register as demo } from "./demo.ts";
import { register as exportFiles } from "./export.ts";
import { register as flash } from "./flash.ts";
import { register as importFiles } from "./import.ts";
import { handleInterrupts } from "./interrupt.ts";
import { register as keys } from "./keys.ts";
import { addKeysPull } from "./keys-pull.ts";
import { register as label } from "./label.ts";
import { register as lock } from "./lock.ts";
import { register as mark } from "./mark.ts";
import { register as match } from "./match.ts";
import type { RegisterCommand } from "./output.ts";
import { register as ports } from "./ports.ts";
import { register as power } from "./power.ts";
import { register as prove } from "./prove.ts";
import { register as provision } from "./provision.ts";
import { register as pull } from "./pull.ts";
import { register as report } from "./report.ts";
import { register as score } from "./score.ts";
import { register as smartbeacon } from "./smartbeacon.ts";
import { register as status } from "./status.ts";
import { register as time } from "./time.ts";
import { register as virtual } from "./virtual.ts";

const keysPull: RegisterCommand = (program) => {
  const group = program.commands.find((command) => command.name() === "keys");
  if (group) addKeysPull(group);
};

/** In the order of --help: the order in which a user needs them. */
const COMMANDS: RegisterCommand[] = [
  ports,
  power,
  build,
  flash,
  time,
  clocks,
  status,
  prove,
  config,
  provision,
  label,
  lock,
  smartbeacon,
  bluetrace,
  contact,
  pull,
  exportFiles,
  importFiles,
  calibrate,
  mark,
  match,
  score,
  report,
  keys,
  keysPull,
  decode,
  virtual,
  demo,
];

const EPILOGUE = `
Examples:
  tracelet ports
  tracelet flash --port /dev/ttyUSB0 --board puckjs --role wearable --protocol gaen
  tracelet time --port /dev/ttyUSB0 --db tracelet.db
  tracelet pull --port /dev/ttyUSB0 --db tracelet.db
  tracelet status --port tcp://localhost:9601 --json

Results go to stdout, progress and errors to stderr. With --json a result is one JSON document, and an error one JSON line:
{"error":{"code":"silent","message":"…"}}

Exit codes: 0 done · 1 failed · 2 wrong usage · 3 no board at the port · 130 interrupted
With --debug an unexpected error shows where it happened.`;

const USAGE = 2;
const FAILED = 1;

export function createProgram(): Command {
  const program = new Command("tracelet")
    .description("Turns Espruino boards into stand-alone proximity devices, and looks after them.")
    .version(projectVersion())
    .option("--debug", "show where an unexpected error happened")
    .addHelpText("after", EPILOGUE)
    .showHelpAfterError(false);
  for (const register of COMMANDS) register(program);
  // commander's own messages in the form of ours
  const settle = (command: Command) => {
    command.exitOverride();
    command.configureOutput({ outputError: () => {} });
    command.commands.forEach(settle);
  };
  settle(program);
  return program;
}

/** Runs one command line, without the name of the program. Answers its exit code; never throws. */
export async function run(argv: string[]): Promise<number> {
  const debug = argv.includes("--debug");
  const json = argv.includes("--json");
  const report = (code: string, message: string) => {
    process.stderr.write(json ? JSON.stringify({ error: { code, message } }) + "\n" : `tracelet: ${message}\n`);
  };
  handleInterrupts();
  try {
    await createProgram().parseAsync(
      argv.filter((argument) => argument !== "--debug"),
      { from: "user" },
    );
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      // a bare `tracelet` prints its help
      if (error.code !== "commander.help") report("usage", `${error.message.replace(/^error: /, "")}; see tracelet --help`);
      return USAGE;
    }
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof ToolError) report(error.code, message);
    else report("unexpected", `${message}${debug ? "" : " (unexpected; --debug shows where)"}`);
    if (debug && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return error instanceof ToolError ? error.exitCode : FAILED;
  }
}
