import type { DeviceStatus } from "../../protocols/device-link.ts";
import { ToolError } from "../errors.ts";
import type { Board } from "./board.ts";
import { type BoardDescription, describeBoard } from "./description.ts";

// What every contact tells of a board's clock, whether it is set then or not.

/** One contact as it is kept. The store's `ClockSync` has this shape. Times in ms. */
export interface Contact {
  hostMs: number;
  /** The board's clock at that moment; undefined when it was not set. */
  boardMs?: number;
  /** Hub minus board. */
  offsetMs?: number;
  /** By how much it was then put forward; undefined where it was not set. */
  stepMs?: number;
  roundTripMs: number;
  rotations?: number;
  /** Since the contact before. Positive when the board runs slow. */
  driftPpm?: number;
  era?: number;
  /** Seconds since the era began at `hostMs`, to the ms. */
  tick?: number;
}

/** Where contacts are kept. The store fits. */
export interface ContactStore {
  addClockSync(board: BoardDescription, contact: Contact): Promise<void>;
  /** In the order in which they were kept. */
  clockSyncs(logId: string): Promise<Contact[]>;
}

/** One look at a board's clock. */
export interface TimeSample {
  /** When the board looked, by our clock. */
  hostMs: number;
  /** Board minus hub. */
  offsetMs: number;
  /** Undefined if the clock is not set. */
  boardMs: number | undefined;
  /** From the question to the beginning of the answer, and how much of that neither was on the wire. */
  tookMs: number;
  idleMs: number;
  /** Undefined on a board without our firmware. */
  status?: DeviceStatus;
}

/** 2026-01-01 and 2100-01-01: outside, it is our own clock that is wrong. */
const EARLIEST = 1_767_225_600;
const LATEST = 4_102_444_800;
const SAMPLES = 5;
/** Below this the error of two measurements is larger than the drift. */
const LEAST_DRIFT_SECONDS = 600;
/** More is no drift: one of the two clocks was wrong. */
const LARGEST_DRIFT_PPM = 1000;

/** @throws ToolError "host_clock" if a clock that says `unix` can't be right */
export function requirePlausible(unix: number): void {
  if (unix >= EARLIEST && unix < LATEST) return;
  const words = `this computer's clock says ${new Date(unix * 1000).toISOString()}, which can't be`;
  throw new ToolError("host_clock", `${words}; set it first (\`timedatectl\`), then the board's`);
}

/** The quickest of several. */
export async function best(ask: () => Promise<TimeSample>, samples = SAMPLES): Promise<TimeSample> {
  let quickest = await ask();
  for (let i = 1; i < samples; i++) {
    const sample = await ask();
    if (sample.tookMs < quickest.tookMs) quickest = sample;
  }
  return quickest;
}

/** The board looked at its clock in the middle between the question's end and the answer's beginning. Times on the wire in ms. */
export function sampleOf(boardMs: number, sentAt: number, begunAt: number, lineMs: number, replyMs: number): TimeSample {
  const asked = sentAt * 1000 + lineMs;
  const answered = Math.max(asked, begunAt * 1000 - replyMs);
  const hostMs = (asked + answered) / 2;
  return { hostMs, offsetMs: boardMs - hostMs, boardMs, tookMs: (begunAt - sentAt) * 1000, idleMs: answered - asked };
}

export async function firmwareSample(board: Board): Promise<TimeSample> {
  const { repl } = board;
  const { value, sentAt, begunAt } = await board.timedStatus();
  return { ...sampleOf(value.u, sentAt, begunAt, repl.wireMs(7), repl.wireMs(1)), boardMs: value.u || undefined, status: value };
}

/** What the clock has drifted since the contact before: by the board's ticks, which nobody sets. Undefined where that was in another era, too recent, or one of the clocks was wrong. */
export function driftSince(history: Contact[], { hostMs, status }: TimeSample): { driftPpm?: number; sinceLast?: number } {
  const last = history.at(-1);
  if (!last || !status) return {};
  const sinceLast = (hostMs - last.hostMs) / 1000;
  if (last.era !== status.e || last.tick === undefined || sinceLast < LEAST_DRIFT_SECONDS) return { sinceLast };
  const ticks = status.t - last.tick;
  const driftPpm = Math.round((1e6 * (sinceLast - ticks)) / ticks);
  return { sinceLast, driftPpm: Math.abs(driftPpm) <= LARGEST_DRIFT_PPM ? driftPpm : undefined };
}

/** Keeps a sample of a board with our firmware. `stepMs`: by how much the clock was then put forward. */
export async function keepContact(board: Board, store: ContactStore, sample: TimeSample, driftPpm?: number, stepMs?: number | null): Promise<void> {
  const status = sample.status!;
  await store.addClockSync(describeBoard(board, status), {
    hostMs: Math.round(sample.hostMs),
    boardMs: sample.boardMs,
    offsetMs: sample.boardMs === undefined ? undefined : -Math.round(sample.offsetMs),
    stepMs: stepMs ?? undefined,
    roundTripMs: Math.round(sample.tookMs),
    rotations: status.ro,
    driftPpm,
    era: status.e,
    tick: status.t,
  });
}

/** Looks at a board's clock without setting it, and keeps what it saw: its log is dated by that. Nothing where our own clock can't be right. */
export async function noteClock(
  board: Board,
  store: ContactStore,
): Promise<{ driftPpm?: number; sinceLast?: number; offsetMs?: number } | undefined> {
  try {
    requirePlausible(board.clock.now());
  } catch {
    return undefined;
  }
  const sample = await best(() => firmwareSample(board), 3);
  if (!sample.status?.id) return undefined;
  const drift = driftSince(await store.clockSyncs(sample.status.id), sample);
  await keepContact(board, store, sample, drift.driftPpm);
  return { ...drift, offsetMs: sample.boardMs === undefined ? undefined : Math.round(sample.offsetMs) };
}
