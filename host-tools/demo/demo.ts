import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findBoard } from "../../boards/index.ts";
import { exportFiles } from "../cli/export.ts";
import { toBundle } from "../cli/flash.ts";
import { matchStore, readTrustedExport } from "../cli/match.ts";
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
import type { VirtualBoard } from "../simulator/virtual-board.ts";
import { World } from "../simulator/world.ts";
import { decodeOwnKeys } from "../store/log-decoder.ts";
import { Store } from "../store/store.ts";
import { formatDuration, formatMinute, formatTime, meetings, reportPage } from "./report.ts";
import { DAY_BEGINS, DAY_SECONDS, ILL, MEETINGS, positionOf, SEED, WEARERS } from "./scenario.ts";

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
  report: "report.html",
};
const LONGEST_GAP = 900;

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
    const names = new Map(pucks.map((puck, i) => [puck.serialNumber, WEARERS[i]]));
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
    const report = await matchStore(store, [readTrustedExport(path(OUTPUT.keys), trust)]);
    say(`6  Matched against ${report.encounters} encounters: ${report.exposures.length} identifiers were made from these keys`);
    // GAEN's packets tell their transmit power, so the attenuation is known
    const listed = report.exposures.map((one) => ({ ...one, board: one.board ?? "", attenuation: one.attenuation! }));
    for (const meeting of meetings(listed, LONGEST_GAP)) {
      const who = names.get(meeting.board) ?? meeting.board;
      say(
        `     ${who}: ${formatMinute(meeting.firstSeen)} to ${formatTime(meeting.lastSeen)} UTC, ${formatDuration(meeting.lastSeen - meeting.firstSeen)}, ${meeting.attenuation} dB of attenuation at best`,
      );
    }

    const csv = await exportFiles(store, { out: path(OUTPUT.csv) });
    const heard = await store.encounters();
    const matched = new Set(report.exposures.map((one) => `${one.board} ${one.identifier}`));
    const page = reportPage({
      title: "A day with three Pucks",
      from: DAY_BEGINS,
      to: DAY_BEGINS + DAY_SECONDS,
      boards: pucks.map((puck, i) => ({
        id: puck.serialNumber,
        name: WEARERS[i],
        note: i === ILL ? "its keys were published" : "",
        encounters: heard.flatMap(({ board, rpi, firstSeen, lastSeen, maxRssi }) =>
          board === puck.serialNumber && firstSeen !== null && lastSeen !== null
            ? [{ firstSeen, lastSeen, maxRssi, matched: matched.has(`${board} ${Buffer.from(rpi).toString("hex")}`) }]
            : [],
        ),
      })),
      exposures: listed,
      truth: MEETINGS.map(
        (one) =>
          `${formatTime(DAY_BEGINS + one.from * 60)}, ${one.to - one.from} min, ${one.what}: ${one.who.map((i) => WEARERS[i]).join(", ")}, ${one.apart} m from one to the next`,
      ),
      facts: [
        ["Firmware", `${manifest.version}, ${manifest.bytes} bytes`],
        ["Boards", `${pucks.length} virtual ${puckjs.name}, one air, seed ${SEED}`],
        ["Sightings", `${pulled.sightings}`],
        ["Encounters in their logs", `${pulled.encounters}`],
        ["Keys published", `${keys.length}`],
        ["Identifiers matched", `${report.exposures.length}`],
      ],
    });
    writeFileSync(path(OUTPUT.report), page);
    const rows = csv.files.map(({ file, rows: count }) => `${file} (${count} rows)`).join(", ");
    say(`7  Files of the Raspberry Pi peer tool: ${rows}\n8  The day as a page: ${path(OUTPUT.report)}`);
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
  say(`3  ${formatMinute(DAY_BEGINS)} to ${formatMinute(DAY_BEGINS + DAY_SECONDS)} UTC passed in ${((Date.now() - began) / 1000).toFixed(1)} s`);
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
