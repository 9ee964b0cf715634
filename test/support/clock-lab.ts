import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { exportFiles } from "../../host-tools/cli/export.ts";
import { type Synchronised, synchronise } from "../../host-tools/device/clock-sync.ts";
import { type HostClock, hostClockOn } from "../../host-tools/device/host-clock.ts";
import { openMemory } from "../../host-tools/device/memory.ts";
import { openBoard } from "../../host-tools/device/open-board.ts";
import { type Pulled, pullLog } from "../../host-tools/device/pull.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { stretchesByEra } from "../../host-tools/store/clocks.ts";
import { openDatabase } from "../../host-tools/store/database.ts";
import { unixMsOfTick } from "../../host-tools/store/era-time.ts";
import { Store } from "../../host-tools/store/store.ts";
import { decodeAdvertisement } from "../../protocols/gaen/advertisement.ts";
import { advertisement } from "./crowd.ts";
import { beacon } from "./observer.ts";
import { toHex } from "./vectors.ts";
import { MORNING, status, WornWorld } from "./worn-boards.ts";

/** What the board said of itself at one moment of true time, Unix seconds. */
interface Look {
  at: number;
  era: number;
  tick: number;
  /** Its own clock, Unix ms; 0 while it was not set. */
  boardMs: number;
}

/** Worst and mean size of errors, ms. */
export interface Errors {
  worst: number;
  mean: number;
}

export function errorsOf(values: number[]): Errors {
  const sizes = values.map(Math.abs);
  return { worst: Math.round(Math.max(...sizes)), mean: Math.round(sizes.reduce((sum, one) => sum + one, 0) / sizes.length) };
}

/** Encounters say the 2 s in which they began, the export whole seconds: this is how far before and after the truth a right time may lie, s. */
const EARLIEST = -3.5;
const LATEST = 0.5;

