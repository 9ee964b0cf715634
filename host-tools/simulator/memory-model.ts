import { type AnyNode, children, parseSource } from "./translate.ts";

/** Blocks that a freshly started interpreter has in use. Source: measured on the real interpreter, Espruino 2v29. */
const IDLE_BLOCKS = 55;
const CHARACTERS_PER_BLOCK = 10;

const codeCache = new Map<string, { fromFlash: number; inRam: number }>();

/**
 * Blocks that a script's functions and variables take, estimated from its syntax: a function is two blocks and one for each parameter, a
 * name with its value two, a number in a list one, text as it is long. Code in flash stays there; code sent to RAM takes its text as well.
 */
export function codeBlocks(source: string, inFlash: boolean): number {
  let known = codeCache.get(source);
  if (!known) {
    known = estimate(source);
    if (codeCache.size > 64) codeCache.clear();
    codeCache.set(source, known);
  }
  return inFlash ? known.fromFlash : known.inRam;
}

function estimate(source: string): { fromFlash: number; inRam: number } {
  let blocks = 0;
  let text = 0;
  const visit = (node: AnyNode, depth: number): void => {
    const isFunction = /Function/.test(node.type);
    if (isFunction && depth <= 1) {
      blocks += 2 + (node.params as unknown[]).length;
      text += node.end - node.start;
    }
    // Only what runs when the script is loaded stays: variables inside functions come and go.
    if (depth === 0 || (depth === 1 && isImmediate)) {
      if (node.type === "VariableDeclarator" || node.type === "Property") blocks += 2;
      if (node.type === "ArrayExpression") blocks += 1 + (node.elements as unknown[]).length;
      if (node.type === "Literal" && typeof node.value === "string") blocks += Math.ceil(node.value.length / CHARACTERS_PER_BLOCK);
    }
    for (const child of children(node)) visit(child, isFunction ? depth + 1 : depth);
  };
  // A bundle is one function that calls itself; what it declares stays for ever.
  let program: ReturnType<typeof parseSource>;
  try {
    program = parseSource(source);
  } catch {
    // running it will tell what is wrong with it
    return { fromFlash: 0, inRam: 0 };
  }
  const isImmediate = (program.body as AnyNode[]).length <= 2;
  visit(program, 0);
  return { fromFlash: blocks, inRam: blocks + Math.ceil(text / CHARACTERS_PER_BLOCK) };
}

/**
 * Memory of the interpreter in blocks ("JsVars"). An estimate: what was idle, plus the code that was loaded, plus buffers made while a script
 * was loading (they stay), plus those made in the turn that runs (they are free again after it).
 */
export class MemoryModel {
  private loaded = 0;
  private permanent = 0;
  private turn = 0;
  private loading = false;

  constructor(
    readonly total: number,
    readonly blockBytes: number,
  ) {}

  get usage(): number {
    return Math.min(this.total, IDLE_BLOCKS + this.loaded + this.permanent + this.turn);
  }

  clear(): void {
    this.loaded = this.permanent = this.turn = 0;
    this.loading = false;
  }

  load(source: string, inFlash: boolean): void {
    this.loaded += codeBlocks(source, inFlash);
  }

  /** Buffers made from here on stay. */
  setLoading(loading: boolean): void {
    this.loading = loading;
  }

  endTurn(): void {
    this.turn = 0;
  }

  /** Takes blocks for so many bytes in one piece; false when there is no room. */
  take(bytes: number): boolean {
    const blocks = 2 + Math.ceil(bytes / this.blockBytes);
    if (this.usage + blocks > this.total) return false;
    if (this.loading) this.permanent += blocks;
    else this.turn += blocks;
    return true;
  }
}
