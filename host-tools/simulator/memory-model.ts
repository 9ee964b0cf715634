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
 * Memory of the interpreter in blocks ("JsVars"). An estimate: what is idle, plus what the code of loaded files leaves behind (by the generator's
 * rule, which counts the buffers of constant size in it), plus the buffers that the turn of the main loop that runs has made. They are taken to be free after
 * it, so what a callback keeps is not counted, and neither is what was typed at the console.
 */
export class MemoryModel {
  private loaded = 0;
  private turn = 0;
  private loading = false;

  constructor(
    readonly total: number,
    readonly blockBytes: number,
  ) {}

  get usage(): number {
    return Math.min(this.total, IDLE_BLOCKS + this.loaded + this.turn);
  }

  clear(): void {
    this.loaded = this.turn = 0;
    this.loading = false;
  }

  load(source: string): void {
    this.loaded += codeBlocks(source);
  }

  /** While files are loaded, their buffers are in the estimate already. */
  setLoading(loading: boolean): void {
    this.loading = loading;
    this.turn = 0;
  }

  endTurn(): void {
    this.turn = 0;
  }

  /** Takes blocks for so many bytes in one piece; false when there is no room. */
  take(bytes: number): boolean {
    const blocks = BUFFER_BLOCKS + Math.ceil(bytes / this.blockBytes);
    if (this.usage + blocks > this.total) return false;
    if (!this.loading) this.turn += blocks;
    return true;
  }
}
