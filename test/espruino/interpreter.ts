import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConsolePins } from "../../host-tools/device/memory.ts";
import { type Machine, run } from "./machine.ts";

/** The Espruino Linux binary under test; "" when none was given. */
export const ESPRUINO_BIN = process.env.ESPRUINO_BIN ?? "";

const ANSWER_MS = 10_000;
/** The Linux build takes characters in one thread and out in another, without a lock: what comes in small pieces with pauses is safe. */
const PIECE_BYTES = 200;
const PAUSE_MS = 3;
/** Silence after which nothing more is expected. */
const QUIET_MS = 25;
/** An hour of board time takes about a second where time is virtual. */
const ADVANCE_MS = 120_000;

export interface InterpreterOptions {
  /** Where the interpreter keeps its flash file. Without it: a fresh directory that goes away with the process. */
  directory?: string;
  /** Beside the variables of this process. */
  environment?: Record<string, string>;
  /** Unix time at which a virtual clock stands until `advance`; only some builds have one. */
  virtualTime?: number;
  /** How much longer than usual silence has to last before it counts. */
  patience?: number;
}

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), "espruino-"));
}

/** A running Espruino with its console on two pipes. */
export class Interpreter implements Machine, ConsolePins {
  readonly name = "interpreter";
  /** Resolves with the exit code, or with the name of the signal. */
  readonly ended: Promise<number | string>;
  text = "";
  private readonly child: ChildProcess;
  private readonly ownDirectory: string | undefined;
  private readonly virtual: boolean;
  private readonly patience: number;
  private lastOutput = 0;
  /** What came on the error stream. */
  private notes = "";
  private gone = false;
  private readonly unsent: Uint8Array[] = [];
  private sending = false;
  private readonly watchers = new Set<() => void>();
  private listener: ((bytes: Uint8Array) => void) | undefined;

  constructor(options: InterpreterOptions = {}) {
    this.ownDirectory = options.directory ? undefined : temporaryDirectory();
    this.virtual = options.virtualTime !== undefined;
    this.patience = options.patience ?? 1;
    const env: NodeJS.ProcessEnv = { ...process.env, ...options.environment };
    if (options.virtualTime !== undefined) env.ESPR_VTIME = String(options.virtualTime);
    this.child = spawn(ESPRUINO_BIN, [], { cwd: options.directory ?? this.ownDirectory, env, stdio: "pipe" });
    this.child.stdin!.on("error", () => {});
    this.child.stdout!.on("data", (bytes: Buffer) => {
      this.text += bytes.toString("latin1");
      this.lastOutput = performance.now();
      this.listener?.(bytes);
      this.look();
    });
    this.child.stderr!.on("data", (bytes: Buffer) => {
      this.notes += bytes.toString("latin1");
      this.look();
    });
    this.ended = new Promise((resolve) => {
      const end = (how: number | string) => {
        this.gone = true;
        this.look();
        resolve(how);
      };
      this.child.on("error", (error) => end(error.message));
      this.child.on("close", (code, signal) => end(code ?? signal ?? "unknown"));
    });
  }

  type(text: string): void {
    this.input(Buffer.from(text, "latin1"));
  }

  async read(mark: string): Promise<string> {
    await this.until(() => this.text.includes(mark), ANSWER_MS, `${JSON.stringify(mark)} was not printed`);
    const at = this.text.indexOf(mark);
    const before = this.text.slice(0, at);
    this.text = this.text.slice(at + mark.length);
    return before;
  }

  async quiet(): Promise<void> {
    const ms = QUIET_MS * this.patience;
    const begun = performance.now();
    for (;;) {
      const wait = Math.max(begun, this.lastOutput) + ms - performance.now();
      if (wait <= 0 || this.gone) return;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  /** Where time is real, this waits. */
  async advance(ms: number): Promise<void> {
    if (!this.virtual) return new Promise((resolve) => setTimeout(resolve, ms));
    const from = this.notes.length;
    this.type(`\x10__vt(${ms})\n`);
    await this.until(() => this.notes.indexOf("__VT ", from) >= 0, ADVANCE_MS, `${ms} ms of virtual time did not pass`);
  }

  // the console's two pins, as a link of host-tools/device takes them
  input(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) this.unsent.push(bytes.subarray(at, at + PIECE_BYTES));
    if (!this.sending) this.send();
  }

  private send(): void {
    const piece = this.unsent.shift();
    this.sending = piece !== undefined;
    if (!piece) return;
    this.child.stdin!.write(piece);
    setTimeout(() => this.send(), PAUSE_MS);
  }
  onOutput(listener: (bytes: Uint8Array) => void): void {
    this.listener = listener;
  }

  /** As if somebody took the battery out. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
  }

  async close(): Promise<void> {
    await this.kill();
    if (this.ownDirectory) rmSync(this.ownDirectory, { recursive: true, force: true });
  }

  private until(found: () => boolean, ms: number, problem: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: Error) => {
        clearTimeout(timer);
        this.watchers.delete(look);
        if (error) reject(error);
        else resolve();
      };
      const came = () => `; last printed: ${JSON.stringify(this.text.slice(-300))} ${this.notes.slice(-300)}`;
      const look = () => {
        if (found()) done();
        else if (this.gone) done(new Error(`${problem}: the interpreter has ended${came()}`));
      };
      const timer = setTimeout(() => done(new Error(`${problem} within ${ms} ms${came()}`)), ms);
      this.watchers.add(look);
      look();
    });
  }

  private look(): void {
    for (const watcher of [...this.watchers]) watcher();
  }
}

/** An interpreter that has started, with echo off. */
export async function startInterpreter(options: InterpreterOptions = {}): Promise<Interpreter> {
  const interpreter = new Interpreter(options);
  await run(interpreter, "echo(0)");
  interpreter.text = "";
  return interpreter;
}
