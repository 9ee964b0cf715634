import type { BoardFacts } from "../../boards/board-facts.ts";
import { LEAST_LOG_PAGES } from "../../boards/capabilities.ts";
import { TEMP_ID_PAGES } from "../../protocols/bluetrace/temp-id-page.ts";
import { DENSE_WORDS, LONG_WORDS, MEETING_RECORDS, PAGE_BYTES, PAGE_WORDS } from "../../protocols/log-format.ts";
import { ConfigError } from "../errors.ts";

/** Header of a file in the interpreter's Storage. */
const FILE_HEADER = 32;

/** How Storage is shared out: the log first, because the first file never moves, then the code. */
export interface FlashPlan {
  /** All pages of Storage. */
  pages: number;
  /** Pages the code takes, its file header included. */
  codePages: number;
  /** Pages of the log's ring. Its head shares a page of its own with the file header. */
  ringPages: number;
  /** Pages behind the ring, in the same file, that are none of the log: TempIDs. */
  pagesBehind: number;
  /** Size of the log file to create, so that its ring, and what is behind it, ends with a page. */
  logBytes: number;
  /** Encounters that are held at any time, in full (of BlueTrace meetings, three records each): one page of the ring may just have been emptied, and own keys move along. */
  guaranteedEncounters: number;
  /** Encounters that an empty log takes before it drops the first, in full. */
  maximumEncounters: number;
  /** The same for dense records. */
  guaranteedDense: number;
  maximumDense: number;
}

/** Size of a file in flash: header, data, padding to whole words. */
export function fileBytes(bytes: number): number {
  return FILE_HEADER + Math.ceil(bytes / 4) * 4;
}

/** Records that begin each page: settings and clock (see firmware/encounter-log.ts). */
const PAGE_RECORDS = 2;

/** Encounters of `words` each that `pages` pages take beside `longRecords` of other kinds. A page is full when the longest, of `longest` words, would not fit any more. */
function encountersIn(pages: number, words: number, longRecords: number, longest: number): number {
  const inPage = Math.floor((PAGE_WORDS - PAGE_RECORDS * LONG_WORDS - longest) / words) + 1;
  return pages * inPage - Math.ceil((longRecords * LONG_WORDS) / words);
}

/** What the log is for. */
interface LogUse {
  /** Keys that are kept at a time. */
  keys: number;
  /** Bytes of flash that a file behind the code takes. */
  beside?: number;
  /** A log of meetings, with pages for TempIDs behind its ring. */
  meetings?: boolean;
}

/**
 * @throws ConfigError `code_too_large` where the code leaves less than two pages of ring.
 */
export function planFlash(facts: BoardFacts, bytes: number, { keys, beside = 0, meetings = false }: LogUse): FlashPlan {
  const { pages, pageBytes } = facts.storage;
  if (pageBytes !== PAGE_BYTES)
    throw new ConfigError("page_size", `${facts.name} has pages of ${pageBytes} bytes; the log is made for ${PAGE_BYTES}`);
  const codePages = Math.ceil((fileBytes(bytes) + beside) / pageBytes);
  const pagesBehind = meetings ? TEMP_ID_PAGES : 0;
  const words = meetings ? MEETING_RECORDS * LONG_WORDS : LONG_WORDS;
  const ringPages = Math.min(pages - 1 - codePages - pagesBehind, facts.storage.ringPages ?? pages);
  if (ringPages < LEAST_LOG_PAGES - 1) {
    const most = (pages - LEAST_LOG_PAGES - pagesBehind) * pageBytes - FILE_HEADER - beside;
    throw new ConfigError(
      "code_too_large",
      `The bundle for ${facts.name} has ${bytes} bytes; beside a log of ${LEAST_LOG_PAGES + pagesBehind} pages there is room for ${most}: leave out a protocol or choose a smaller role`,
    );
  }
  return {
    pages,
    codePages,
    ringPages,
    pagesBehind,
    logBytes: (1 + ringPages + pagesBehind) * pageBytes - FILE_HEADER,
    guaranteedEncounters: encountersIn(ringPages - 1, words, keys, words),
    // page 0 and the ring, less the mark of the start
    maximumEncounters: encountersIn(1 + ringPages, words, keys + 1, words),
    guaranteedDense: encountersIn(ringPages - 1, DENSE_WORDS, keys, words),
    maximumDense: encountersIn(1 + ringPages, DENSE_WORDS, keys + 1, words),
  };
}
