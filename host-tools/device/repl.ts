import { crc32 } from "node:zlib";
import { COMMAND_OBJECT } from "../../protocols/device-link.ts";
import { DeviceError } from "../errors.ts";
import type { ConsoleStream } from "./console-stream.ts";
import { type InterpreterVersion, parseVersion } from "./interpreter-version.ts";
import { type Challenge, KNOCK, openLock, takeChallenge } from "./lock.ts";

/** Begins a line that the interpreter neither echoes nor answers. */
export const SILENT = "\x10";
/** ESC [ 2 H empties the input line and runs nothing. Better than Ctrl-C, which also takes away the timer whose callback happens to run. */
export const EMPTY_LINE = "\x1b[2H";
const CTRL_C = "\x03";

/** What stands at the other end. */
export interface BoardIdentity {
  version: InterpreterVersion;
  /** `process.env.BOARD`. */
  board: string;
  /** `process.env.HWVERSION`, 0 where there is none. */
  hardware: number;
  /** `process.env.SERIAL`, "" where there is none. */
  serial: string;
  /** Does the global object of our firmware exist? */
  firmware: boolean;
}

/** Bits a character takes at 8N1. */
const BITS = 10;
/** What an interpreter may take to parse a line and answer, beside the wire. */
const ANSWER_MS = 2000;
/** An answer whose bytes keep coming may take this much longer. */
const LONG_ANSWER_MS = 60_000;

/** Ways to reach a prompt, gentlest first, with the milliseconds to wait for each. Together longer than the 5 s for which a cut binary packet holds the console. */
const APPROACHES: { before: string; ms: number; fast?: boolean }[] = [
  { before: EMPTY_LINE, ms: 800 },
  { before: EMPTY_LINE + "\n", ms: 1200 },
  { before: EMPTY_LINE, ms: 600, fast: true },
  { before: "\n", ms: 1500 },
  { before: CTRL_C + "\n", ms: 2000 },
  { before: EMPTY_LINE, ms: 2500 },
];

/** JavaScript with the interpreter at the far end. Works on a board without our firmware. */
export class Repl {
  private answers = 0;
  /** Was the board locked, and opened by us? */
  unlocked = false;
  /** Is it meant to stay open? */
  stays = false;
  /** Things the user should know about how the console was reached. */
  readonly warnings: string[] = [];

  constructor(
    readonly stream: ConsoleStream,
    /** Speed of the wire, bits a second; sets how long an answer may take. */
    public baud: number,
    /** Opens a locked board: 16 bytes. */
    public key?: Uint8Array,
  ) {}

  get name(): string {
    return this.stream.name;
  }

  /** Milliseconds that so many characters take. */
  wireMs(characters: number): number {
    return (characters * BITS * 1000) / this.baud;
  }

  /**
   * Reaches the interpreter in whatever state its console is: in the middle of a line or a bracket, echo off, printing, in the debugger,
   * or at `fastBaud` because an earlier program was cut off.
   * A locked board is opened, if there is a key; that takes one answer, and without a key none is spent.
   * @throws DeviceError "silent", "locked", "not_espruino", "disconnected", and those of `openLock`
   */
  async attach(fastBaud?: number): Promise<BoardIdentity> {
    const { stream } = this;
    const usual = this.baud;
    stream.clear();
    let heard = "";
    for (const { before, ms, fast } of APPROACHES) {
      if (fast && (!fastBaud || !stream.transport.setBaud)) continue;
      if (fast) await this.setBaud(fastBaud!);
      await stream.writeText(before);
      let identity = await this.identify(ms);
      if (identity && "nonce" in identity) {
        await openLock(this, identity, this.key);
        this.unlocked = true;
        identity = await this.identify(ANSWER_MS);
      }
      if (identity && !("nonce" in identity)) {
        if (before === CTRL_C + "\n")
          this.warnings.push("the console did not answer and was interrupted; if the board misbehaves, switch it off and on");
        return identity;
      }
      if (fast) await this.setBaud(usual);
      heard += stream.text;
      if (/password>/.test(stream.text))
        throw new DeviceError(
          "locked",
          `${this.name}: the console asks for a password; unlock it in a terminal (E.lockConsole was called), then try again`,
        );
      if (/debug>/.test(stream.text)) await stream.writeText("quit\n");
      stream.text = "";
    }
    if (stream.received === 0)
      throw new DeviceError(
        "silent",
        `${this.name}: nothing answers at ${usual} baud. Check: RX and TX crossed, ground connected, the board powered; ` +
          "Puck.js, Pixl.js and MDBT42Q start their UART only when RX is high as they start, so connect first and restart the board; close other programs on this port",
      );
    throw new DeviceError(
      "not_espruino",
      `${this.name}: something answers, but not as an Espruino at ${usual} baud (${printable(heard)}); check the speed and the port`,
    );
  }

