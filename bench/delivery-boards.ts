import { crc32 } from "node:zlib";
import { puckjs } from "../boards/puckjs.ts";
import { buildFirmware } from "../host-tools/generator/bundle.ts";
import { hash32 } from "../host-tools/simulator/air-model.ts";
import { SeededRandom } from "../host-tools/simulator/seeded-random.ts";
import type { VirtualBoard } from "../host-tools/simulator/virtual-board.ts";
import { World } from "../host-tools/simulator/world.ts";
import { HEAD_BYTES, HEAD_MAGIC, LOG_FILE } from "../protocols/log-format.ts";
import { MESSAGE_FRAGMENT } from "../protocols/smartbeacon/advertisement.ts";
import { CARRIER_AT, SETUP_BYTES, SK_LENGTH_AT } from "../protocols/smartbeacon/setup.ts";
import { ask } from "./board-commands.ts";

// The same question to whole boards: a SmartBeacon's bundle and a collector's, who come near each other again and again.

const START = Date.UTC(2026, 2, 2) / 1000;
/** Seconds out of reach between two visits: longer than a collector remembers anything of an address. */
const AWAY = 660;

async function place(world: World, role: string, x: number): Promise<VirtualBoard> {
  const { code, manifest } = await buildFirmware({ board: puckjs, role, protocols: ["smartbeacon"] });
  const board = world.addBoard(puckjs, { x, y: 0 });
  const { ringPages } = manifest.flash;
  const head = Buffer.alloc(HEAD_BYTES, 255);
  head.writeUInt32LE(HEAD_MAGIC, 0);
  head.writeUInt32LE(1, 4);
  head.writeUInt32LE(x, 8);
  head[12] = ringPages;
  head.writeUInt32LE(crc32(head.subarray(0, 28)), 28);
  board.storage.write(LOG_FILE, head, undefined, 0, (ringPages + 1) * puckjs.storage.pageBytes - HEAD_BYTES);
  board.storage.write(".bootcde", Buffer.from(code, "latin1"));
  board.powerOn();
  world.clock.advanceTo(world.clock.now + 1);
  ask(board, `t(${Math.floor(world.clock.now)},0,0)`);
  return board;
}

/** Messages that a collector has kept since it started. */
const collected = (board: VirtualBoard) => Number(/"co":\[(\d+)/.exec(ask(board, "s()"))![1]);

/** As `measureDelivery`, for B1 at 100 ms and a scan of 4 s in 30 s, the settings that the roles come with. */
export async function checkDelivery({ visits, metres, lost }: { visits: number; metres: number; lost: number[] }) {
  const rows = [];
  for (const part of lost) {
    const world = new World(START, 1);
    const beacon = await place(world, "smartbeacon", 0);
    const collector = await place(world, "collector", metres);
    const setup = Buffer.alloc(SETUP_BYTES);
    setup.set(Buffer.from("a key that is known to everybody"));
    setup[CARRIER_AT] = MESSAGE_FRAGMENT;
    setup[SK_LENGTH_AT] = 32;
    ask(beacon, `b("${setup.toString("base64")}")`);
    const random = new SeededRandom(2);
    let packets = 0;
    world.air.lose(() => hash32(packets++, 77) < part * 2 ** 32);
    const station = world.air.station(collector.address);
    const pass = (seconds: number) => world.clock.advanceTo(world.clock.now + seconds);
    let [within2, within6] = [0, 0];
    for (let visit = 0; visit < visits; visit++) {
      station.silent = true;
      pass(AWAY + random.next() * 60);
      const before = collected(collector);
      station.silent = false;
      pass(120);
      if (collected(collector) > before) within2++;
      pass(240);
      if (collected(collector) > before) within6++;
    }
    rows.push({ carrier: "B1", intervalMs: 100, scan: 4, cycle: 30, lost: part, visits, within2min: within2 / visits, within6min: within6 / visits });
  }
  return rows;
}
