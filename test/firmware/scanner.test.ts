import { crc32 } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import { decodeSlot, type LogRecord, sealRecord } from "../../host-tools/store/log-decoder.ts";
import { encodeAdvertisement, FLAGS } from "../../protocols/gaen/advertisement.ts";
import { LONG_BYTES, LONGEST_ENCOUNTER } from "../../protocols/log-format.ts";
import { CYCLE_TIME, MINIMUM_DURATION, RAW_LOG, RSSI_FLOOR } from "../../protocols/settings.ts";
import { toHex } from "../support/vectors.ts";

// The scanner alone, between a radio and a log that are told here.

interface Report {
  id: string;
  rssi: number;
  data: ArrayBuffer;
}

const radio = { heard: undefined as ((report: Report) => void) | undefined, errors: [] as string[] };
const log: LogRecord[] = [];
/** Are encounters to be written dense? */
let dense = false;
const settings: number[] = [];

vi.mock("tracelet:build", () => ({
  COLLECT: false,
  GAEN: true,
  CT10: false,
  DP3T: false,
  DP3T_UNLINKABLE: false,
  OPENCOVIDTRACE: false,
  READS: false,
  GUESTS: 250,
  SEVERAL: false,
}));
vi.mock("../../firmware/roles/observation.ts", () => ({}));
vi.mock("../../firmware/roles/collector.ts", () => ({}));
vi.mock("../../firmware/roles/unread.ts", () => ({}));
vi.mock("../../firmware/day-count.ts", () => ({ countEncounter: () => {} }));
vi.mock("../../firmware/settings.ts", () => ({ settings }));
vi.mock("../../firmware/battery-volts.ts", () => ({ batteryVolts: () => 3 }));
vi.mock("../../firmware/encounter-log.ts", () => ({
  emptySlot: (kind: number) => Uint8Array.of(kind, ...new Uint8Array(LONG_BYTES - 1)),
  baseTick: () => 0,
  writesDense: () => dense,
  append: (slot: Uint8Array) => log.push(decodeSlot(sealRecord(slot), { seq: 0, era: 1, baseTick: 0 })),
}));
vi.stubGlobal("E", { CRC32: (data: ArrayBuffer | Uint8Array) => crc32(new Uint8Array(data)), getErrorFlags: () => radio.errors });
vi.stubGlobal("NRF", {
  setScan: (heard: (report: Report) => void) => {
    radio.heard = heard;
  },
});
afterAll(() => vi.unstubAllGlobals());

/** A scanner that has heard nothing yet. */
async function freshScanner() {
  vi.resetModules();
  log.length = 0;
  settings.splice(0, settings.length, 300, 2, 250, 0, 0, -127, 0, 14, 2, 0, 2200);
  radio.errors = [];
  dense = false;
  return import("../../firmware/roles/scanner.ts");
}
let module: Awaited<ReturnType<typeof freshScanner>>;
beforeEach(async () => {
  module = await freshScanner();
});

/** RPI and AEM of neighbour `n`. */
function identifier(n: number): Uint8Array {
  // the number itself as well: bytes of a checksum alone come again
  return Uint8Array.from({ length: 20 }, (_, i) => (i < 2 ? n >> (8 * i) : crc32(new Uint8Array([n, n >> 8, i])) & 255));
}
function packet(n: number, withFlags = true): Uint8Array {
  const id = identifier(n);
  return encodeAdvertisement(id.subarray(0, 16), id.subarray(16), withFlags ? FLAGS : undefined);
}
function hear(data: Uint8Array, rssi: number, id = "c0:01:02:03:04:05 random"): void {
  radio.heard?.({ id, rssi, data: new Uint8Array(data).buffer });
}
/** A scan that begins at `tick`, with what is heard in each of its steps of 2 s. */
function scan(tick: number, ...steps: (() => void)[]): void {
  module.scanner.start(tick);
  steps.forEach((step, i) => {
    step();
    module.scanner.endStep(i === steps.length - 1 ? 1 : 0);
  });
}
const nothing = () => {};