  private async setBaud(baud: number): Promise<void> {
    await this.stream.transport.setBaud?.(baud);
    this.baud = baud;
  }

  private async identify(ms: number): Promise<BoardIdentity | Challenge | undefined> {
    const expression = `[process.env.VERSION,process.env.BOARD,process.env.HWVERSION||0,process.env.SERIAL||0,typeof ${COMMAND_OBJECT}]`;
    const answer = await this.ask(expression, ms, 0, KNOCK).catch((error: unknown) => {
      if (error instanceof DeviceError && error.code === "board_error") return undefined;
      throw error;
    });
    if (isChallenge(answer)) return answer;
    if (!Array.isArray(answer)) return undefined;
    const [versionText, board, hardware, serial, kind] = answer as unknown[];
    const version = typeof versionText === "string" ? parseVersion(versionText) : undefined;
    if (!version || typeof board !== "string") return undefined;
    return { version, board, hardware: Number(hardware) || 0, serial: typeof serial === "string" ? serial : "", firmware: kind === "object" };
  }

  /** Runs a line and waits for nothing. */
  send(line: string): Promise<void> {
    return this.stream.writeText(SILENT + line + "\n");
  }

  /**
   * Value of an expression, by way of JSON. `undefined`, functions and NaN come back as JSON makes them.
   * @param ms how long the board may take beside the wire
   * @param tries more than one only where evaluating it again does no harm
   * @throws DeviceError "board_error" with the board's own words, "timeout"
   */
  async evaluate(expression: string, ms = ANSWER_MS, tries = 1): Promise<unknown> {
    for (let i = 0; i < tries; i++) {
      const value = await this.ask(expression, ms, LONG_ANSWER_MS);
      if (value !== NO_ANSWER) return value;
    }
    const words = boardsWords(this.stream.text);
    if (words) throw new DeviceError("board_error", `${this.name}: the board says: ${words}`);
    throw new DeviceError(
      "timeout",
      `${this.name}: no answer within ${Math.round(ms)} ms; the board may be busy, or bytes were lost on the wire: try again`,
    );
  }

  /** Value of an expression, and how many characters went each way for it. */
  async measured(expression: string): Promise<{ value: unknown; characters: { sent: number; received: number } }> {
    const value = await this.evaluate(expression);
    return { value, characters: { sent: this.lineFor(expression, this.answers).length + 2, received: JSON.stringify(value).length + 20 } };
  }

  // The answer is told apart from anything else that may be printed by its number, its length and its CRC; what JSON can't say comes as text.
  private lineFor(expression: string, id: number): string {
    return `(function(r){try{r=JSON.stringify(${expression})}catch(e){r="!"+e}r=""+r;print("~T${id},"+r.length+","+E.CRC32(r)+":"+r)})()`;
  }

  /** `before`: goes in front of the line; where it is KNOCK the answer may be a challenge. */
  private async ask(expression: string, ms: number, extraMs: number, before = ""): Promise<unknown> {
    const id = ++this.answers;
    const { stream } = this;
    const line = before + this.lineFor(expression, id);
    stream.text = "";
    if (before) stream.frames.length = 0;
    await this.send(line);
    const begin = new RegExp(`~T${id},(\\d+),(-?\\d+):`);
    const text = await stream.wait<string | Challenge>(
      () => {
        const challenge = before ? takeChallenge(stream.frames) : undefined;
        if (challenge) return challenge;
        const match = begin.exec(stream.text);
        if (!match) return undefined;
        const at = match.index + match[0].length;
        const answer = stream.text.slice(at, at + Number(match[1]));
        if (answer.length < Number(match[1])) return undefined;
        return crc32(Buffer.from(answer, "latin1")) === Number(match[2]) >>> 0 ? answer : undefined;
      },
      ms + this.wireMs(line.length + 64),
      extraMs,
    );
    return text === undefined ? NO_ANSWER : typeof text === "string" ? parseAnswer(text, this.name) : text;
  }
}

const NO_ANSWER = Symbol("no answer");

function isChallenge(answer: unknown): answer is Challenge {
  return typeof answer === "object" && answer !== null && (answer as Challenge).nonce instanceof Uint8Array;
}

function parseAnswer(text: string, name: string): unknown {
  if (text.startsWith("!")) throw new DeviceError("board_error", `${name}: the board says: ${printable(text.slice(1))}`);
  return text === "undefined" ? undefined : JSON.parse(text);
}

/** What an interpreter prints when something can't be caught. */
function boardsWords(text: string): string | undefined {
  const match = /(Uncaught [^\r\n]*|OUT OF MEMORY|Execution Interrupted)/.exec(text);
  return match ? printable(match[1]) : undefined;
}

/** The beginning of what came, fit for a message. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  const clean = text.replace(/[\x00-\x1f\x7f-\xff]+/g, " ").trim();
  return clean.length > 80 ? clean.slice(0, 80) + "…" : clean || "unreadable bytes";
}
