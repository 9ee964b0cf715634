import { crc32 } from "node:zlib";
import { puckjs } from "../boards/puckjs.ts";
import type { Board } from "../host-tools/device/board.ts";
import { synchronise } from "../host-tools/device/clock-sync.ts";
import { hostClockOn } from "../host-tools/device/host-clock.ts";
import { openMemory } from "../host-tools/device/memory.ts";
import { openBoard } from "../host-tools/device/open-board.ts";
import { pullLog } from "../host-tools/device/pull.ts";
import { buildFirmware } from "../host-tools/generator/bundle.ts";
import { nodeCrypto } from "../host-tools/node-crypto.ts";
import type { Position } from "../host-tools/simulator/air.ts";
import type { VirtualBoard } from "../host-tools/simulator/virtual-board.ts";
import { World } from "../host-tools/simulator/world.ts";
import { decodeOwnKeys } from "../host-tools/store/log-decoder.ts";
import { Store } from "../host-tools/store/store.ts";
import { rollingProximityIdentifiers } from "../protocols/gaen/identifier-series.ts";
import { rollingProximityIdentifierKey } from "../protocols/gaen/key-schedule.ts";
import { HEAD_BYTES, HEAD_MAGIC, LOG_FILE } from "../protocols/log-format.ts";

// People with Pucks whose clocks drift and whose batteries are changed, a hub that comes now and then, and a plan of who was in which room: what did the logs make of it?

const START = Date.UTC(2026, 2, 2) / 1000;
const HOUR = 3600;
const DAY = 86_400;
/** People in a room, and for how long. Two rooms are further apart than any radio reaches. */
const ROOM = 4;
const MEETING_SECONDS = 1500;
const APART = 5000;
/** Hours of a day at which meetings begin. */
const MEETING_HOURS = [9, 11, 14, 17];
/** What a record and whole seconds leave open, before and after, s. */
const EARLY = 3.5;
const LATE = 0.5;

/** The room of person `i` at meeting number `n`: others meet each time. */
function roomOf(i: number, n: number, people: number): number {
  return Math.floor(((i * (2 * (n % 9) + 1) + n * 7) % people) / ROOM);
}

/** Where a person is: in the room of the meeting that is going on, else alone. */
function whereabouts(i: number, people: number): (time: number) => Position {
  return (time) => {
    const n = meetingAt(time);
    if (n === undefined) return { x: (people + i) * APART, y: 0 };
    const room = roomOf(i, n, people);
    const seat = ((i * (2 * (n % 9) + 1) + n * 7) % people) % ROOM;
    return { x: room * APART + seat, y: 0 };
  };
}

/** Number of the meeting at a time, Unix seconds. */
function meetingAt(time: number): number | undefined {
  const day = Math.floor((time - START) / DAY);
  const index = MEETING_HOURS.findIndex(
    (hour) => time - START - day * DAY >= hour * HOUR && time - START - day * DAY < hour * HOUR + MEETING_SECONDS,
  );
  return index < 0 ? undefined : day * MEETING_HOURS.length + index;
}
const beginOf = (n: number) => START + Math.floor(n / MEETING_HOURS.length) * DAY + MEETING_HOURS[n % MEETING_HOURS.length]! * HOUR;

function install(board: VirtualBoard, code: string, ringPages: number, number: number): void {
  const head = Buffer.alloc(HEAD_BYTES, 255);
  head.writeUInt32LE(HEAD_MAGIC, 0);
  head.writeUInt32LE(number, 4);
  head.writeUInt32LE(~number >>> 0, 8);
  head[12] = ringPages;
  head.writeUInt32LE(crc32(head.subarray(0, 28)), 28);
  board.storage.write(LOG_FILE, head, undefined, 0, (ringPages + 1) * puckjs.storage.pageBytes - HEAD_BYTES);
  board.storage.write(".bootcde", Buffer.from(code, "latin1"));
}

function talk<T>(world: World, board: VirtualBoard, work: (link: Board) => Promise<T>): Promise<T> {
  const transport = openMemory(board);
  const done = openBoard(transport, { clock: hostClockOn(world.clock) }).then(work);
  return world.clock.drive(done.finally(() => transport.close()));
}