interface Encounter {
  id: string;
  first: number;
  duration: number;
  count: number;
  strongest: number;
  below: number;
}
function encounters(): Encounter[] {
  return log.flatMap((record) => {
    if (record.kind !== "encounter") return [];
    const { rpi, aem, firstTick, lastTick, count, maxRssi, meanRssi } = record;
    return { id: toHex(rpi) + toHex(aem), first: firstTick, duration: lastTick - firstTick, count, strongest: maxRssi, below: maxRssi - meanRssi };
  });
}
const id = (n: number) => toHex(identifier(n));

describe("an encounter", () => {
  test("lasts from the first step in which it is heard to the last, and is told when 2 cycles and 10 s have passed without it (MH)", () => {
    scan(100, () => hear(packet(1), -60));
    scan(400, () => hear(packet(1), -50));
    scan(700, nothing);
    scan(1000, nothing);
    expect(log).toEqual([]);
    scan(1010, nothing);
    expect(encounters()).toEqual([{ id: id(1), first: 100, duration: 300, count: 2, strongest: -50, below: 5 }]);
    expect(module.openEncounters).toBe(0);
  });

  test("is known by its advertisement, with and without Flags; another length is nobody's (BLE-03, BLE-04)", () => {
    const short = new Uint8Array(packet(3).subarray(0, 30));
    short[7] = 0x16;
    const foreign = Uint8Array.of(2, 10, 0, ...packet(4, false).subarray(4), 3, 3, 0x6f, 0xfd);
    scan(0, () => {
      hear(packet(1), -60);
      hear(packet(2, false), -60);
      hear(short, -60);
      hear(foreign, -60);
      for (let i = 0; i < 3; i++) hear(new Uint8Array(i), -60);
    });
    expect([module.openEncounters, module.sightings]).toEqual([3, 3]);
    scan(1000, nothing);
    expect(encounters().map((one) => one.id)).toEqual(expect.arrayContaining([id(1), id(2), id(4)]));
  });

  test("takes no notice of reports without a strength or below the floor (BLE-09)", () => {
    settings[RSSI_FLOOR] = -80;
    scan(0, () => {
      for (const rssi of [127, -81, -80, -70, 127, -128, 20]) hear(packet(1), rssi);
      hear(packet(2), 127);
    });
    settings[RSSI_FLOOR] = -127;
    scan(300, () => {
      for (const rssi of [127, -60, 1]) hear(packet(1), rssi);
      hear(packet(3), 127);
    });
    scan(2000, nothing);
    expect(encounters()).toEqual([{ id: id(1), first: 0, duration: 300, count: 3, strongest: -60, below: 10 }]);
    expect(module.sightings).toBe(3);
  });

  test("shorter than the minimum duration is not told", () => {
    settings[MINIMUM_DURATION] = 300;
    scan(0, () => [1, 2].map((n) => hear(packet(n), -60)));
    scan(298, () => hear(packet(1), -60));
    scan(300, () => hear(packet(2), -60));
    scan(2000, nothing);
    expect(encounters().map((one) => one.id)).toEqual([id(2)]);
  });

  test("ends before it grows longer than its record can tell, and begins anew", () => {
    for (let tick = 0; tick <= 3000; tick += 300) scan(tick, () => hear(packet(2), -60));
    scan(5000, nothing);
    expect(encounters().map(({ first, duration, count }) => [first, duration, count])).toEqual([
      [0, 1800, 7],
      [2100, 900, 4],
    ]);
  });

  test("of a scan that goes on and on is as long as a record can tell", () => {
    const steps = Array.from({ length: LONGEST_ENCOUNTER / 2 + 3 }, () => () => hear(packet(1), -60));
    scan(0, ...steps);
    expect(encounters()).toEqual([{ id: id(1), first: 0, duration: LONGEST_ENCOUNTER, count: 127, strongest: -60, below: 0 }]);
    expect(module.openEncounters).toBe(1);
  });

  test("counts to 127 and tells a mean up to 31 dB below the maximum", () => {
    const many = (rssi: number) => () => {
      for (let i = 0; i < 100; i++) hear(packet(1), i === 50 ? rssi : -90);
    };
    scan(0, many(-90), many(-20), many(-60));
    scan(2000, nothing);
    expect(encounters()[0]).toMatchObject({ count: 127, strongest: -20, below: 31 });
    expect(module.sightings).toBe(300);
  });
});

