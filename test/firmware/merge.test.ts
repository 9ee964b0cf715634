import { afterEach, describe, expect, test } from "vitest";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import type { EncounterRecord, SightingRecord } from "../../host-tools/store/log-decoder.ts";
import type { RxDataRow } from "../../host-tools/store/mh-csv.ts";
import { createSightingMerge } from "../../host-tools/store/sighting-merge.ts";
import { decodeAdvertisement, encodeAdvertisement, FLAGS } from "../../protocols/gaen/advertisement.ts";
import { recordsOfKind } from "../support/flash-log.ts";
import { beacon, type Heard } from "../support/observer.ts";
import { toHex } from "../support/vectors.ts";
import { configure, expectQuietConsoles, radioOf, status, WornWorld } from "../support/worn-boards.ts";

afterEach(expectQuietConsoles);

/** Advertising data of the neighbour called `number`. */
function advertisement(number: number): Uint8Array {
  const rpi = Uint8Array.from({ length: 16 }, (_, i) => (number * 37 + i * i * 11 + (number >> 8)) & 255);
  rpi.set([number & 255, number >> 8], 14);
  return encodeAdvertisement(rpi, Uint8Array.of(number, 2, 3, 4), FLAGS);
}
const rpiOf = (data: Uint8Array) => toHex(decodeAdvertisement(data)!.rpi);

/** A scanner in the middle; its clock loses nothing, since it never changes its address. Tick 0 is when its power came. */
async function scanner(seed: number, settings: Record<string, number> = {}): Promise<{ world: WornWorld; board: VirtualBoard; began: number }> {
  const world = new WornWorld(seed);
  const began = world.clock.now;
  const board = await world.wear({ x: 0, y: 0 }, { role: "scanner", settings });
  return { world, board, began };
}

interface Statistics {
  count: number;
  maxRssi: number;
  meanRssi: number;
}
function statistics(reports: Heard[]): Statistics {
  const sum = reports.reduce((total, { rssi }) => total - rssi, 0);
  return { count: reports.length, maxRssi: Math.max(...reports.map(({ rssi }) => rssi)), meanRssi: -Math.round(sum / reports.length) };
}
/** What the radio reported of the identifier of a record while the record lasted. */
function reportsOf(record: EncounterRecord, reports: Heard[], began: number): Heard[] {
  const from = began + record.firstTick - 0.1;
  const to = began + record.lastTick + 3;
  return reports.filter(({ time, data }) => time >= from && time < to && rpiOf(data) === toHex(record.rpi));
}

/** The peer tool's rows of the sightings in a board's log. `steps`: ticks at which each step of each scan began. */
function peerRows(sightings: SightingRecord[], cycle: number, scans: number[][]): RxDataRow[] {
  const merge = createSightingMerge(cycle);
  const rows: RxDataRow[] = [];
  for (const steps of scans) {
    for (const step of steps) {
      const reports = sightings.filter(({ tick }) => tick === step);
      merge.step(
        step,
        reports.map(({ rpi, rssi, address, addressType }) => ({ rpi, aem: new Uint8Array(4), rssi, address, addressType })),
      );
    }
    rows.push(...merge.endCycle(steps.at(-1)!));
  }
  return rows;
}
const inOrder = (rows: { rpi: string; first: number; last: number }[]) =>
  rows.map(({ rpi, first, last }) => `${String(first).padStart(7)} ${rpi} ${last}`).sort();

/** Neighbours around the board, each there only during its stretches, given in seconds from `began`. */
function neighbours(world: WornWorld, began: number, count: number, stretches: (i: number) => [from: number, to: number][]): void {
  for (let i = 0; i < count; i++) {
    const angle = (i / count) * 2 * Math.PI;
    const where = { x: (1 + i / 3) * Math.cos(angle), y: (1 + i / 3) * Math.sin(angle) };
    const station = beacon(world.air, `neighbour ${i}`, where, advertisement(i));
    const advertising = station.emission!.advertising;
    station.advertise(undefined);
    for (const [from, to] of stretches(i)) {
      world.clock.at(began + from, () => station.advertise(advertising));
      world.clock.at(began + to, () => station.advertise(undefined));
    }
  }
}

