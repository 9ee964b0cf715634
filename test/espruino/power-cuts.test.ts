import { copyFileSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { splitRecords } from "../../host-tools/store/log-decoder.ts";
import { DENSE, PAGE_WORDS, WORD_BYTES } from "../../protocols/log-format.ts";
import { CYCLE_TIME, RECORD_FORM } from "../../protocols/settings.ts";
import { build, NO_INTERPRETER } from "./abilities.ts";
import { flashWithRadio, linkInterpreter, pullBlocks, reach, wearable } from "./firmware-run.ts";
import { Interpreter, startInterpreter, temporaryDirectory } from "./interpreter.ts";
import { type LogImage, readLogImage } from "./log-image.ts";

/** The smallest ring, so that pages are erased soon. */
const LOG_PAGES = 2;
const ERASE_CUTS = 5;
const UNIX = 1600025000;
/** A scan every 20 s and ten neighbours: some ten records a minute, a page in a quarter of an hour. */
const CYCLE = 20;
const FLASH_FILE = "espruino.flash";
/** Exit code of a build that was told to lose power. */
const POWER_LOST = 77;

interface Life {
  what: string;
  /** Value of the setting. */
  form: number;
  hours: number;
  cuts: number;
}
const LIVES: Life[] = [
  { what: "in full records", form: 0, hours: 2, cuts: 40 },
  { what: "in full records and dense ones", form: 2, hours: 4, cuts: 20 },
];

/** Places of power cuts, the same each time. */
function* places(count: number, below: number): Generator<number> {
  for (let i = 0, x = 20200913; i < count; i++) {
    x = (x * 48271) % 2147483647;
    // one in each of `count` equal stretches, so that none is left out
    yield Math.floor(((i + x / 2147483647) / count) * below);
  }
}

/** Starts a board that has been flashed, and lets it work. Answers its exit code if it loses power on the way. */
async function work(directory: string, { form, hours }: Life, environment: Record<string, string> = {}): Promise<number | string | undefined> {
  const board = new Interpreter({ directory, virtualTime: 0, environment });
  board.type(`\x10echo(0)\n\x10T.c(${CYCLE_TIME},${CYCLE})\n\x10T.c(${RECORD_FORM},${form})\n\x10T.t(${UNIX},0,12)\n`);
  const lost = board.ended;
  const done = board.advance(hours * 3_600_000).then(
    () => undefined,
    () => lost,
  );
  const how = await done;
  await board.kill();
  return how;
}

describe.skipIf(NO_INTERPRETER).each(LIVES)("a log that loses its power while it is written, $what", (life) => {
  let able = false;
  let flashed = "";
  let whole: LogImage;
  const directories: string[] = [];

  const fresh = () => {
    const directory = temporaryDirectory();
    directories.push(directory);
    return directory;
  };
  const flashOf = (directory: string) => readFileSync(join(directory, FLASH_FILE));

  beforeAll(async () => {
    const { abilities } = await build();
    able = abilities.has("flash faults") && abilities.has("virtual time") && abilities.has("mapped storage") && abilities.has("aes");
    if (!able) return;
    flashed = fresh();
    const board = await startInterpreter({ directory: flashed, environment: { ESPR_TIME: "0" } });
    await flashWithRadio(linkInterpreter(board), await wearable(), LOG_PAGES);
    await board.kill();
    const directory = copy();
    expect(await work(directory, life)).toBeUndefined();
    whole = readLogImage(flashOf(directory));
  });
  afterAll(() => {
    for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  });

  function copy(): string {
    const directory = fresh();
    copyFileSync(join(flashed, FLASH_FILE), join(directory, FLASH_FILE));
    return directory;
  }

  /** Cuts the power once, switches on again, and looks for everything that had been written. */
  async function cutAndReopen(environment: Record<string, string>): Promise<void> {
    const directory = copy();
    expect(await work(directory, life, environment)).toBe(POWER_LOST);
    const before = readLogImage(flashOf(directory));
    // no more than the record, and the page header, that was being written
    expect(before.torn.length).toBeLessThanOrEqual(1);
    for (const [seq, record] of before.records) if (whole.records.has(seq)) expect(record, `record ${seq}`).toBe(whole.records.get(seq));

    const board = new Interpreter({ directory, virtualTime: 0 });
    try {
      board.type("\x10echo(0)\n");
      await board.advance(1000);
      const linked = linkInterpreter(board);
      const tracelet = await reach(linked);
      const opened = readLogImage(flashOf(directory));
      for (const [seq, record] of before.records) expect(opened.records.get(seq), `record ${seq}`).toBe(record);
      const pulled = await pullBlocks(linked, tracelet);
      const handed = new Set<number>();
      for (const { seq, slots } of pulled) {
        let at = seq;
        for (const slot of splitRecords(slots)) {
          handed.add(at);
          at += slot.length / WORD_BYTES;
        }
      }
      for (const seq of before.records.keys()) expect(handed, `record ${seq}`).toContain(seq);

      await tracelet.setClock(UNIX + 7200, 0, 12);
      const keys = Buffer.from(await tracelet.keys(false)).toString("hex");
      for (const key of before.keys) expect(keys.includes(key)).toBe(true);
      await board.advance(600_000);
      const status = await tracelet.status();
      expect(status.er).toEqual([0, 0, 0]);
      expect(status.hi).toBeGreaterThan(Math.max(...before.records.keys()) + 1);
    } finally {
      await board.kill();
      rmSync(directory, { recursive: true, force: true });
    }
  }

  test("the run that is cut goes round the ring more than once", (context) => {
    if (!able) return context.skip();
    expect(Math.max(...whole.records.keys())).toBeGreaterThan(PAGE_WORDS * (LOG_PAGES + 3));
    expect(whole.torn).toEqual([]);
    expect([...whole.records.values()].some((record) => (Number.parseInt(record.slice(0, 2), 16) & 15) === DENSE)).toBe(life.form > 0);
  });
  test(`at ${life.cuts} words of flash: it opens, and what was complete is still there`, async (context) => {
    if (!able) return context.skip();
    const words = Math.max(...whole.records.keys());
    for (const word of places(life.cuts, words))
      await cutAndReopen({ ESPR_FLASH_KILL: String(word) }).catch((error) => fail(`cut before word ${word}`, error));
  });
  test(`in the middle of ${ERASE_CUTS} erases: it opens, and what was complete is still there`, async (context) => {
    if (!able) return context.skip();
    for (let erase = 0; erase < ERASE_CUTS; erase++)
      await cutAndReopen({ ESPR_ERASE_KILL: String(erase) }).catch((error) => fail(`cut in erase ${erase}`, error));
  });
});

function fail(where: string, error: unknown): never {
  throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
}
