import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { BoardFacts } from "../../boards/board-facts.ts";

export const FLASH_PAGE = 4096;

/** The power went while flash was written or erased. Nothing on the board can catch it; the image keeps what was done by then. */
export class PowerCut extends Error {
  constructor() {
    super("power cut while writing flash");
    this.name = "PowerCut";
  }
}

/** What a flash operation takes while the script stands still, seconds. Source: Nordic nRF52832 PS v1.4 and nRF52840 PS v1.1, NVMC, worst case. */
export interface FlashTiming {
  eraseSeconds: number;
  wordSeconds: number;
}

export function flashTiming(facts: BoardFacts): FlashTiming {
  return facts.chip.part.startsWith("nRF52840") || facts.chip.part.startsWith("nRF52833")
    ? { eraseSeconds: 0.085, wordSeconds: 0.000041 }
    : { eraseSeconds: 0.0897, wordSeconds: 0.000338 };
}

/**
 * The flash of one chip, as bytes. Writing only clears bits, erasing sets a page of 4096 bytes to 0xFF; both are counted.
 * Pages that were never written take no memory.
 */
export class FlashImage {
  readonly size: number;
  /** Erase cycles, page address to count. */
  readonly erases = new Map<number, number>();
  /** Bytes written, and words of four bytes written more than once since their page was erased. */
  bytesWritten = 0;
  private readonly pages = new Map<number, Uint8Array>();
  private writeBudget = Number.POSITIVE_INFINITY;
  private eraseBudget = Number.POSITIVE_INFINITY;

  /** `base`: address of the first byte, for flash that lies beside the chip's own. */
  constructor(
    size: number,
    readonly base = 0,
  ) {
    if (size <= 0 || size % FLASH_PAGE !== 0) throw new RangeError(`flash: a multiple of ${FLASH_PAGE} bytes, got ${size}`);
    this.size = size;
  }

  /** An erased image of the flash that this board's Storage lies in. */
  static forBoard(facts: BoardFacts): FlashImage {
    const { storage, chip } = facts;
    return storage.internal ? new FlashImage(chip.flashKb * 1024) : new FlashImage(storage.pages * storage.pageBytes, storage.address);
  }

  private holds(address: number): boolean {
    return address >= this.base && address < this.base + this.size;
  }

  /** The power goes after `bytes` more bytes have been written. */
  cutAfter(bytes: number): void {
    this.writeBudget = bytes;
  }

  /** The power goes in the middle of the `n`th erase from now (1: the next). The first half of that page is erased by then. */
  cutInErase(n: number): void {
    this.eraseBudget = n - 1;
  }

  /** Takes back `cutAfter` and `cutInErase`. */
  keepPower(): void {
    this.writeBudget = Number.POSITIVE_INFINITY;
    this.eraseBudget = Number.POSITIVE_INFINITY;
  }

  byteAt(address: number): number {
    return this.pages.get(address - (address % FLASH_PAGE))?.[address % FLASH_PAGE] ?? 0xff;
  }

  /** `length` bytes from `address`; outside the chip they read as 0xFF. */
  read(address: number, length: number): Uint8Array {
    const out = new Uint8Array(length).fill(0xff);
    for (let done = 0; done < length; ) {
      const offset = (address + done) % FLASH_PAGE;
      const count = Math.min(length - done, FLASH_PAGE - offset);
      const page = this.pages.get(address + done - offset);
      if (page) out.set(page.subarray(offset, offset + count), done);
      done += count;
    }
    return out;
  }

  readWord(address: number): number {
    return (this.byteAt(address) | (this.byteAt(address + 1) << 8) | (this.byteAt(address + 2) << 16) | (this.byteAt(address + 3) << 24)) >>> 0;
  }

  /** ANDs `bytes` into the image, in order. @throws PowerCut */
  write(address: number, bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) {
      const at = address + i;
      if (!this.holds(at)) return;
      if (this.writeBudget <= 0) throw new PowerCut();
      this.writeBudget -= 1;
      const base = at - (at % FLASH_PAGE);
      let page = this.pages.get(base);
      if (!page) {
        page = new Uint8Array(FLASH_PAGE).fill(0xff);
        this.pages.set(base, page);
      }
      page[at - base]! &= bytes[i]!;
      this.bytesWritten += 1;
    }
  }

  /** Erases the page that `address` lies in. @throws PowerCut */
  erase(address: number): void {
    const base = address - (address % FLASH_PAGE);
    if (!this.holds(base)) return;
    this.erases.set(base, (this.erases.get(base) ?? 0) + 1);
    if (this.eraseBudget <= 0) {
      this.pages.get(base)?.fill(0xff, 0, FLASH_PAGE / 2);
      throw new PowerCut();
    }
    this.eraseBudget -= 1;
    this.pages.delete(base);
  }

  isErased(address: number, length: number): boolean {
    for (let i = 0; i < length; i++) if (this.byteAt(address + i) !== 0xff) return false;
    return true;
  }

  /** An independent copy of contents and counters. */
  clone(): FlashImage {
    const copy = new FlashImage(this.size, this.base);
    for (const [base, page] of this.pages) copy.pages.set(base, page.slice());
    for (const [base, count] of this.erases) copy.erases.set(base, count);
    copy.bytesWritten = this.bytesWritten;
    return copy;
  }

  /** Writes the whole image to `file`, and its counters beside it as JSON; by way of a second file, so that a crash leaves the old one. */
  save(file: string): void {
    writeFileSync(file + ".new", this.read(this.base, this.size));
    renameSync(file + ".new", file);
    writeFileSync(file + ".json", JSON.stringify({ bytesWritten: this.bytesWritten, erases: [...this.erases] }));
  }

  /** Takes over what `save` wrote. @throws if the file can't be read or has another size. */
  load(file: string): this {
    const bytes = readFileSync(file);
    if (bytes.length !== this.size) throw new RangeError(`${file}: ${bytes.length} bytes, this board's flash has ${this.size}`);
    this.pages.clear();
    for (let at = 0; at < this.size; at += FLASH_PAGE) {
      const page = bytes.subarray(at, at + FLASH_PAGE);
      if (page.some((byte) => byte !== 0xff)) this.pages.set(this.base + at, new Uint8Array(page));
    }
    try {
      const counters = JSON.parse(readFileSync(file + ".json", "utf8")) as { bytesWritten: number; erases: [number, number][] };
      this.bytesWritten = counters.bytesWritten;
      for (const [base, count] of counters.erases) this.erases.set(base, count);
    } catch {
      // An image without counters begins at zero.
    }
    return this;
  }
}

/** May the interpreter write here? It keeps its hands off SoftDevice and bootloader (jshFlashWriteProtect). */
export function flashProtected(facts: BoardFacts, address: number): boolean {
  return facts.chip.flashKb === 512 && (address < 0x1f000 || (address >= 0x78000 && address < 0x80000));
}
