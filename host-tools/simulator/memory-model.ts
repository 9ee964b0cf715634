import { estimateVariables } from "../generator/variables.ts";

/** Blocks that a freshly started interpreter has in use. Source: measured on the real interpreter, Espruino 2v29. */
const IDLE_BLOCKS = 55;
/** A typed array and its buffer, beside the bytes themselves. */
const BUFFER_BLOCKS = 3;
const CODE_CACHE = 64;

const codeCache = new Map<string, number>();

function codeBlocks(source: string): number {
  let blocks = codeCache.get(source);
  if (blocks === undefined) {
    blocks = estimateVariables(source);
    if (codeCache.size >= CODE_CACHE) codeCache.clear();
    codeCache.set(source, blocks);
  }
  return blocks;
}

/**
 * Memory of the interpreter in blocks ("JsVars"). An estimate: what is idle, plus what the code of loaded files leaves behind (by the
 * generator's rule, which counts the buffers of constant size in it). A buffer must fit beside that; how long it lives is not known, so it is
 * forgotten at once, and neither what callbacks keep nor what was typed at the console is counted. Objects of Bluetooth links count while a link is up.
 */
export class MemoryModel {
  /** A file is being loaded. */
  loading = false;
  private loaded = 0;
  private held = 0;

  constructor(
    readonly total: number,
    readonly blockBytes: number,
  ) {}

  get usage(): number {
    return Math.min(this.total, IDLE_BLOCKS + this.loaded + this.held);
  }

  clear(): void {
    this.loading = false;
    this.loaded = 0;
    this.held = 0;
  }

  /** Objects of the interpreter's own have come, or (negative) gone. */
  hold(blocks: number): void {
    this.held += blocks;
  }

  load(source: string): void {
    this.loaded += codeBlocks(source);
  }

  /** Is there room for so many bytes in one piece? While a file is loaded its buffers are in the estimate already. */
  hasRoom(bytes: number): boolean {
    return IDLE_BLOCKS + BUFFER_BLOCKS + Math.ceil(bytes / this.blockBytes) + this.held + (this.loading ? 0 : this.loaded) <= this.total;
  }
}
