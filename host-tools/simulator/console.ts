import { countBrackets } from "./brackets.ts";

export interface ConsoleHost {
  /** Bytes to the host, as they are. */
  transmit(text: string): void;
  /** Runs a line; undefined when it threw (then `checkErrors` tells). */
  execute(source: string): { value: unknown } | undefined;
  /** The answer after `=`. */
  show(value: unknown): string;
  /** Prints what went wrong since the last call. */
  checkErrors(): void;
  /** `Espruino 2v29 PUCKJS` */
  identity(): string;
  password(): string | undefined;
  /** Takes bytes after DLE SOH; undefined when this release knows no packets. */
  readonly packets: { readonly active: boolean; start(): void; byte(value: number): void } | undefined;
}

const HISTORY_LIMIT = 50;
const HISTORY_LINE_LIMIT = 500;

/** Keys of the number pad, sent as ESC O and a letter. */
const KEYPAD: { [letter: string]: number } = { o: 47, j: 42, m: 45, k: 43, M: 13 };

type EscapeState = "none" | "return" | "dle" | "escape" | "escape O" | "escape [" | "escape [ number";

/**
 * The interpreter's console, character by character: line editor, echo, prompts, silent lines. Source: Espruino 2v29, src/jsinteractive.c.
 * Strings hold one byte a character. Tab completion is missing: a tab does nothing.
 */
export class Console {
  echo = true;
  locked = false;
  /** The prompt is not on the screen; it comes back at the end of the main loop's turn. */
  lineRemoved = false;
  private silentLine = false;
  private line = "";
  private cursor = 0;
  private state: EscapeState = "none";
  private number = 0;
  private history: string[] = [];

  constructor(private readonly host: ConsoleHost) {}

  get historyLines(): readonly string[] {
    return this.history;
  }

  get silent(): boolean {
    return !this.echo || this.silentLine;
  }

  private get visible(): boolean {
    return !this.silent && !this.lineRemoved && !this.locked;
  }

  /** Text of the interpreter or the script: takes the prompt away first; LF goes out as CR LF. */
  print(text: string): void {
    this.removeLine();
    this.raw(text);
  }

  /** The same, without taking the prompt away: what the interpreter says about itself. */
  write(text: string): void {
    this.raw(text);
  }

  private raw(text: string): void {
    if (text !== "") this.host.transmit(text.replaceAll("\n", "\r\n"));
  }

  /** Bytes as they are: answers of the packet protocol. */
  send(text: string): void {
    this.host.transmit(text);
  }

  removeLine(): void {
    if (this.lineRemoved) return;
    this.lineRemoved = true;
    if (this.silent) return;
    this.moveCursor(this.cursor, 0);
    this.host.transmit("\r\x1b[J");
  }

  /** At the end of each turn of the main loop. */
  returnLine(): void {
    if (!this.lineRemoved) return;
    this.lineRemoved = false;
    if (this.silent) return;
    this.host.transmit((this.locked ? "password" : "") + ">" + this.line.replaceAll("\n", "\r\n:"));
    this.moveCursor(this.line.length, this.cursor);
  }

  /** After a reset: nothing typed, echo on. */
  reset(): void {
    this.echo = true;
    this.silentLine = false;
    this.clear(false);
    this.state = "none";
    this.history = [];
  }

  /** Ctrl-C while nothing runs, or ESC [ 2 H. */
  clear(update: boolean): void {
    if (this.line === "") return;
    if (update) this.removeLine();
    this.line = "";
    this.cursor = 0;
  }

  /** The line that ran was thrown out by an abort: nothing more comes of it. */
  lineAborted(): void {
    this.silentLine = false;
    this.lineRemoved = true;
  }

  /** The packet receiver takes the line over and gives it back. */
  silenceOver(): void {
    if (this.line === "") this.silentLine = false;
  }

