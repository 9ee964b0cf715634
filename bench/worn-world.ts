import { puckjs } from "../boards/puckjs.ts";
import { toBundle } from "../host-tools/cli/flash.ts";
import type { Board } from "../host-tools/device/board.ts";
import { flash } from "../host-tools/device/flash.ts";
import { hostClockOn } from "../host-tools/device/host-clock.ts";
import { openMemory } from "../host-tools/device/memory.ts";
import { openBoard } from "../host-tools/device/open-board.ts";
import { pullLog } from "../host-tools/device/pull.ts";
import { buildFirmware } from "../host-tools/generator/bundle.ts";
import type { VirtualBoard } from "../host-tools/simulator/virtual-board.ts";
import { World } from "../host-tools/simulator/world.ts";
import { Store } from "../host-tools/store/store.ts";

const START = Date.UTC(2026, 2, 2) / 1000;

function talk<T>(world: World, board: VirtualBoard, work: (link: Board) => Promise<T>): Promise<T> {
  const transport = openMemory(board);
  return world.clock.drive(
    openBoard(transport, { clock: hostClockOn(world.clock) })
      .then(work)
      .finally(() => transport.close()),
  );
}

/** Virtual Pucks with the wearable firmware in a square of `metres`; flashed, clocks set. */
async function wornWorld(count: number, metres: number): Promise<World> {
  const world = new World(START, 1);
  const { code, manifest } = await buildFirmware({ board: puckjs, role: "wearable", protocols: ["gaen"] });
  const bundle = toBundle(Buffer.from(code, "latin1"), manifest);
  for (let i = 0; i < count; i++) {
    const board = world.addBoard(puckjs, { x: (((i * 37) % 100) * metres) / 100, y: (((i * 61) % 100) * metres) / 100 });
    board.powerOn();
    await talk(world, board, async (link) => {
      await flash(link, bundle, { fast: true });
      await link.setClock(Math.floor(world.clock.now), 0, 0);
    });
  }
  return world;
}

/** What a day of whole virtual boards costs, script included. */
export async function measureWorld(options: { boards: number; hours: number; metres: number }) {
  const world = await wornWorld(options.boards, options.metres);
  const begun = process.cpuUsage();
  world.clock.advanceTo(world.clock.now + options.hours * 3600);
  const used = process.cpuUsage(begun);
  const cpuSeconds = (used.user + used.system) / 1e6;
  return { ...options, cpuSeconds, boardDaysPerCpuSecond: (options.boards * options.hours) / 24 / cpuSeconds };
}

/** Records over a wire of 9,600 baud, that is 960 bytes a second: bytes of records by all bytes that fit. */
export async function measurePull() {
  const world = await wornWorld(7, 5);
  world.clock.advanceTo(world.clock.now + 20 * 3600);
  const store = Store.open(":memory:");
  try {
    const pulled = await talk(world, world.boards[0]!, (link) => pullLog(link, store));
    return { encounters: pulled.encounters, bytes: pulled.bytes, virtualSeconds: pulled.seconds, goodput: pulled.bytes / pulled.seconds / 960 };
  } finally {
    await store.close();
  }
}
