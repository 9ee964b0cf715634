import { PROGRAM_BYTES, tornProgram } from "../host-tools/simulator/flash.ts";
import { SeededRandom } from "../host-tools/simulator/seeded-random.ts";
import { readU32 } from "../protocols/bytes.ts";
import { PAGE_BYTES, PAGE_HEADER_BYTES, PAGE_WORDS, TEK, WORD_BYTES } from "../protocols/log-format.ts";
import { RETENTION } from "../protocols/settings.ts";
import {
  encounterRecord,
  type FlashOperation,
  type HistoryStep,
  LoggedFlash,
  type LogHistory,
  loadLogCode,
  type StartLog,
  writeBytes,
} from "./log-history.ts";
import { emptyImage, type ImagePage, pagesIn, recordsIn } from "./log-image.ts";

// The power is cut at every byte of every operation of a log's life; each time the firmware's own code opens what is left, and everything that was there is looked for.

export interface CutReport {
  /** Cuts in writes, by bytes done; in words of which any of the bits were written; in program operations of a chip on SPI, of which any bits were; in erases. */
  bytePoints: number;
  bitPoints: number;
  programPoints: number;
  erasePoints: number;
  /** Of all of them: what was wrong, in words; nothing, where the log holds what it promises. */
  losses: string[];
  /** Most that one opening and one record took. */
  mostErases: number;
  pages: number;
}

/** Which cuts to make of a step. Default: all. */
export type Choice = (step: number, byte: number) => boolean;

/** Ends of an erase that was cut: by the part that is erased, from either end, or by the chance of each bit to be erased. */
const ERASE_PARTS = [0.02, 0.25, 0.5, 0.75, 0.98];
const ERASE_CHANCES = [0.02, 0.3, 0.7, 0.98];

export async function cutEverywhere(history: LogHistory, choose: Choice = () => true): Promise<CutReport> {
  const start = await loadLogCode(history.board);
  const { onSpi } = history;
  const report: CutReport = { bytePoints: 0, bitPoints: 0, programPoints: 0, erasePoints: 0, losses: [], mostErases: 0, pages: 0 };
  const random = new SeededRandom(99);
  const image = emptyImage(history.ringPages);
  history.steps.forEach((step, number) => {
    const chosen = Array.from({ length: step.bytes?.length ?? 1 }, (_, i) => i).filter((i) => choose(number, i));
    if (chosen.length > 0) {
      const state = survey(image, history.ringPages);
      const attempt = (what: string, left: Buffer) => {
        for (const loss of reopen(start, state, step, left, random, report, onSpi)) report.losses.push(`step ${number}, ${what}: ${loss}`);
      };
      if (step.bytes && onSpi) {
        for (const [how, left] of tornPrograms(image, step.at, step.bytes, chosen.length, random)) {
          report.programPoints++;
          attempt(how, left);
        }
      } else if (step.bytes) {
        for (const done of chosen) {
          report.bytePoints++;
          attempt(`${done} bytes written`, written(image, step.at, step.bytes.subarray(0, done)));
          // in the middle of the word that this byte begins
          if (done % WORD_BYTES) continue;
          report.bitPoints++;
          const word = step.bytes.subarray(done, done + WORD_BYTES).map((byte) => byte | (random.next() * 256));
          attempt(`some bits of the word at ${done}`, written(image, step.at, Buffer.concat([step.bytes.subarray(0, done), word])));
        }
      } else {
        for (const [how, left] of halfErased(image, step.at, random, onSpi)) {
          report.erasePoints++;
          attempt(how, left);
        }
      }
    }
    if (step.bytes) writeBytes(image, step.at, step.bytes);
    else image.fill(0xff, step.at, step.at + PAGE_BYTES);
  });
  report.pages = (pagesIn(image).at(-1)?.page ?? -1) + 1;
  return report;
}

function written(image: Buffer, at: number, bytes: Uint8Array): Buffer {
  const left = Buffer.from(image);
  writeBytes(left, at, bytes);
  return left;
}

/** Cuts in the program operations of one write: `times` of them, each with some of the bits of one operation and all of those before it. */
function* tornPrograms(image: Buffer, at: number, bytes: Uint8Array, times: number, random: SeededRandom): Generator<[string, Buffer]> {
  const border = Math.min(bytes.length, PROGRAM_BYTES - (at % PROGRAM_BYTES));
  for (let i = 0; i < times; i++) {
    const from = i % 2 && border < bytes.length ? border : 0;
    const until = from ? bytes.length : border;
    const torn = Buffer.concat([bytes.subarray(0, from), tornProgram(bytes.subarray(from, until), random)]);
    yield [`some bits of the bytes ${from} to ${until - 1}`, written(image, at, torn)];
  }
}

function* halfErased(image: Buffer, at: number, random: SeededRandom, onSpi: boolean): Generator<[string, Buffer]> {
  if (onSpi) {
    // whatever the page had: anything
    const left = Buffer.from(image);
    for (let i = at; i < at + PAGE_BYTES; i++) left[i] = random.next() * 256;
    yield ["anything in the page", left];
  }
  for (const part of ERASE_PARTS) {
    for (const fromEnd of [false, true]) {
      const left = Buffer.from(image);
      const bytes = Math.floor(part * PAGE_BYTES);
      left.fill(0xff, fromEnd ? at + PAGE_BYTES - bytes : at, fromEnd ? at + PAGE_BYTES : at + bytes);
      yield [`${bytes} bytes erased from the ${fromEnd ? "end" : "beginning"}`, left];
    }
  }
  for (const chance of ERASE_CHANCES) {
    const left = Buffer.from(image);
    for (let i = at; i < at + PAGE_BYTES; i++) for (let bit = 1; bit < 256; bit *= 2) if (random.next() < chance) left[i] |= bit;
    yield [`each bit erased with a chance of ${chance}`, left];
  }
}