  receive(byte: number): void {
    if (this.locked) {
      this.receivePassword(byte);
      return;
    }
    const { packets } = this.host;
    if (packets?.active) {
      packets.byte(byte);
      return;
    }
    const char = String.fromCharCode(byte);
    if (byte === 0) this.state = "none";
    else if (byte === 1) {
      if (this.state === "dle" && packets) {
        this.state = "none";
        packets.start();
      }
    } else if (byte === 3) {
      // Ctrl-C has been seen by the receive interrupt.
    } else if (byte === 5) {
      if (this.line === "") this.raw(this.host.identity() + "\n");
    } else if (byte === 16) {
      if (this.line === "") this.silentLine = true;
      this.state = "dle";
    } else if (byte === 27) this.state = "escape";
    else if (this.state.startsWith("escape")) this.escaped(char);
    else this.plain(byte, char);
  }

  private plain(byte: number, char: string): void {
    const afterReturn = this.state === "return";
    this.state = "none";
    if (byte === 8 || byte === 127) this.deleteAt(true);
    else if (char === "\n" && afterReturn) return;
    else if (char === "\r" || char === "\n") {
      if (char === "\r") this.state = "return";
      this.newLine(true);
    } else if (byte >= 32) this.insert(char);
  }

  private receivePassword(byte: number): void {
    if (byte !== 13 && byte !== 10) {
      if (this.line.length < 20) this.line += String.fromCharCode(byte);
      return;
    }
    if (this.line === this.host.password()) this.locked = false;
    this.clear(false);
    if (this.locked) this.raw("\n  Invalid password\npassword>");
    else {
      this.raw("\n  Logged in.\n");
      this.lineRemoved = true;
      this.returnLine();
    }
  }

  private escaped(char: string): void {
    const state = this.state;
    this.state = "none";
    if (state === "escape") {
      if (char === "O") this.state = "escape O";
      else if (char === "[") this.state = "escape [";
      else if (char === "\n") this.newLine(false);
    } else if (state === "escape O") {
      if (char === "F") this.end();
      else if (char === "H") this.home();
      else if (KEYPAD[char]) this.receive(KEYPAD[char]);
    } else if (state === "escape [") this.bracketed(char);
    else if (char >= "0" && char <= "9") {
      this.number = this.number * 10 + Number(char);
      this.state = "escape [ number";
    } else if (char === "H" && this.number === 2) this.clear(true);
    else if (char === "~") {
      if (this.number === 1) this.home();
      else if (this.number === 3) this.deleteAt(false);
      else if (this.number === 4) this.end();
    }
  }

  private bracketed(char: string): void {
    if (char >= "0" && char <= "9") {
      this.number = Number(char);
      this.state = "escape [ number";
    } else if (char === "D") {
      if (this.cursor > 0 && this.line[this.cursor - 1] !== "\n") {
        this.cursor -= 1;
        if (this.visible) this.host.transmit("\x1b[D");
      }
    } else if (char === "C") {
      if (this.cursor < this.line.length && this.line[this.cursor] !== "\n") {
        this.cursor += 1;
        if (this.visible) this.host.transmit("\x1b[C");
      }
    } else if (char === "A" || char === "B") {
      if ((this.line === "" || this.history.includes(this.line)) && this.cursor === this.line.length) this.recall(char === "A");
    } else if (char === "F") this.end();
    else if (char === "H") this.home();
  }

  private recall(previous: boolean): void {
    const at = this.history.indexOf(this.line);
    const found = at < 0 ? (previous ? this.history.at(-1) : undefined) : this.history[at + (previous ? -1 : 1)];
    if (found === undefined && previous) return;
    if (this.visible) {
      this.moveCursor(this.cursor, 0);
      this.host.transmit("\x1b[J" + (found ?? "").replaceAll("\n", "\r\n:"));
    }
    this.line = found ?? "";
    this.cursor = this.line.length;
  }

