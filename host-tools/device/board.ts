import { z } from "zod";
import { readU32 } from "../../protocols/bytes.ts";
import { BLOCK_HEADER_BYTES, COMMAND_OBJECT, type DeviceStatus, PROOF_ENTRY_BYTES, PROOF_TAG_BYTES, REFUSALS } from "../../protocols/device-link.ts";
import { PAGE_WORDS, PAYLOAD_BYTES, WORD_BYTES } from "../../protocols/log-format.ts";
import { SETTING_COUNT } from "../../protocols/settings.ts";
import { DeviceError } from "../errors.ts";
import type { ReceivedFrame } from "./console-stream.ts";
import { decodeWaiting, MOST_WAITING_BYTES, type WaitingMessage } from "./messages.ts";
import { type BoardIdentity, EMPTY_LINE, printable, type Repl } from "./repl.ts";

const count = z.number().nonnegative();
const settings = z.array(z.number()).length(SETTING_COUNT);
const statusShape: z.ZodType<DeviceStatus> = z.object({
  v: z.string(),
  b: z.string(),
  r: z.string(),
  id: z.string().regex(/^([0-9a-f]{16})?$/),
  e: count,
  t: count,
  u: count,
  lo: count,
  hi: count,
  ak: count,
  dr: count,
  pg: count,
  df: count,
  op: count,
  n: count,
  ad: count,
  ro: count,
  er: z.tuple([count, count, count]),
  c: settings,
  pr: z.tuple([count, count]).optional(),
  co: z.tuple([count, count]).optional(),
  gr: z.tuple([count, count, count, count]).optional(),
  ha: z.string().nullable().optional(),
  te: z.tuple([count, count, count, count]).optional(),
  me: z.tuple([count, count, count, count]).optional(),
  cr: z.string().optional(),
  sh: z.string().optional(),
  an: z.number().optional(),
  lk: count.optional(),
  wr: count.optional(),
  mv: count,
  ml: count.optional(),
  lb: count.optional(),
  pf: z.number().optional(),
  wd: z.tuple([count, count]).optional(),
});

/** What a status of any version of our firmware tells. */
export type AnyStatus = Pick<DeviceStatus, "v" | "b" | "r" | "id"> & Partial<Pick<DeviceStatus, "lo" | "hi" | "ak">>;

const anyStatusShape: z.ZodType<AnyStatus> = z.object({
  v: z.string(),
  b: z.string(),
  r: z.string(),
  id: z.string(),
  lo: count.optional(),
  hi: count.optional(),
  ak: count.optional(),
});

/** What `T.r` answered. Shape as the store takes it. Sequence numbers count words. */
export interface RecordBlock {
  /** As asked. */
  asked: number;
  /** Sequence number of the first record. */
  seq: number;
  /** 0: the page isn't there. */
  era: number;
  baseTick: number;
  /** Where to go on. */
  nextSeq: number;
  /** Whole records, one behind the other. */
  slots: Uint8Array;
}

/** What an interpreter may take for a command, beside the wire. Writing to flash may erase a page first. */
const COMMAND_MS = 2000;
/** Characters an answer that is no log block may have. */
const ANSWER_CHARACTERS = 600;
/** What tags of all identifiers may take a board that has neither the interpreter's AES nor the chip's. */
const SOFTWARE_AES_MS = 40_000;
/** What to do about a refusal. */
const WAYS_OUT: { [code: string]: string } = {
  clk: "; set it with `tracelet time`",
  log: "; `tracelet flash --erase` makes a new one",
  pag: "; pull it, then `tracelet flash --erase --role token --protocol bluetrace` makes a new one",
};
const REFUSAL_MARK = 0x21;

/** A board that runs our firmware: the commands of protocols/device-link.ts as functions. */
export class Board {
  constructor(
    readonly repl: Repl,
    readonly identity: BoardIdentity,
  ) {}

  get name(): string {
    return this.repl.name;
  }
  get stream() {
    return this.repl.stream;
  }
  get clock() {
    return this.repl.stream.clock;
  }

  /** @throws DeviceError "no_firmware", with what to do about it */
  async requireFirmware(): Promise<void> {
    if (this.identity.firmware) return;
    const start = await this.repl.evaluate('require("Storage").read(".bootcde",0,4)', undefined, 3);
    if (typeof start !== "string")
      throw new DeviceError("no_firmware", `${this.name}: a ${this.identity.board} without our firmware; put it there with \`tracelet flash\``);
    if (start.includes("\xff"))
      throw new DeviceError(
        "no_firmware",
        `${this.name}: its last firmware upload was cut short; run \`tracelet flash\` again, its log is untouched`,
      );
    throw new DeviceError(
      "no_firmware",
      `${this.name}: it has saved code, but our firmware isn't running; restart it without pressing its button, or put our firmware there with \`tracelet flash\``,
    );
  }