/** One virtual board under observation, a hub with a store, and the truth beside them. */
export class ClockLab {
  readonly world: WornWorld;
  readonly store: Store;
  /** By how many seconds the hub's clock is ahead of the truth. */
  hubAhead = 0;
  readonly looks: Look[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), "tracelet-time-"));
  private readonly path = join(this.folder, "tracelet.db");
  private packets = 0;
  board!: VirtualBoard;

  constructor(seed: number, start = MORNING) {
    this.world = new WornWorld(seed, start);
    this.store = Store.open(this.path, { now: () => Math.floor(this.world.clock.now + this.hubAhead) });
  }

  async close(): Promise<void> {
    await this.store.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Puts the board on, and beside it somebody who has another identifier every `seconds`, and is there only for the first `present` of them. */
  async begin(options: Parameters<WornWorld["wear"]>[1] = {}, seconds = 3600, present = seconds): Promise<void> {
    // full records: a dense one tells its times in steps of 8 s
    const settings = { recordForm: 0, cycleTime: 900, ...options.settings };
    this.board = await this.world.wear({ x: 0, y: 0 }, { clockSet: false, ...options, settings });
    const { clock, air } = this.world;
    const next = () => {
      const neighbour = beacon(air, "neighbour", { x: 1, y: 0 }, advertisement(this.packets++), { intervalMs: 250 });
      if (present < seconds) clock.after(present, () => neighbour.advertise(undefined));
      clock.after(seconds, next);
    };
    next();
  }

  /** Lets true seconds pass, and looks at the board every so often. */
  pass(seconds: number, every = 6 * 3600): void {
    const end = this.world.clock.now + seconds;
    while (this.world.clock.now < end - 1e-6) {
      this.world.pass(Math.min(every, end - this.world.clock.now));
      this.look();
    }
  }

  look(): void {
    if (!this.board.powered) return;
    const { e, t, u } = status(this.board);
    this.looks.push({ at: this.world.clock.now, era: e, tick: t, boardMs: u });
  }

  private get hubClock(): HostClock {
    const { clock } = this.world;
    const ahead = this.hubAhead;
    return hostClockOn({
      get now() {
        return clock.now + ahead;
      },
      at: (time, run) => clock.at(time - ahead, run),
    });
  }

  /** A hub comes: sets the clock, unless it is only to look, and pulls. */
  async contact(options: { set?: boolean; force?: boolean } = {}): Promise<{ pulled: Pulled; set?: Synchronised }> {
    const transport = openMemory(this.board, "puck");
    const work = async () => {
      const link = await openBoard(transport, { clock: this.hubClock });
      const set = options.set === false ? undefined : await synchronise(link, this.store, { force: options.force });
      return { set, pulled: await pullLog(link, this.store) };
    };
    return this.world.clock.drive(work().finally(() => transport.close()));
  }

  /** Errors of the board's own clock when it was looked at, and of what the hub makes of the same ticks now; ms. Only looks at eras that have a date. */
  errors(from = 0): { before: Errors; after: Errors } {
    const database = openDatabase(this.path, { readOnly: true });
    try {
      const eras = stretchesByEra(database, 1);
      const dated = this.looks.filter(({ at, era, boardMs }) => at >= from && boardMs > 0 && eras.has(era));
      const after = this.looks.filter(({ at, era }) => at >= from && eras.has(era));
      return {
        before: errorsOf(dated.map(({ at, boardMs }) => boardMs - at * 1000)),
        after: errorsOf(after.map(({ at, era, tick }) => unixMsOfTick(eras.get(era)!, tick)! - at * 1000)),
      };
    } finally {
      database.close();
    }
  }

  /** When each identifier was first and last reported to the board, true Unix seconds. */
  truth(): Map<string, { first: number; last: number }> {
    const times = new Map<string, { first: number; last: number }>();
    for (const { time, data } of this.world.heardBy(this.board)) {
      const rpi = toHex(decodeAdvertisement(data)!.rpi);
      const known = times.get(rpi);
      if (known) known.last = time;
      else times.set(rpi, { first: time, last: time });
    }
    return times;
  }

  /**
   * The exported files. `starts`, `ends`: seconds between what rx_data.csv says of each identifier and the truth; without the first and the last identifier in the file,
   * of which a part may have expired or be under way. `outside`: rows that lie outside of the time in which their identifier was there, by more than `beside` seconds.
   */
  async exported(beside = 0): Promise<{ rows: number; starts: number[]; ends: number[]; outside: string[]; undated: string[][] }> {
    const out = join(this.folder, "csv");
    const { files } = await exportFiles(this.store, { out });
    const lines = (name: string) => {
      const file = files.find((one) => one.file.endsWith(name))?.file;
      return file ? readFileSync(file, "latin1").trim().split("\n").slice(1) : [];
    };
    const truth = this.truth();
    const spans = new Map<string, { start: number; end: number }>();
    const rows = lines("rx_data.csv").map((line) => line.split(";"));
    const outside: string[] = [];
    for (const [start, end, rpi] of rows) {
      const { first, last } = truth.get(rpi)!;
      if (Number(start) < first + EARLIEST - beside || Number(end) > last + LATEST + beside)
        outside.push(`${start} to ${end}, true ${first} to ${last}`);
      const known = spans.get(rpi) ?? { start: Number(start), end: Number(end) };
      spans.set(rpi, { start: Math.min(known.start, Number(start)), end: Math.max(known.end, Number(end)) });
    }
    const inner = [...spans].sort(([, a], [, b]) => a.start - b.start).slice(1, -1);
    return {
      rows: rows.length,
      starts: inner.map(([rpi, { start }]) => start - truth.get(rpi)!.first),
      ends: inner.map(([rpi, { end }]) => end - truth.get(rpi)!.last),
      outside,
      undated: lines("undated.csv").map((line) => line.split(";")),
    };
  }

  /**
   * Every encounter of the export is where it was, as near as its record and whole seconds can say. `beside`: seconds that are granted more.
   * `cut`: the power went in between, and with it the ends of what was open. Answers how many rows there are.
   */
  async expectTrueTimes(beside = 0, cut = false): Promise<number> {
    const { rows, starts, ends, outside } = await this.exported(beside);
    expect(outside).toEqual([]);
    for (const times of cut ? [] : [starts, ends]) {
      expect(Math.min(...times)).toBeGreaterThan(EARLIEST - beside);
      expect(Math.max(...times)).toBeLessThan(LATEST + beside);
    }
    return rows;
  }
}
