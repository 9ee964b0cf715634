import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { BoardFacts } from "../../boards/board-facts.ts";
import { SeededRandom } from "./seeded-random.ts";

export const FLASH_PAGE = 4096;
/** So much a chip on SPI programs at a time, within a block of as many. Source: Espruino 2v29, targets/nrf5x/jshardware.c, jshFlashWrite. */
export const PROGRAM_BYTES = 256;

/** The power went while flash was written or erased. Nothing on the board can catch it; the image keeps what was done by then. */
export class PowerCut extends Error {
  constructor() {
    super("power cut while writing flash");
    this.name = "PowerCut";
  }
}

/**
 * What a flash operation takes while the script stands still, seconds. Source: Nordic nRF52832 PS v1.4 and nRF52840 PS v1.1, NVMC, worst case. For chips on SPI the longest times of the
 * Winbond W25Q64JV, one of their kind: Espruino's sources don't say which is built in, and use what all of them have in common.
 */
export interface FlashTiming {
  /** A page of 4,096 bytes. */
  eraseSeconds: number;
  /** All of a chip on SPI, which is one command. */
  eraseAllSeconds?: number;
  wordSeconds: number;
  /** Of a chip on SPI: up to 256 bytes. */
  programSeconds?: number;
}

export function flashTiming(facts: BoardFacts): FlashTiming {
  if (!facts.storage.internal) return { eraseSeconds: 0.4, eraseAllSeconds: 100, wordSeconds: 0.003, programSeconds: 0.003 };
  return facts.chip.part.startsWith("nRF52840") || facts.chip.part.startsWith("nRF52833")
    ? { eraseSeconds: 0.085, wordSeconds: 0.000041 }
    : { eraseSeconds: 0.0897, wordSeconds: 0.000338 };
}

/**
 * The flash of one chip, as bytes. Writing only clears bits, erasing sets a page of 4096 bytes to 0xFF; both are counted.
 * Pages that were never written take no memory.
 *
 * The chip's own flash takes words in order. A chip on SPI takes a program operation as a whole: a cut in one leaves any of its bits unwritten, and a cut in an erase leaves anything in the page.
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
  private readonly random = new SeededRandom(7);

  /** `base`: address of the first byte, for flash that lies beside the chip's own. `onSpi`: it is a chip on SPI. */
  constructor(
    size: number,
    readonly base = 0,
    readonly onSpi = false,
  ) {
    if (size <= 0 || size % FLASH_PAGE !== 0) throw new RangeError(`flash: a multiple of ${FLASH_PAGE} bytes, got ${size}`);
    this.size = size;
  }

  /** An erased image of the flash that this board's Storage lies in. */
  static forBoard(facts: BoardFacts): FlashImage {
    const { storage, chip } = facts;
    return storage.internal ? new FlashImage(chip.flashKb * 1024) : new FlashImage(storage.pages * storage.pageBytes, storage.address, true);
  }

  private holds(address: number): boolean {
    return address >= this.base && address < this.base + this.size;
  }

  /** The power goes after `bytes` more bytes have been written. */
  cutAfter(bytes: number): void {
    this.writeBudget = bytes;
  }

  /** The power goes in the middle of the `n`th erase from now (1: the next). The first half of that page is erased by then; on SPI, any of its bits. */
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

  /** ANDs `bytes` into the image, in order; on SPI an operation at a time. @throws PowerCut */
  write(address: number, bytes: Uint8Array): void {
    if (this.onSpi) this.program(address, bytes);
    else this.writeInOrder(address, bytes);
  }

  private program(address: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const at = address + done;
      const operation = bytes.subarray(done, done + PROGRAM_BYTES - (at % PROGRAM_BYTES));
      if (this.writeBudget < operation.length && this.writeBudget > 0) {
        this.writeBudget = Number.POSITIVE_INFINITY;
        this.writeInOrder(at, tornProgram(operation, this.random));
        this.writeBudget = 0;
      }
      this.writeInOrder(at, operation);
      done += operation.length;
    }
  }

  private writeInOrder(address: number, bytes: Uint8Array): void {
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
      const page = this.pages.get(base);
      if (this.onSpi) for (let i = 0; page && i < FLASH_PAGE; i++) page[i]! |= this.random.next() * 256;
      else page?.fill(0xff, 0, FLASH_PAGE / 2);
      throw new PowerCut();
    }
    this.eraseBudget -= 1;
    this.pages.delete(base);
  }

  isErased(address: number, length: number): boolean {
    const end = address + length;
    for (let at = address; at < end; ) {
      const base = at - (at % FLASH_PAGE);
      const until = Math.min(end, base + FLASH_PAGE);
      const page = this.pages.get(base);
      if (page) for (let i = at - base; i < until - base; i++) if (page[i] !== 0xff) return false;
      at = until;
    }
    return true;
  }

  /** An independent copy of contents and counters. */
  clone(): FlashImage {
    const copy = new FlashImage(this.size, this.base, this.onSpi);
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

/** What a program operation comes to that was cut: each bit that was to be cleared is, with the same chance, which is any from none to all. */
export function tornProgram(bytes: Uint8Array, random: { next(): number }): Uint8Array {
  const chance = random.next();
  return bytes.map((byte) => {
    let torn = byte;
    for (let bit = 1; bit < 256; bit *= 2) if (random.next() < chance) torn |= bit;
    return torn;
  });
}

/** May the interpreter write here? It keeps its hands off SoftDevice and bootloader (jshFlashWriteProtect). */
export function flashProtected(facts: BoardFacts, address: number): boolean {
  return facts.chip.flashKb === 512 && (address < 0x1f000 || (address >= 0x78000 && address < 0x80000));
}