  /**
   * Sends one command and waits for the answer that fits it. Asks again when none comes, up to `tries` times, the line emptied first: a lost
   * character may have left a bracket open.
   * @throws DeviceError "refused" with the board's reason, "damaged", "timeout", "disconnected"
   */
  async command<T>(
    call: string,
    fits: (payload: Uint8Array) => T | undefined,
    tries = 3,
    moreMs = 0,
  ): Promise<{ value: T; sentAt: number; begunAt: number }> {
    const { stream, repl } = this;
    const line = `${COMMAND_OBJECT}.${call}`;
    const shown = shownCall(call);
    const damagedBefore = stream.damaged;
    for (let i = 0; i < tries; i++) {
      stream.clear();
      if (i > 0) await stream.writeText(EMPTY_LINE);
      const sentAt = this.clock.now();
      await repl.send(line);
      const found = await stream.wait(
        () => this.takeFitting(call, fits),
        COMMAND_MS + moreMs + repl.wireMs(line.length + ANSWER_CHARACTERS),
        repl.wireMs(PAGE_WORDS * WORD_BYTES),
      );
      if (found) return { ...found, sentAt };
    }
    const words = /(Uncaught [^\r\n]*|OUT OF MEMORY|Execution Interrupted)/.exec(stream.text)?.[1];
    if (words) throw new DeviceError("board_error", `${this.name}: ${shown}: the board says: ${printable(words)}`);
    if (stream.damaged > damagedBefore)
      throw new DeviceError(
        "damaged",
        `${this.name}: answers arrive damaged (${tries} of ${tries}); check the cable and the ground, or try \`--no-fast\``,
      );
    throw new DeviceError("timeout", `${this.name}: no answer to ${shown}; the board may be busy or was reset: try again`);
  }

  private takeFitting<T>(call: string, fits: (payload: Uint8Array) => T | undefined): { value: T; begunAt: number } | undefined {
    for (let frame = this.stream.frames.shift(); frame; frame = this.stream.frames.shift()) {
      this.throwRefusal(call, frame);
      const value = fits(frame.payload);
      if (value !== undefined) return { value, begunAt: frame.begunAt };
    }
    return undefined;
  }

  private throwRefusal(call: string, { payload }: ReceivedFrame): void {
    if (payload[0] !== REFUSAL_MARK || payload.length > 8) return;
    const code = Buffer.from(payload.subarray(1)).toString("latin1");
    const reason = REFUSALS[code] ?? printable(code);
    const next = WAYS_OUT[code] ?? "; `tracelet status` tells more";
    throw new DeviceError(`refused_${code}`, `${this.name}: the board refuses ${shownCall(call)}: ${reason}${next}`);
  }

  async status(): Promise<DeviceStatus> {
    return (await this.timedStatus()).value;
  }

  /**
   * Status, with the times at which it was asked for and at which the answer began.
   * @throws DeviceError "other_firmware" where the firmware on the board tells another status than this program knows
   */
  timedStatus(tries?: number): Promise<{ value: DeviceStatus; sentAt: number; begunAt: number }> {
    return this.command(
      "s()",
      (payload) => {
        const status = parseAs(payload, statusShape);
        const other = status ? undefined : parseAs(payload, anyStatusShape);
        if (other) throw this.otherFirmware(other);
        return status;
      },
      tries,
    );
  }

  /** What can be told of whatever version of our firmware runs there. */
  async anyStatus(): Promise<AnyStatus> {
    return (await this.command("s()", (payload) => parseAs(payload, anyStatusShape))).value;
  }

  private otherFirmware({ v, b, r }: AnyStatus): DeviceError {
    return new DeviceError(
      "other_firmware",
      `${this.name}: firmware ${v} on it tells its status otherwise than this version of tracelet reads it; ` +
        `\`tracelet flash --board ${printable(b)} --role ${printable(r)}\` brings it up to date and keeps its log`,
    );
  }

  /** Sends the request for records and waits for nothing: see pull.ts. */
  requestRecords(seq: number, words: number): Promise<void> {
    return this.repl.send(`${COMMAND_OBJECT}.r(${seq},${words})`);
  }

  async acknowledge(seq: number): Promise<void> {
    await this.command(`a(${seq})`, (payload) => parseAs(payload, z.strictObject({})));
  }

  /** Not repeated when the answer is lost: the second time would be late. Answers by how many ms the clock moved, null if it had not been set. */
  async setClock(unix: number, ms: number, roundTripMs: number): Promise<number | null> {
    const shape = z.object({ step: z.number().nullable() });
    return (await this.command(`t(${unix},${ms},${roundTripMs})`, (payload) => parseAs(payload, shape), 1)).value.step;
  }