interface Survey {
  image: Buffer;
  ringPages: number;
  pages: (ImagePage & ReturnType<typeof recordsIn> & { end: number })[];
}

function survey(image: Buffer, ringPages: number): Survey {
  const pages = pagesIn(image).map((page) => {
    const begin = page.at + PAGE_HEADER_BYTES;
    let end = begin + PAGE_WORDS * WORD_BYTES;
    while (end > begin && image[end - 1] === 0xff) end--;
    return { ...page, ...recordsIn(image, page), end };
  });
  return { image, ringPages, pages };
}

const keyOf = (record: Buffer) => record.toString("hex", 1, 17);
const isKey = (record: Buffer) => (record[0] & 15) === TEK;

/** Opens what a cut has left, writes one record more, and tells what is not as it must be. `left` is changed. */
function reopen(
  start: StartLog,
  { image, ringPages, pages }: Survey,
  step: HistoryStep,
  left: Buffer,
  random: SeededRandom,
  report: CutReport,
  onSpi: boolean,
): string[] {
  const losses: string[] = [];
  const done: FlashOperation[] = [];
  const flash = new LoggedFlash(left, (operation) => {
    const { at, bytes } = operation;
    done.push(operation);
    const isZero = bytes?.every((byte, i) => byte === 0 || (i === 0 && byte === 1));
    // on SPI a check goes in, and out, with the bytes beside it as they are
    const isKept = (byte: number, i: number) => onSpi && (bytes![i] === byte || bytes![i] === 0);
    if (bytes && !isZero && !left.subarray(at, at + bytes.length).every((byte, i) => byte === 0xff || isKept(byte, i)))
      losses.push(`writes over what stands at ${at}`);
  });
  const log = start(flash, { now: step.now + 60 });
  log.open();
  const [, era, acknowledged] = log.state();
  const { before, after } = step;
  if (era !== before.era + 1 && era !== after.era + 1) losses.push(`era ${era} after ${before.era}`);
  if (acknowledged !== before.acknowledged && acknowledged !== after.acknowledged)
    losses.push(`acknowledged ${acknowledged}, was ${before.acknowledged}`);
  const settings = log.settings.join();
  if (settings !== before.settings && settings !== after.settings && before.era > 0) losses.push(`settings ${settings}, were ${before.settings}`);
  const fresh = encounterRecord(random, random.next() < 0.5);
  log.baseTick();
  log.append(fresh);
  // on SPI a record is the last three operations
  const own = done.at(onSpi ? -3 : -1)!.at;
  /** Is it the record that the step writes or deletes? */
  const isMeant = (at: number, record: Uint8Array) => at <= step.at && step.at < at + record.length;
  const [, , , errors] = log.state();
  if (errors > 0) losses.push(`${errors} records did not read back`);

  // an expired key is not moved on
  const isExpired = (key: Buffer) => readU32(key, 17) * 600 + (log.settings[RETENTION] + 1) * 86400 <= step.now + 60;
  const now = pagesIn(left);
  const newest = pages.at(-1)?.page ?? -1;
  const keys = new Set<string>();
  const newPages = now.map((page) => {
    const was = pages.find((one) => one.page === page.page && one.at === page.at);
    const isSame = was && image.compare(left, page.at, page.at + PAGE_BYTES, page.at, page.at + PAGE_BYTES) === 0;
    const found = isSame ? was : recordsIn(left, page);
    for (const record of found.whole.values()) if (isKey(record)) keys.add(keyOf(record));
    return { ...page, ...found };
  });
  if (!newPages.some(({ whole }) => whole.has(own))) losses.push("the next record can't be read");
  for (const page of pages) {
    const same = newPages.find((one) => one.page === page.page && one.at === page.at);
    if (!same) {
      // only the oldest page of a full ring gives way, to the one that follows the newest
      if (page.page === 0 || page.page !== newest + 1 - ringPages) losses.push(`page ${page.page} is gone`);
    } else if (image.compare(left, page.at, page.end, page.at, page.end) !== 0) {
      for (const [at, record] of page.whole) {
        const there = same.whole.get(at);
        if (there?.equals(record) || isMeant(at, record)) continue;
        if (!isKey(record) || !(keys.has(keyOf(record)) || isExpired(record))) losses.push(`record at ${at} is lost`);
      }
    }
    if (!same) continue;
    const strange = [...same.whole].filter(
      ([at, record]) => at < page.end && !page.whole.has(at) && !isMeant(at, record) && !done.some((one) => one.at === at),
    );
    if (strange.length > 0) losses.push(`${strange.length} records out of nothing`);
    if (same.torn.length > page.torn.length + 1) losses.push(`${same.torn.length - page.torn.length} torn records`);
  }
  for (const page of pages) {
    for (const [at, record] of page.whole) {
      if (!isKey(record) || isMeant(at, record) || isExpired(record)) continue;
      if (!keys.has(keyOf(record))) losses.push(`the key at ${at} is lost`);
    }
  }
  const erases = done.filter(({ bytes }) => !bytes).length;
  report.mostErases = Math.max(report.mostErases, erases);
  if (erases > 1) losses.push(`${erases} erases`);
  return losses;
}
