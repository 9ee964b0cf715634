import vm from "node:vm";
import { crc32 } from "node:zlib";
import type { ConsolePins } from "../../host-tools/device/memory.ts";
import type { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";

export interface FakeConsoleOptions {
  version?: string;
  board?: string;
  baud?: number;
  /** What the interpreter's global scope holds besides. */
  globals?: Record<string, unknown>;
  /** Comes before the first byte is sent, as typed by somebody else. */
  typed?: string;
  prompt?: string;
  /** Bytes that get lost or changed on the way to the hub: gets each chunk, answers what arrives. */
  wire?: (bytes: Uint8Array, count: number) => Uint8Array;
}

/**
 * The console of an interpreter, as little of it as a link needs: lines, `\x10`, ESC [ 2 H, brackets left open, Ctrl-C, prompt and echo.
 * Lines run in a context of their own. Both directions take the time that the bytes take at `baud`, on a virtual clock.
 */
export class FakeConsole implements ConsolePins {
  private listener: ((bytes: Uint8Array) => void) | undefined;
  private line = "";
  private silent = false;
  private escape = "";
  private wireFree = 0;
  private inputFree = 0;
  private sent = 0;
  private readonly context: vm.Context;
  prompt: string;
  /** Lines that were run, oldest first. */
  readonly lines: string[] = [];
  /** Answers nothing at all while false. */
  powered = true;
  /** Takes no notice of what it is sent. */
  deaf = false;
  /** The interpreter runs something that only Ctrl-C ends. */
  busy = false;
  /** Speed at which both ends understand each other. */
  baud: number;

  constructor(
    private readonly clock: VirtualClock,
    options: FakeConsoleOptions = {},
  ) {
    this.baud = options.baud ?? 9600;
    this.wireFilter = options.wire;
    this.prompt = options.prompt ?? ">";
    this.line = options.typed ?? "";
    this.context = vm.createContext({
      process: { env: { VERSION: options.version ?? "2v26", BOARD: options.board ?? "PUCKJS", HWVERSION: 2.1 } },
      E: { CRC32: (text: string) => crc32(Buffer.from(String(text), "latin1")) },
      print: (text: unknown) => this.print(String(text) + "\n"),
      getTime: () => clock.now,
      ...options.globals,
    });
  }
  private readonly wireFilter: FakeConsoleOptions["wire"];

  onOutput(listener: (bytes: Uint8Array) => void): void {
    this.listener = listener;
  }

  input(bytes: Uint8Array): void {
    this.inputFree = Math.max(this.inputFree, this.clock.now);
    for (const byte of bytes) {
      this.inputFree += 10 / this.baud;
      this.clock.at(this.inputFree, () => {
        if (this.powered && !this.deaf) this.receive(String.fromCharCode(byte));
      });
    }
  }

  /** Sends text as the console does: CR before each LF. */
  print(text: string): void {
    this.send(Buffer.from(text.replace(/\n/g, "\r\n"), "latin1"));
  }

  send(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += 16) {
      const chunk = bytes.subarray(at, at + 16);
      this.wireFree = Math.max(this.wireFree, this.clock.now) + (chunk.length * 10) / this.baud;
      const count = this.sent++;
      this.clock.at(this.wireFree, () => {
        if (this.powered) this.listener?.(this.wireFilter ? this.wireFilter(chunk, count) : chunk);
      });
    }
  }

  private receive(character: string): void {
    if (this.busy) {
      if (character === "\x03") this.busy = false;
      return;
    }
    if (this.escape) {
      this.escape += character;
      if (this.escape === "\x1b[2H") this.line = "";
      if (this.escape.length === 4 || !"\x1b[2H".startsWith(this.escape)) this.escape = "";
      return;
    }
    if (character === "\x1b") this.escape = character;
    else if (character === "\x03") this.line = "";
    else if (character === "\x10") this.silent = this.line === "" || this.silent;
    else if (character !== "\n") this.line += character;
    else this.enter();
    if (!this.silent && character >= " " && this.prompt === ">") this.send(Buffer.from(character, "latin1"));
  }

  private enter(): void {
    if (this.prompt === "password>") {
      this.line = "";
      this.print("\n  Invalid password\n" + this.prompt);
      return;
    }
    if (this.prompt === "debug>") {
      const command = this.line;
      this.line = "";
      this.silent = false;
      if (command === "quit") this.prompt = ">";
      else this.print("Unknown command\n");
      this.print(this.prompt);
      return;
    }
    if (open(this.line)) {
      this.line += "\n";
      return;
    }
    const line = this.line;
    this.line = "";
    this.lines.push(line);
    try {
      vm.runInContext(line, this.context);
    } catch (error) {
      this.print(`Uncaught ${error}\n at line 1\n`);
    }
    if (!this.silent) this.print("\n" + this.prompt);
    this.silent = false;
  }
}

function open(line: string): boolean {
  const code = line.replace(/\/\*[\s\S]*?\*\//g, "");
  if (code.includes("/*")) return true;
  let depth = 0;
  for (const character of code.replace(/"(\\.|[^"\\])*"|'(\\.|[^'\\])*'/g, "")) {
    if ("([{".includes(character)) depth++;
    if (")]}".includes(character)) depth--;
  }
  return depth > 0;
}
