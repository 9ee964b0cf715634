import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findBoard } from "../../boards/index.ts";
import { ASSUMED_BOARDS } from "../calibration/assumed-boards.ts";
import { calibrationLines } from "../calibration/calibration-list.ts";
import { exportFiles } from "../cli/export.ts";
import { toBundle } from "../cli/flash.ts";
import { matchStore, readTrustedExport } from "../cli/match.ts";
import { readReceivers } from "../cli/receivers.ts";
import { reportContext, scoredDays } from "../cli/report.ts";
import { cycleOfBoards } from "../cli/score-input.ts";
import type { Board } from "../device/board.ts";
import { type Synchronised, synchronise } from "../device/clock-sync.ts";
import { offsetInWords } from "../device/clock-words.ts";
import { flash } from "../device/flash.ts";
import { hostClockOn } from "../device/host-clock.ts";
import { openMemory } from "../device/memory.ts";
import { openBoard } from "../device/open-board.ts";
import { pullLog } from "../device/pull.ts";
import { makeExportZip } from "../exposure-keys/make-export.ts";
import { newKeyPair, readPrivateKey, readPublicKey } from "../exposure-keys/signature.ts";
import { buildFirmware, type Firmware } from "../generator/bundle.ts";
import type { ListedExposure } from "../matching/exposure-list.ts";
import { reportPage } from "../report/page.ts";
import { nearest } from "../report/plots.ts";
import { timeline } from "../report/timeline.ts";
import { clockTime, counted, duration, UTC } from "../report/words.ts";
import { DEFAULT_WINDOW_CONFIGURATION } from "../risk/configuration.ts";
import type { VirtualBoard } from "../simulator/virtual-board.ts";
import { World } from "../simulator/world.ts";
import { decodeOwnKeys } from "../store/log-decoder.ts";
import { Store } from "../store/store.ts";
import { DAY_BEGINS, DAY_SECONDS, ILL, MARKS, MEETINGS, positionOf, SEED, WEARERS } from "./scenario.ts";

export interface DemoOptions {
  out: string;
  say(text: string): void;
  progress(label: string, total: number, unit: string): { advance(done: number): void; end(): void };
}

export interface DemoResult {
  out: string;
  files: string[];
  bundleBytes: number;
  encounters: number;
  exposures: ListedExposure[];
  /** Real seconds it took. */
  seconds: number;
}

const OUTPUT = {
  bundle: "puckjs-wearable.js",
  database: "tracelet.db",
  csv: "csv",
  keys: "export.zip",
  publicKey: "public.pem",
  calibration: "calibration.csv",
  report: "report.html",
};

/** `2026-03-02 09:00` */
const minuteOf = (unix: number) => new Date(unix * 1000).toISOString().slice(0, 16).replace("T", " ");

/** Opens the console of a virtual board, does the work in the world's time, and closes it. */
async function withConsole<T>(world: World, virtual: VirtualBoard, name: string, work: (board: Board) => Promise<T>): Promise<T> {
  const transport = openMemory(virtual, name);
  const task = openBoard(transport, { clock: hostClockOn(world.clock) })
    .then(work)
    .finally(() => transport.close());
  return world.clock.drive(task);
}

/**
 * The main job with no hardware: firmware for a Puck.js, flashed into three virtual ones over their serial consoles, a day of meetings, the logs pulled,
 * stored, exported and matched against the signed keys of the one who turned out to be ill. Every step is the same code as with real boards.
 */
