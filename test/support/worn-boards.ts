import { crc32 } from "node:zlib";
import { expect } from "vitest";
import { findBoard } from "../../boards/index.ts";
import { type Board, decodeBlockAnswer } from "../../host-tools/device/board.ts";
import { hostClockOn } from "../../host-tools/device/host-clock.ts";
import { openMemory } from "../../host-tools/device/memory.ts";
import { openBoard } from "../../host-tools/device/open-board.ts";
import type { Firmware } from "../../host-tools/generator/bundle.ts";
import type { Position } from "../../host-tools/simulator/air.ts";
import type { Radio } from "../../host-tools/simulator/radio.ts";
import type { VirtualBoard, VirtualBoardOptions } from "../../host-tools/simulator/virtual-board.ts";
import { World } from "../../host-tools/simulator/world.ts";
import { splitRecords } from "../../host-tools/store/log-decoder.ts";
import { readU32 } from "../../protocols/bytes.ts";
import { type DeviceStatus, FRAME_FIRST, FRAME_SECOND } from "../../protocols/device-link.ts";
import { HEAD_BYTES, HEAD_MAGIC, LOG_FILE, LONG_WORDS, PAGE_BYTES, WORD_BYTES } from "../../protocols/log-format.ts";
import { SETTING_RULES } from "../../protocols/settings.ts";
import { firmwareFor } from "./built-firmware.ts";
import { type Heard, keepHeard, keepRecord, type Phase } from "./observer.ts";
import { wornWorlds } from "./worlds.ts";

/** 2026-03-02 08:00 UTC */
export const MORNING = Date.UTC(2026, 2, 2, 8) / 1000;
export const DAY = 86400;
export const LOG_ID = Buffer.from("0102030405060708", "hex");

export interface WearOptions extends Partial<Omit<VirtualBoardOptions, "facts" | "clock" | "radio">> {
  role?: string;
  /** Id of its facts. */
  board?: string;
  /** Built into the bundle. */
  built?: Record<string, number>;
  /** Built in; GAEN where nothing is said. */
  protocols?: string[];
  /** Features on demand that are built in. */
  with?: string[];
  /** Changed on the running board. */
  settings?: Record<string, number>;
  /** Default: the hub has set it to the true time. */
  clockSet?: boolean;
  /** Pages of the ring, when not as many as there is room for. */
  ringPages?: number;
}

/** Puts a log and a bundle into flash as `tracelet flash` does, without the time that takes. */
export function install(board: VirtualBoard, firmware: Firmware, ringPages = firmware.manifest.flash.ringPages, logId = LOG_ID): void {
  const head = Buffer.alloc(HEAD_BYTES, 255);
  head.writeUInt32LE(HEAD_MAGIC, 0);
  logId.copy(head, 4);
  head[12] = ringPages;
  const { pagesBehind } = firmware.manifest.flash;
  if (pagesBehind) head[13] = pagesBehind;
  head.writeUInt32LE(crc32(head.subarray(0, 28)), 28);
  if (!board.storage.find(LOG_FILE)) board.storage.write(LOG_FILE, head, undefined, 0, (ringPages + 1 + pagesBehind) * PAGE_BYTES - HEAD_BYTES);
  board.storage.write(".bootcde", Buffer.from(firmware.code, "latin1"));
}

/** Runs a script in the board's main loop, and time up to it. Answers what it prints. */
function run(board: VirtualBoard, source: string): string {
  let printed = "";
  let done = false;
  board.enqueue(() => {
    const off = board.onPrint((text) => {
      printed += text;
    });
    try {
      board.evaluate(source);
    } finally {
      off();
      done = true;
    }
  });
  while (!done && board.powered && board.clock.step());
  return printed;
}

/** Has the board write so many records that say nothing new: its settings. */
export function writeRecords(board: VirtualBoard, count: number): void {
  const atOnce = 20;
  for (let left = count; left > 0 && board.powered; left -= atOnce) run(board, `for(let i=0;i<${Math.min(left, atOnce)};i++)T.c(6,0)`);
}

/** What a command of the firmware answers, run by the board's main loop but without the way over the wire. @throws where the firmware refuses: the code of the refusal. */
export function command(board: VirtualBoard, call: string): Uint8Array {
  const printed = run(board, `T.${call}`);
  const frame = Buffer.from(printed, "latin1");
  const at = frame.indexOf(Uint8Array.of(FRAME_FIRST, FRAME_SECOND));
  if (at < 0) throw new Error(`T.${call} answers no frame but ${JSON.stringify(printed)}; ${board.errors.join()}`);
  const length = frame.readUInt16LE(at + 2);
  const payload = frame.subarray(at + 4, at + 4 + length);
  if (crc32(frame.subarray(at + 2, at + 4 + length)) !== readU32(frame, at + 4 + length)) throw new Error(`T.${call}: the CRC of the frame is wrong`);
  if (payload[0] === 0x21 && length <= 8) throw new Error(`refused: ${payload.subarray(1).toString("latin1")}`);
  return new Uint8Array(payload);
}