describe("in a crowd", () => {
  const ids = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => id(from + i));

  test("the one that has been silent longest makes room, with all that was heard of it", () => {
    scan(0, () => hear(packet(0), -60));
    scan(300, () => {
      for (let n = 1; n < 73; n++) hear(packet(n), -60);
    });
    expect([log.length, module.openEncounters]).toEqual([0, 73]);
    scan(600, () => {
      for (let n = 1; n < 75; n++) hear(packet(n), -50);
    });
    expect(encounters().map((one) => one.id)).toEqual([id(0), expect.anything()]);
    expect(module.openEncounters).toBe(73);
  });

  test("nobody who is heard is lost, be it for one step", () => {
    scan(0, () => {
      for (let n = 0; n < 300; n++) hear(packet(n), -60);
    });
    scan(2000, nothing);
    expect(
      encounters()
        .map((one) => one.id)
        .sort(),
    ).toEqual(ids(0, 300).sort());
    expect(encounters().every((one) => one.count === 1 && one.duration === 0 && one.strongest === -60)).toBe(true);
  });
});

test("the raw log has the last report of each step with its address (MH)", () => {
  settings[RAW_LOG] = 1;
  scan(
    20,
    () => {
      hear(packet(1), -60, "01:23:45:67:89:ab public");
      hear(packet(1), -70, "01:23:45:67:89:ab public");
      hear(packet(1), 127, "01:23:45:67:89:ab public");
      hear(packet(1).subarray(0, 30), -70);
    },
    nothing,
    () => hear(packet(1), -9, "fe:dc:ba:98:76:54 random"),
  );
  expect(log).toMatchObject([
    { kind: "sighting", rpi: identifier(1).subarray(0, 16), address: "01:23:45:67:89:ab", addressType: "public", rssi: -70, tick: 20 },
    { kind: "sighting", rpi: identifier(1).subarray(0, 16), address: "fe:dc:ba:98:76:54", addressType: "random", rssi: -9, tick: 24 },
  ]);
});

test("a scan in which the interpreter's queue overflowed is counted", () => {
  radio.errors = ["FIFO_FULL"];
  scan(0, nothing, nothing);
  radio.errors = [];
  scan(300, nothing);
  expect(module.overflows).toBe(1);
});

