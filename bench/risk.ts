import { puckjs } from "../boards/puckjs.ts";
import { toBundle } from "../host-tools/cli/flash.ts";
import { flash } from "../host-tools/device/flash.ts";
import { hostClockOn } from "../host-tools/device/host-clock.ts";
import { openMemory } from "../host-tools/device/memory.ts";
import { openBoard } from "../host-tools/device/open-board.ts";
import { pullLog } from "../host-tools/device/pull.ts";
import { buildFirmware, type Firmware } from "../host-tools/generator/bundle.ts";
import { diagnosisKeys } from "../host-tools/matching/diagnosis-keys.ts";
import { listExposure } from "../host-tools/matching/exposure-list.ts";
import { matchEncounters } from "../host-tools/matching/matcher.ts";
import { nodeCrypto } from "../host-tools/node-crypto.ts";
import { DEFAULT_WINDOW_CONFIGURATION, summaryRules } from "../host-tools/risk/configuration.ts";
import { weightedDuration } from "../host-tools/risk/daily-summaries.ts";
import { keyExposures } from "../host-tools/risk/exposures.ts";
import { aggregatedSightings, allSightings, type HeardKey, heardKeys } from "../host-tools/risk/heard-keys.ts";
import type { Sighting } from "../host-tools/risk/sighting.ts";
import { exposureWindows } from "../host-tools/risk/windows.ts";
import { SeededRandom } from "../host-tools/simulator/seeded-random.ts";
import type { VirtualBoard } from "../host-tools/simulator/virtual-board.ts";
import { World } from "../host-tools/simulator/world.ts";
import { decodeOwnKeys } from "../host-tools/store/log-decoder.ts";
import { Store } from "../host-tools/store/store.ts";
import { decodeAdvertisement } from "../protocols/gaen/advertisement.ts";

// A board merges what it hears into encounters. What do windows and exposures made of those have of the ones that a device with every single sighting would have had?

const START = Date.UTC(2026, 2, 2) / 1000;
const HOUR = 3600;
const APART = 5000;
const MEETINGS_APART = 3 * HOUR;
const THRESHOLDS = { low: 55, high: 67 };
const RULES = summaryRules(DEFAULT_WINDOW_CONFIGURATION);
const STEP_SECONDS = 180;

interface Meeting {
  from: number;
  to: number;
  metres: number;
  /** Another distance for each step of three minutes, of those who walk about. */
  walk: number[];
}
/** What a radio has reported, and when its scans began. */
interface Heard {
  scans: number[];
  reports: { time: number; data: Uint8Array; rssi: number }[];
}

/** Seconds and dB of one meeting, as one listener had it. */
interface Figures {
  seconds: number;
  /** Mean of typical attenuation, weighted by time. */
  typical: number;
  min: number;
  /** Weighed by attenuation as without a configuration. */
  weighedSeconds: number;
  /** Version 1. */
  exposureSeconds: number;
  exposureAttenuation: number;
}

export interface RiskOptions {
  pairs: number;
  meetings: number;
  scanTime: number;
  /** 0 full, 1 dense. */
  recordForm: number;
  /** They walk about: another distance every three minutes. */
  moving?: boolean;
}

function keepHeard(board: VirtualBoard, world: World): Heard {
  const heard: Heard = { scans: [], reports: [] };
  const station = world.air.station(board.address);
  const scan = station.scan.bind(station);
  station.scan = (scanning) => {
    if (scanning) heard.scans.push(world.clock.now);
    return scan(
      scanning && {
        ...scanning,
        heard(report) {
          heard.reports.push({ time: world.clock.now, data: report.data, rssi: report.rssi });
          scanning.heard(report);
        },
      },
    );
  };
  return heard;
}

function figures(windowed: Sighting[], aggregated: Sighting[]): Figures {
  const scans = exposureWindows(windowed).flatMap((window) => window.scans);
  const exposures = keyExposures(aggregated, THRESHOLDS);
  const seconds = scans.reduce((sum, one) => sum + one.seconds, 0);
  const exposureSeconds = exposures.reduce((sum, one) => sum + one.durationSeconds, 0);
  return {
    seconds,
    typical: scans.reduce((sum, one) => sum + one.seconds * one.typical, 0) / seconds,
    weighedSeconds: weightedDuration(RULES, scans),
    min: scans.reduce((sum, one) => sum + one.seconds * one.min, 0) / seconds,
    exposureSeconds,
    exposureAttenuation: exposures.reduce((sum, one) => sum + one.durationSeconds * one.attenuation, 0) / exposureSeconds,
  };
}

/** The part of what was heard of a key that lies in a meeting. */
function during(heard: HeardKey[], { from, to }: Meeting): Figures | undefined {
  const inside = (sightings: Sighting[]) => sightings.filter(({ heardAt }) => heardAt >= from - 10 && heardAt <= to + 10);
  const all = inside(heard.flatMap(allSightings));
  return all.length > 0 ? figures(all, inside(heard.flatMap(aggregatedSightings))) : undefined;
}

function meetingsOf(options: RiskOptions): Meeting[][] {
  const random = new SeededRandom(7);
  return Array.from({ length: options.pairs }, () =>
    Array.from({ length: options.meetings }, (_, n) => {
      const from = START + HOUR + n * MEETINGS_APART + Math.floor(random.next() * 1200);
      const to = from + 300 + Math.floor(random.next() * 6600);
      const metres = 0.5 * 16 ** random.next();
      return { from, to, metres, walk: options.moving ? Array.from({ length: 40 }, () => 0.5 * 16 ** random.next()) : [] };
    }),
  );
}

