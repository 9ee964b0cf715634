import { describe, expect, test } from "vitest";
import { synchronise } from "../../host-tools/device/clock-sync.ts";
import { durationInWords, offsetInWords } from "../../host-tools/device/clock-words.ts";
import { hostClockOn } from "../../host-tools/device/host-clock.ts";
import { openMemory } from "../../host-tools/device/memory.ts";
import { openBoard } from "../../host-tools/device/open-board.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";
import { Store } from "../../host-tools/store/store.ts";
import { FakeConsole } from "../support/fake-console.ts";
import { FakeFirmware, type FakeFirmwareOptions } from "../support/fake-firmware.ts";

const NOON = 1_790_000_000.25;
const HOUR = 3600;

function setUp(options: FakeFirmwareOptions = {}, now = NOON) {
  const clock = new VirtualClock(now);
  return { clock, board: new FakeFirmware(clock, options), store: Store.open(":memory:", { now: () => Math.floor(clock.now) }) };
}

function sync(clock: VirtualClock, pins: FakeConsole, store?: Store, cutAfter?: number) {
  const transport = openMemory(
    {
      input: (bytes) => pins.input(bytes),
      onOutput(listener) {
        let received = 0;
        pins.onOutput((bytes) => {
          received += bytes.length;
          if (cutAfter !== undefined && received > cutAfter) transport.cut();
          else listener(bytes);
        });
      },
    },
    "/dev/ttyTEST",
  );
  return clock.drive(
    (async () => {
      const link = await openBoard(transport, { clock: hostClockOn(clock) });
      try {
        return await synchronise(link, store);
      } finally {
        await transport.close();
      }
    })(),
  );
}

describe("setting a board's clock", () => {
  test.each([
    ["a little behind", -1.234],
    ["two hours ahead", 2 * HOUR],
    ["in 2099", 2_300_000_000],
    ["in 1970, as after a change of battery", -NOON + 100],
  ])("a clock that stands %s is right to 20 ms afterwards", async (_, clockAhead) => {
    const { clock, board } = setUp({ clockAhead, workMs: 15 });
    const result = await sync(clock, board.pins);
    expect(Math.abs(board.ahead * 1000)).toBeLessThan(20);
    expect(Math.abs(result.after.offsetMs)).toBeLessThan(20);
    if (clockAhead > -HOUR) expect(Math.abs(result.before.offsetMs - clockAhead * 1000)).toBeLessThan(20);
    else expect(result.before.boardMs).toBeUndefined();
  });

  test("the time goes out for the border of a second", async () => {
    const { clock, board } = setUp({ clockAhead: 5 });
    await sync(clock, board.pins);
    expect(board.clockSets.every((ms) => ms % 1000 === 0)).toBe(true);
  });

  test("the synchronisation before tells the drift, and both are kept", async () => {
    const { clock, board, store } = setUp({ clockAhead: -100 });
    expect((await sync(clock, board.pins, store)).driftPpm).toBeUndefined();
    const day = clock.now + 24 * HOUR;
    clock.advanceTo(day);
    // 100 ppm slow
    board.slow += 24 * HOUR * 100e-6;
    const result = await sync(clock, board.pins, store);
    expect(result.driftPpm).toBeGreaterThan(98);
    expect(result.driftPpm).toBeLessThan(102);
    expect(Math.round(result.sinceLast! / HOUR)).toBe(24);
    const history = await store.clockSyncs("0011223344556677");
    expect(history.length).toBe(2);
    expect(Math.abs(history[0].offsetMs! - 100_000)).toBeLessThan(20);
    expect(history[1]).toMatchObject({ driftPpm: result.driftPpm, era: 1 });
  });

  test("a computer whose own clock can't be right sets nothing", async () => {
    for (const now of [100, 4_200_000_000]) {
      const { clock, board } = setUp({}, now);
      const failure = await sync(clock, board.pins).catch((error) => error);
      expect(failure.code).toBe("host_clock");
      expect(board.clockSets).toEqual([]);
    }
  });

  test("a board without our firmware is set by the interpreter's own function", async () => {
    const clock = new VirtualClock(NOON);
    let ahead = -NOON;
    const pins = new FakeConsole(clock, {
      globals: {
        getTime: () => clock.now + ahead,
        setTime: (unix: number) => {
          ahead = unix - clock.now;
        },
      },
    });
    const result = await sync(clock, pins);
    expect(Math.abs(ahead)).toBeLessThan(0.03);
    expect(result.status).toBeUndefined();
    expect(offsetInWords(result.before.offsetMs, result.before.boardMs)).toContain("1970");
  });

  test("a link cut at any message leaves a clock that is as it was or right, and the next run sets it", async () => {
    let cuts = 0;
    for (let cutAfter = 0; ; cutAfter += 97) {
      const { clock, board, store } = setUp({ clockAhead: 2 * HOUR });
      const outcome = await sync(clock, board.pins, store, cutAfter).catch((error: { code: string }) => error.code);
      expect(Math.min(Math.abs(board.ahead), Math.abs(board.ahead - 2 * HOUR))).toBeLessThan(0.03);
      if (typeof outcome !== "string") break;
      cuts++;
      expect(outcome).toBe("disconnected");
      await sync(clock, board.pins, store);
      expect(Math.abs(board.ahead)).toBeLessThan(0.03);
    }
    expect(cuts).toBeGreaterThan(20);
  });
});

describe("a clock in words", () => {
  const now = 1_790_000_000_000;
  test.each([
    [12, "12 ms ahead"],
    [-1500, "1.5 s behind"],
    [-(3 * 60 + 5) * 1000, "3 min 5 s behind"],
    [2 * HOUR * 1000 + 900, "2 h 0 min ahead: it looks like local time, and boards keep UTC"],
    [-5.5 * HOUR * 1000, "5 h 30 min behind: it looks like local time, and boards keep UTC"],
    [50 * HOUR * 1000, "2 d 2 h ahead"],
  ])("%i ms: %s", (offset, words) => {
    expect(offsetInWords(offset, now + offset)).toBe(words);
  });

  test("1970 and 2099 are named", () => {
    expect(offsetInWords(5000 - now, 5000)).toContain("stands in 1970");
    const far = Date.UTC(2099, 5, 1);
    expect(offsetInWords(far - now, far)).toMatch(/^in the year 2099, .* years ahead/);
    expect(offsetInWords(0, undefined)).toContain("not set");
  });

  test("a duration has two units at most", () => {
    expect(durationInWords(93_784_000)).toBe("1 d 2 h");
  });
});