describe("whatever is heard", () => {
  interface Open {
    first: number;
    last: number;
    heard: boolean;
    rssi: number[];
  }
  /** The same rules, written down without thinking of a board. */
  class Model {
    private readonly open = new Map<string, Open>();
    readonly told: Encounter[] = [];
    private began = 0;

    start(tick: number): void {
      this.began = tick;
    }
    hear(n: number, rssi: number): void {
      if (rssi > 0) return;
      const one = this.open.get(id(n)) ?? { first: this.began, last: this.began, heard: false, rssi: [] };
      this.open.set(id(n), one);
      one.heard = true;
      one.rssi.push(rssi);
    }
    endStep(scanEnds: boolean): void {
      for (const [name, one] of this.open) {
        const silent = !one.heard;
        if (one.heard) one.last = this.began;
        one.heard = false;
        const timedOut = silent && scanEnds && this.began - one.last >= 2 * settings[CYCLE_TIME] + 10;
        const soon = this.began + (scanEnds ? settings[CYCLE_TIME] + 10 : 2);
        if (timedOut || (!silent && soon - one.first > LONGEST_ENCOUNTER)) this.close(name, one);
      }
      this.began += 2;
    }
    private close(name: string, one: Open): void {
      const strongest = Math.max(...one.rssi);
      const mean = one.rssi.reduce((sum, rssi) => sum - rssi, 0) / one.rssi.length;
      this.open.delete(name);
      this.told.push({
        id: name,
        first: one.first,
        duration: Math.min(one.last - one.first, LONGEST_ENCOUNTER),
        count: Math.min(127, one.rssi.length),
        strongest,
        below: Math.min(31, Math.round(mean) + strongest),
      });
    }
  }

  test("the log tells what a plain model of the rules tells", async () => {
    const rssi = fc.oneof(fc.integer({ min: -127, max: 0 }), fc.constantFrom(127, 1, 0, -127));
    const step = fc.array(fc.tuple(fc.nat(5), rssi), { maxLength: 12 });
    const scans = fc.array(fc.record({ gap: fc.nat(600), steps: fc.array(step, { minLength: 1, maxLength: 3 }) }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(scans, async (script) => {
        module = await freshScanner();
        settings[CYCLE_TIME] = 100;
        const model = new Model();
        let tick = 0;
        let reports = 0;
        for (const { gap, steps } of [...script, { gap: 3000, steps: [[]] as [number, number][][] }]) {
          tick += gap - (gap % 2);
          model.start(tick);
          scan(
            tick,
            ...steps.map((heard, i) => () => {
              for (const [n, strength] of heard) {
                hear(packet(n, n % 2 === 0), strength);
                model.hear(n, strength);
                if (strength <= 0) reports++;
              }
              model.endStep(i === steps.length - 1);
            }),
          );
          tick += steps.length * 2;
        }
        const sorted = (list: Encounter[]) => list.map((one) => JSON.stringify(one)).sort();
        expect(sorted(encounters())).toEqual(sorted(model.told));
        expect(module.sightings).toBe(reports);
        expect(module.openEncounters).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  test("a dense record tells what the full one tells, in coarser steps that leave nothing out", async () => {
    const step = fc.array(fc.tuple(fc.nat(3), fc.integer({ min: -127, max: 0 })), { maxLength: 6 });
    const scans = fc.array(fc.record({ gap: fc.nat(600), heard: step }), { maxLength: 14 });
    await fc.assert(
      fc.asyncProperty(scans, fc.nat(7), async (script, begin) => {
        const forms: LogRecord[][] = [];
        for (const form of [false, true]) {
          module = await freshScanner();
          dense = form;
          let tick = begin;
          for (const { gap, heard } of [...script, { gap: 3000, heard: [] }]) {
            tick += gap;
            scan(tick, () => {
              for (const [n, rssi] of heard) hear(packet(n), rssi);
            });
          }
          forms.push(log.slice());
        }
        const [full, short] = forms;
        expect(short).toHaveLength(full.length);
        for (const [i, record] of short.entries()) {
          const one = full[i];
          if (record.kind !== "dense" || one.kind !== "encounter") throw new Error(`${record.kind} for ${one.kind}`);
          expect([toHex(record.prefix), record.power[0], record.maxRssi]).toEqual([toHex(one.rpi.subarray(0, 5)), one.aem[1], one.maxRssi]);
          expect(record.meanRssi).toBe(Math.max(one.meanRssi, one.maxRssi - 15));
          // a full record counts in steps of 2 s
          expect(record.firstTick <= one.firstTick && one.firstTick - record.firstTick < 8).toBe(true);
          expect(record.lastTick >= one.lastTick && record.lastTick - one.lastTick < 10).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });

  test("no bytes and no strength throw (COM-03)", () => {
    module.scanner.start(0);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.integer({ min: -128, max: 127 }), (data, rssi) => {
        hear(data, rssi);
      }),
    );
    module.scanner.endStep(1);
    expect(log).toEqual([]);
  });
});
