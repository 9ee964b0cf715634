import { crc32 } from "node:zlib";
import type { BoardFacts } from "../../boards/board-facts.ts";
import { LABEL_FILE, LOG_FILE, PAGE_BYTES } from "../../protocols/log-format.ts";
import { DeviceError } from "../errors.ts";
import { atLeast, type InterpreterVersion } from "./interpreter-version.ts";
import { encodeLogHead, logFileBytes, STORAGE_HEADER_BYTES } from "./log-head.ts";
import { sendFile } from "./packets.ts";
import type { Repl } from "./repl.ts";
import { CODE_FILE, ownPages, RECOVERY_FILE } from "./storage-survey.ts";

// Replaces the code in Storage so that a cut at any moment leaves either code that is whole or none that runs.
//
// The file is written with four bytes of 0xFF where its first word belongs: code that begins like that stops the interpreter at its first
// token, nothing of it runs. Once the rest has been checked on the board the first word is written into the blank place: one word of
// flash, the smallest thing that can be done there. Storage.write would begin a new file for that; Flash.write changes the word alone.

const BLANK = 0xff;
export const FIRST_WORD_BYTES = 4;
/** Text uploads: what fits a line of some 700 characters of base64. */
const PIECE_BYTES = 512;
/** Erasing a page takes 90 ms, writing it 350 ms. */
const FLASH_MS = 15_000;
/** Erasing all of a chip of 8 MB takes up to 100 s. */
const CHIP_ERASE_MS = 150_000;

export interface Layout {
  facts: BoardFacts;
  /** Pages in the ring of the log. */
  logPages: number;
  /** Pages behind it, in the same file. */
  pagesBehind: number;
}

function addressAfterLog({ facts, logPages, pagesBehind }: Layout): number {
  return facts.storage.address + (1 + logPages + pagesBehind) * PAGE_BYTES;
}
function storageEnd({ facts }: Layout): number {
  return facts.storage.address + ownPages(facts) * facts.storage.pageBytes;
}

/** Largest code that has room behind a log, beside a file for the start of so many bytes. */
export function roomForCode(layout: Layout, recoveryBytes: number): number {
  const beside = recoveryBytes > 0 ? STORAGE_HEADER_BYTES + Math.ceil(recoveryBytes / 4) * 4 : 0;
  return storageEnd(layout) - addressAfterLog(layout) - STORAGE_HEADER_BYTES - beside;
}

/** Erases all of Storage and makes an empty log, first in Storage, under the random `id` (8 bytes). */
export async function createLog(repl: Repl, layout: Layout, id: Uint8Array): Promise<void> {
  const head = Buffer.from(encodeLogHead(id, layout.logPages, layout.pagesBehind)).toString("base64");
  const address = layout.facts.storage.address + STORAGE_HEADER_BYTES;
  await repl.evaluate(`require("Storage").eraseAll()`, layout.facts.storage.internal ? FLASH_MS : CHIP_ERASE_MS);
  await repl.evaluate(`require("Storage").write("${LOG_FILE}",atob("${head}"),0,${logFileBytes(layout.logPages + layout.pagesBehind)})`, FLASH_MS);
  const written = await repl.evaluate(`btoa(require("Flash").read(${encodeLogHead(id, 1).length},${address}))`, FLASH_MS, 3);
  if (written !== head)
    throw new DeviceError(
      "flash_failed",
      `${repl.name}: the log was made, but is not where it belongs (${address}); run the command again with --erase`,
    );
}

/** Takes the old code away and makes the pages behind the log blank, the last one first: whatever is left in between is a chain of files that holds. */
export async function clearCode(repl: Repl, layout: Layout): Promise<void> {
  const from = addressAfterLog(layout);
  await repl.evaluate(`require("Storage").erase("${CODE_FILE}")`, FLASH_MS);
  await repl.evaluate(
    `(function(F,a){for(;a>=${from};a-=${PAGE_BYTES})F.erasePage(a)})(require("Flash"),${storageEnd(layout) - PAGE_BYTES})`,
    FLASH_MS,
    2,
  );
}

/** How the code got there. */
export type Way = "packets" | "text";

/**
 * Writes `code` behind the log and checks it there, but for its first word. Packets where the interpreter has them; text lines, each checked
 * on its own, where it has not or where packets fail.
 * @throws DeviceError "flash_failed", and those of the link
 */
export async function uploadCode(
  repl: Repl,
  version: InterpreterVersion,
  layout: Layout,
  code: Uint8Array,
  onProgress: (done: number) => void,
): Promise<Way> {
  const unfinished = Buffer.from(code);
  unfinished.fill(BLANK, 0, FIRST_WORD_BYTES);
  if (atLeast(version, 2, 25)) {
    try {
      await sendFile(repl, CODE_FILE, unfinished, onProgress);
      if (await restIsRight(repl, code)) return "packets";
    } catch (error) {
      if (!(error instanceof DeviceError) || error.code === "disconnected") throw error;
    }
    // a packet that was cut short holds the console for 5 s: reaching it waits for that
    await repl.attach();
    await clearCode(repl, layout);
  }
  await sendAsText(repl, unfinished, onProgress);
  if (await restIsRight(repl, code)) return "text";
  throw new DeviceError("flash_failed", `${repl.name}: the code arrived damaged twice; check the cable and the ground, then run the command again`);
}