/** Records of so many words, at least: as `writeRecords` writes them. */
export const recordsIn = (words: number): number => Math.ceil(words / LONG_WORDS);

/** All records that the board hands over by T.r from `from` on, by sequence number; without blank words. */
export function readLog(board: VirtualBoard, from = 0): Map<number, Uint8Array> {
  const slots = new Map<number, Uint8Array>();
  for (let seq = from, end = status(board).hi; seq < end; ) {
    const answer = decodeBlockAnswer(command(board, `r(${seq},500)`))!;
    if (answer.asked !== seq || answer.nextSeq <= seq)
      throw new Error(`T.r(${seq},500) answers for ${answer.asked} and goes on at ${answer.nextSeq}`);
    let at = answer.seq;
    for (const slot of splitRecords(answer.slots)) {
      if (slot.length > WORD_BYTES || slot.some((byte) => byte < 255)) slots.set(at, slot);
      at += slot.length / WORD_BYTES;
    }
    seq = answer.nextSeq;
  }
  return slots;
}

export function status(board: VirtualBoard): DeviceStatus {
  return JSON.parse(Buffer.from(command(board, "s()")).toString("latin1")) as DeviceStatus;
}

/** Changes settings by their names, unchecked as by a hub that knows better. */
export function configure(board: VirtualBoard, settings: Record<string, number>): void {
  for (const [name, value] of Object.entries(settings)) command(board, `c(${SETTING_RULES[name].index},${value})`);
}

/** Sets the clock to `unix`, Unix seconds. Answers the step in ms, null where there was no time before. */
export function setClock(board: VirtualBoard, unix: number, roundTripMs = 0): number | null {
  const answer = command(board, `t(${Math.floor(unix)},${(unix % 1) * 1000},${roundTripMs})`);
  return (JSON.parse(Buffer.from(answer).toString("latin1")) as { step: number | null }).step;
}

/** The radio of a board that has power. */
export function radioOf(board: VirtualBoard): Radio {
  return board.radio as Radio;
}

/** Every board of every world of this test file: nothing threw where nobody caught it. */
export function expectQuietConsoles(): void {
  for (const world of wornWorlds) for (const board of world.boards) expect(board.errors, `console of ${board.address}`).toEqual([]);
}

export class WornWorld extends World {
  private readonly phases = new Map<VirtualBoard, Phase[]>();
  private readonly reports = new Map<VirtualBoard, Heard[]>();

  constructor(seed = 1, start = MORNING) {
    super(start, seed);
    wornWorlds.push(this);
  }

  /** Everything that a board has sent since it first had power. */
  sentBy(board: VirtualBoard): Phase[] {
    return this.phases.get(board)!;
  }

  /** Everything that its radio has reported. */
  heardBy(board: VirtualBoard): Heard[] {
    return this.reports.get(board)!;
  }

  /** A board with firmware and log, switched on, its clock set. */
  async wear(where: Position | ((time: number) => Position), options: WearOptions = {}): Promise<VirtualBoard> {
    const { role, board: id = "puckjs", built, settings, protocols, with: extra, clockSet, ringPages, ...rest } = options;
    const firmware = await firmwareFor(role, id, built, extra, protocols);
    const board = this.addBoard(findBoard(id)!, where, rest);
    this.phases.set(board, keepRecord(this.air.station(board.address)));
    this.reports.set(board, keepHeard(this.air.station(board.address)));
    install(board, firmware, ringPages);
    board.powerOn();
    this.pass(1);
    if (settings) configure(board, settings);
    if (clockSet !== false) setClock(board, this.clock.now);
    return board;
  }

  /** Lets virtual seconds pass. */
  pass(seconds: number): void {
    this.clock.advanceTo(this.clock.now + seconds);
  }

  /** Opens the console as a hub does, does the work, closes. */
  talk<T>(board: VirtualBoard, work: (link: Board) => Promise<T>): Promise<T> {
    const transport = openMemory(board, "puck");
    return this.clock.drive(
      openBoard(transport, { clock: hostClockOn(this.clock) })
        .then(work)
        .finally(() => transport.close()),
    );
  }

  /** A software restart, as by a crash or a command: RAM is gone, the clock goes on. */
  restart(board: VirtualBoard): void {
    board.restart({ kind: "load" });
    this.pass(1);
  }

  /** The battery out and in again. */
  powerCycle(board: VirtualBoard): void {
    board.powerOff();
    this.pass(1);
    board.powerOn();
    this.pass(1);
  }
}
