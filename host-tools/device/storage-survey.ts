import { crc32 } from "node:zlib";
import { z } from "zod";
import type { BoardFacts } from "../../boards/board-facts.ts";
import { HEAD_BYTES, LABEL_FILE, LOG_FILE, LOG_VERSION, PAGE_BYTES, PAGE_MAGIC } from "../../protocols/log-format.ts";
import { DeviceError } from "../errors.ts";
import { decodeLogHead, type LogHead, logFileBytes, STORAGE_HEADER_BYTES } from "./log-head.ts";
import type { Repl } from "./repl.ts";

/** Saved code that runs when the board starts. */
export const CODE_FILE = ".bootcde";

/** Runs first when the board gets power (firmware/recovery.ts). Lies behind the code. */
export const RECOVERY_FILE = ".bootPowerOn";

/** What lies in a board's Storage, as far as it concerns us. */
export interface StorageSurvey {
  /**
   * `ours`: our log, where it belongs, and at most our code. `blank`: nothing of value, an attempt of ours that was cut short included.
   * `foreign`: files of others, or a log that is not where it belongs.
   */
  kind: "ours" | "blank" | "foreign";
  /** Names of all files, printable. */
  files: string[];
  /** Of our log; undefined without one. */
  head?: LogHead;
  /** Is there a page of a log with records? */
  hasRecords: boolean;
  /** Code that is there now: size in bytes and CRC-32. */
  code?: { bytes: number; crc: number };
  /** The same of our file for the start. */
  recovery?: { bytes: number; crc: number };
}

/** Pages behind a log of the largest size that code and label may take. */
const PAGES_BEHIND = 8;

/** Pages of Storage, from its beginning, that are ours on this board. On a chip of 2,048 pages all others stay blank, and looking at each would take minutes. */
export function ownPages({ storage }: BoardFacts): number {
  return storage.ringPages === undefined ? storage.pages : Math.min(storage.pages, 1 + storage.ringPages + PAGES_BEHIND);
}

const OURS = [LOG_FILE, CODE_FILE, LABEL_FILE];
const ANSWER_MS = 8000;
/** Page 0 of the log lies behind the head, in the first flash page of Storage. */
const FIRST_PAGE_AT = STORAGE_HEADER_BYTES + HEAD_BYTES;
/** Flash is looked through in parts, to spare the board's memory. */
const PART_BYTES = 1024;
const BLANK_PART = crc32(new Uint8Array(PART_BYTES).fill(0xff));
const number = z.number();
const numbers = z.array(number);
const surveyShape = z.tuple([z.array(z.string()), number, number, number, z.string(), numbers, numbers, number, number, number, number, number]);
/** A name of which only the beginning was written, or whose deletion was cut short (it begins with a zero then, and is listed as empty). */
function isTorn(name: string, whole: string): boolean {
  return name === "" || (name.endsWith("\xff") && whole.startsWith(name.replace(/\xff+$/, "")));
}

/** @throws DeviceError "other_build" if Storage is not where the board's facts say */
export async function surveyStorage(repl: Repl, facts: BoardFacts): Promise<StorageSurvey> {
  const { address, pages } = facts.storage;
  const last = address + ownPages(facts) * PAGE_BYTES;
  const line =
    `(function(S,F){var c=S.read("${CODE_FILE}"),r=S.read("${RECOVERY_FILE}"),l=S.read("${LOG_FILE}"),p=[],q=[],b,i,j,w;` +
    // of each page: its first word, which tells whether it belongs to a log, and whether it is blank
    `for(i=${address};i<${last};i+=${PAGE_BYTES}){b=F.read(4,i);p.push(b[0]|b[1]<<8|b[2]<<16);w=1;` +
    `for(j=0;j<${PAGE_BYTES};j+=${PART_BYTES})if(E.CRC32(F.read(${PART_BYTES},i+j))!=${BLANK_PART})w=0;q.push(w)}` +
    `return[S.list(),(w=S.getStats()).totalBytes,w.trashBytes,l===undefined?0:l.length,btoa(F.read(${FIRST_PAGE_AT + 4},${address})),` +
    `p,q,c===undefined?-1:c.length,c===undefined?0:E.CRC32(c),` +
    // somebody else's file of that name says nothing of our log, and has no bytes that were never written
    `r===undefined||r.indexOf("${LOG_FILE}")<0&&r.indexOf("\\xff")<0?-1:r.length,r===undefined?0:E.CRC32(r),` +
    `l===undefined||l.length<${PAGE_BYTES}||E.sum(F.read(${HEAD_BYTES},${address + STORAGE_HEADER_BYTES}))?0:1]})(require("Storage"),require("Flash"))`;
  const answer = surveyShape.safeParse(await repl.evaluate(line, ANSWER_MS, 3));
  if (!answer.success)
    throw new DeviceError("board_error", `${repl.name}: the board tells its Storage in a way that is not understood; update its interpreter`);
  const [names, total, trash, logBytes, start, magics, blanks, codeBytes, codeCrc, recoveryBytes, recoveryCrc, headless] = answer.data;
  if (total !== pages * PAGE_BYTES)
    throw new DeviceError(
      "other_build",
      `${repl.name}: its interpreter has ${total} bytes of Storage where ${facts.name} has ${pages * PAGE_BYTES}; put the ordinary Espruino build for ${facts.name} on it`,
    );
  const first = Buffer.from(start, "base64");
  const head = decodeLogHead(first.subarray(STORAGE_HEADER_BYTES));
  const inPlace = first.toString("latin1", 4, 4 + LOG_FILE.length + 1) === LOG_FILE + "\0";
  const strangers = names.filter(
    (name) =>
      !OURS.some((file) => name === file || isTorn(name, file)) && !isTorn(name, RECOVERY_FILE) && (name !== RECOVERY_FILE || recoveryBytes < 0),
  );
  const wholeLog =
    names.includes(LOG_FILE) &&
    inPlace &&
    head !== undefined &&
    (logBytes === logFileBytes(head.pages + head.pagesBehind) || head.version !== LOG_VERSION);
  const hasRecords = [...magics, first.readUIntLE(FIRST_PAGE_AT, 3)].includes(PAGE_MAGIC & 0xffffff);
  const none = strangers.length === 0 && codeBytes < 0;
  // a log that is half made has nothing behind it: the log comes first, and the code last
  const halfMade = none && !hasRecords && blanks.slice(1).every(Boolean);
  // files were here, and all are deleted
  const deleted = none && names.length === 0 && trash > 0 && !hasRecords;
  // the owner of a locked board has taken it back: all of the log was overwritten
  const wiped = inPlace && headless === 1 && !hasRecords;
  const kind = strangers.length > 0 ? "foreign" : wholeLog ? "ours" : halfMade || deleted || wiped ? "blank" : "foreign";
  return {
    kind,
    files: names.map(printableName),
    head: wholeLog ? head : undefined,
    hasRecords,
    code: codeBytes < 0 ? undefined : { bytes: codeBytes, crc: codeCrc >>> 0 },
    recovery: recoveryBytes < 0 ? undefined : { bytes: recoveryBytes, crc: recoveryCrc >>> 0 },
  };
}

/** StorageFiles end in a control character; torn names have bytes that no terminal shows. */
function printableName(name: string): string {
  return name.replace(/[^\x20-\x7e]/g, "?");
}
