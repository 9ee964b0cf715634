import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { BoardFacts } from "../boards/board-facts.ts";
import { puckjs } from "../boards/puckjs.ts";
import { buildFirmware } from "../host-tools/generator/bundle.ts";
import { projectRoot } from "../host-tools/project.ts";
import { SeededRandom } from "../host-tools/simulator/seeded-random.ts";
import { writeInt } from "../protocols/bytes.ts";
import { DENSE, DENSE_BYTES, ENCOUNTER, LONG_BYTES, PAGE_BYTES, PAGE_WORDS, TEK } from "../protocols/log-format.ts";
import { RECORD_FORM, RETENTION } from "../protocols/settings.ts";
import { emptyImage } from "./log-image.ts";

// A long life of a log: the firmware's own log code, over a flash that writes down every operation.

/** What bench/log-entry.ts offers. */
export interface LogCode {
  open(): void;
  append(slot: Uint8Array): void;
  appendSettings(): void;
  appendClock(why: number, step: number, roundTripMs: number): void;
  acknowledge(sequence: number): void;
  baseTick(): number;
  eachOf(kinds: number, callback: (slot: Uint8Array, address: number) => void): void;
  deleteRecord(slot: Uint8Array, address: number): void;
  deleteExpired(): void;
  settings: number[];
  /** Next sequence number, era, acknowledged, errors of flash, dropped words, dense. */
  state(): [number, number, number, number, number, number];
}

/** One operation on flash; `at` is an offset in the image. Without bytes: the page is erased. */
export interface FlashOperation {
  at: number;
  bytes?: Buffer;
}

/** A log's life on one board. */
export interface LogHistory {
  steps: HistoryStep[];
  ringPages: number;
  /** Whose firmware writes it. */
  board: BoardFacts;
  /** Does it lie in a chip on SPI? */
  onSpi: boolean;
}

/** What a log has to know after an opening: era, acknowledged, settings. */
export interface Known {
  era: number;
  acknowledged: number;
  settings: string;
}
export interface HistoryStep extends FlashOperation {
  /** Unix seconds. */
  now: number;
  /** Before the call that this operation belongs to, and after it. */
  before: Known;
  after: Known;
}

const BEGIN = Date.UTC(2026, 2, 2, 8) / 1000;

/** Where the log's flash lies, whatever the board. */
const STORAGE = 0x6c000;

/** The log's code as this board would run it; each call starts it anew, over another flash. */
export function loadLogCode(board: BoardFacts = puckjs): Promise<StartLog> {
  const code = loaded.get(board.id) ?? buildLogCode(board);
  loaded.set(board.id, code);
  return code;
}

export type StartLog = (flash: LoggedFlash, clock: { now: number }) => LogCode;
const loaded = new Map<string, Promise<StartLog>>();

async function buildLogCode(board: BoardFacts): Promise<StartLog> {
  const entry = join(projectRoot(), "bench/log-entry.ts");
  const { text } = await buildFirmware({ board, role: "wearable", protocols: ["gaen"], entry });
  const run = new Function("require", "E", "process", "NRF", "getTime", "global", "analogRead", "D3", text);
  const E = { CRC32: crc32, sum: sumOf };
  return (flash, clock) => {
    const scope: { tracelet?: LogCode } = {};
    run(
      () => flash,
      E,
      { memory: () => ({ flash_code_start: STORAGE }) },
      { getBattery: () => 3 },
      () => clock.now,
      scope,
      () => 0.3,
      "D3",
    );
    return scope.tracelet as LogCode;
  };
}

/** `require("Flash")` over an image; tells each operation before it is done. */
export class LoggedFlash {
  constructor(
    readonly image: Buffer,
    private readonly listen: (operation: FlashOperation) => void,
  ) {}
  read(length: number, address: number): Uint8Array {
    return new Uint8Array(this.image.subarray(address - STORAGE, address - STORAGE + length));
  }
  write(bytes: Uint8Array, address: number): void {
    this.listen({ at: address - STORAGE, bytes: Buffer.from(bytes) });
    writeBytes(this.image, address - STORAGE, bytes);
  }
  erasePage(address: number): void {
    const at = address - STORAGE;
    this.listen({ at: at - (at % PAGE_BYTES) });
    this.image.fill(0xff, at - (at % PAGE_BYTES), at - (at % PAGE_BYTES) + PAGE_BYTES);
  }
}

