import type { DeviceStatus } from "../../protocols/device-link.ts";
import { DeviceError, ToolError } from "../errors.ts";
import type { Board } from "./board.ts";
import { sleep } from "./host-clock.ts";
import { type BoardDescription, describeBoard } from "./pull.ts";

/** One synchronisation as it is kept. The store's `ClockSync` has this shape. Times in ms. */
export interface SyncRecord {
  hostMs: number;
  /** Undefined when the clock was not set. */
  boardMs?: number;
  /** Hub minus board before. */
  offsetMs?: number;
  stepMs?: number;
  roundTripMs: number;
  rotations?: number;
  /** Positive when the board runs slow. */
  driftPpm?: number;
  era?: number;
  tick?: number;
}

/** Where synchronisations are kept. The store fits. */
export interface SyncStore {
  addClockSync(board: BoardDescription, sync: SyncRecord): Promise<void>;
  clockSyncs(logId: string): Promise<SyncRecord[]>;
}

export interface Synchronised {
  /** Board minus hub, ms; `boardMs` undefined: the clock was not set. */
  before: { offsetMs: number; boardMs: number | undefined };
  after: { offsetMs: number };
  /** By how many ms the board says it was put forward; null: it had not been set, or by more than it can tell. */
  stepMs: number | null;
  /** Best of those measured: from the question to the first byte of the answer. */
  roundTripMs: number;
  /** Since the synchronisation before, in the same era; undefined where there is none or it is too recent. Positive: the board runs slow. */
  driftPpm?: number;
  /** Seconds since the synchronisation before. */
  sinceLast?: number;
  /** Undefined on a board without our firmware. */
  status?: DeviceStatus;
}

/** 2026-01-01 and 2100-01-01: outside, it is our own clock that is wrong. */
const EARLIEST = 1_767_225_600;
const LATEST = 4_102_444_800;
const SAMPLES = 5;
/** An error that another attempt can make smaller, ms. */
const WORTH_ANOTHER_MS = 20;
const ATTEMPTS = 3;
/** Below this the error of two measurements is larger than the drift. */
const LEAST_DRIFT_SECONDS = 600;

interface TimeSample {
  /** Board minus hub. */
  offsetMs: number;
  /** Undefined if the clock is not set. */
  boardMs: number | undefined;
  /** From the question to the beginning of the answer, and how much of that neither was on the wire. */
  tookMs: number;
  idleMs: number;
}

/** How a board is asked for its time, and told ours. */
interface BoardTime {
  ask(): Promise<TimeSample>;
  /** Time of the line that sets the clock on the wire, ms. */
  setLineMs: number;
  set(unix: number, roundTripMs: number): Promise<number | null>;
}

/**
 * Sets a board's clock to ours and tells how far it was off before and is after. Times are measured from the end of the question on the wire
 * to the first byte of the answer; of several measurements the quickest counts. The clock is set on the border of a second.
 * @throws ToolError "host_clock" if our own clock can't be right
 */
