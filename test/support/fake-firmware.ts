import { createHash } from "node:crypto";
import { encodeFrame } from "../../host-tools/device/frames.ts";
import { encodeLogHead } from "../../host-tools/device/log-head.ts";
import type { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";
import { sealRecord } from "../../host-tools/store/log-decoder.ts";
import { writeInt } from "../../protocols/bytes.ts";
import { BLOCK_HEADER_BYTES, type DeviceStatus, NEVER_PROVEN } from "../../protocols/device-link.ts";
import { ENCOUNTER, LONG_BYTES, LONG_WORDS, PAGE_WORDS, PAYLOAD_BYTES } from "../../protocols/log-format.ts";
import { FakeConsole, type FakeConsoleOptions } from "./fake-console.ts";

/** Long records of a page, as a board fills it. */
export const PAGE_RECORDS = Math.floor(PAGE_WORDS / LONG_WORDS);

/** Sequence number of record number `n`, where all are long. */
export function sequenceOf(n: number): number {
  return Math.floor(n / PAGE_RECORDS) * PAGE_WORDS + (n % PAGE_RECORDS) * LONG_WORDS;
}

/** A record as a board writes it. `payload`: 26 bytes. */
export function seal(kind: number, payload: Uint8Array): Uint8Array {
  const slot = new Uint8Array(LONG_BYTES);
  slot[0] = kind;
  slot.set(payload, 1);
  return sealRecord(slot);
}

/** Encounter number `n`, with an identifier that looks random. */
export function encounterSlot(n: number): Uint8Array {
  const payload = new Uint8Array(PAYLOAD_BYTES);
  payload.set(createHash("sha256").update(`encounter ${n}`).digest().subarray(0, PAYLOAD_BYTES));
  writeInt(payload, 20, 4, (n * 4) & 0x7ffff);
  return seal(ENCOUNTER, payload);
}

/** Encounter number `n`, with an identifier made of bytes that frames, refusals and consoles are made of. */
export function hostileSlot(n: number): Uint8Array {
  const payload = new Uint8Array(PAYLOAD_BYTES);
  payload.set([1, 0x7f, 13, 10, 13, 10, 1, 0x7f, 12, 0, 0x21, n & 255, (n >> 8) & 255, 3, 27, 10]);
  writeInt(payload, 20, 4, (n * 4) & 0x7ffff);
  return seal(ENCOUNTER, payload);
}

export interface FakeFirmwareOptions extends FakeConsoleOptions {
  logId?: string;
  /** How many, all long. */
  records?: number;
  /** Number of the first page still held. */
  firstPage?: number;
  slot?: (n: number) => Uint8Array;
  /** Time a request takes on the board, ms. */
  workMs?: number;
  /** How far the board's clock is ahead of the host's, seconds. */
  clockAhead?: number;
}

/** A board that answers the commands of a pull from a list of records, over the console of a fake interpreter. Exact, so that every byte can be spoiled. */
export class FakeFirmware {
  readonly pins: FakeConsole;
  acknowledged = 0;
  lo: number;
  hi: number;
  ahead: number;
  /** Seconds by which its crystal has fallen behind. */
  slow = 0;
  private readonly began: number;
  head: Uint8Array;
  settings = [300, 2, 250, 0, 0, -127, 0, 14, 2, 0, 2200, 0, 0];
  /** Sets of the clock: what the host wanted, Unix ms. */
  readonly clockSets: number[] = [];
  readonly requests: number[] = [];

  constructor(
    readonly clock: VirtualClock,
    readonly options: FakeFirmwareOptions = {},
  ) {
    const id = options.logId ?? "0011223344556677";
    this.head = encodeLogHead(Buffer.from(id, "hex"), 5);
    this.hi = sequenceOf(options.records ?? 0);
    this.lo = (options.firstPage ?? 0) * PAGE_WORDS;
    this.ahead = options.clockAhead ?? 0;
    this.began = clock.now;
    const later = (run: () => void) => (options.workMs ? clock.at(clock.now + options.workMs / 1000, run) : run());
    const answer = (payload: Uint8Array) => later(() => this.pins.print(Buffer.from(encodeFrame(payload)).toString("latin1") + "\n"));
    const json = (value: unknown) => answer(Buffer.from(JSON.stringify(value), "latin1"));
    this.pins = new FakeConsole(clock, {
      ...options,
      globals: {
        btoa: (text: string) => Buffer.from(text, "latin1").toString("base64"),
        require: () => ({ read: (name: string, from = 0, length = 1e6) => this.read(name, from, length) }),
        T: {
          s: () => json(this.status(id)),
          r: (seq: number, count: number) => {
            this.requests.push(seq);
            answer(this.block(seq, count));
          },
          a: (seq: number) => {
            if (seq > this.hi) return answer(Buffer.from("!seq"));
            this.acknowledged = Math.max(this.acknowledged, seq);
            json({});
          },
          t: (unix: number, ms: number) => {
            const before = this.boardNow();
            this.ahead = unix + ms / 1000 - clock.now + this.slow;
            this.clockSets.push(unix * 1000 + ms);
            json({ step: before === 0 ? null : Math.round((unix + ms / 1000 - before) * 1000) });
          },
          c: (index: number, value: number) => {
            this.settings[index] = value;
            json({ c: this.settings });
          },
          k: () => answer(new Uint8Array(26).fill(0x5a)),
        },
        ...options.globals,
      },
    });
  }

  private read(name: string, from: number, length: number): string | undefined {
    if (name !== "tl.log") return undefined;
    return Buffer.from(this.head)
      .toString("latin1")
      .slice(from, from + length);
  }

  boardNow(): number {
    const now = this.clock.now + this.ahead - this.slow;
    return now < 1577836800 ? 0 : now;
  }

  status(id: string): DeviceStatus {
    return {
      v: "0.1.0+test",
      b: "puckjs",
      r: "wearable",
      id,
      e: 1,
      t: 1000 + this.clock.now - this.began - this.slow,
      u: Math.round(this.boardNow() * 1000),
      lo: this.lo,
      hi: this.hi,
      ak: this.acknowledged,
      dr: 0,
      pg: 5,
      df: 0,
      op: 0,
      n: 0,
      ad: 1,
      ro: 0,
      an: 0,
      cr: "in",
      sh: "in",
      er: [0, 0, 0],
      c: this.settings,
      lk: 0,
      wr: 0,
      mv: 3000,
      pf: NEVER_PROVEN,
      ml: 2900,
      lb: 0,
      wd: [0, 0],
    };
  }

  private block(asked: number, count: number): Uint8Array {
    const word = asked % PAGE_WORDS;
    const pageAt = asked - word;
    const gone = asked < this.lo || asked >= this.hi;
    const next = Math.min(gone ? Math.max(pageAt + PAGE_WORDS, this.lo) : Math.min(asked + count, pageAt + PAGE_WORDS), this.hi);
    const records: number[] = [];
    // whole ones only; the last words of a page take none
    for (let i = Math.ceil(word / LONG_WORDS); !gone && i < PAGE_RECORDS && pageAt + i * LONG_WORDS < next; i++)
      records.push((pageAt / PAGE_WORDS) * PAGE_RECORDS + i);
    const block = new Uint8Array(BLOCK_HEADER_BYTES + records.length * LONG_BYTES);
    writeInt(block, 0, 4, asked);
    writeInt(block, 4, 4, gone ? 0 : 1);
    writeInt(block, 8, 4, 0);
    writeInt(block, 12, 4, next);
    writeInt(block, 16, 4, records.length > 0 ? sequenceOf(records[0]) : next);
    for (const [i, n] of records.entries()) block.set((this.options.slot ?? encounterSlot)(n), BLOCK_HEADER_BYTES + i * LONG_BYTES);
    return block;
  }
}