export async function runDemo({ out, say, progress }: DemoOptions): Promise<DemoResult> {
  const began = Date.now();
  const path = (name: string) => join(out, name);
  mkdirSync(out, { recursive: true });
  for (const name of [...Object.values(OUTPUT), `${OUTPUT.database}-wal`, `${OUTPUT.database}-shm`])
    rmSync(path(name), { recursive: true, force: true });

  const puckjs = findBoard("puckjs")!;
  const firmware = await buildFirmware({ board: puckjs, role: "wearable", protocols: ["gaen"], settings: { scanTime: 4 } });
  writeFileSync(path(OUTPUT.bundle), firmware.code, "latin1");
  const { manifest } = firmware;
  say(
    `1  Firmware for a ${puckjs.name}: ${manifest.bytes} bytes, leaves room for ${manifest.flash.maximumEncounters} encounters  → ${path(OUTPUT.bundle)}`,
  );

  const world = new World(DAY_BEGINS - 600, SEED);
  const store = Store.open(path(OUTPUT.database), { now: () => Math.floor(world.clock.now) });
  try {
    // clocks of real Pucks run up to 250 ppm wrong
    const pucks = WEARERS.map((_, i) => world.addBoard(puckjs, positionOf(i), { clockPpm: [110, -60, 30][i] }));
    await flashAndSet(world, pucks, firmware, store, say);
    await liveADay(world, say, progress);
    const { pulled, keys } = await collect(world, pucks, store, say);

    const pair = newKeyPair();
    const now = Math.floor(world.clock.now);
    const zip = makeExportZip({
      keys,
      start: now - 86400,
      end: now,
      region: "XX",
      signers: [{ id: "demo", version: "v1", privateKey: readPrivateKey(pair.privatePem, "demo key") }],
    });
    writeFileSync(path(OUTPUT.keys), zip);
    writeFileSync(path(OUTPUT.publicKey), pair.publicPem);
    say(
      `5  ${WEARERS[ILL]} is ill: ${keys.length} of its keys go into a signed export of ${zip.length} bytes  → ${path(OUTPUT.keys)}, ${path(OUTPUT.publicKey)}`,
    );

    const trust = { publicKeys: [readPublicKey(pair.publicPem, "demo key")], allowUnsigned: false };
    // what the virtual air assumes of an antenna is exactly what is assumed here
    writeFileSync(path(OUTPUT.calibration), `${calibrationLines(ASSUMED_BOARDS).join("\n")}\n`);
    const receivers = await readReceivers(store, path(OUTPUT.calibration));
    const report = await matchStore(store, [readTrustedExport(path(OUTPUT.keys), trust)], { receivers });
    say(
      `6  Matched against ${report.encounters} encounters: ${report.exposures.length} identifiers were made from these keys; their strength is corrected by what a Puck's antenna loses  → ${path(OUTPUT.calibration)}`,
    );
    await nameAndMark(store, pucks);
    const { names, fixedPlaces, periods } = await reportContext(store);
    const hearing = { cycleOf: await cycleOfBoards(store) };
    const events = timeline(report.exposures, report.safe, { ...hearing, periods, fixedPlaces });
    for (const event of events) {
      const { board, from, to } = event;
      say(
        `     ${names.get(board ?? "")}: about ${minuteOf(from)} to ${clockTime(to)} UTC, ${duration(to - from)}, ${nearest(event)} dB of attenuation at the nearest`,
      );
    }
    const days = scoredDays(report, hearing, DEFAULT_WINDOW_CONFIGURATION, now);
    for (const { board, day, scoreSeconds } of days)
      say(`     ${names.get(board ?? "")}, ${minuteOf(day * 86400).slice(0, 10)}: score ${(scoreSeconds / 60).toFixed(1)} weighed minutes`);

    const csv = await exportFiles(store, { out: path(OUTPUT.csv) });
    const page = reportPage({
      title: "A day with three Pucks",
      protocol: report.protocol,
      madeAt: now,
      zone: UTC,
      names,
      events,
      days,
      keys: report.keys,
      encounters: report.encounters,
      setApart: report.setApart.map(({ what, reason, count }) => `${counted(count, what)}, ${reason}`),
      notes: [
        {
          heading: "What really happened",
          lines: MEETINGS.map(
            (one) =>
              `${clockTime(DAY_BEGINS + one.from * 60)}, ${one.to - one.from} min, ${one.what}: ${one.who.map((i) => WEARERS[i]).join(", ")}, ${one.apart} m from one to the next`,
          ),
        },
        {
          heading: "How this page came about",
          lines: [
            `Firmware ${manifest.version}, ${manifest.bytes} bytes, on ${pucks.length} virtual ${puckjs.name} in one air, seed ${SEED}`,
            `${pulled.sightings} sightings, merged into ${pulled.encounters} encounters; ${keys.length} keys of ${WEARERS[ILL]} published, ${report.exposures.length} identifiers matched`,
          ],
        },
      ],
    });
    writeFileSync(path(OUTPUT.report), page);
    const rows = csv.files.map(({ file, rows: count }) => `${file} (${count} rows)`).join(", ");
    say(`7  Files of the Raspberry Pi peer tool: ${rows}\n8  The exposures, minute by minute, as a page for people: ${path(OUTPUT.report)}`);
    return {
      out,
      files: Object.values(OUTPUT).map(path),
      bundleBytes: manifest.bytes,
      encounters: pulled.encounters,
      exposures: report.exposures,
      seconds: (Date.now() - began) / 1000,
    };
  } finally {
    await store.close();
  }
}