/** A week of meetings. Every third person has the battery changed once; a hub comes on the third day and at the end. */
export async function measureWeek({ people, days }: { people: number; days: number }) {
  const begun = process.cpuUsage();
  const world = new World(START, 1);
  const store = Store.open(":memory:", { now: () => Math.floor(world.clock.now) });
  const { code, manifest } = await buildFirmware({ board: puckjs, role: "wearable", protocols: ["gaen"] });
  const boards = Array.from({ length: people }, (_, i) => {
    const board = world.addBoard(puckjs, whereabouts(i, people), { clockPpm: ((i * 97) % 501) - 250 });
    install(board, code, manifest.flash.ringPages, i + 1);
    board.powerOn();
    return board;
  });
  const contact = async () => {
    for (const board of boards)
      await talk(world, board, async (link) => {
        await synchronise(link, store);
        await pullLog(link, store);
      });
  };
  await contact();
  for (let day = 0; day < days; day++) {
    world.clock.advanceTo(START + day * DAY + 13 * HOUR);
    for (const [i, board] of boards.entries()) {
      if (i % 3 !== 0 || i % days !== day) continue;
      board.powerOff();
      world.clock.advanceTo(world.clock.now + 60);
      board.powerOn();
    }
    world.clock.advanceTo(START + day * DAY + 20 * HOUR);
    if (day === 2 || day === days - 1) await contact();
  }

  const owners = new Map<string, number>();
  for (const [i, board] of boards.entries())
    for (const { tek, rollingStart } of decodeOwnKeys(await talk(world, board, (link) => link.keys(false)))) {
      const all = Buffer.from(rollingProximityIdentifiers(nodeCrypto, rollingProximityIdentifierKey(nodeCrypto, tek), rollingStart, 144));
      for (let at = 0; at < all.length; at += 16) owners.set(all.toString("hex", at, at + 16), i);
    }
  const numbers = new Map(boards.map((board, i) => [board.serialNumber, i]));
  const found = new Set<string>();
  let beside = 0;
  let worstSeconds = 0;
  const heard = await store.encounters();
  for (const { board, rpi, firstSeen, lastSeen } of heard) {
    const [me, other] = [numbers.get(board!)!, owners.get(Buffer.from(rpi).toString("hex"))];
    if (firstSeen === null || lastSeen === null || other === undefined) continue;
    const middle = (firstSeen + lastSeen) / 2;
    const n = meetingAt(middle - LATE) ?? meetingAt(middle + EARLY);
    if (n === undefined || roomOf(me, n, people) !== roomOf(other, n, people)) beside++;
    else {
      found.add(`${n} ${me} ${other}`);
      worstSeconds = Math.max(worstSeconds, beginOf(n) - EARLY - firstSeen, lastSeen - LATE - (beginOf(n) + MEETING_SECONDS));
    }
  }
  let meetings = 0;
  let silent = 0;
  let missed = 0;
  for (let n = 0; n < days * MEETING_HOURS.length; n++)
    for (let me = 0; me < people; me++)
      for (let other = 0; other < people; other++) {
        if (me === other || roomOf(me, n, people) !== roomOf(other, n, people)) continue;
        meetings++;
        if (found.has(`${n} ${me} ${other}`)) continue;
        // whose clock is not set sends nothing
        const unset = other % 3 === 0 && isBetween(n, other % days, days);
        if (unset) silent++;
        else missed++;
      }
  const undated = (await store.undated()).length;
  await store.close();
  const used = process.cpuUsage(begun);
  return {
    people,
    days,
    meetings,
    found: found.size,
    silent,
    missed,
    encounters: heard.length,
    undated,
    beside,
    worstSeconds,
    cpuSeconds: (used.user + used.system) / 1e6,
  };
}

/** Is meeting `n` after the change of battery on day `changed`, and before the next contact? */
function isBetween(n: number, changed: number, days: number): boolean {
  const contactDay = changed <= 2 ? 2 : days - 1;
  const begins = beginOf(n);
  return begins > START + changed * DAY + 13 * HOUR && begins < START + contactDay * DAY + 20 * HOUR;
}
