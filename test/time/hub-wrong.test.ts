import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { run } from "../../host-tools/cli/program.ts";
import { Store } from "../../host-tools/store/store.ts";
import { clock, encounter, mark, slots } from "../store/slots.ts";
import { ClockLab } from "../support/clock-lab.ts";
import { DAY, expectQuietConsoles, status } from "../support/worn-boards.ts";

afterEach(expectQuietConsoles);

const HOUR = 3600;

describe("a hub whose own clock is wrong by a day, and then right", () => {
  test.each([DAY, -DAY])("by %i s: two contacts that are right outvote it, and both are kept", async (ahead) => {
    const lab = new ClockLab(340);
    await lab.begin({ clockPpm: 250 });
    await lab.contact();
    lab.pass(DAY);
    lab.hubAhead = ahead;
    await lab.contact({ force: true });
    expect(Math.abs(status(lab.board).u / 1000 - lab.world.clock.now - ahead)).toBeLessThan(1);
    lab.pass(DAY);
    lab.hubAhead = 0;
    await lab.contact({ force: true });
    lab.pass(DAY);
    await lab.contact();
    expect(lab.errors().after.worst).toBeLessThan(500);
    await lab.expectTrueTimes();
    const [{ eras }] = await lab.store.clockHistory();
    expect(eras[0].contacts.map(({ state }) => state)).toEqual(["used", "contradicted", "used", "used"]);
    await lab.close();
  });

  test("as long as one stands against one the nearer decides; the user says which was wrong, and can take it back", async () => {
    const lab = new ClockLab(341);
    await lab.begin();
    lab.hubAhead = -2 * DAY;
    await lab.contact();
    lab.pass(DAY);
    lab.hubAhead = 0;
    await lab.contact({ force: true });
    expect(lab.errors().after.worst).toBeGreaterThan(1.9 * DAY * 1000);
    const [{ board, eras }] = await lab.store.clockHistory();
    const [first] = eras[0].contacts;
    const contact = { era: 1, tick: Math.floor(first.tick) };
    expect(await lab.store.leaveOutContact(board, contact, true)).toBeGreaterThan(5);
    await lab.expectTrueTimes(4);
    expect((await lab.store.clockHistory())[0].eras[0].contacts.map(({ state }) => state)).toEqual(["left out", "used"]);
    expect(await lab.store.leaveOutContact(board, contact, false)).toBeGreaterThan(5);
    expect(lab.errors().after.worst).toBeGreaterThan(1.9 * DAY * 1000);
    await expect(lab.store.leaveOutContact(board, { era: 9, tick: 1 }, true)).rejects.toMatchObject({ code: "no_such_contact" });
    await lab.close();
  });

  test("a clock that runs is not put forward by more than a day unasked: the board would delete what is then too old", async () => {
    const lab = new ClockLab(342);
    await lab.begin();
    await lab.contact();
    lab.pass(HOUR);
    lab.hubAhead = 400 * DAY;
    await expect(lab.contact()).rejects.toMatchObject({ code: "clock_behind", message: expect.stringMatching(/--force/) });
    expect(Math.abs(status(lab.board).u / 1000 - lab.world.clock.now)).toBeLessThan(1);
    lab.hubAhead = 0;
    await lab.contact();
    await lab.expectTrueTimes();
    await lab.close();
  });
});

describe("tracelet clocks", () => {
  const NOW = 1_790_000_000;
  const BOARD = { logId: "00112233aabbccdd", id: "badge-7" };

  async function tracelet(...argv: string[]): Promise<{ exit: number; out: string; err: string }> {
    const written = { out: "", err: "" };
    const spies = (["stdout", "stderr"] as const).map((name) =>
      vi.spyOn(process[name], "write").mockImplementation((chunk) => {
        written[name === "stdout" ? "out" : "err"] += String(chunk);
        return true;
      }),
    );
    try {
      return { exit: await run(argv), ...written };
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
  }

  test("lists eras, contacts and what was corrected, and dates anew without a contact", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tracelet-clocks-"));
    const db = join(folder, "tracelet.db");
    const store = Store.open(db, { now: () => NOW });
    // era 1: 200 ppm slow; era 2: never saw a clock; era 3: begins a day later
    const log = slots(mark(1, 0), clock(1, 100, NOW + 100), encounter({ first: 43_200 }), clock(1, 86_500, NOW + 86_517, { ms: 280, step: 17_280 }));
    const later = slots(mark(2, 0), encounter({ first: 600 }), mark(3, 0), clock(3, 50, NOW + 2 * 86_400));
    await store.commitPull(BOARD, [
      { seq: 0, era: 1, baseTick: 0, slots: log },
      { seq: 4, era: 2, baseTick: 0, slots: later },
    ]);
    await store.close();
    const all = await tracelet("clocks", "--db", db);
    expect(all.exit).toBe(0);
    expect(all.out).toContain("board badge-7, log 00112233aabbccdd");
    expect(all.out).toContain("ticks 100 to 86500: 200 ppm slow, +17.3 s at its end, between two contacts");
    expect(all.out).toContain("contact 1:86500");
    expect(all.out).toContain("board 17.3 s behind, round trip 20 ms");
    expect(all.out).toMatch(/era 2: no date, 10 min 0 s known; it began between .* and .*/);
    const json = await tracelet("clocks", "badge-7", "--db", db, "--leave-out", "1:86500", "--json");
    expect(JSON.parse(json.out)).toMatchObject({ changed: 1, logs: [{ eras: [{ contacts: [{}, { state: "left out" }] }, {}, {}] }] });
    expect(JSON.parse((await tracelet("clocks", "badge-7", "--db", db, "--count", "1:86500", "--json")).out).changed).toBe(1);
    for (const [argv, words] of [
      [["clocks", "nobody", "--db", db], "known: badge-7"],
      [["clocks", "--db", db, "--leave-out", "1:100"], "which board"],
      [["clocks", "badge-7", "--db", db, "--leave-out", "yesterday"], "ERA:TICK"],
      [["clocks", "badge-7", "--db", db, "--count", "1:100"], "no contact 1:100 that is left out"],
    ] as const) {
      const { err } = await tracelet(...argv);
      expect(err).toContain(words);
    }
    rmSync(folder, { recursive: true });
  });
});