const mean = (values: number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
const spread = (values: number[]) => Math.sqrt(mean(values.map((one) => (one - mean(values)) ** 2)));
const rounded = (value: number) => Math.round(value * 100) / 100;

/** Pairs of Pucks that meet for 5 to 115 minutes at 0.5 to 8 m. `firmware`: one that was built with these settings. Answers mean and standard deviation of (from encounters − from single sightings), minutes and dB. */
export async function measureRisk(options: RiskOptions, firmware?: Firmware) {
  const world = new World(START, 11);
  const { recordForm, scanTime } = options;
  const settings = { scanTime, recordForm };
  const { code, manifest } = firmware ?? (await buildFirmware({ board: puckjs, role: "wearable", protocols: ["gaen"], settings }));
  const bundle = toBundle(Buffer.from(code, "latin1"), manifest);
  const plan = meetingsOf(options);
  const store = Store.open(":memory:", { now: () => Math.floor(world.clock.now) });
  const talk = <T>(board: VirtualBoard, work: (link: Awaited<ReturnType<typeof openBoard>>) => Promise<T>) => {
    const transport = openMemory(board);
    return world.clock.drive(
      openBoard(transport, { clock: hostClockOn(world.clock) })
        .then(work)
        .finally(() => transport.close()),
    );
  };
  const pairs = plan.map((meetings, pair) =>
    [0, 1].map((side) => {
      const board = world.addBoard(puckjs, (time) => {
        const meeting = meetings.find(({ from, to }) => time >= from && time < to);
        if (!meeting) return { x: (3 * pair + side) * APART, y: APART };
        const metres = meeting.walk[Math.floor((time - meeting.from) / STEP_SECONDS)] ?? meeting.metres;
        return { x: 3 * pair * APART + side * metres, y: 0 };
      });
      return { board, heard: keepHeard(board, world) };
    }),
  );
  try {
    for (const { board } of pairs.flat()) {
      board.powerOn();
      await talk(board, async (link) => {
        await flash(link, bundle, { fast: true });
        await link.setClock(Math.floor(world.clock.now), 0, 0);
      });
    }
    world.clock.advanceTo(START + options.meetings * MEETINGS_APART + HOUR);
    const rows: { meeting: Meeting; single: Figures; merged: Figures }[] = [];
    let missed = 0;
    const keysOf = new Map<VirtualBoard, Parameters<typeof matchEncounters>[1]>();
    for (const { board } of pairs.flat()) {
      await talk(board, async (link) => {
        await pullLog(link, store);
        keysOf.set(
          board,
          diagnosisKeys(decodeOwnKeys(await link.keys(true)).map(({ tek, ...rest }) => ({ ...rest, key: tek, transmissionRisk: 0, reportType: 1 }))),
        );
      });
    }
    const encounters = (await store.encounters()).map((one) => ({ ...one, firstSeen: one.firstSeen!, lastSeen: one.lastSeen! }));
    for (const [number, pair] of pairs.entries()) {
      for (const [side, { board, heard }] of pair.entries()) {
        const keys = keysOf.get(pair[1 - side]!.board)!;
        const mine = encounters.filter((one) => one.board === board.serialNumber);
        const fromLog = heardKeys(matchEncounters(nodeCrypto, keys, mine).exposures.map(listExposure), { cycleOf: () => 300 }).heard;
        const sightings = heard.reports.flatMap(({ time, data, rssi }) => {
          const decoded = decodeAdvertisement(data);
          const unix = Math.floor(time);
          return decoded ? [{ ...decoded, board: "", firstSeen: unix, lastSeen: unix, maxRssi: rssi, meanRssi: rssi, count: 1 }] : [];
        });
        const begun = heard.scans.map(Math.floor).filter((time, i, all) => i === 0 || time - all[i - 1]! > 60);
        const truth = heardKeys(matchEncounters(nodeCrypto, keys, sightings).exposures.map(listExposure), {
          cycleOf: () => 300,
          areSightings: true,
        }).heard;
        for (const one of truth.flatMap(allSightings)) {
          const scan = begun.findLastIndex((time) => time <= one.heardAt);
          one.previousScan = begun[scan - 1] ?? null;
        }
        for (const meeting of plan[number]!) {
          const single = during(truth, meeting);
          const merged = during(fromLog, meeting);
          if (single && merged) rows.push({ meeting, single, merged });
          else missed++;
        }
      }
    }
    const compare = (of: (figures: Figures) => number) => {
      const differences = rows.map(({ single, merged }) => of(merged) - of(single));
      return { bias: rounded(mean(differences)), spread: rounded(spread(differences)) };
    };
    const against = (of: (row: (typeof rows)[number]) => number) => {
      const differences = rows.map((row) => of(row) / 60 - (row.meeting.to - row.meeting.from) / 60);
      return { bias: rounded(mean(differences)), spread: rounded(spread(differences)) };
    };
    return {
      ...options,
      compared: rows.length,
      missed,
      windowMinutes: compare(({ seconds }) => seconds / 60),
      weighedMinutes: compare(({ weighedSeconds }) => weighedSeconds / 60),
      meanWeighedMinutes: rounded(mean(rows.map(({ single }) => single.weighedSeconds / 60))),
      typicalAttenuation: compare(({ typical }) => typical),
      minAttenuation: compare(({ min }) => min),
      exposureMinutes: compare(({ exposureSeconds }) => exposureSeconds / 60),
      exposureAttenuation: compare(({ exposureAttenuation }) => exposureAttenuation),
      truth: { single: against(({ single }) => single.seconds), merged: against(({ merged }) => merged.seconds) },
    };
  } finally {
    await store.close();
  }
}
