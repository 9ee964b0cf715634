import { crc32 } from "node:zlib";
import { readU32 } from "../../protocols/bytes.ts";
import { HEAD_BYTES, HEAD_MAGIC, LOG_FILE, LOG_ID_BYTES, LOG_VERSION, PAGE_BYTES } from "../../protocols/log-format.ts";
import type { Repl } from "./repl.ts";

const HEAD_CRC_AT = 28;
const VERSION_AT = 3;
const PAGES_AT = 12;
const BEHIND_AT = 13;
const NONE_BEHIND = 0xff;
/** A file's own header in Storage. Source: Espruino src/jsflash.h, JsfFileHeader. */
export const STORAGE_HEADER_BYTES = 32;

export interface LogHead {
  /** Format version of the log; newer ones can't be read here. */
  version: number;
  /** 16 hex digits. */
  id: string;
  /** Flash pages in the ring. */
  pages: number;
  /** Pages behind the ring, for TempIDs. */
  pagesBehind: number;
}

/** The head of a log file: 32 bytes of protocols/log-format.ts. `id`: 8 bytes. */
export function encodeLogHead(id: Uint8Array, pages: number, pagesBehind = 0): Uint8Array {
  const head = Buffer.alloc(HEAD_BYTES, 0xff);
  head.writeUInt32LE(HEAD_MAGIC, 0);
  head.set(id.subarray(0, LOG_ID_BYTES), 4);
  head[PAGES_AT] = pages;
  head[BEHIND_AT] = pagesBehind || NONE_BEHIND;
  head.writeUInt32LE(crc32(head.subarray(0, HEAD_CRC_AT)), HEAD_CRC_AT);
  return head;
}

/** `undefined`: not a head of ours, or damaged. A head of another version is told by its version; the rest of it may mean anything. */
export function decodeLogHead(head: Uint8Array): LogHead | undefined {
  if (head.length < HEAD_BYTES || ((readU32(head, 0) ^ HEAD_MAGIC) & 0xffffff) !== 0) return undefined;
  const version = head[VERSION_AT];
  if (version === LOG_VERSION && readU32(head, HEAD_CRC_AT) !== crc32(head.subarray(0, HEAD_CRC_AT))) return undefined;
  const pagesBehind = head[BEHIND_AT] === NONE_BEHIND ? 0 : head[BEHIND_AT];
  return { version, id: Buffer.from(head.subarray(4, 4 + LOG_ID_BYTES)).toString("hex"), pages: head[PAGES_AT], pagesBehind };
}

/** Size of the log file in Storage: head, ring and what is behind it, so that with the file's header it fills whole flash pages. */
export function logFileBytes(pages: number): number {
  return pages * PAGE_BYTES + (PAGE_BYTES - STORAGE_HEADER_BYTES);
}

/** First bytes of a file in Storage; `undefined` if there is no such file. */
export async function readFileStart(repl: Repl, name: string, length: number): Promise<Uint8Array | undefined> {
  const text = await repl.evaluate(
    `(function(s){return s===undefined?0:btoa(s)})(require("Storage").read(${JSON.stringify(name)},0,${length}))`,
    undefined,
    3,
  );
  return typeof text === "string" ? Buffer.from(text, "base64") : undefined;
}

/** The head of the board's log; `undefined` if the file is absent or its head is not one. */
export async function readLogHead(repl: Repl): Promise<LogHead | undefined> {
  const bytes = await readFileStart(repl, LOG_FILE, HEAD_BYTES);
  return bytes && decodeLogHead(bytes);
}