describe("encounters are what the peer tool makes of the same sightings (MH, section 4)", () => {
  const even = (seconds: number) => seconds - (seconds % 2);

  test.each([
    { cycleTime: 300, scanTime: 2 },
    { cycleTime: 300, scanTime: 4 },
    { cycleTime: 60, scanTime: 10 },
    { cycleTime: 8, scanTime: 2 },
    { cycleTime: 4, scanTime: 2 },
    { cycleTime: 7, scanTime: 4 },
  ])("with a scan of $scanTime s every $cycleTime s", async ({ cycleTime, scanTime }) => {
    const { world, board, began } = await scanner(81, { rawLog: 1, cycleTime, scanTime });
    // the scan that runs ends with the settings of before
    world.pass(319);
    const random = (i: number, part: number) => ((i * 7919 + part * 104729) % 97) / 97;
    // away for one to four cycles, then for longer: about two are bridged
    const stretches = (i: number) =>
      [0, 1, 2].flatMap((part): [number, number][] => {
        const at = (11 + part * 13 + 3 * random(i, part)) * cycleTime;
        const back = at + (3.5 + 3 * random(part, i)) * cycleTime;
        return [
          [at, at + 2.5 * cycleTime],
          [back, back + 1.2 * cycleTime],
        ];
      });
    neighbours(world, began + 320, 12, stretches);
    world.pass(60 * cycleTime);
    const sightings = recordsOfKind(board, "sighting");
    expect(sightings.length).toBeGreaterThan(60);
    const ticks = [...new Set(sightings.map(({ tick }) => tick))].sort((a, b) => a - b);
    // every scan begins with a cycle, whether somebody was heard in it or not
    const phase = Math.min(...ticks.map((tick) => (tick - ticks[0] + 2 * cycleTime) % cycleTime));
    const scans = Array.from({ length: 70 }, (_, k) =>
      Array.from({ length: scanTime / 2 }, (_, step) => ticks[0] + phase + (k - 1) * cycleTime + 2 * step),
    );
    expect(ticks.filter((tick) => !scans.flat().includes(tick))).toEqual([]);
    const rows = peerRows(sightings, cycleTime, scans);
    const records = recordsOfKind(board, "encounter");
    expect(records.length).toBeGreaterThan(30);
    // encounters tell times in units of 2 s
    const ours = inOrder(records.map(({ rpi, firstTick, lastTick }) => ({ rpi: toHex(rpi), first: firstTick, last: lastTick })));
    const theirs = inOrder(rows.map(({ rpi, start, end }) => ({ rpi: toHex(rpi), first: even(start), last: even(start) + even(end - start) })));
    expect(ours).toEqual(theirs);
    for (const record of records) {
      const row = rows.find(({ rpi, start }) => toHex(rpi) === toHex(record.rpi) && even(start) === record.firstTick)!;
      // theirs is the strongest of the last reports of each step
      expect(record.maxRssi).toBeGreaterThanOrEqual(row.maxRssi);
      expect(record.aem[0]).toBe(record.rpi[14]);
    }
  });

  test("a sighting is the last report of its step, with its address", async () => {
    const { world, board, began } = await scanner(82, { rawLog: 1 });
    world.pass(10);
    for (let i = 0; i < 5; i++)
      beacon(world.air, `neighbour ${i}`, { x: 1 + i, y: 0 }, advertisement(i), i === 3 ? { address: "12:34:56:78:9a:bc public" } : {});
    world.pass(3000);
    const sightings = recordsOfKind(board, "sighting");
    expect(sightings).toHaveLength(5 * 10);
    for (const { rpi, rssi, tick, address, addressType } of sightings) {
      const inStep = world.heardBy(board).filter(({ time, data }) => time > began + tick && time < began + tick + 3 && rpiOf(data) === toHex(rpi));
      expect({ rssi, address: `${address} ${addressType}` }).toEqual({ rssi: inStep.at(-1)!.rssi, address: inStep.at(-1)!.address });
    }
    expect(sightings.some(({ address, addressType }) => address === "12:34:56:78:9a:bc" && addressType === "public")).toBe(true);
  });
});

