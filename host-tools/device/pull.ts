import type { DeviceStatus } from "../../protocols/device-link.ts";
import { CLOCK, DELETED, LOG_VERSION, SLOT_BYTES, SLOTS } from "../../protocols/log-format.ts";
import { DeviceError, FormatError } from "../errors.ts";
import { type Board, decodeBlockAnswer, type RecordBlock } from "./board.ts";
import { type ContactStore, noteClock } from "./clock-contact.ts";
import { type BoardDescription, describeBoard } from "./description.ts";
import { readLogHead } from "./log-head.ts";
import { EMPTY_LINE } from "./repl.ts";

/** Where pulled records go. Once `commitPull` has resolved they must outlast a power cut. The store fits. */
export interface PullStore extends Partial<ContactStore> {
  /** By log id: the sequence number before which everything is there. */
  positions(): Promise<Map<string, number>>;
  boards(): Promise<{ id: string; logs: { logId: string }[] }[]>;
  commitPull(
    board: BoardDescription,
    blocks: RecordBlock[],
  ): Promise<{ added: number; encounters: number; upTo: number; damaged: { seq: number; reason: string }[] }>;
}

export interface PullOptions {
  /** Only says what would be pulled. */
  dryRun?: boolean;
  /** Slots for each request. */
  slotsPerRequest?: number;
  /** Records behind us and in all. */
  onProgress?(done: number, total: number): void;
  /** Records that are committed together. */
  batch?: number;
}

export interface Pulled {
  logId: string;
  /** Has this board had another log before? */
  freshLog: boolean;
  /** Sequence numbers: the pull began at `from`; everything before `upTo` is in the store. */
  from: number;
  upTo: number;
  /** New in the store; repeats are not counted. */
  added: number;
  encounters: number;
  /** Slots whose check failed. */
  damaged: number;
  /** Records that the board gave up or lost before we came for them. */
  lost: number;
  /** Frames that were damaged on the wire and asked for again. */
  repeated: number;
  seconds: number;
  /** What the board's clock was seen to be, where the store keeps contacts: ms ahead of ours (undefined: not set), and its drift since the contact before. */
  clock?: { offsetMs?: number; driftPpm?: number };
  /** Bytes of slots over the wire. */
  bytes: number;
  status: DeviceStatus;
  warnings: string[];
}

/** Five of these are a page. Larger ones cost the board's memory, smaller ones the wire. */
const SLOTS_PER_REQUEST = 29;
/** Requests under way: while one answer is on the wire the board has the next question. */
const WINDOW = 2;
const BATCH = 580;
/** For the board to find a page and build an answer. */
const ANSWER_MS = 2500;
const FAILURES_IN_A_ROW = 5;
/** Each acknowledgement is a record itself: not worth it for less than so many clock records. */
const WORTH_ACKNOWLEDGING = 50;

/**
 * Fetches what the store does not have yet, commits it, and then tells the board. Whatever is cut off in between, the next pull goes on where
 * the store ends: a record may come twice, and then adds nothing; none is left out.
 * @throws DeviceError "no_log", "log_newer", and those of the link. What had arrived is committed first.
 */
export async function pullLog(board: Board, store: PullStore, options: PullOptions = {}): Promise<Pulled> {
  await board.requireFirmware();
  const status = await board.status();
  await requireReadableLog(board, status);
  const description = describeBoard(board, status);
  const positions = await store.positions();
  const known = positions.get(status.id) ?? 0;
  // not from `lo` on: of what is older the board may still hold a part
  const from = known;
  const others = (await store.boards()).find((one) => one.id === description.id)?.logs ?? [];
  const pulled: Pulled = {
    logId: status.id,
    freshLog: !positions.has(status.id) && others.length > 0,
    from,
    upTo: known,
    added: 0,
    encounters: 0,
    damaged: 0,
    lost: 0,
    repeated: 0,
    seconds: 0,
    bytes: 0,
    status,
    warnings: [],
  };
  if (known > status.hi)
    pulled.warnings.push(
      `the board's log ends at ${status.hi}, but ${known} was pulled before: it lost pages; if its records don't come any more, begin a new log with \`tracelet flash --erase\``,
    );
  if (options.dryRun) return pulled;
  if (store.addClockSync && store.clockSyncs) {
    const seen = await noteClock(board, store as ContactStore);
    if (seen) pulled.clock = { offsetMs: seen.offsetMs, driftPpm: seen.driftPpm };
  }
  if (from >= status.hi) return pulled;

  const begun = board.clock.now();
  const damagedBefore = board.stream.damaged;
  let pending: RecordBlock[] = [];
  let pendingSlots = 0;
  let worthTelling = false;
  const commit = async () => {
    if (pending.length === 0) return;
    const blocks = pending;
    pending = [];
    pendingSlots = 0;
    const committed = await store.commitPull(description, blocks);
    pulled.added += committed.added;
    pulled.encounters += committed.encounters;
    pulled.damaged += committed.damaged.length;
    pulled.upTo = committed.upTo;
  };
  try {
    for await (const block of records(board, from, status.hi, options.slotsPerRequest ?? SLOTS_PER_REQUEST)) {
      pulled.lost += block.skipped;
      pulled.bytes += block.slots.length;
      pending.push(block);
      pendingSlots += block.slots.length / SLOT_BYTES;
      worthTelling ||= hasNews(block);
      options.onProgress?.(block.nextSeq - from, status.hi - from);
      if (pendingSlots >= (options.batch ?? BATCH)) await commit();
    }
  } catch (error) {
    // what came whole is kept, so that the next pull need not fetch it again
    await commit();
    throw error;
  }
  await commit();
  pulled.seconds = board.clock.now() - begun;
  pulled.repeated = board.stream.damaged - damagedBefore;
  if (worthTelling || pulled.upTo - status.ak > WORTH_ACKNOWLEDGING) await board.acknowledge(pulled.upTo);
  return pulled;
}