export async function synchronise(board: Board, store?: SyncStore): Promise<Synchronised> {
  const { clock } = board;
  const host = clock.now();
  if (!(host >= EARLIEST && host < LATEST))
    throw new ToolError(
      "host_clock",
      `this computer's clock says ${new Date(host * 1000).toISOString()}, which can't be; set it first (\`timedatectl\`), then the board's`,
    );
  let status: DeviceStatus | undefined;
  const time = board.identity.firmware ? firmwareTime(board, (latest) => (status = latest)) : bareTime(board);
  const before = await best(time);
  const first = status;
  const history = first?.id && store ? await store.clockSyncs(first.id) : [];

  let stepMs: number | null = null;
  let after = before;
  // how much later than planned the board took the time over
  let late = before.idleMs / 2;
  for (let attempt = 1; ; attempt++) {
    const lead = time.setLineMs + late;
    const unix = Math.ceil(clock.now() + (lead + 20) / 1000);
    await sleep(clock, (unix - clock.now()) * 1000 - lead);
    const step = await time.set(unix, Math.round(before.tookMs)).catch((error: unknown) => {
      // whether it was set is seen by measuring
      if (error instanceof DeviceError && error.code === "timeout") return null;
      throw error;
    });
    if (attempt === 1) stepMs = step;
    after = await best(time);
    if (after.boardMs !== undefined && Math.abs(after.offsetMs) <= Math.max(WORTH_ANOTHER_MS, after.tookMs / 4)) break;
    if (attempt === ATTEMPTS) break;
    if (Math.abs(after.offsetMs) < 1000) late = Math.max(0, late - after.offsetMs);
  }
  if (after.boardMs === undefined || Math.abs(after.offsetMs) > 1000)
    throw new DeviceError("not_set", `${board.name}: the clock was sent ${ATTEMPTS} times but did not take; look at \`tracelet status\``);

  const result: Synchronised = {
    before: { offsetMs: Math.round(before.offsetMs), boardMs: before.boardMs },
    after: { offsetMs: Math.round(after.offsetMs) },
    stepMs,
    roundTripMs: Math.round(Math.min(before.tookMs, after.tookMs)),
    ...driftSince(history, first, before, host * 1000),
    status,
  };
  if (store && first?.id)
    await store.addClockSync(describeBoard(board, first), {
      hostMs: Math.round(host * 1000),
      boardMs: before.boardMs,
      offsetMs: before.boardMs === undefined ? undefined : -result.before.offsetMs,
      stepMs: stepMs ?? undefined,
      roundTripMs: result.roundTripMs,
      rotations: first.ro,
      driftPpm: result.driftPpm,
      era: first.e,
      tick: first.t,
    });
  return result;
}

async function best(time: BoardTime): Promise<TimeSample> {
  let quickest = await time.ask();
  for (let i = 1; i < SAMPLES; i++) {
    const sample = await time.ask();
    if (sample.tookMs < quickest.tookMs) quickest = sample;
  }
  return quickest;
}

/** The board looked at its clock in the middle between the question's end and the answer's beginning. */
function sampleOf(boardMs: number, sentAt: number, begunAt: number, lineMs: number, replyMs: number): TimeSample {
  const asked = sentAt * 1000 + lineMs;
  const answered = Math.max(asked, begunAt * 1000 - replyMs);
  return { offsetMs: boardMs - (asked + answered) / 2, boardMs, tookMs: (begunAt - sentAt) * 1000, idleMs: answered - asked };
}

function firmwareTime(board: Board, keep: (status: DeviceStatus) => void): BoardTime {
  const { repl } = board;
  return {
    async ask() {
      const { value, sentAt, begunAt } = await board.timedStatus();
      keep(value);
      const sample = sampleOf(value.u, sentAt, begunAt, repl.wireMs(7), repl.wireMs(1));
      return { ...sample, boardMs: value.u || undefined };
    },
    setLineMs: repl.wireMs(25),
    set: (unix, roundTripMs) => board.setClock(unix, 0, Math.min(roundTripMs, 0xffff)),
  };
}

function bareTime(board: Board): BoardTime {
  const { repl, clock } = board;
  return {
    async ask() {
      const sentAt = clock.now();
      const { value, characters } = await repl.measured("getTime()");
      return sampleOf(Number(value) * 1000, sentAt, clock.now(), repl.wireMs(characters.sent), repl.wireMs(characters.received));
    },
    setLineMs: repl.wireMs(21),
    async set(unix) {
      await repl.send(`setTime(${unix})`);
      return null;
    },
  };
}

/** The clock was right after the last synchronisation; what it is off now it has drifted, unless the board was restarted in between. */
function driftSince(
  history: SyncRecord[],
  status: DeviceStatus | undefined,
  before: { offsetMs: number; boardMs: number | undefined },
  hostMs: number,
): { driftPpm?: number; sinceLast?: number } {
  const last = history.at(-1);
  if (!last || !status) return {};
  const sinceLast = (hostMs - last.hostMs) / 1000;
  const usable = before.boardMs !== undefined && last.era === status.e && sinceLast >= LEAST_DRIFT_SECONDS;
  return { sinceLast, driftPpm: usable ? Math.round((-before.offsetMs * 1000) / sinceLast) : undefined };
}