/** The wearers' names, and what they would say of their day. */
async function nameAndMark(store: Store, pucks: readonly VirtualBoard[]): Promise<void> {
  for (const { id, logs } of await store.boards()) {
    const name = WEARERS[pucks.findIndex(({ serialNumber }) => serialNumber === id)];
    for (const { logId } of logs) await store.enterBoard({ logId, id, name });
  }
  for (const { who, kind, place, from, to } of MARKS) {
    const time = { from: DAY_BEGINS + from * 60, to: DAY_BEGINS + to * 60 - 1 };
    await store.addMark({ kind, place, board: pucks[who].serialNumber, protocol: null, identifier: null, ...time, note: null });
  }
}

async function flashAndSet(
  world: World,
  pucks: VirtualBoard[],
  { code, manifest }: Firmware,
  store: Store,
  say: (text: string) => void,
): Promise<void> {
  const bundle = toBundle(Buffer.from(code, "latin1"), manifest);
  say("2  Three virtual Pucks, flashed over their serial consoles and set to the hub's clock");
  for (const [i, puck] of pucks.entries()) {
    puck.powerOn();
    const line = await withConsole(world, puck, WEARERS[i], async (board) => {
      const flashed = await flash(board, bundle, { fast: true });
      const set = await synchronise(board, store);
      return `     ${WEARERS[i]}: written in ${flashed.seconds.toFixed(1)} s, read back by ${flashed.checkedBy}; clock within ${Math.abs(set.after.offsetMs)} ms`;
    });
    say(line);
  }
}

async function liveADay(world: World, say: (text: string) => void, progress: DemoOptions["progress"]): Promise<void> {
  const began = Date.now();
  const bar = progress("a day", 24, "h");
  for (let hour = 1; hour <= DAY_SECONDS / 3600; hour++) {
    world.clock.advanceTo(DAY_BEGINS + hour * 3600);
    bar.advance(hour);
    // lets the bar be drawn, and Ctrl-C through
    await new Promise((resolve) => setImmediate(resolve));
  }
  bar.end();
  say(`3  ${minuteOf(DAY_BEGINS)} to ${minuteOf(DAY_BEGINS + DAY_SECONDS)} UTC passed in ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

/** Pulls every log; of the ill one the keys as well. */
async function collect(world: World, pucks: VirtualBoard[], store: Store, say: (text: string) => void) {
  const totals = { encounters: 0, sightings: 0 };
  const keys: {
    key: Uint8Array;
    rollingStart: number;
    rollingPeriod: number;
    transmissionRisk: number;
    reportType: number;
    daysSinceOnset?: number;
  }[] = [];
  say("4  Logs pulled: committed here, then acknowledged to the board");
  for (const [i, puck] of pucks.entries()) {
    await withConsole(world, puck, WEARERS[i], async (board) => {
      const clock: Synchronised = await synchronise(board, store);
      const pulled = await pullLog(board, store);
      totals.encounters += pulled.encounters;
      totals.sightings += pulled.status.n;
      say(
        `     ${WEARERS[i]}: ${pulled.encounters} encounters of ${pulled.status.n} sightings; clock was ${offsetInWords(clock.before.offsetMs, clock.before.boardMs)}`,
      );
      if (i !== ILL) return;
      for (const { tek, rollingStart, rollingPeriod } of decodeOwnKeys(await board.keys(true)))
        keys.push({ key: tek, rollingStart, rollingPeriod, transmissionRisk: 0, reportType: 1 });
    });
  }
  return { pulled: totals, keys };
}
