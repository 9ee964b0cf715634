import { FLASH_PAGE, type FlashImage } from "./flash.ts";

// A file in Storage. Source: Espruino 2v29, src/jsflash.c and src/jsflash.h.
// offset 0   u32       low 24 bits size of the data, high 8 bits flags; 0 and 0xFFFFFFFF end the chain
// offset 4  28 bytes   name, padded with zeros; the first four become zero when the file is deleted
// offset 32            data; the next header follows at a multiple of four
export const HEADER_BYTES = 32;
export const NAME_BYTES = 28;
const ALIGNMENT = 4;
/** Compaction shows a turning dash for every 16 kB. */
const PROGRESS_BITS = 14;

export const PLAIN = 0;
export const STORAGE_FILE = 64;
export const COMPRESSED = 128;

export interface StoredFile {
  /** Address of the header. */
  header: number;
  /** Address of the data. */
  address: number;
  size: number;
  flags: number;
  /** 28 characters of one byte each. */
  name: string;
}

export interface StorageStats {
  total: number;
  free: number;
  fileBytes: number;
  fileCount: number;
  trashBytes: number;
  trashCount: number;
  /** Where compaction begins: the last page boundary with a header on it before the first deleted file. */
  compactFrom: number;
}

/** What Espruino throws at the script; the text is Espruino's. */
export class StorageError extends Error {}

export interface StorageHost {
  print(text: string): void;
  /** Writes to the chip, takes time. Any address, any length: unaligned ends are read, changed and written as words. */
  write(address: number, bytes: Uint8Array): void;
  erase(address: number): void;
  /** All of Storage, where that is one command. */
  eraseAll?(): void;
}

