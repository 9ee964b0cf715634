import type { BoardCore } from "./board-core.ts";
import { fromByteString } from "./byte-arguments.ts";
import { FLASH_PAGE } from "./flash.ts";
import { writeFlash } from "./library-flash.ts";
import { asText, printValue } from "./printer.ts";
import { HEADER_BYTES, padName, plainName, STORAGE_FILE, type StoredFile } from "./storage.ts";

const CHUNK_BYTES = FLASH_PAGE - HEADER_BYTES;
const LAST_CHUNK = 255;
const NAME_LIMIT = 27;
const END = 0xff;
const NEW_LINE = 10;
const PIPE_CHUNK = 32;
const [READ, WRITE, APPEND, CLOSED] = [114, 119, 97, 0];

/** What the script sees of an open file; the interpreter keeps its state in it. */
interface OpenFile {
  name: string;
  chunk: number;
  offset: number;
  /** Character code of r, w or a; 0 when nothing more can be written. */
  mode: number;
}

/**
 * The class StorageFile; answers what `require("Storage").open` does. Chunks `name\1`, `name\2` … reserve one page each; the first 0xFF ends the
 * data. Source: Espruino 2v29, src/jswrap_storage.c.
 */
export function installStorageFile(core: BoardCore, guarded: <T>(work: () => T) => T): (name: string, mode: unknown) => object {
  const { realm, storage, flash } = core;
  const chunkName = (file: OpenFile, chunk: number) => plainName(padName(file.name)).slice(0, NAME_LIMIT) + String.fromCharCode(chunk);
  const find = (file: OpenFile, chunk: number) => storage.find(chunkName(file, chunk));
  const dataEnd = (stored: StoredFile) => {
    const end = flash.read(stored.address, stored.size).indexOf(END);
    return end < 0 ? stored.size : end;
  };

  /** The chunk that still has room, and how many bytes lie before it. */
  const tail = (file: OpenFile) => {
    let chunk = 1;
    let before = 0;
    let stored = find(file, chunk);
    while (stored && flash.byteAt(stored.address + stored.size - 1) !== END && chunk < LAST_CHUNK) {
      before += stored.size;
      chunk += 1;
      stored = find(file, chunk);
    }
    return { chunk, before, offset: stored ? dataEnd(stored) : 0 };
  };

  const erase = (file: OpenFile) => {
    for (let chunk = 1; storage.erase(chunkName(file, chunk)); chunk++);
    Object.assign(file, { chunk: 1, offset: 0, mode: CLOSED });
  };

  const read = (file: OpenFile, length: number): string | undefined => {
    if (file.mode !== READ) throw realm.error("Can't read in this mode");
    const line = length < 0;
    let text: string | undefined;
    let stored = find(file, file.chunk);
    while (stored && (line || (text?.length ?? 0) < length)) {
      if (file.offset >= stored.size) {
        if (file.chunk === LAST_CHUNK) break;
        Object.assign(file, { chunk: file.chunk + 1, offset: 0 });
        stored = find(file, file.chunk);
        continue;
      }
      const byte = flash.byteAt(stored.address + file.offset);
      if (byte === END) break;
      text = (text ?? "") + String.fromCharCode(byte);
      file.offset += 1;
      if (line && byte === NEW_LINE) break;
    }
    return text;
  };

  /** A fresh chunk. One that does not fit closes the file. */
  const create = (file: OpenFile, chunk: number, bytes: Uint8Array) => {
    try {
      guarded(() => storage.write(chunkName(file, chunk), bytes, STORAGE_FILE, 0, CHUNK_BYTES));
    } catch (error) {
      file.mode = CLOSED;
      throw error;
    }
    Object.assign(file, { chunk, offset: bytes.length });
  };

  const write = (file: OpenFile, data: Uint8Array) => {
    if (file.mode !== WRITE && file.mode !== APPEND) throw realm.error("Can't write in this mode");
    if (data.length === 0) return;
    const stored = find(file, file.chunk);
    if (!stored) {
      create(file, file.chunk, data);
      return;
    }
    const room = stored.size - file.offset;
    const now = data.subarray(0, Math.min(room, data.length));
    writeFlash(core, stored.address + file.offset, now);
    file.offset += now.length;
    if (data.length < room) return;
    if (file.chunk === LAST_CHUNK) throw realm.error("File too big!");
    create(file, file.chunk + 1, data.subarray(room));
  };

  const pipe = (file: OpenFile, target: Record<string, unknown>, options: { chunkSize?: number; end?: boolean; complete?: unknown }) => {
    const text = read(file, options.chunkSize ?? PIPE_CHUNK);
    if (text !== undefined) {
      core.callScript(target.write, [text], target);
      core.enqueue(() => pipe(file, target, options));
      return;
    }
    if (options.end !== false && typeof target.end === "function") core.callScript(target.end, [], target);
    if (options.complete !== undefined) core.callScript(options.complete, []);
  };

  const StorageFile = realm.nativeClass(() => undefined);
  realm.methods((StorageFile as unknown as { prototype: object }).prototype, {
    read(this: unknown, length: never) {
      return read(this as OpenFile, Math.max(0, Math.trunc(Number(length)) || 0));
    },
    readLine(this: unknown) {
      return read(this as OpenFile, -1);
    },
    write(this: unknown, data: never) {
      write(this as OpenFile, fromByteString(asText(realm, data)));
    },
    getLength(this: unknown) {
      const end = tail(this as OpenFile);
      return end.before + end.offset;
    },
    erase(this: unknown) {
      erase(this as OpenFile);
    },
    pipe(this: unknown, target: never, options: never) {
      pipe(this as OpenFile, target, options ?? {});
    },
  });
  realm.define("StorageFile", StorageFile);

  return (name, mode) => {
    if (mode !== "r" && mode !== "w" && mode !== "a") throw realm.error(`Invalid mode ${printValue(realm, mode, { pretty: true })}`);
    const file = Object.assign(new StorageFile(), { name, chunk: 1, offset: 0 }) as OpenFile;
    if (mode === "w" && find(file, 1)) erase(file);
    if (mode === "a") {
      const end = tail(file);
      Object.assign(file, { chunk: end.chunk, offset: end.offset });
    }
    file.mode = mode.charCodeAt(0);
    return file;
  };
}
