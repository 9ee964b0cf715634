import type { BoardFacts } from "../../boards/board-facts.ts";
import { LEAST_LOG_PAGES } from "../../boards/capabilities.ts";
import { PAGE_BYTES, SLOTS } from "../../protocols/log-format.ts";
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
  /** Size of the log file to create, so that its ring ends with a page. */
  logBytes: number;
  /** Encounters that are held at any time: one page of the ring may just have been emptied, and own keys move along. */
  guaranteedEncounters: number;
  /** Encounters that an empty log takes before it drops the first. */
  maximumEncounters: number;
}

/** Size of a file in flash: header, data, padding to whole words. */
export function fileBytes(bytes: number): number {
  return FILE_HEADER + Math.ceil(bytes / 4) * 4;
}

/** Records that begin each page: settings and clock (see firmware/encounter-log.ts). */
const PAGE_RECORDS = 2;

/**
 * `keys`: own keys that are kept at a time.
 * @throws ConfigError `code_too_large` where the code leaves less than two pages of ring.
 */
export function planFlash(facts: BoardFacts, bytes: number, keys: number): FlashPlan {
  const { pages, pageBytes } = facts.storage;
  if (pageBytes !== PAGE_BYTES)
    throw new ConfigError("page_size", `${facts.name} has pages of ${pageBytes} bytes; the log is made for ${PAGE_BYTES}`);
  const codePages = Math.ceil(fileBytes(bytes) / pageBytes);
  const ringPages = pages - 1 - codePages;
  if (ringPages < LEAST_LOG_PAGES - 1) {
    const most = (pages - LEAST_LOG_PAGES) * pageBytes - FILE_HEADER;
    throw new ConfigError(
      "code_too_large",
      `The bundle for ${facts.name} has ${bytes} bytes; beside a log of ${LEAST_LOG_PAGES} pages there is room for ${most}: leave out a protocol or choose a smaller role`,
    );
  }
  return {
    pages,
    codePages,
    ringPages,
    logBytes: (1 + ringPages) * pageBytes - FILE_HEADER,
    guaranteedEncounters: (ringPages - 1) * (SLOTS - PAGE_RECORDS) - keys,
    // page 0 and the ring, less the mark of the start
    maximumEncounters: (1 + ringPages) * (SLOTS - PAGE_RECORDS) - keys - 1,
  };
}
