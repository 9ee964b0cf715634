import { readTokens } from "../generator/tokens.ts";
import type { BoardCore, ErrorFlag } from "./board-core.ts";
import { refusalOf } from "./dialect-gate.ts";
import { installLibraries, type Libraries } from "./interpreter.ts";
import { MemoryModel } from "./memory-model.ts";
import { NarrowRealm } from "./narrow-realm.ts";
import { CONSOLE_ANSWER, printValue } from "./printer.ts";
import { Abort, abortStack, type ScriptFile } from "./script-errors.ts";
import { ScriptEvents } from "./script-events.ts";
import { ScriptRunner } from "./script-runner.ts";
import { SeededRandom } from "./seeded-random.ts";

export interface ScriptSettings {
  checkDialect: boolean;
  /** How long the interpreter works on each callback, seconds. */
  callbackSeconds: number;
  /** Variables of the interpreter and bytes of each. */
  variables: { count: number; bytes: number };
  /** An uncaught error, as printed. */
  uncaught(text: string): void;
}

/** The script of a board: its realm, its memory and what becomes of what it throws. A restart of the interpreter begins a fresh one. */
export class ScriptHost {
  realm!: NarrowRealm;
  readonly runner: ScriptRunner;
  readonly memory: MemoryModel;
  private events = new ScriptEvents();
  private libraries: Libraries | undefined;
  private random = new SeededRandom(0);
  private eventAborted = false;
  /** Scripts that lie in files of Storage, by their text. */
  private readonly files = new Map<string, ScriptFile>();

  constructor(
    private readonly core: BoardCore,
    private readonly settings: ScriptSettings,
  ) {
    const host = this;
    this.memory = new MemoryModel(settings.variables.count, settings.variables.bytes);
    this.runner = new ScriptRunner({
      get realm() {
        return host.realm;
      },
      get events() {
        return host.events;
      },
      checkDialect: settings.checkDialect,
      fileOf: (text) => this.files.get(text),
      print: (text) => core.print(text),
      uncaught: (text) => settings.uncaught(text),
      fireE: (event, ...args) => void this.fireE(event, ...args),
    });
  }

  /** Everything the script had is gone. */
  clear(): void {
    this.runner.clear();
    this.memory.clear();
    this.eventAborted = false;
    this.files.clear();
  }

  /** An empty realm with the interpreter's libraries in it. */
  begin(nrf: Record<string, unknown> | undefined, installPins: () => void): void {
    this.seed(this.core.random() * 2 ** 32);
    this.events = new ScriptEvents();
    const caught = (error: unknown) => this.runner.caught(error);
    this.realm = new NarrowRealm({
      caught,
      allocate: (bytes) => this.allocate(bytes),
      random: () => this.random.next(),
      checkText: (text) => {
        if (this.settings.checkDialect) refusalOf(text);
      },
    });
    this.libraries = installLibraries({ core: this.core, events: this.events, nrf, caught, installPins });
  }

  seed(seed: number): void {
    this.random = new SeededRandom(seed);
  }

  /** Runs the code of a file, which stays in flash; `shownAs` names it at the bottom of a stack. What it throws is printed. */
  runFile(name: string, source: string, shownAs: string): void {
    const code = readTokens(source);
    this.memory.load(code.text);
    this.files.set(code.text, { name, code });
    this.runner.execute(code.text, shownAs, "file");
    this.runner.checkErrors();
  }

  /** The console's answer to a value. */
  show(value: unknown): string {
    return printValue(this.realm, value, CONSOLE_ANSWER);
  }

  /** False: it was thrown out for want of memory. */
  call(callback: unknown, args: unknown[], self?: unknown): boolean {
    const ended = this.runner.call(callback, args, self);
    this.core.spend(this.settings.callbackSeconds);
    if (!ended) this.eventAborted = true;
    return ended;
  }

  /** Calls the script's handlers of an event of `E`; false if there are none. */
  fireE(event: string, ...args: unknown[]): boolean {
    return this.libraries !== undefined && this.events.fire(this.libraries.e, event, args, (handler, all, self) => this.call(handler, all, self));
  }

  /** Tells the handlers of an event of `Bangle`, when the main loop comes to it. */
  fireBangle(event: string, args: unknown[]): void {
    const bangle = this.libraries?.bangle;
    if (bangle && this.events.of(bangle, event).length > 0)
      this.core.enqueue(() => void this.events.fire(bangle, event, args, (handler, all, self) => this.call(handler, all, self)));
  }

  /** Characters of a port that is not the console. */
  received(port: string, text: string): void {
    this.libraries?.ports.received(port, text);
  }

  intervalLost(): void {
    this.core.print("ERROR: Ctrl-C while processing interval - removing it.\n");
    this.flag("CALLBACK");
  }

  flag(flag: ErrorFlag): void {
    this.runner.flag(flag);
  }

  /** Takes memory in one piece, or ends what runs as the interpreter does: nothing can catch it. */
  allocate(bytes: number): void {
    if (this.memory.hasRoom(bytes)) return;
    this.flag("LOW_MEMORY");
    this.flag("MEMORY");
    throw new Abort("OUT OF MEMORY");
  }

  /** A line or a file was thrown out. */
  aborted(error: Abort): void {
    if (error.message === "") return;
    this.core.print(`${error.message}${abortStack(error, this.runner.names("REPL"))}Execution Interrupted\n`);
    this.settings.uncaught(error.message);
    this.runner.reportFlags();
    this.core.console.lineAborted();
  }

  /** What happened since the last time: callbacks that were thrown out, errors, flags. */
  report(): void {
    if (this.eventAborted) {
      this.eventAborted = false;
      this.settings.uncaught("OUT OF MEMORY");
      this.core.print("Execution Interrupted during event processing.\n");
      this.runner.reportFlags();
    }
    this.runner.checkErrors();
  }
}