  /** Changes a setting, and reads back whether it is what was sent. Answers all settings. */
  async changeSetting(index: number, value: number): Promise<number[]> {
    const shape = z.union([settings, z.object({ c: settings }).transform((answer) => answer.c)]);
    for (let tries = 3; ; tries--) {
      const now = (await this.command(`c(${index},${value})`, (payload) => parseAs(payload, shape))).value;
      if (now[index] === value) return now;
      if (tries === 1) throw new DeviceError("not_set", `${this.name}: the board says ${now[index]} where ${value} was sent; try again`);
    }
  }

  /** Four words of a lock key, all zero for none; in force when the session ends. Asking again does no harm. */
  async setLock(words: number[]): Promise<void> {
    await this.command(`l(${words.join()})`, (payload) => parseAs(payload, z.strictObject({})));
  }

  /** Makes a SmartBeacon: `setup` as in protocols/smartbeacon/setup.ts. Secret. Asking again does no harm. */
  async setUpBeacon(setup: Uint8Array): Promise<void> {
    await this.command(`b("${Buffer.from(setup).toString("base64")}")`, (payload) => parseAs(payload, z.strictObject({})));
  }

  /** Bytes for a page of TempIDs, protocols/bluetrace/temp-id-page.ts; `offset` -1 erases it, 0 comes last and puts it in force. Secret. Asking again does no harm. */
  async writeTempIds(page: number, offset: number, bytes: Uint8Array): Promise<void> {
    const text = Buffer.from(bytes).toString("base64");
    await this.command(`n(${page},${offset},"${text}")`, (payload) => parseAs(payload, z.strictObject({})));
  }

  /** SmartBeacons' messages that wait on a board that collects them, after it has forgotten those complete up to the tick `taken`; -1 for none. */
  async waitingMessages(taken: number): Promise<WaitingMessage[]> {
    return (await this.command(`q(${taken})`, decodeWaiting, 3, this.repl.wireMs(MOST_WAITING_BYTES))).value;
  }

  /** The board is locked from here on, if it has a key. */
  async endSession(): Promise<void> {
    await this.command("l()", (payload) => parseAs(payload, z.strictObject({})), 1);
  }

  /**
   * Proof of beaconing: the answer of `T.p`, see protocols/device-link.ts. `challenge`: 16 bytes. `listening`: also for what it has heard.
   * Where the board has AES in software only, each identifier takes it half a second.
   */
  async tags(challenge: Uint8Array, listening: boolean): Promise<Uint8Array> {
    const words = [0, 4, 8, 12].map((at) => readU32(challenge, at));
    const whole = (payload: Uint8Array) => (payload.length % PROOF_ENTRY_BYTES === 1 + PROOF_TAG_BYTES ? payload : undefined);
    return (await this.command(`p(${words.join()},${listening ? 1 : 0})`, whole, 2, listening ? SOFTWARE_AES_MS : 0)).value;
  }

  /** Tells the board that `tag`, 8 bytes, was heard `ago` seconds ago. @throws DeviceError "refused_tag" where it was not what `tags` answered last */
  async proven(tag: Uint8Array, ago: number): Promise<void> {
    await this.command(`y(${readU32(tag, 0)},${ago})`, (payload) => parseAs(payload, z.strictObject({})), 1);
  }

  /**
   * Own keys: 26-byte payloads of TEK records, one after the other. Secret. Not repeated when `fresh`: each time begins a new key.
   */
  async keys(fresh: boolean): Promise<Uint8Array> {
    const whole = (payload: Uint8Array) => (payload.length % PAYLOAD_BYTES === 0 ? payload : undefined);
    return (await this.command(`k(${fresh ? 1 : 0})`, whole, fresh ? 1 : 3)).value;
  }
}

/** A call as errors tell it: the numbers of a challenge or of a key are nobody's business. */
function shownCall(call: string): string {
  return `${COMMAND_OBJECT}.${call.replace(/^([blnpy])\(.+\)$/, "$1(…)")}`;
}

function parseAs<T>(payload: Uint8Array, shape: z.ZodType<T>): T | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(payload).toString("latin1"));
  } catch {
    return undefined; // not the answer that is waited for
  }
  const parsed = shape.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

/** A block of records, or `undefined` where the payload is none. */
export function decodeBlockAnswer(payload: Uint8Array): RecordBlock | undefined {
  if (payload.length < BLOCK_HEADER_BYTES || (payload.length - BLOCK_HEADER_BYTES) % WORD_BYTES !== 0) return undefined;
  return {
    asked: readU32(payload, 0),
    era: readU32(payload, 4),
    baseTick: readU32(payload, 8),
    nextSeq: readU32(payload, 12),
    seq: readU32(payload, 16),
    slots: payload.slice(BLOCK_HEADER_BYTES),
  };
}
