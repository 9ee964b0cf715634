import { crc32 } from "node:zlib";
import { BOARDS } from "../../boards/index.ts";
import type { Board } from "../../host-tools/device/board.ts";
import { hostClockOn } from "../../host-tools/device/host-clock.ts";
import { openMemory } from "../../host-tools/device/memory.ts";
import { openBoard } from "../../host-tools/device/open-board.ts";
import { buildFirmware, type Firmware } from "../../host-tools/generator/bundle.ts";
import type { Position } from "../../host-tools/simulator/air.ts";
import type { VirtualBoard, VirtualBoardOptions } from "../../host-tools/simulator/virtual-board.ts";
import { World } from "../../host-tools/simulator/world.ts";
import { HEAD_BYTES, HEAD_MAGIC, LOG_FILE, PAGE_BYTES } from "../../protocols/log-format.ts";

/** 2026-03-02 08:00 UTC */
export const MORNING = Date.UTC(2026, 2, 2, 8) / 1000;

const built = new Map<string, Promise<Firmware>>();

/** The bundle as `tracelet build` makes it, once for each test file. */
export function firmwareFor(role = "wearable", settings: Record<string, number> = {}, board = "puckjs"): Promise<Firmware> {
  const key = JSON.stringify([role, settings, board]);
  const facts = BOARDS.find((one) => one.id === board)!;
  const found = built.get(key) ?? buildFirmware({ board: facts, role, protocols: ["gaen"], settings });
  built.set(key, found);
  return found;
}

/** Puts a log and a bundle into flash as `tracelet flash` does, without the time that takes. */
export function install(board: VirtualBoard, firmware: Firmware, logId = Buffer.from("0102030405060708", "hex")): void {
  const pages = firmware.manifest.flash.ringPages;
  const head = Buffer.alloc(HEAD_BYTES, 255);
  head.writeUInt32LE(HEAD_MAGIC, 0);
  logId.copy(head, 4);
  head[12] = pages;
  head.writeUInt32LE(crc32(head.subarray(0, 28)), 28);
  if (!board.storage.find(LOG_FILE)) board.storage.write(LOG_FILE, head, undefined, 0, (pages + 1) * PAGE_BYTES - 32);
  board.storage.write(".bootcde", Buffer.from(firmware.code, "latin1"));
}

export class WornWorld extends World {
  constructor(seed = 1, start = MORNING) {
    super(start, seed);
  }

  async wear(
    where: Position | ((time: number) => Position),
    options: Partial<VirtualBoardOptions> & { role?: string; settings?: Record<string, number>; clockSet?: boolean } = {},
  ): Promise<VirtualBoard> {
    const { role, settings, clockSet, ...rest } = options;
    const firmware = await firmwareFor(role, settings);
    const board = this.addBoard(firmware.manifest.board === "puckjs" ? BOARDS[0] : BOARDS[0], where, rest);
    install(board, firmware);
    board.powerOn();
    this.pass(1);
    if (clockSet !== false) await this.talk(board, (link) => link.setClock(Math.floor(this.clock.now), (this.clock.now % 1) * 1000, 0));
    return board;
  }

  /** Lets virtual seconds pass. */
  pass(seconds: number): void {
    this.clock.advanceTo(this.clock.now + seconds);
  }

  /** Opens the console, does the work, closes. */
  talk<T>(board: VirtualBoard, work: (link: Board) => Promise<T>): Promise<T> {
    const transport = openMemory(board, "puck");
    return this.clock.drive(
      openBoard(transport, { clock: hostClockOn(this.clock) })
        .then(work)
        .finally(() => transport.close()),
    );
  }
}
