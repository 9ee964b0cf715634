import type { DeviceStatus } from "../../protocols/device-link.ts";
import { CLOCK_UNMEASURED } from "../../protocols/log-format.ts";
import { DeviceError, ToolError } from "../errors.ts";
import type { Board } from "./board.ts";
import { best, type ContactStore, driftSince, firmwareSample, keepContact, requirePlausible, sampleOf, type TimeSample } from "./clock-contact.ts";
import { durationInWords } from "./clock-words.ts";
import { sleep } from "./host-clock.ts";

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

export interface SynchroniseOptions {
  /** Also puts a clock forward by more than a day. */
  force?: boolean;
}

/** An error that another attempt can make smaller, ms. */
const WORTH_ANOTHER_MS = 20;
const ATTEMPTS = 3;
/** A clock that runs is never so far behind. */
const DAY_MS = 86_400_000;

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
 * @throws ToolError "host_clock" if our own clock can't be right, "clock_behind" before a clock that runs is put forward by more than a day
 */
export async function synchronise(board: Board, store?: ContactStore, options: SynchroniseOptions = {}): Promise<Synchronised> {
  const { clock } = board;
  requirePlausible(clock.now());
  const time = board.identity.firmware ? firmwareTime(board) : bareTime(board);
  const before = await best(time.ask);
  const first = before.status;
  if (first && before.boardMs !== undefined && before.offsetMs < -DAY_MS && !options.force) throw farBehind(board, before);
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
    after = await best(time.ask);
    if (after.boardMs !== undefined && Math.abs(after.offsetMs) <= Math.max(WORTH_ANOTHER_MS, after.tookMs / 4)) break;
    if (attempt === ATTEMPTS) break;
    if (Math.abs(after.offsetMs) < 1000) late = Math.max(0, late - after.offsetMs);
  }
  if (after.boardMs === undefined || Math.abs(after.offsetMs) > 1000)
    throw new DeviceError("not_set", `${board.name}: the clock was sent ${ATTEMPTS} times but did not take; look at \`tracelet status\``);

  const roundTripMs = Math.round(Math.min(before.tookMs, after.tookMs));
  const drift = driftSince(history, before);
  if (store && first?.id) await keepContact(board, store, before, drift.driftPpm, stepMs);
  return {
    before: { offsetMs: Math.round(before.offsetMs), boardMs: before.boardMs },
    after: { offsetMs: Math.round(after.offsetMs) },
    stepMs,
    roundTripMs,
    ...drift,
    status: after.status,
  };
}

function farBehind(board: Board, { offsetMs }: TimeSample): ToolError {
  const far = durationInWords(offsetMs);
  return new ToolError(
    "clock_behind",
    `${board.name}: its clock runs and is ${far} behind this computer's: one of the two is wrong. If this computer is right (\`timedatectl\`), pull first, for the board deletes what is then too old, and set it with --force`,
  );
}

function firmwareTime(board: Board): BoardTime {
  const { repl } = board;
  return {
    ask: () => firmwareSample(board),
    setLineMs: repl.wireMs(25),
    // the largest value says that nobody measured
    set: (unix, roundTripMs) => board.setClock(unix, 0, Math.min(roundTripMs, CLOCK_UNMEASURED - 1)),
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
