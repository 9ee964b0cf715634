import type { BoardCore } from "./board-core.ts";
import { bytesOf, fromByteString, toByteString } from "./byte-arguments.ts";
import { FLASH_PAGE, flashProtected } from "./flash.ts";
import { parseJson, stringify } from "./json.ts";
import { asText, printValue, WRITE_JSON } from "./printer.ts";
import { padName, plainName, STORAGE_FILE, StorageError } from "./storage.ts";

const CHUNK_FILE_BYTES = FLASH_PAGE - 32;
const LAST_CHUNK = 255;
const READS_REMEMBERED = 8;

/**
 * Where strings that came out of Storage lie. A JavaScript string has no address, so the board remembers its last reads: a string that equals
 * one of them, while flash still holds it, is that piece of flash.
 */
export class MappedStrings {
  private reads: { text: string; address: number }[] = [];

  remember(text: string, address: number): void {
    this.reads = [{ text, address }, ...this.reads.filter((read) => read.address !== address)].slice(0, READS_REMEMBERED);
  }

  addressOf(core: BoardCore, text: string): number {
    const read = this.reads.find((one) => one.text === text);
    return read && toByteString(core.flash.read(read.address, text.length)) === text ? read.address : 0;
  }
}

/** `require("Storage")`. Source: Espruino 2v29, src/jswrap_storage.c. */
export function storageLibrary(core: BoardCore, mapped: MappedStrings): Record<string, unknown> {
  const { realm, storage } = core;
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      if (error instanceof StorageError) throw realm.error(error.message);
      throw error;
    }
  };
  const fileName = (name: unknown) => asText(realm, name);

  const read = (name: unknown, offset?: unknown, length?: unknown): string | undefined => {
    const file = storage.find(fileName(name));
    if (!file) return undefined;
    const from = Math.trunc(Number(offset)) || 0;
    const text = toByteString(storage.read(fileName(name), from, Math.trunc(Number(length)) || 0)!);
    mapped.remember(text, file.address + Math.min(Math.max(from, 0), file.size));
    return text;
  };

  const write = (name: unknown, data: unknown, offset: unknown, size: unknown): boolean => {
    const asObject = realm.isPlainObject(data);
    const bytes = asObject ? fromByteString(stringify(realm, data)) : storable(data);
    if (!bytes) throw realm.error("Can't get pointer to data to write");
    const number = (value: unknown) => (asObject ? 0 : Math.trunc(Number(value ?? 0)) || 0);
    return guarded(() => storage.write(fileName(name), bytes, 0, number(offset), number(size)));
  };

  const list = (pattern: unknown, filter: unknown): string[] => {
    const wanted = realm.isPlainObject(filter) ? filter.sf : undefined;
    const names: string[] = [];
    for (const file of storage.files()) {
      const chunk = (file.flags & STORAGE_FILE) !== 0;
      if (wanted !== undefined && Boolean(wanted) !== chunk) continue;
      let name = plainName(file.name);
      if (chunk && !name.endsWith("\x01")) continue;
      if (chunk && wanted) name = name.slice(0, -1);
      if (pattern !== undefined && pattern !== null && !name.match(pattern as RegExp)) continue;
      names.push(name);
    }
    return names;
  };

  return realm.library({
    read,
    readJSON: (name: never, quiet: never) => {
      const text = read(name);
      if (text === undefined) return undefined;
      try {
        return parseJson(realm, text, true);
      } catch (error) {
        if (quiet && realm.isError(error)) return undefined;
        throw error;
      }
    },
    readArrayBuffer: (name: never) => {
      const text = read(name);
      return text === undefined ? undefined : realm.arrayBuffer(fromByteString(text));
    },
    write,
    writeJSON: (name: never, data: never) => guarded(() => storage.write(fileName(name), fromByteString(printValue(realm, data, WRITE_JSON)))),
    list: (pattern: never, filter: never) => realm.array(list(pattern, filter)),
    hash: (pattern: never) => {
      let hash = 0xabcddcba | 0;
      for (const file of storage.files()) {
        const name = plainName(file.name);
        if ((file.flags & STORAGE_FILE) !== 0 || (pattern !== undefined && !name.match(pattern as RegExp))) continue;
        hash = ((hash << 1) | (hash >>> 31)) ^ file.header ^ crc32(fromByteString(name));
      }
      return hash | 0;
    },
    erase: (name: never) => void storage.erase(fileName(name)),
    eraseAll: () => storage.eraseAll(),
    compact: () => void storage.compact(),
    optimise: () => undefined,
    getFree: () => storage.stats().free,
    getStats: () => {
      const stats = storage.stats();
      return realm.object({
        totalBytes: stats.total,
        freeBytes: stats.free,
        fileBytes: stats.fileBytes,
        fileCount: stats.fileCount,
        trashBytes: stats.trashBytes,
        trashCount: stats.trashCount,
      });
    },
    open: (name: never, mode: never) => openStorageFile(core, fileName(name), mode, guarded),
  });
}