async function requireReadableLog(board: Board, status: DeviceStatus): Promise<void> {
  const head = await readLogHead(board.repl);
  if (head && head.version > LOG_VERSION)
    throw new FormatError(
      "log_newer",
      `${board.name}: its log has format ${head.version}, this program reads up to ${LOG_VERSION}; update Tracelet on the hub, the log stays as it is`,
    );
  if (!status.id || !head)
    throw new DeviceError("no_log", `${board.name}: the firmware runs, but the board has no usable log file; \`tracelet flash --erase\` makes one`);
}

/** Is there anything but clock records and blanks in it? */
function hasNews(block: RecordBlock): boolean {
  for (let at = SLOT_BYTES - 1; at < block.slots.length; at += SLOT_BYTES) {
    const kind = block.slots[at] >> 5;
    if (kind !== CLOCK && kind !== DELETED) return true;
  }
  return false;
}

/**
 * The blocks from `from` up to `end`, each once and in order. `skipped`: records after it that the board no longer has.
 * Answers carry the number they begin with, so one that is lost or damaged shows by the next one, and is asked for again.
 */
async function* records(board: Board, from: number, end: number, perRequest: number): AsyncGenerator<RecordBlock & { skipped: number }> {
  const { stream, repl } = board;
  const asked: { seq: number; predictedNext: number }[] = [];
  const early = new Map<number, RecordBlock>();
  let at = from;
  let failures = 0;

  const ask = async (seq: number) => {
    const pageEnd = seq - (seq % SLOTS) + SLOTS;
    const predictedNext = Math.min(seq + perRequest, pageEnd, end);
    asked.push({ seq, predictedNext });
    await board.requestRecords(seq, predictedNext - seq);
  };
  const keepAsking = async () => {
    while (asked.length < WINDOW) {
      const seq = nextToAsk(at, asked, early);
      if (seq >= end) return;
      await ask(seq);
    }
  };
  const startAgain = async () => {
    asked.length = 0;
    early.clear();
    stream.clear();
    await stream.writeText(EMPTY_LINE);
  };

  stream.clear();
  while (at < end) {
    await keepAsking();
    const damagedBefore = stream.damaged;
    const answer = await stream.wait(
      () => takeBlock(stream.frames) ?? (stream.damaged > damagedBefore && asked.length === 1 ? "damaged" : undefined),
      ANSWER_MS + repl.wireMs(perRequest * SLOT_BYTES),
      repl.wireMs(perRequest * SLOT_BYTES * 2),
    );
    if (answer === undefined || answer === "damaged" || answer === "refused") {
      // a refusal may be a stranger's bytes out of a damaged frame: believed when it comes again
      if (++failures >= FAILURES_IN_A_ROW) throw failed(board, at, answer, stream.damaged);
      await startAgain();
      continue;
    }
    const place = asked.findIndex((request) => request.seq === answer.seq);
    if (place < 0) continue; // an answer to a question that was given up
    failures = 0;
    const overtaken = asked.splice(0, place + 1).slice(0, -1);
    early.set(answer.seq, answer);
    for (const request of overtaken) await ask(request.seq);
    for (let block = early.get(at); block; block = early.get(at)) {
      early.delete(at);
      if (block.nextSeq <= at) return; // the board says its log ends here
      const held = block.slots.length / SLOT_BYTES;
      yield { ...block, skipped: block.nextSeq - block.seq - held };
      at = block.nextSeq;
      for (const seq of early.keys()) if (seq < at) early.delete(seq);
    }
  }
}

/** The first sequence number from `at` on that is neither here nor asked for. */
function nextToAsk(at: number, asked: { seq: number; predictedNext: number }[], early: Map<number, RecordBlock>): number {
  for (let seq = at; ; ) {
    const under = asked.find((request) => request.seq === seq)?.predictedNext ?? early.get(seq)?.nextSeq;
    if (under === undefined || under <= seq) return seq;
    seq = under;
  }
}

function takeBlock(frames: { payload: Uint8Array }[]): RecordBlock | "refused" | undefined {
  for (let frame = frames.shift(); frame; frame = frames.shift()) {
    if (frame.payload[0] === 0x21 && frame.payload.length <= 8) return "refused";
    const block = decodeBlockAnswer(frame.payload);
    if (block) return block;
  }
  return undefined;
}

function failed(board: Board, at: number, answer: "damaged" | "refused" | undefined, damaged: number): DeviceError {
  if (answer === "refused")
    return new DeviceError("refused_log", `${board.name}: the board refuses to hand over records from ${at} on; look at \`tracelet status\``);
  if (answer === "damaged" || damaged > 0)
    return new DeviceError(
      "damaged",
      `${board.name}: records from ${at} on arrive damaged again and again; check the cable and the ground, or try \`--no-fast\``,
    );
  return new DeviceError("timeout", `${board.name}: the board stopped answering at record ${at}; what came before is stored: pull again`);
}
