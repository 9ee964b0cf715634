import { describe, expect, test } from "vitest";
import { cutEverywhere } from "../../bench/log-cuts.ts";
import { liveLong } from "../../bench/log-history.ts";
import { bangle2 } from "../../boards/bangle2.ts";
import { PAGE_HEADER_BYTES, PAGE_WORDS } from "../../protocols/log-format.ts";

// `npm run bench -- cuts` makes all cuts of a longer life; here it is a part of them.

describe("a log whose power is cut anywhere in a life of encounters, keys, settings, acknowledgements, deletions and restarts", () => {
  test("opens, has everything it had, is written on, and takes at most one erase: at each byte around the turn of two pages, and at every 61st elsewhere", async () => {
    const history = await liveLong(2, 6);
    const turns = history.steps.flatMap((step, i) => (step.bytes?.length === PAGE_HEADER_BYTES && step.bytes[0] ? [i] : []));
    expect(turns).toHaveLength(7);
    // one with the moves of keys behind it, and one more
    const [from, until] = [turns[4] - 4, turns[4] + 10];
    const report = await cutEverywhere(history, (step, byte) => {
      const isErase = !history.steps[step].bytes;
      return (step >= from && step <= until) || (step >= turns[5] - 3 && step <= turns[5] + 3) || isErase || (step * 29 + byte) % 61 === 0;
    });
    expect(report.losses).toEqual([]);
    expect(report.pages).toBeGreaterThan(6);
    expect(report.bytePoints).toBeGreaterThan(800);
    expect(report.bitPoints).toBeGreaterThan(200);
    expect(report.erasePoints).toBe(6 * 14);
    expect(report.mostErases).toBe(1);
  });

  test("on a chip on SPI, where a cut leaves any bits of a program operation: the same; and what is written as in the nRF52's own flash does not hold there", async () => {
    const history = await liveLong(2, 6, 1, bangle2);
    const report = await cutEverywhere(
      history,
      (step, byte) => !history.steps[step].bytes || (step * 29 + byte) % 61 === 0 || (step > 1700 && step < 1780),
    );
    expect(report.losses).toEqual([]);
    expect(report.pages).toBeGreaterThan(6);
    expect(report.programPoints).toBeGreaterThan(900);
    expect(report.bytePoints + report.bitPoints).toBe(0);
    // anything in the page, beside the fourteen ways
    expect(report.erasePoints).toBe(6 * 15);
    expect(report.mostErases).toBe(1);
    const other = await cutEverywhere({ ...(await liveLong(2, 1)), onSpi: true }, (step, byte) => step % 5 === 0 && byte % 4 === 0);
    expect(other.losses.length).toBeGreaterThan(20);
  });

  test("erases a page once for each thousand words it takes, and no other", async () => {
    const { steps, ringPages } = await liveLong(3, 9, 7);
    const erased = steps.filter(({ bytes }) => !bytes).map(({ at }) => at);
    const begun = steps.filter(({ bytes }) => bytes?.length === PAGE_HEADER_BYTES && bytes[0] > 0).length;
    // page 0 is filled as it is
    expect(erased).toHaveLength(begun - 1);
    expect(new Set(erased).size).toBe(ringPages);
    const words = steps.reduce((sum, { bytes }) => sum + (bytes?.some((byte) => byte > 1) ? bytes.length / 4 : 0), 0);
    expect(words / begun).toBeLessThan(PAGE_WORDS + 6);
  });
});
