import { afterEach, describe, expect, test } from "vitest";
import { ClockLab } from "../support/clock-lab.ts";
import { DAY, expectQuietConsoles, setClock } from "../support/worn-boards.ts";

afterEach(expectQuietConsoles);

describe("an oscillator that runs wrong, and contacts that put it right afterwards", () => {
  test.each([
    [250, 1, 7],
    [-250, 7, 21],
    [500, 21, 21],
  ])("%i ppm fast, a contact every %i of %i days: times are right to half a second", async (ppm, days, all) => {
    const lab = new ClockLab(300 + ppm);
    await lab.begin({ clockPpm: ppm });
    const drifts: (number | undefined)[] = [];
    await lab.contact();
    for (let day = 0; day < all; day += days) {
      lab.pass(days * DAY);
      drifts.push((await lab.contact()).set!.driftPpm);
    }
    const { before, after } = lab.errors();
    // rotations cost the clock some hundredths, so a board is a little slower than its oscillator
    for (const drift of drifts) expect(Math.abs(drift! + ppm)).toBeLessThan(40);
    expect(before.worst).toBeGreaterThan(0.85 * Math.abs(ppm) * days * 86.4);
    expect(after.worst).toBeLessThan(500);
    expect(after.mean).toBeLessThan(200);
    expect(await lab.expectTrueTimes()).toBeGreaterThan(160);

    // and what was corrected is told, for each stretch between two contacts
    const [{ eras }] = await lab.store.clockHistory();
    const stretches = eras[0].stretches.filter(({ fromTick, toTick }) => toTick - fromTick > 3600);
    expect(stretches).toHaveLength(all / days);
    stretches.forEach(({ driftPpm, correctionMs, basis }, i) => {
      expect(basis).toBe("between");
      expect(Math.abs(driftPpm - drifts[i]!)).toBeLessThan(2);
      expect(correctionMs / (days * 86.4 * driftPpm)).toBeCloseTo(1, 1);
    });
    await lab.close();
  });

  test("pulls alone date the log as well: each looks at the clock", async () => {
    const lab = new ClockLab(301);
    await lab.begin({ clockPpm: 500 });
    await lab.contact();
    for (let i = 0; i < 3; i++) {
      lab.pass(2 * DAY);
      const { pulled } = await lab.contact({ set: false });
      expect(Math.abs(pulled.clock!.driftPpm! + 485)).toBeLessThan(25);
      expect(pulled.clock!.offsetMs! / ((i + 1) * 2 * 86.4 * 485)).toBeCloseTo(1, 0);
    }
    expect(lab.errors().after.worst).toBeLessThan(500);
    await lab.expectTrueTimes();
    await lab.close();
  });

  test("the drift known from two contacts holds before the first of them: three days with an unset clock are right to seconds", async () => {
    const lab = new ClockLab(302);
    await lab.begin({ clockPpm: -250 });
    lab.pass(3 * DAY);
    await lab.contact();
    // no drift known yet
    expect(lab.errors().after.worst).toBeGreaterThan(55_000);
    lab.pass(DAY);
    await lab.contact({ set: false });
    // before it sends, a board loses nothing to rotations: these 33 ppm are not known
    expect(lab.errors().after.worst).toBeLessThan(9000);
    await lab.expectTrueTimes(9);
    await lab.close();
  });

  test("a clock that runs through restarts carries the correction into eras that no contact came to", async () => {
    const lab = new ClockLab(303);
    await lab.begin({ clockPpm: 500 });
    await lab.contact();
    for (let i = 0; i < 4; i++) {
      lab.pass(4 * DAY);
      lab.world.restart(lab.board);
    }
    lab.pass(DAY);
    await lab.contact();
    const { before, after } = lab.errors();
    expect(before.worst).toBeGreaterThan(600_000);
    // a restart costs the clock a little each time
    expect(after.worst).toBeLessThan(1500);
    await lab.expectTrueTimes(1.5, true);
    await lab.close();
  });

  test("what another tool did to the clock between two contacts touches no time", async () => {
    const lab = new ClockLab(304);
    await lab.begin({ clockPpm: 250 });
    await lab.contact();
    lab.pass(DAY);
    lab.board.evaluate("setTime(getTime()+5*86400)");
    lab.pass(DAY);
    setClock(lab.board, lab.world.clock.now - 7 * DAY, 65535);
    lab.pass(DAY);
    await lab.contact({ force: true });
    expect(lab.errors().after.worst).toBeLessThan(500);
    await lab.expectTrueTimes();
    const [{ eras }] = await lab.store.clockHistory();
    expect(eras[0].contacts.map(({ how, state }) => [how, state])).toEqual([
      ["set", "used"],
      ["other", "unused"],
      ["other", "unused"],
      ["set", "used"],
    ]);
    await lab.close();
  });
});
