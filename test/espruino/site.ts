import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import type { Board } from "../../host-tools/device/board.ts";
import { decodeBlock, type LogRecord } from "../../host-tools/store/log-decoder.ts";
import { build } from "./abilities.ts";
import { linkInterpreter, pullBlocks, reach } from "./firmware-run.ts";
import { Interpreter, temporaryDirectory } from "./interpreter.ts";

export const HOUR = 3_600_000;
/** Can the interpreter play a board? */
async function playsBoards(): Promise<boolean> {
  const { abilities } = await build();
  return (["virtual time", "mapped storage", "aes", "byte strings"] as const).every((ability) => abilities.has(ability));
}

/** The boards of a group of tests, switched off at its end. */
export function useSites(): { canPlay(): boolean; at(image: Uint8Array): Site } {
  let able = false;
  const sites: Site[] = [];
  beforeAll(async () => {
    able = await playsBoards();
  });
  afterAll(async () => {
    for (const site of sites) await site.close();
  });
  return {
    canPlay: () => able,
    at(image) {
      const site = new Site(image);
      sites.push(site);
      return site;
    },
  };
}

const FLASH_FILE = "espruino.flash";

/** A board of one role that the interpreter plays, on virtual time. */
export class Site {
  interpreter: Interpreter;
  link!: Board;
  private readonly directory = temporaryDirectory();

  constructor(image: Uint8Array) {
    writeFileSync(join(this.directory, FLASH_FILE), image);
    this.interpreter = this.switchOn();
  }

  private switchOn(): Interpreter {
    return new Interpreter({ directory: this.directory, virtualTime: 0 });
  }

  /** A number, asked of the interpreter itself. */
  async value(expression: string): Promise<number> {
    const mark = `\x02${Math.random()}\x03`;
    this.interpreter.type(`\x10print(${expression},${JSON.stringify(mark)})\n`);
    return Number(/(\d+)\s*$/.exec(await this.interpreter.read(mark))?.[1]);
  }

  async reach(): Promise<Board> {
    this.link = await reach(linkInterpreter(this.interpreter));
    return this.link;
  }

  /** Lets virtual time pass; the interpreter is fast enough for an hour in a crowd at a time. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= HOUR) await this.interpreter.advance(Math.min(left, HOUR));
  }

  async records(): Promise<LogRecord[]> {
    const blocks = await pullBlocks(linkInterpreter(this.interpreter), await this.reach());
    return blocks.flatMap((block) => decodeBlock(block));
  }

  async changeBattery(): Promise<void> {
    await this.interpreter.kill();
    this.interpreter = this.switchOn();
    await this.interpreter.advance(3000);
    await this.reach();
  }

  async restart(): Promise<void> {
    this.interpreter.type("\x10load()\n");
    await this.interpreter.quiet();
    await this.interpreter.advance(3000);
    await this.reach();
  }

  async close(): Promise<void> {
    await this.interpreter.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