function storable(data: unknown): Uint8Array | undefined {
  if (data === undefined || data === null || typeof data === "function") return undefined;
  // Memory of a typed array goes in as it lies; only lists of numbers are cut to bytes.
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength).slice();
  return bytesOf(data);
}

/** CRC-32 (IEEE 802.3), as `E.CRC32`: unsigned. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

interface OpenFile {
  chunk: number;
  offset: number;
  mode: string;
}

/** A StorageFile: chunks `name\1`, `name\2` … of one page each, ended by the first 0xFF. */
function openStorageFile(core: BoardCore, name: string, mode: unknown, guarded: <T>(work: () => T) => T): object {
  const { realm, storage, flash } = core;
  if (mode !== "r" && mode !== "w" && mode !== "a") throw realm.error(`Invalid mode ${printValue(realm, mode, { pretty: true })}`);
  const base = plainName(padName(name)).slice(0, 27);
  const chunkName = (chunk: number) => base + String.fromCharCode(chunk);
  const find = (chunk: number) => storage.find(chunkName(chunk));
  const open: OpenFile = { chunk: 1, offset: 0, mode };
  const dataEnd = (address: number, size: number) => {
    const bytes = flash.read(address, size);
    const end = bytes.indexOf(0xff);
    return end < 0 ? size : end;
  };
  /** The chunk that still has room, and how many bytes lie before it. */
  const tail = () => {
    let chunk = 1;
    let before = 0;
    let file = find(chunk);
    while (file && flash.byteAt(file.address + file.size - 1) !== 0xff && chunk < LAST_CHUNK) {
      before += file.size;
      chunk += 1;
      file = find(chunk);
    }
    return { chunk, before, offset: file ? dataEnd(file.address, file.size) : 0 };
  };
  const erase = () => {
    for (let chunk = 1; storage.erase(chunkName(chunk)); chunk++);
    Object.assign(open, { chunk: 1, offset: 0, mode: "" });
  };
  if (mode === "w" && find(1)) {
    erase();
    open.mode = "w";
  }
  if (mode === "a") {
    const end = tail();
    Object.assign(open, { chunk: end.chunk, offset: end.offset });
  }

  const read = (length: number, line: boolean): string | undefined => {
    if (open.mode !== "r") throw realm.error("Can't read in this mode");
    let text: string | undefined;
    let file = find(open.chunk);
    while (file && (line || (text?.length ?? 0) < length)) {
      if (open.offset >= file.size) {
        if (open.chunk === LAST_CHUNK) break;
        open.chunk += 1;
        open.offset = 0;
        file = find(open.chunk);
        continue;
      }
      const byte = flash.byteAt(file.address + open.offset);
      if (byte === 0xff) break;
      text = (text ?? "") + String.fromCharCode(byte);
      open.offset += 1;
      if (line && byte === 10) break;
    }
    return text;
  };

  const write = (value: unknown) => {
    if (open.mode !== "w" && open.mode !== "a") throw realm.error("Can't write in this mode");
    const data = fromByteString(asText(realm, value));
    if (data.length === 0) return;
    const create = (chunk: number, bytes: Uint8Array) => {
      try {
        guarded(() => storage.write(chunkName(chunk), bytes, STORAGE_FILE, 0, CHUNK_FILE_BYTES));
      } catch (error) {
        open.mode = "";
        throw error;
      }
      Object.assign(open, { chunk, offset: bytes.length });
    };
    const file = find(open.chunk);
    if (!file) return create(open.chunk, data);
    const room = file.size - open.offset;
    const now = data.subarray(0, Math.min(room, data.length));
    writeFlash(core, file.address + open.offset, now);
    open.offset += now.length;
    if (data.length < room) return;
    if (open.chunk === LAST_CHUNK) throw realm.error("File too big!");
    create(open.chunk + 1, data.subarray(room));
  };

  const file = realm.library({
    read: (length: never) => read(Math.max(0, Math.trunc(Number(length)) || 0), false),
    readLine: () => read(0, true),
    write,
    getLength: () => {
      const end = tail();
      return end.before + end.offset;
    },
    erase,
    pipe: (target: never, options: never) => pipe(core, read, target, options),
  });
  return file;
}

