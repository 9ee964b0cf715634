import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { boundsIn, type EraSpan } from "../../host-tools/store/undated.ts";
import { decodeAdvertisement } from "../../protocols/gaen/advertisement.ts";
import { ClockLab } from "../support/clock-lab.ts";
import { keysOf } from "../support/flash-log.ts";
import { lifetimesIn, linksIn } from "../support/observer.ts";
import { toHex } from "../support/vectors.ts";
import { DAY, expectQuietConsoles, status } from "../support/worn-boards.ts";

afterEach(expectQuietConsoles);

const HOUR = 3600;

describe("a change of battery: RAM lost, clock in 1970", () => {
  test("with the contact days later: both eras have their dates", async () => {
    const lab = new ClockLab(310);
    await lab.begin({ clockPpm: 250 });
    await lab.contact();
    lab.pass(2 * DAY);
    await lab.contact({ set: false });
    lab.pass(HOUR);
    lab.world.powerCycle(lab.board);
    lab.pass(2 * DAY);
    expect(status(lab.board)).toMatchObject({ e: 2, u: 0, ad: 0 });
    await lab.contact();
    lab.pass(2 * DAY);
    await lab.contact({ set: false });
    expect(lab.errors().after.worst).toBeLessThan(6000);
    expect((await lab.exported()).undated).toEqual([]);
    await lab.expectTrueTimes(6, true);
    await lab.close();
  });

  test("a pull dates an era even if nobody ever sets its clock", async () => {
    const lab = new ClockLab(311);
    await lab.begin({ clockPpm: 250 });
    lab.pass(DAY);
    await lab.contact({ set: false });
    lab.world.powerCycle(lab.board);
    lab.pass(DAY);
    await lab.contact({ set: false });
    lab.pass(DAY);
    await lab.contact({ set: false });
    expect(status(lab.board)).toMatchObject({ e: 2, u: 0 });
    await lab.expectTrueTimes(22, true);
    expect((await lab.exported()).undated).toEqual([]);
    await lab.close();
  });

  test("two changes without a contact in between: what was heard then has bounds, and no date that is wrong", async () => {
    const lab = new ClockLab(312);
    await lab.begin({ clockPpm: -250 });
    await lab.contact();
    lab.pass(DAY);
    lab.world.powerCycle(lab.board);
    const [began, lasts] = [lab.world.clock.now, 20 * HOUR];
    lab.pass(lasts);
    lab.board.powerOff();
    lab.world.pass(3 * HOUR);
    lab.board.powerOn();
    lab.pass(DAY);
    await lab.contact();
    lab.pass(DAY);
    await lab.contact();

    const { undated } = await lab.exported();
    expect(undated.length).toBeGreaterThan(15);
    const heard = lab.world.heardBy(lab.board).filter(({ time }) => time > began && time < began + lasts);
    for (const [, era, , notBefore, notAfter, , rpi] of undated) {
      expect(era).toBe("2");
      const [from, to] = [notBefore, notAfter].map((text) => Date.parse(text.replace(" UTC", "Z").replace(" ", "T")) / 1000);
      const times = heard.filter(({ data }) => toHex(decodeAdvertisement(data)!.rpi) === rpi).map(({ time }) => time);
      expect(times.filter((time) => time > from - 1 && time < to + 4)).not.toEqual([]);
      // as tight as can be: the three hours without power, and twice the encounter that was open when the power went
      expect(to - from).toBeLessThan(3 * HOUR + 2 * (HOUR + 900) + 400);
    }
    const [{ eras }] = await lab.store.clockHistory();
    expect(eras.map(({ era, stretches }) => [era, stretches.length > 0])).toEqual([
      [1, true],
      [2, false],
      [3, true],
    ]);
    expect(eras[1].bounds!.notBefore).toBeLessThanOrEqual(began);
    // and everything else is where it was
    await lab.expectTrueTimes(25, true);
    await lab.close();
  });

  test("a clock that was fast before it was lost sends nothing twice, set again within minutes (COM-07)", async () => {
    const lab = new ClockLab(313);
    await lab.begin({ clockPpm: 500, role: "beacon" });
    await lab.contact();
    lab.pass(20 * DAY);
    // 14 minutes ahead by now: the identifiers of the next two intervals have been sent
    lab.world.powerCycle(lab.board);
    lab.world.pass(30);
    await lab.contact();
    lab.pass(2 * HOUR);
    expect(linksIn(lifetimesIn(lab.world.sentBy(lab.board)))).toEqual([]);
    expect(keysOf(lab.board).filter(({ ended }) => !ended).length).toBeGreaterThan(1);
    expect(status(lab.board).ad).toBe(1);
    await lab.close();
  });
});

test("bounds of an era without a date always hold the truth", () => {
  const part = fc.record({
    off: fc.nat(50_000),
    lasts: fc.nat(200_000),
    known: fc.boolean(),
    heard: fc.double({ min: 0, max: 1, noNaN: true }),
    ppm: fc.integer({ min: -500, max: 500 }),
  });
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), fc.double({ min: 0, max: 1, noNaN: true }), (parts, share) => {
      let now = 1_790_000_000;
      const eras: (EraSpan & { began: number; rate: number })[] = [];
      parts.forEach(({ off, lasts, known, heard, ppm }, i) => {
        now += off;
        const rate = 1 + ppm * 1e-6;
        const lastTick = Math.floor(lasts * heard * rate);
        eras.push({
          era: i + 1,
          lastTick,
          began: now,
          rate,
          beganMs: known ? now * 1000 : undefined,
          lastMs: known ? (now + lastTick / rate) * 1000 : undefined,
        });
        now += lasts;
      });
      const bounds = boundsIn(eras);
      for (const { era, lastTick, began, rate } of eras) {
        const tick = lastTick * share;
        const { notBefore, notAfter } = bounds(era, tick);
        if (notBefore !== undefined) expect(began + tick / rate).toBeGreaterThanOrEqual(notBefore);
        if (notAfter !== undefined) expect(began + tick / rate).toBeLessThanOrEqual(notAfter);
      }
      if (eras.length > 2 && eras[0].beganMs !== undefined) expect(bounds(3, 0).notBefore).toBeDefined();
    }),
    { numRuns: 200 },
  );
});
