import { describe, expect, test } from "vitest";
import { hostClockOn } from "../../host-tools/device/host-clock.ts";
import { openMemory } from "../../host-tools/device/memory.ts";
import { openBoard } from "../../host-tools/device/open-board.ts";
import { type Pulled, type PullOptions, pullLog } from "../../host-tools/device/pull.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";
import { Store } from "../../host-tools/store/store.ts";
import { LOG_VERSION, PAGE_WORDS } from "../../protocols/log-format.ts";
import { FakeFirmware, type FakeFirmwareOptions, hostileSlot, PAGE_RECORDS, sequenceOf } from "../support/fake-firmware.ts";

const NOON = 1_790_000_000;

function setUp(options: FakeFirmwareOptions = {}) {
  const clock = new VirtualClock(NOON);
  return { clock, board: new FakeFirmware(clock, options), store: Store.open(":memory:", { now: () => Math.floor(clock.now) }) };
}

/** One run of the command: opens the link, pulls, closes. `cutAfter`: bytes received after which the link is gone. */
async function pull(clock: VirtualClock, board: FakeFirmware, store: Store, options: PullOptions & { cutAfter?: number } = {}): Promise<Pulled> {
  const transport = openMemory(
    {
      input: (bytes) => board.pins.input(bytes),
      onOutput(listener) {
        let received = 0;
        board.pins.onOutput((bytes) => {
          received += bytes.length;
          if (options.cutAfter !== undefined && received > options.cutAfter) transport.cut();
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
        return await pullLog(link, store, options);
      } finally {
        await transport.close();
      }
    })(),
  );
}

describe("pulling a log", () => {
  test("every record arrives once, and only then the board is told", async () => {
    const { clock, board, store } = setUp({ records: 700 });
    const pulled = await pull(clock, board, store);
    expect(pulled).toMatchObject({ from: 0, upTo: sequenceOf(700), added: 700, encounters: 700, damaged: 0, lost: 0, freshLog: false });
    expect(board.acknowledged).toBe(sequenceOf(700));
    expect((await store.encounters()).length).toBe(700);
  });

  test("the wire never idles: at least 92 % of its bytes are records (9600 baud, 60 ms of work on the board for each request)", async () => {
    const { clock, board, store } = setUp({ records: 1450, workMs: 60 });
    const pulled = await pull(clock, board, store);
    expect(pulled.bytes).toBe(1450 * 28);
    expect(pulled.bytes / (pulled.seconds * 960)).toBeGreaterThan(0.92);
  });

  test("a second pull fetches what is new and nothing else", async () => {
    const { clock, board, store } = setUp({ records: 100 });
    await pull(clock, board, store);
    board.hi = sequenceOf(130);
    board.requests.length = 0;
    const second = await pull(clock, board, store);
    expect(second).toMatchObject({ from: sequenceOf(100), upTo: sequenceOf(130), added: 30 });
    expect(Math.min(...board.requests)).toBe(sequenceOf(100));
    expect(await pull(clock, board, store)).toMatchObject({ added: 0, upTo: sequenceOf(130) });
  });

  test("a link cut anywhere leaves a store that the next pull completes, with each encounter exactly once", async () => {
    const records = 60;
    for (let cutAfter = 0; cutAfter < 2900; cutAfter += 61) {
      const { clock, board, store } = setUp({ records, slot: hostileSlot });
      const first = await pull(clock, board, store, { cutAfter, wordsPerRequest: 110, batch: 110 }).catch((error: { code: string }) => error.code);
      if (typeof first === "string") expect(first).toBe("disconnected");
      expect(board.acknowledged).toBeLessThanOrEqual(sequenceOf((await store.encounters()).length));
      await pull(clock, board, store, { wordsPerRequest: 110 });
      const identifiers = (await store.encounters()).map((encounter) => Buffer.from(encounter.rpi).toString("hex"));
      expect(identifiers.length, `cut after ${cutAfter} bytes`).toBe(records);
      expect(new Set(identifiers).size).toBe(records);
    }
  });

  test("frames damaged on the wire are asked for again", async () => {
    const { clock, board, store } = setUp({
      records: 400,
      slot: hostileSlot,
      // every 90th piece of 16 bytes loses one
      wire: (bytes, count) => (count % 90 === 60 ? bytes.subarray(1) : bytes),
    });
    const pulled = await pull(clock, board, store);
    expect(pulled.repeated).toBeGreaterThan(2);
    expect((await store.encounters()).length).toBe(400);
    expect(board.acknowledged).toBe(sequenceOf(400));
  });

  test("a wire that damages everything ends with what to check, and what came whole is kept", async () => {
    let bad = false;
    const { clock, board, store } = setUp({ records: 400, wire: (bytes, count) => (bad && count % 3 === 0 ? Buffer.concat([bytes, bytes]) : bytes) });
    clock.at(NOON + 5, () => {
      bad = true;
    });
    const failure = await pull(clock, board, store).catch((error) => error);
    expect(failure.code).toBe("damaged");
    expect(failure.message).toContain("cable");
    const kept = (await store.encounters()).length;
    expect(kept).toBeGreaterThan(28);
    bad = false;
    expect((await pull(clock, board, store)).added).toBe(400 - kept);
  });

  test("records that the board gave up are counted, and the rest comes", async () => {
    const { clock, board, store } = setUp({ records: 500, firstPage: 2 });
    expect(await pull(clock, board, store)).toMatchObject({ from: 0, added: 500 - 2 * PAGE_RECORDS, lost: 2 * PAGE_WORDS * 4 });
  });

  test("pages that the board erases while it is pulled are counted too", async () => {
    const { clock, board, store } = setUp({ records: 500 });
    clock.at(NOON + 3, () => {
      board.lo = 2 * PAGE_WORDS;
    });
    const pulled = await pull(clock, board, store);
    expect(pulled.upTo).toBe(sequenceOf(500));
    expect(pulled.added).toBeLessThan(500);
    expect(pulled.added).toBeGreaterThan(500 - 2 * PAGE_RECORDS);
    // what had come of those pages before is not lost; the rest of the two is
    const came = pulled.added - (500 - 2 * PAGE_RECORDS);
    expect(Math.abs(pulled.lost - (2 * PAGE_RECORDS - came) * 28)).toBeLessThanOrEqual(4 * 28);
  });

  test("a dry run says where a pull would begin and end, and leaves store and board alone", async () => {
    const { clock, board, store } = setUp({ records: 500 });
    const pulled = await pull(clock, board, store, { dryRun: true });
    expect(pulled.from).toBe(0);
    expect(pulled.status.hi).toBe(sequenceOf(500));
    expect(board.requests).toEqual([]);
    expect((await store.positions()).size).toBe(0);
  });

  test("the same board with another log id is a fresh log, and the user is told", async () => {
    const environment = { process: { env: { VERSION: "2v26", BOARD: "PUCKJS", SERIAL: "cafe-0001" } } };
    const { clock, board, store } = setUp({ records: 10, globals: environment });
    expect((await pull(clock, board, store)).freshLog).toBe(false);
    const anew = new FakeFirmware(clock, { records: 5, logId: "8899aabbccddeeff", globals: environment });
    expect(await pull(clock, anew, store)).toMatchObject({ freshLog: true, added: 5, from: 0 });
    expect((await store.encounters()).length).toBe(15);
  });

  test("a log of a newer format is refused before anything is read", async () => {
    const { clock, board, store } = setUp({ records: 10 });
    board.head[3] = LOG_VERSION + 1;
    const failure = await pull(clock, board, store).catch((error) => error);
    expect(failure.code).toBe("log_newer");
    expect(failure.message).toContain(`format ${LOG_VERSION + 1}`);
    expect(board.requests).toEqual([]);
  });

  test("a bare interpreter is told apart from our firmware", async () => {
    const { clock, board, store } = setUp({ globals: { T: undefined } });
    expect((await pull(clock, board, store).catch((error) => error)).code).toBe("no_firmware");
  });

  test("a store that can't take the records ends the pull and nothing is acknowledged", async () => {
    const { clock, board, store } = setUp({ records: 100 });
    await store.close();
    const refusing = {
      positions: async () => new Map<string, number>(),
      boards: async () => [],
      commitPull: async () => {
        throw new Error("disk full");
      },
    };
    const failure = await pull(clock, board, refusing as unknown as Store).catch((error) => error);
    expect(failure.message).toBe("disk full");
    expect(board.acknowledged).toBe(0);
  });
});