  private insert(char: string): void {
    const atEnd = this.cursor >= this.line.length;
    this.line = this.line.slice(0, this.cursor) + char + this.line.slice(this.cursor);
    if (!atEnd && this.visible) this.untilLineEnd();
    this.cursor += 1;
    if (this.visible) this.host.transmit(char);
  }

  /** Shows the line from the cursor on and a blank, and goes back. */
  private untilLineEnd(): void {
    const rest = this.line.slice(this.cursor).split("\n")[0]! + " ";
    this.host.transmit(rest + "\b".repeat(rest.length));
  }

  private deleteAt(backspace: boolean): void {
    if (backspace ? this.cursor === 0 : this.cursor >= this.line.length) return;
    const at = backspace ? this.cursor - 1 : this.cursor;
    const lineBreak = this.line[at] === "\n";
    if (lineBreak && this.visible) {
      this.host.transmit("\x1b[J");
      if (backspace) {
        this.host.transmit("\b ");
        this.moveCursor(this.cursor, this.cursor - 1);
      }
    }
    this.line = this.line.slice(0, at) + this.line.slice(at + 1);
    this.cursor = at;
    if (!this.visible) return;
    if (lineBreak) {
      this.host.transmit(this.line.slice(this.cursor).replaceAll("\n", "\r\n:"));
      this.moveCursor(this.line.length, this.cursor);
    } else {
      if (backspace) this.host.transmit("\b");
      this.untilLineEnd();
    }
  }

  private home(): void {
    const start = this.line.lastIndexOf("\n", this.cursor - 1) + 1;
    if (this.visible) this.host.transmit("\b".repeat(this.cursor - start));
    this.cursor = start;
  }

  private end(): void {
    const stop = this.line.indexOf("\n", this.cursor);
    const end = stop < 0 ? this.line.length : stop;
    if (this.visible) this.host.transmit(this.line.slice(this.cursor, end));
    this.cursor = end;
  }

  private newLine(execute: boolean): void {
    if (this.line.slice(this.cursor).trim() !== "") {
      this.splitLine();
      return;
    }
    if (!execute || countBrackets(this.line) > 0) {
      if (this.visible) this.host.transmit("\r\n:");
      this.line = this.line.slice(0, this.cursor) + "\n" + this.line.slice(this.cursor);
      this.cursor += 1;
      return;
    }
    if (this.visible) this.raw("\n");
    if (!this.silentLine) this.lineRemoved = true;
    const source = this.line.trimEnd();
    this.clear(false);
    const result = this.host.execute(source);
    if (source !== "" && !this.silent) this.remember(source);
    if (result && source !== "" && !this.silent) this.raw("=" + this.host.show(result.value) + "\n");
    this.host.checkErrors();
    this.silentLine = false;
  }

  private splitLine(): void {
    if (this.visible) this.host.transmit("\x1b[J");
    this.line = this.line.slice(0, this.cursor) + "\n" + this.line.slice(this.cursor);
    if (this.visible) {
      this.host.transmit(this.line.slice(this.cursor).replaceAll("\n", "\r\n:"));
      this.moveCursor(this.line.length, this.cursor + 1);
    }
    this.cursor += 1;
  }

  private remember(source: string): void {
    if (source.length > HISTORY_LINE_LIMIT) return;
    this.history = this.history.filter((old) => old !== source);
    this.history.push(source);
    if (this.history.length > HISTORY_LIMIT) this.history.shift();
  }

  private moveCursor(from: number, to: number): void {
    const place = (at: number) => {
      const before = this.line.slice(0, at);
      return { x: at - (before.lastIndexOf("\n") + 1), y: before.split("\n").length };
    };
    const [a, b] = [place(from), place(to)];
    const move = (count: number, code: string) => (count > 0 ? `\x1b[${code}`.repeat(count) : "");
    const text = move(b.x - a.x, "C") + move(a.x - b.x, "D") + move(b.y - a.y, "B") + move(a.y - b.y, "A");
    if (text !== "") this.host.transmit(text);
  }
}