function sumOf(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum += byte;
  return sum;
}

/** Clears bits, as flash does. */
export function writeBytes(image: Buffer, at: number, bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) image[at + i] &= bytes[i];
}

export function encounterRecord(random: SeededRandom, dense: boolean): Uint8Array {
  const slot = Uint8Array.from({ length: dense ? DENSE_BYTES : LONG_BYTES }, () => random.next() * 256);
  slot[0] = (slot[0] & (dense ? 0xf0 : 0)) | (dense ? DENSE : ENCOUNTER);
  return slot;
}

/** A life with encounters of both forms, restarts, settings, acknowledgements, keys that are drawn, ended and expire, and daily cleaning; until `pages` pages have been begun. */
export async function liveLong(ringPages: number, pages: number, seed = 1, board: BoardFacts = puckjs): Promise<LogHistory> {
  const start = await loadLogCode(board);
  const random = new SeededRandom(seed);
  const steps: HistoryStep[] = [];
  const clock = { now: BEGIN };
  const image = emptyImage(ringPages);
  let pending: FlashOperation[] = [];
  let log: LogCode;
  const known = (): Known => {
    const [, era, acknowledged] = log.state();
    return { era, acknowledged, settings: log.settings.join() };
  };
  const powerUp = () => {
    log = start(new LoggedFlash(image, (operation) => pending.push(operation)), clock);
  };
  const call = (before: Known, work: () => void) => {
    work();
    const after = known();
    steps.push(...pending.map((operation) => ({ ...operation, now: clock.now, before, after })));
    pending = [];
  };
  const drawKey = () => {
    const key = new Uint8Array(LONG_BYTES).fill(255);
    key[0] = TEK;
    for (let i = 1; i < 17; i++) key[i] = random.next() * 256;
    writeInt(key, 17, 4, Math.floor(clock.now / 86400) * 144);
    key[21] = 144;
    log.append(key);
  };
  // as firmware/senders/gaen.ts does it
  const endKeys = () => {
    const ended: Uint8Array[] = [];
    log.eachOf(1 << TEK, (slot) => {
      if (slot[22] === 255) ended.push(slot);
    });
    for (const slot of ended) {
      slot[22] = 1;
      log.append(slot);
    }
    log.eachOf(1 << TEK, (slot, address) => {
      if (slot[22] === 255) log.deleteRecord(slot, address);
    });
  };
  powerUp();
  log = log! as LogCode;
  call(known(), () => log.open());
  const change = (work: () => void) => call(known(), work);
  change(() => {
    log.settings[RETENTION] = 3;
    log.settings[RECORD_FORM] = 0;
    log.appendSettings();
  });
  for (let i = 0; log.state()[0] < pages * PAGE_WORDS; i++) {
    clock.now += 400;
    change(() => {
      log.baseTick();
      log.append(encounterRecord(random, log.state()[5] === 1));
    });
    if (i % 53 === 7) change(drawKey);
    if (i % 159 === 60) change(endKeys);
    if (i % 97 === 50) {
      change(() => {
        log.settings[RECORD_FORM] = (log.settings[RECORD_FORM] + 1) % 3;
        log.appendSettings();
      });
    }
    if (i % 71 === 20) change(() => log.acknowledge(Math.max(0, Math.floor(log.state()[0] - random.next() * 1500))));
    if (i % 216 === 0) change(() => log.deleteExpired());
    if (i % 131 === 90) {
      const before = known();
      powerUp();
      call(before, () => log.open());
    }
  }
  return { steps, ringPages, board, onSpi: !board.storage.internal };
}