function align(address: number): number {
  return (address + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

/** Name as it stands in flash: cut to 28 bytes, a drive letter ("C:") taken off, padded with zeros. */
export function padName(name: string): string {
  const cut = plainName(name).slice(0, NAME_BYTES);
  return (cut[1] === ":" ? cut.slice(2) : cut).padEnd(NAME_BYTES, "\0");
}

export function plainName(name: string): string {
  const zero = name.indexOf("\0");
  return zero < 0 ? name : name.slice(0, zero);
}

/** The files in one stretch of internal flash, read from and written to the image itself. */
export class Storage {
  constructor(
    readonly flash: FlashImage,
    readonly start: number,
    readonly end: number,
    private readonly host: StorageHost,
  ) {}

  private headerAt(header: number): StoredFile | undefined {
    const word = this.flash.readWord(header);
    const size = word & 0xffffff;
    if (word === 0 || word === 0xffffffff || header + HEADER_BYTES + size > this.end) return undefined;
    const name = String.fromCharCode(...this.flash.read(header + 4, NAME_BYTES));
    return { header, address: header + HEADER_BYTES, size, flags: word >>> 24, name };
  }

  private deleted(file: StoredFile): boolean {
    return this.flash.readWord(file.header + 4) === 0;
  }

  /** Deleted files and internal tables are not real. */
  private real(file: StoredFile): boolean {
    return !this.deleted(file) && (file.flags === PLAIN || file.flags === STORAGE_FILE || file.flags === COMPRESSED);
  }

  private nextPage(address: number): number | undefined {
    const next = address - (address % FLASH_PAGE) + FLASH_PAGE;
    return next >= this.end ? undefined : next;
  }

  /**
   * Every header of the chain from `from` on, also of deleted files. With `acrossPages` it looks on at the next page when a page's chain ends.
   * Returns where the chain ended: the address of the first place without a header, or undefined when there is no room for one.
   */
  private *chain(from: number, acrossPages: boolean): Generator<StoredFile, number | undefined> {
    let file = this.headerAt(from);
    if (!file) return from;
    for (;;) {
      yield file;
      let next = align(file.address + file.size);
      if (next + HEADER_BYTES > this.end) return undefined;
      let found = this.headerAt(next);
      if (!found && acrossPages) {
        const page = this.nextPage(next);
        if (page === undefined) return undefined;
        next = page;
        found = this.headerAt(next);
      }
      if (!found) return next;
      file = found;
    }
  }

  find(name: string): StoredFile | undefined {
    const padded = padName(name);
    for (const file of this.chain(this.start, true)) if (file.name === padded) return file;
    return undefined;
  }

  files(): StoredFile[] {
    return [...this.chain(this.start, true)].filter((file) => this.real(file));
  }

  /** The data of a file, clipped as Espruino clips it: length 0 or less reads on to the end. */
  read(name: string, offset = 0, length = 0): Uint8Array | undefined {
    const file = this.find(name);
    if (!file) return undefined;
    const from = Math.min(Math.max(offset, 0), file.size);
    const wanted = length <= 0 ? file.size : length;
    return this.flash.read(file.address + from, Math.min(wanted, file.size - from));
  }

  stats(): StorageStats {
    const stats = { total: this.end - this.start, free: 0, fileBytes: 0, fileCount: 0, trashBytes: 0, trashCount: 0, compactFrom: 0 };
    let last = this.start;
    let unbroken = this.start;
    for (const file of this.chain(this.start, true)) {
      if (file.header % FLASH_PAGE === 0) unbroken = file.header;
      const bytes = align(file.size) + HEADER_BYTES;
      last = file.header + bytes;
      if (this.deleted(file)) {
        stats.trashBytes += bytes;
        stats.trashCount += 1;
        if (stats.compactFrom === 0) stats.compactFrom = unbroken;
      } else {
        stats.fileBytes += bytes;
        stats.fileCount += 1;
      }
    }
    stats.free = this.end - last;
    return stats;
  }

  /**
   * Writes a file or a part of one. A file that is there with the same content stays; with `offset` 0 and another content it is deleted and written anew.
   * @throws StorageError with Espruino's words.
   */
  write(name: string, data: Uint8Array, flags = PLAIN, offset = 0, fullSize = 0): boolean {
    if (offset < 0 || fullSize < 0) return false;
    const size = fullSize === 0 ? data.length : fullSize;
    if (size === 0) throw new StorageError("Can't create zero length file");
    let file = this.find(name);
    const unfit = file && (flags !== file.flags || size !== file.size || !this.flash.isErased(file.address, size));
    if (offset === 0 && (!file || unfit)) {
      if (file) {
        const whole = size === file.size && flags === file.flags && data.length === size;
        if (whole && this.flash.read(file.address, size).every((byte, i) => byte === data[i])) return true;
        this.deleteFile(file);
      }
      file = this.create(name, size, flags);
    }
    if (!file) throw new StorageError("Unable to find or create file");
    if (offset + data.length > file.size) throw new StorageError("Too much data for file size");
    if (!this.flash.isErased(file.address + offset, data.length)) throw new StorageError("File already written with different data");
    this.host.write(file.address + offset, data);
    return true;
  }

  erase(name: string): boolean {
    const file = this.find(name);
    if (file) this.deleteFile(file);
    return file !== undefined;
  }

  eraseAll(): void {
    if (this.host.eraseAll) this.host.eraseAll();
    else for (let page = this.start; page < this.end; page += FLASH_PAGE) this.host.erase(page);
  }

  private deleteFile(file: StoredFile): void {
    this.host.write(file.header + 4, new Uint8Array(4));
  }

  /** Room from `address` to the next page, or to the end of Storage when the next page begins without a header. */
  private roomAt(address: number): number {
    const next = address - (address % FLASH_PAGE) + FLASH_PAGE;
    return next < this.end && !this.headerAt(next) ? this.end - address : Math.min(next, this.end) - address;
  }

  private create(name: string, size: number, flags: number): StoredFile | undefined {
    const needed = align(size) + HEADER_BYTES;
    for (let compacted = false; ; compacted = true) {
      let free = 0;
      let trash = 0;
      for (let page: number | undefined = this.start; page !== undefined; ) {
        const chain = this.chain(page, false);
        let step = chain.next();
        for (; !step.done; step = chain.next()) if (this.deleted(step.value)) trash += step.value.size;
        if (step.value === undefined) {
          // Full to its end: the interpreter goes on counting at address 0, finds more than enough, and compacts.
          free = Number.POSITIVE_INFINITY;
          break;
        }
        const room = this.roomAt(step.value);
        free += room;
        if (room >= needed) return this.writeHeader(step.value, name, size, flags);
        page = this.nextPage(step.value);
      }
      // Compaction is tried once, and only if it is sure to make enough room.
      if (compacted || needed >= free + trash || !this.compact()) return undefined;
    }
  }

  private writeHeader(at: number, name: string, size: number, flags: number): StoredFile {
    const padded = padName(name);
    const bytes = new Uint8Array(HEADER_BYTES);
    new DataView(bytes.buffer).setUint32(0, (size | (flags << 24)) >>> 0, true);
    for (let i = 0; i < NAME_BYTES; i++) bytes[4 + i] = padded.charCodeAt(i);
    this.host.write(at, bytes);
    return { header: at, address: at + HEADER_BYTES, size, flags, name: padded };
  }

  /** Moves every living file towards the start and erases what follows. True if something was done. A power cut in here loses files. */
  compact(): boolean {
    const stats = this.stats();
    if (stats.trashBytes === 0) return false;
    this.host.print("Compacting... ");
    // The interpreter has a swap buffer of one page and a header, so a page is erased only once all that it holds has been read.
    const capacity = Math.min(stats.fileBytes, FLASH_PAGE + HEADER_BYTES);
    let waiting = new Uint8Array(0);
    let target = stats.compactFrom;
    const flush = (readFrom: number) => {
      while (waiting.length > 0) {
        const pageEnd = target - (target % FLASH_PAGE) + FLASH_PAGE;
        if (readFrom < Math.min(pageEnd, this.end)) return;
        const piece = waiting.subarray(0, pageEnd - target);
        if (target % FLASH_PAGE === 0) this.host.erase(target);
        this.host.write(target, piece);
        target += piece.length;
        waiting = waiting.slice(piece.length);
      }
    };
    const chain = this.chain(stats.compactFrom, true);
    let step = chain.next();
    let shown = 0;
    for (; !step.done; step = chain.next()) {
      const file = step.value;
      if (!this.real(file)) continue;
      const progress = (file.header - stats.compactFrom) >> PROGRESS_BITS;
      waiting = join(waiting, this.flash.read(file.header, HEADER_BYTES));
      let from = file.address;
      flush(from);
      for (let left = align(file.size); left > 0; ) {
        const count = Math.min(left, capacity - waiting.length);
        if (count <= 0) return false;
        waiting = join(waiting, this.flash.read(from, count));
        from += count;
        left -= count;
        flush(from);
      }
      if (progress !== shown) this.host.print("\b" + "/-\\|"[progress & 3]);
      shown = progress;
    }
    flush(this.end);
    // A chain that is followed across pages ends on a page boundary.
    const end = step.value ?? this.end;
    for (let page = Math.ceil(target / FLASH_PAGE) * FLASH_PAGE; page < end; page += FLASH_PAGE) this.host.erase(page);
    this.host.print("\n");
    return true;
  }

  /** Is the chain intact? Checked once after power-on; when it isn't, everything is erased. */
  valid(): boolean {
    const chain = this.chain(this.start, true);
    let last: StoredFile | undefined;
    let step = chain.next();
    for (; !step.done; step = chain.next()) last = step.value;
    if (step.value === undefined) {
      // The chain came to the end of Storage. Fine, if no header fits behind the last file.
      const next = align(last!.address + last!.size);
      if (next <= this.end && next + HEADER_BYTES > this.end) return true;
      return this.flash.isErased(next, HEADER_BYTES);
    }
    if (!this.flash.isErased(step.value, HEADER_BYTES)) return false;
    return last !== undefined || this.flash.isErased(this.start, this.end - this.start);
  }
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