function pipe(core: BoardCore, read: (length: number, line: boolean) => string | undefined, target: unknown, options: unknown): void {
  const { chunkSize, end, complete } = (options ?? {}) as { chunkSize?: number; end?: boolean; complete?: unknown };
  const step = () => {
    const text = read(chunkSize ?? 32, false);
    if (text !== undefined) {
      core.callScript((target as { write: unknown }).write, [text], target);
      core.enqueue(step);
      return;
    }
    if (end !== false && typeof (target as { end?: unknown }).end === "function") core.callScript((target as { end: unknown }).end, [], target);
    if (complete !== undefined) core.callScript(complete, []);
  };
  core.enqueue(step);
}

/** Words that are touched in part are read, changed and written whole. Refused addresses are passed over in silence, as on the board. */
export function writeFlash(core: BoardCore, address: number, bytes: Uint8Array): void {
  if (bytes.length === 0 || (flashProtected(core.facts, address) && !core.flags.get("unsafeFlash"))) return;
  const start = address & ~3;
  const end = (address + bytes.length + 3) & ~3;
  const words = core.flash.read(start, end - start);
  words.set(bytes, address - start);
  core.spend(((end - start) / 4) * core.flashTiming.wordSeconds);
  core.flash.write(start, words);
}

export function eraseFlash(core: BoardCore, address: number): void {
  const page = address - (address % FLASH_PAGE);
  if (flashProtected(core.facts, page) && !core.flags.get("unsafeFlash")) return;
  core.spend(core.flashTiming.eraseSeconds);
  core.flash.erase(page);
}

/** `require("Flash")`: any address but the SoftDevice's and the bootloader's. */
export function flashLibrary(core: BoardCore): Record<string, unknown> {
  const { realm, flash } = core;
  return realm.library({
    getPage: (address: never) => {
      const at = Number(address) >>> 0;
      return at > flash.base + flash.size ? undefined : realm.object({ addr: at - (at % FLASH_PAGE), length: FLASH_PAGE });
    },
    // The interpreter is taken to fill its part of the flash up to Storage, as the official builds nearly do.
    getFree: () => realm.array([]),
    erasePage: (address: never) => {
      if (typeof address !== "number" || !Number.isInteger(address)) throw realm.error(`Address should be an integer, got ${typeOf(address)}`);
      eraseFlash(core, address);
    },
    read: (length: never, address: never) => (Number(length) > 0 ? realm.uint8Array(flash.read(Number(address) >>> 0, Number(length))) : undefined),
    write: (data: never, address: never) => {
      if (data === undefined) throw realm.error("Data is not defined");
      writeFlash(core, Number(address) >>> 0, storable(data) ?? new Uint8Array(0));
    },
  });
}

function typeOf(value: unknown): string {
  return value === null ? "null" : typeof value === "number" ? "Number" : typeof value === "string" ? "String" : typeof value;
}
