import { crc32 } from "node:zlib";
import { puckjs } from "../boards/puckjs.ts";
import { encodeTempIdPages } from "../host-tools/bluetrace/batch-file.ts";
import { makeBatch } from "../host-tools/bluetrace/temp-ids.ts";
import { buildFirmware, type Firmware } from "../host-tools/generator/bundle.ts";
import { firmwareAccount } from "../host-tools/simulator/power.ts";
import type { Radio } from "../host-tools/simulator/radio.ts";
import type { VirtualBoard } from "../host-tools/simulator/virtual-board.ts";
import { World } from "../host-tools/simulator/world.ts";
import { type DeviceStatus, FRAME_FIRST, FRAME_SECOND } from "../protocols/device-link.ts";
import { HEAD_BYTES, HEAD_MAGIC, LOG_FILE } from "../protocols/log-format.ts";
import { SETTING_RULES } from "../protocols/settings.ts";
import { ask } from "./board-commands.ts";

// Exchanges among tokens: whole virtual boards in one room, by the bundle that is flashed.

const START = Date.UTC(2026, 2, 2) / 1000;
const KEY = new Uint8Array(32).fill(7);
/** Bytes of a page that go with one command. */
const PIECE = 384;
/** Seconds until all have begun. */
const SETTLE = 300;

function status(board: VirtualBoard): DeviceStatus {
  const frame = Buffer.from(ask(board, "s()"), "latin1");
  const at = frame.indexOf(Uint8Array.of(FRAME_FIRST, FRAME_SECOND));
  return JSON.parse(frame.toString("latin1", at + 4, at + 4 + frame.readUInt16LE(at + 2))) as DeviceStatus;
}

function place(
  world: World,
  { code, manifest }: Firmware,
  n: number,
  where: { x: number; y: number },
  settings: Record<string, number>,
): VirtualBoard {
  const board = world.addBoard(puckjs, where);
  const { ringPages, pagesBehind } = manifest.flash;
  const head = Buffer.alloc(HEAD_BYTES, 255);
  head.writeUInt32LE(HEAD_MAGIC, 0);
  head.writeUInt32LE(n + 1, 4);
  head[12] = ringPages;
  head[13] = pagesBehind;
  head.writeUInt32LE(crc32(head.subarray(0, 28)), 28);
  board.storage.write(LOG_FILE, head, undefined, 0, (ringPages + 1 + pagesBehind) * puckjs.storage.pageBytes - HEAD_BYTES);
  board.storage.write(".bootcde", Buffer.from(code, "latin1"));
  board.powerOn();
  world.clock.advanceTo(world.clock.now + 1);
  for (const [name, value] of Object.entries(settings)) ask(board, `c(${SETTING_RULES[name].index},${value})`);
  ask(board, `t(${Math.floor(world.clock.now)},0,0)`);
  const batch = makeBatch(KEY, Buffer.alloc(21, n).toString("base64"), Math.floor(world.clock.now));
  for (const [i, page] of encodeTempIdPages(batch, { org: "QX_HAI", model: "device", service: 0 }).entries()) {
    const text = (from: number, to: number) => Buffer.from(page.subarray(from, to)).toString("base64");
    for (let at = 4; at < page.length; at += PIECE) ask(board, `n(${i},${at},"${text(at, at + PIECE)}")`);
    ask(board, `n(${i},0,"${text(0, 4)}")`);
  }
  return board;
}

/** `boards` in a square of `metres` for some hours. An exchange is written down by both sides: half of all records. */
export async function measureExchanges(options: { boards: number; metres: number; hours: number; cycleTime: number; scanTime: number }) {
  const { boards: count, metres, hours, cycleTime, scanTime } = options;
  const world = new World(START, 1);
  const firmware = await buildFirmware({ board: puckjs, role: "token", protocols: ["bluetrace"] });
  const boards = Array.from({ length: count }, (_, n) =>
    place(world, firmware, n, { x: (((n * 37) % 100) * metres) / 100, y: (((n * 61) % 100) * metres) / 100 }, { cycleTime, scanTime }),
  );
  world.clock.advanceTo(world.clock.now + SETTLE);
  const before = boards.map((board) => ({ me: status(board).me!, activity: { ...(board.radio as Radio).activity }, hi: status(board).hi }));
  const begun = process.cpuUsage();
  world.clock.advanceTo(world.clock.now + hours * 3600);
  const used = process.cpuUsage(begun);
  const sum = (of: (board: VirtualBoard, i: number) => number) => boards.reduce((so, board, i) => so + of(board, i), 0);
  const records = sum((board, i) => status(board).me![0] - before[i].me[0]);
  const seconds = hours * 3600 + SETTLE;
  return {
    ...options,
    exchangesPerHour: records / 2 / hours,
    perPairAndHour: records / 2 / hours / ((count * (count - 1)) / 2),
    refused: sum((board) => status(board).me![1]),
    cut: sum((board) => status(board).me![3]),
    radioErrors: sum((board) => status(board).er[0]),
    logBytesPerBoardAndHour: (4 * sum((board, i) => status(board).hi - before[i].hi)) / count / hours,
    microamps: firmwareAccount(puckjs, (boards[0].radio as Radio).activity, seconds).mean,
    cpuSeconds: (used.user + used.system) / 1e6,
  };
}

const ROOM = { metres: 5, hours: 2 };
/** The schedule of a fresh board, and the one for a coin cell. */
const SCHEDULES = [
  { cycleTime: 44, scanTime: 8 },
  { cycleTime: 300, scanTime: 4 },
];

export async function measureBlueTrace() {
  const rows = [];
  for (const schedule of SCHEDULES) for (const boards of [2, 20]) rows.push(await measureExchanges({ ...ROOM, ...schedule, boards }));
  return rows;
}
