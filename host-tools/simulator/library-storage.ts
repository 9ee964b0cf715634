import type { BoardCore } from "./board-core.ts";
import { fromByteString, storableBytes, toByteString } from "./byte-arguments.ts";
import { parseJson, stringify } from "./json.ts";
import { asText, printValue, WRITE_JSON } from "./printer.ts";
import { plainName, STORAGE_FILE, StorageError } from "./storage.ts";
import { installStorageFile } from "./storage-file.ts";

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
  const openFile = installStorageFile(core, guarded);
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
    const bytes = asObject ? fromByteString(stringify(realm, data)) : storableBytes(data);
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
    open: (name: never, mode: never) => openFile(fileName(name), mode),
  });
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