async function sendAsText(repl: Repl, content: Uint8Array, onProgress: (done: number) => void): Promise<void> {
  for (let at = 0; at < content.length; at += PIECE_BYTES) {
    const piece = content.subarray(at, at + PIECE_BYTES);
    const text = Buffer.from(piece).toString("base64");
    // a line may be sent again: what is there already is left alone
    const line =
      `(function(S,d){if(E.CRC32(d)!=${crc32(piece)})return 0;if(S.read("${CODE_FILE}",${at},${piece.length})!==d)` +
      `S.write("${CODE_FILE}",d,${at},${content.length});return 1})(require("Storage"),atob("${text}"))`;
    const stored = await repl.evaluate(line, FLASH_MS / 3, 3);
    if (stored !== 1) {
      if ((await repl.evaluate(line, FLASH_MS / 3, 3)) !== 1)
        throw new DeviceError(
          "flash_failed",
          `${repl.name}: byte ${at} on arrives damaged; check the cable and the ground, then run the command again`,
        );
    }
    onProgress(at + piece.length);
  }
}

async function restIsRight(repl: Repl, code: Uint8Array): Promise<boolean> {
  const answer = await repl.evaluate(
    `(function(c){return c===undefined?0:[c.length,E.CRC32(c)]})(require("Storage").read("${CODE_FILE}",${FIRST_WORD_BYTES}))`,
    FLASH_MS,
    3,
  );
  const rest = code.subarray(FIRST_WORD_BYTES);
  return Array.isArray(answer) && answer[0] === rest.length && answer[1] >>> 0 === crc32(rest);
}

/** Writes what runs at power-on, before the code may run: a lock is no lock without it. */
export async function writeRecovery(repl: Repl, content: Uint8Array): Promise<void> {
  const crc = crc32(content);
  const line = (read: string) => `(function(S){${read}return E.CRC32(S.read("${RECOVERY_FILE}")||"")})(require("Storage"))`;
  const text = Buffer.from(content).toString("base64");
  const written = await repl.evaluate(line(`S.write("${RECOVERY_FILE}",atob("${text}"));`), FLASH_MS, 2);
  if (Number(written) >>> 0 !== crc && Number(await repl.evaluate(line(""), FLASH_MS, 3)) >>> 0 !== crc)
    throw new DeviceError("flash_failed", `${repl.name}: ${RECOVERY_FILE} does not read back right; run the command again`);
}

/** Writes the first word: from here on the code runs when the board starts. Checks the whole file; answers by what. */
export async function commitCode(repl: Repl, layout: Layout, code: Uint8Array, sha256: string): Promise<"SHA-256" | "CRC-32"> {
  const header = addressAfterLog(layout);
  const address = header + STORAGE_HEADER_BYTES;
  const name = await repl.evaluate(`E.toString(require("Flash").read(${CODE_FILE.length},${header + 4}))`, FLASH_MS, 3);
  if (name !== CODE_FILE)
    throw new DeviceError("flash_failed", `${repl.name}: the code is not where it belongs, behind the log; run the command again with --erase`);
  const word = Buffer.from(code.subarray(0, FIRST_WORD_BYTES)).toString("base64");
  await repl.evaluate(`require("Flash").write(atob("${word}"),${address})`, FLASH_MS, 2);
  const [crc, digest] = (await repl.evaluate(
    `(function(c,h){try{h=btoa(new Uint8Array(require("crypto").SHA256(c)))}catch(e){}return[E.CRC32(c),h||0]})(require("Storage").read("${CODE_FILE}"))`,
    FLASH_MS,
    3,
  )) as [number, string | 0];
  const digestRight = digest === 0 || Buffer.from(digest, "base64").toString("hex") === sha256;
  if (crc >>> 0 === crc32(code) && digestRight) return digest === 0 ? "CRC-32" : "SHA-256";
  await repl.evaluate(`require("Storage").erase("${CODE_FILE}")`, FLASH_MS);
  throw new DeviceError("flash_failed", `${repl.name}: what was written does not read back right and was taken away again; run the command again`);
}

/** Writes the picture for the board's screen behind the code. False: there is no room, or it does not read back right; then the screen does without. */
export async function storeLabel(repl: Repl, image: Uint8Array): Promise<boolean> {
  const needed = STORAGE_HEADER_BYTES + Math.ceil(image.length / 4) * 4;
  // asked before: a file that doesn't fit would have the interpreter compact
  const line =
    `(function(S,d){if(S.getStats().freeBytes<${needed})return 0;S.write("${LABEL_FILE}",d);return E.CRC32(S.read("${LABEL_FILE}"))})` +
    `(require("Storage"),atob("${Buffer.from(image).toString("base64")}"))`;
  return Number(await repl.evaluate(line, FLASH_MS)) >>> 0 === crc32(image);
}
