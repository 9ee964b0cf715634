import type { DeviceStatus } from "../../protocols/device-link.ts";
import { BLANK, CLOCK, DELETED, LOG_VERSION, PAGE_WORDS, recordWords, WORD_BYTES } from "../../protocols/log-format.ts";
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
  /** Words for each request. */
  wordsPerRequest?: number;
  /** Words behind us and in all. */
  onProgress?(done: number, total: number): void;
  /** Words that are committed together. */
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
  /** Records whose check failed. */
  damaged: number;
  /** Bytes of records that the board gave up or lost before we came for them. */
  lost: number;
  /** Frames that were damaged on the wire and asked for again. */
  repeated: number;
  seconds: number;
  /** What the board's clock was seen to be, where the store keeps contacts: ms ahead of ours (undefined: not set), and its drift since the contact before. */
  clock?: { offsetMs?: number; driftPpm?: number };
  /** Bytes of records over the wire. */
  bytes: number;
  status: DeviceStatus;
  warnings: string[];
}

/** Five of these are a page. Larger ones cost the board's memory, smaller ones the wire. */
const WORDS_PER_REQUEST = 200;
/** Requests under way: while one answer is on the wire the board has the next question. */
const WINDOW = 2;
const BATCH = 4000;
/** For the board to find a page and build an answer. */
const ANSWER_MS = 2500;
const FAILURES_IN_A_ROW = 5;
/** Each acknowledgement is a record itself: not worth it for less than so many words of clock records. */
const WORTH_ACKNOWLEDGING = 350;

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
  let pendingWords = 0;
  let worthTelling = false;
  const commit = async () => {
    if (pending.length === 0) return;
    const blocks = pending;
    pending = [];
    pendingWords = 0;
    const committed = await store.commitPull(description, blocks);
    pulled.added += committed.added;
    pulled.encounters += committed.encounters;
    pulled.damaged += committed.damaged.length;
    pulled.upTo = committed.upTo;
  };
  try {
    for await (const block of records(board, from, status.hi, options.wordsPerRequest ?? WORDS_PER_REQUEST)) {
      if (block.era === 0) pulled.lost += (block.nextSeq - block.asked) * WORD_BYTES;
      pulled.bytes += block.slots.length;
      pending.push(block);
      pendingWords += block.nextSeq - block.asked;
      worthTelling ||= hasNews(block);
      options.onProgress?.(block.nextSeq - from, status.hi - from);
      if (pendingWords >= (options.batch ?? BATCH)) await commit();
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
function hasNews({ slots }: RecordBlock): boolean {
  for (let at = 0; at < slots.length; at += recordWords(slots[at]) * WORD_BYTES) {
    const kind = slots[at] & 15;
    if (kind !== CLOCK && kind !== DELETED && kind !== BLANK) return true;
  }
  return false;
}

/**
 * The blocks from `from` up to `end`, each once and in order. One of era 0 has no records: the board has lost that page.
 * Answers carry the number that was asked for, so one that is lost or damaged shows by the next one, and is asked for again.
 */
async function* records(board: Board, from: number, end: number, perRequest: number): AsyncGenerator<RecordBlock> {
  const { stream, repl } = board;
  const asked: { seq: number; predictedNext: number }[] = [];
  const early = new Map<number, RecordBlock>();
  let at = from;
  let failures = 0;

  const ask = async (seq: number) => {
    const pageEnd = seq - (seq % PAGE_WORDS) + PAGE_WORDS;
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
      ANSWER_MS + repl.wireMs(perRequest * WORD_BYTES),
      repl.wireMs(perRequest * WORD_BYTES * 2),
    );
    if (answer === undefined || answer === "damaged" || answer === "refused") {
      // a refusal may be a stranger's bytes out of a damaged frame: believed when it comes again
      if (++failures >= FAILURES_IN_A_ROW) throw failed(board, at, answer, stream.damaged);
      await startAgain();
      continue;
    }
    const place = asked.findIndex((request) => request.seq === answer.asked);
    if (place < 0) continue; // an answer to a question that was given up
    failures = 0;
    const overtaken = asked.splice(0, place + 1).slice(0, -1);
    early.set(answer.asked, answer);
    for (const request of overtaken) await ask(request.seq);
    for (let block = early.get(at); block; block = early.get(at)) {
      early.delete(at);
      if (block.nextSeq <= at) return; // the board says its log ends here
      yield block;
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