describe("counts and signal", () => {
  test("are the statistics of what the radio reported (GAEN-10)", async () => {
    const { world, board, began } = await scanner(83, { scanTime: 4 });
    neighbours(world, began, 20, (i) => [0, 1, 2, 3].map((part) => [part * 2400 + i * 10, part * 2400 + 900 + i * 40]));
    world.pass(12_000);
    const records = recordsOfKind(board, "encounter");
    expect(records.length).toBeGreaterThan(60);
    for (const record of records) {
      const { count, maxRssi, meanRssi } = record;
      expect({ count, maxRssi, meanRssi }).toEqual(statistics(reportsOf(record, world.heardBy(board), began)));
    }
    expect(records.reduce((sum, { count }) => sum + count, 0)).toBe(world.heardBy(board).length);
    expect(status(board).n).toBe(world.heardBy(board).length);
    expect(status(board).op).toBe(0);
  });

  test("counts end at 127, and a mean at 31 dB below the strongest", async () => {
    const { world, board } = await scanner(84, { scanTime: 60 });
    const station = beacon(world.air, "walker", { x: 0, y: 0 }, advertisement(1), { intervalMs: 100 });
    // once close, then far off
    station.moveTo((time) => ({ x: time % 3600 < 330 ? 0.1 : 8, y: 0 }));
    world.pass(800);
    station.advertise(undefined);
    world.pass(1000);
    const [record] = recordsOfKind(board, "encounter");
    const { count, maxRssi, meanRssi } = statistics(world.heardBy(board));
    expect(count).toBeGreaterThan(500);
    expect(meanRssi).toBeLessThan(maxRssi - 20);
    expect(record).toMatchObject({ count: 127, maxRssi, meanRssi: Math.max(meanRssi, maxRssi - 31) });
  });

  test("a report of unknown strength is not one (BLE-09)", async () => {
    const { world, board } = await scanner(85);
    beacon(world.air, "too loud", { x: 0.1, y: 0 }, advertisement(1), { txPower: 90 });
    world.pass(1400);
    expect(world.heardBy(board).length).toBeGreaterThan(20);
    expect(Math.min(...world.heardBy(board).map(({ rssi }) => rssi))).toBeGreaterThan(0);
    expect(recordsOfKind(board, "encounter")).toEqual([]);
    expect(status(board)).toMatchObject({ n: 0, op: 0 });
  });
});

describe("settings take effect on the running board", () => {
  test("minimumDuration: shorter encounters are not logged", async () => {
    const { world, board, began } = await scanner(86, { minimumDuration: 600 });
    neighbours(world, began, 6, (i) => [[20, 350 + i * 300]]);
    world.pass(4000);
    const durations = recordsOfKind(board, "encounter").map(({ firstTick, lastTick }) => lastTick - firstTick);
    // heard for 0, 300, ... 1500 s
    expect(durations.sort((a, b) => a - b)).toEqual([600, 900, 1200, 1500]);
    configure(board, { minimumDuration: 0 });
    neighbours(world, world.clock.now, 1, () => [[0, 320]]);
    world.pass(2000);
    expect(recordsOfKind(board, "encounter")).toHaveLength(5);
  });

  test("rssiFloor: weaker reports are ignored", async () => {
    const { world, board } = await scanner(87, { rssiFloor: -70 });
    // the scan that runs has begun without
    world.pass(10);
    for (let i = 0; i < 10; i++) beacon(world.air, `neighbour ${i}`, { x: 0.5 * (i + 1), y: 0 }, advertisement(i));
    world.pass(2000);
    for (let i = 0; i < 10; i++) world.air.station(`neighbour ${i}`).advertise(undefined);
    world.pass(1000);
    const loud = world.heardBy(board).filter(({ rssi }) => rssi >= -70);
    expect(loud.length).toBeLessThan(world.heardBy(board).length * 0.8);
    for (const record of recordsOfKind(board, "encounter")) {
      const reports = loud.filter(({ data }) => rpiOf(data) === toHex(record.rpi));
      expect({ count: record.count, maxRssi: record.maxRssi, meanRssi: record.meanRssi }).toEqual(statistics(reports));
    }
    expect(recordsOfKind(board, "encounter").length).toBe(new Set(loud.map(({ data }) => rpiOf(data))).size);
  });

  test.each([2, 4, 10])("scanTime %i: the receiver is on for so long in each cycle (GAEN-10)", async (scanTime) => {
    const { world, board } = await scanner(88, { scanTime });
    world.pass(310);
    const before = radioOf(board).activity.scanSeconds;
    world.pass(20 * 300);
    expect((radioOf(board).activity.scanSeconds - before) / 20).toBeCloseTo(scanTime, 1);
  });

  test("scanTime as long as the cycle: the receiver is never off", async () => {
    const { world, board } = await scanner(89, { scanTime: 10, cycleTime: 10 });
    world.pass(330);
    const before = radioOf(board).activity.scanSeconds;
    world.pass(1000);
    expect(radioOf(board).activity.scanSeconds - before).toBeGreaterThan(995);
  });

  test("cycleTime: from the cycle after the one that runs", async () => {
    const { world, board } = await scanner(90, { cycleTime: 20 });
    world.pass(400);
    const before = radioOf(board).activity.scanSeconds;
    world.pass(2000);
    expect(radioOf(board).activity.scanSeconds - before).toBeCloseTo(200, -1);
  });
});

test("an identifier that is heard for longer than 2,046 s becomes several encounters, none of which is longer", async () => {
  const { world, board } = await scanner(91, { cycleTime: 60 });
  beacon(world.air, "replayer", { x: 1, y: 0 }, advertisement(7));
  world.pass(10_000);
  world.air.station("replayer").advertise(undefined);
  world.pass(300);
  const records = recordsOfKind(board, "encounter");
  expect(records.length).toBeGreaterThanOrEqual(5);
  for (const [i, { firstTick, lastTick }] of records.entries()) {
    expect(lastTick - firstTick).toBeLessThanOrEqual(2032);
    // the last scan may have been up to a cycle later than there is room for
    if (i > 0) expect(firstTick - records[i - 1].lastTick).toBeLessThanOrEqual(120);
  }
  expect(records.slice(0, -1).every(({ firstTick, lastTick }) => lastTick - firstTick > 1900)).toBe(true);
});

describe("a crowd", () => {
  test("of 120 identifiers at once: none of them is missing, and no report is counted for another", async () => {
    const { world, board } = await scanner(92);
    world.pass(10);
    for (let i = 0; i < 120; i++) {
      beacon(world.air, `neighbour ${i}`, { x: 0.5 + (i % 12) / 3, y: Math.floor(i / 12) / 3 }, advertisement(i));
      world.pass(0.013);
    }
    world.pass(2 * 300);
    for (let i = 0; i < 120; i++) world.air.station(`neighbour ${i}`).advertise(undefined);
    world.pass(1000);
    expect(status(board)).toMatchObject({ op: 0, dr: 0 });
    // a scan of 2 s is over in time, however much there is to do
    expect(radioOf(board).activity.scanSeconds).toBeLessThan(6 * 2.5);
    const records = recordsOfKind(board, "encounter");
    const heard = new Map<string, Heard[]>();
    for (const report of world.heardBy(board)) heard.set(rpiOf(report.data), [...(heard.get(rpiOf(report.data)) ?? []), report]);
    expect(heard.size).toBe(120);
    for (const [rpi, reports] of heard) {
      const own = records.filter((record) => toHex(record.rpi) === rpi);
      const counted = own.reduce((sum, { count }) => sum + count, 0);
      expect(counted, rpi).toBeGreaterThan(0);
      expect(counted, rpi).toBeLessThanOrEqual(reports.length);
      expect(Math.max(...own.map(({ maxRssi }) => maxRssi))).toBeLessThanOrEqual(statistics(reports).maxRssi);
    }
    expect(records.every(({ rpi, aem }) => rpi[14] === aem[0])).toBe(true);
  });

  test("of 100 that stay: who has a place keeps it, the others are told once a scan, so the log is not flooded", async () => {
    const { world, board } = await scanner(94);
    world.pass(10);
    for (let i = 0; i < 100; i++) {
      beacon(world.air, `neighbour ${i}`, { x: 0.5 + (i % 10) / 3, y: Math.floor(i / 10) / 3 }, advertisement(i));
      world.pass(0.013);
    }
    world.pass(6 * 300);
    for (let i = 0; i < 100; i++) world.air.station(`neighbour ${i}`).advertise(undefined);
    world.pass(1000);
    const records = recordsOfKind(board, "encounter");
    const long = records.filter(({ firstTick, lastTick }) => lastTick - firstTick >= 5 * 300);
    expect(long.length).toBeGreaterThan(60);
    expect(new Set(long.map(({ rpi }) => toHex(rpi))).size).toBe(long.length);
    expect(records.length).toBeLessThan(100 + 6 * 40);
    expect(new Set(records.map(({ rpi }) => toHex(rpi))).size).toBe(100);
  });

  test("that comes and goes, twice as many in an hour as fit at once: each is there with all its reports", async () => {
    const { world, board } = await scanner(93);
    neighbours(world, world.clock.now, 200, (i) => [[i * 15, i * 15 + 1200]]);
    world.pass(200 * 15 + 2500);
    expect(status(board)).toMatchObject({ op: 0, n: world.heardBy(board).length });
    const records = recordsOfKind(board, "encounter");
    expect(new Set(records.map(({ rpi }) => toHex(rpi)))).toEqual(new Set(world.heardBy(board).map(({ data }) => rpiOf(data))));
    expect(records.reduce((sum, { count }) => sum + count, 0)).toBe(world.heardBy(board).length);
  });
});
