import { describe, expect, test } from "vitest";
import type { PulledBlock } from "../../host-tools/store/log-decoder.ts";
import { Store } from "../../host-tools/store/store.ts";
import { DELETED } from "../../protocols/log-format.ts";
import { at, clock, dense, encounter, mark, sighting, slots } from "./slots.ts";

const BOARD = { logId: "00112233aabbccdd", type: "puckjs", firmware: "0.1.0" };
const NOW = 1_700_000_000;
const block = (seq: number, bytes: Uint8Array, more: Partial<PulledBlock> = {}): PulledBlock => ({ seq, era: 1, baseTick: 0, slots: bytes, ...more });
const open = () => Store.open(":memory:", { now: () => NOW });

describe("committing a pull", () => {
  test("encounters, sightings and the position are stored, and the answer says up to where to acknowledge", async () => {
    const store = open();
    const committed = await store.commitPull(BOARD, [
      block(145, slots(mark(1, 0), clock(1, 10, NOW), encounter({ rpi: 5, first: 20, seconds: 30, count: 3, maxRssi: -50, below: 4 }))),
      block(at(3), sighting(5, 0xc0, -50, 20), { nextSeq: 290 }),
    ]);
    expect(committed).toEqual({ board: BOARD.logId, added: 4, encounters: 1, upTo: 290, damaged: [] });
    expect(await store.encounters()).toEqual([
      {
        board: BOARD.logId,
        logId: BOARD.logId,
        seq: at(2),
        rpi: Buffer.alloc(16, 5),
        aem: Buffer.alloc(4, 2),
        firstSeen: NOW + 10,
        lastSeen: NOW + 40,
        count: 3,
        maxRssi: -50,
        meanRssi: -54,
        address: null,
        addressType: null,
        position: null,
      },
    ]);
    expect(await store.sightings()).toMatchObject([
      { unix: NOW + 10, rssi: -50, address: "c0:c0:c0:c0:c0:c0", addressType: "random", aem: Buffer.alloc(4, 2) },
    ]);
    expect(await store.positions()).toEqual(new Map([[BOARD.logId, 290]]));
  });

  test("the same records again add nothing, also when a pull begins earlier or the board has deleted some since", async () => {
    const store = open();
    const log = slots(encounter({ first: 2 }), encounter({ first: 4 }), encounter({ first: 6 }));
    await store.commitPull(BOARD, [block(145, log)]);
    const deleted = log.slice();
    deleted.fill(0, 0, 28);
    deleted[0] = DELETED;
    for (const again of [log, deleted]) {
      expect(await store.commitPull(BOARD, [block(145, again)])).toMatchObject({ added: 0, encounters: 0, upTo: at(3) });
    }
    expect(await store.commitPull(BOARD, [block(at(2), slots(log.subarray(56), encounter({ first: 8 })))])).toMatchObject({ added: 1, upTo: at(4) });
    expect((await store.encounters()).map((one) => one.seq)).toEqual([0, 1, 2, 3].map(at));
  });

  test("a battery that got low and recovered is told with its time and voltage, once pulled and from any record on", async () => {
    const store = open();
    const low = clock(1, 100, NOW + 100, { why: 7, roundTrip: 2190 });
    const recovered = clock(1, 900, NOW + 900, { why: 8, roundTrip: 2310 });
    const { upTo } = await store.commitPull(BOARD, [block(145, slots(mark(1, 0), clock(1, 10, NOW), low, encounter({ first: 20 }), recovered))]);
    expect(await store.batteryChanges(BOARD.logId, 0)).toEqual([
      { low: true, millivolts: 2190, unixMs: (NOW + 100) * 1000 },
      { low: false, millivolts: 2310, unixMs: (NOW + 900) * 1000 },
    ]);
    expect(await store.batteryChanges(BOARD.logId, upTo - 7)).toHaveLength(1);
    expect(await store.batteryChanges("ffffffffffffffff", 0)).toEqual([]);
  });

  test("a pull that goes back does not move the position back", async () => {
    const store = open();
    await store.commitPull(BOARD, [block(500, encounter({ first: 2 }))]);
    expect((await store.commitPull(BOARD, [block(145, encounter({ first: 4 }))])).upTo).toBe(507);
  });

  test("another record under a known number stops the pull, and nothing of it is kept", async () => {
    const store = open();
    await store.commitPull(BOARD, [block(145, encounter({ first: 2 }))]);
    const other = store.commitPull(BOARD, [block(at(-1), encounter({ first: 8 })), block(145, encounter({ first: 4 }))]);
    await expect(other).rejects.toMatchObject({ code: "log_changed", message: expect.stringContaining("record 145 differs") });
    expect((await store.encounters()).map((one) => one.seq)).toEqual([145]);
    expect((await store.positions()).get(BOARD.logId)).toBe(at(1));
  });

  test("damaged records are told, with their numbers, and do not stop the pull; their bytes are not kept", async () => {
    const store = open();
    const torn = encounter({ rpi: 0x77, first: 2 });
    torn[9] = 0;
    const committed = await store.commitPull(BOARD, [block(145, slots(torn, encounter({ first: 4 })))]);
    expect(committed).toMatchObject({ added: 1, upTo: at(2), damaged: [{ seq: 145, reason: expect.stringContaining("not whole") }] });
    // Read well the next time: it is added.
    expect((await store.commitPull(BOARD, [block(145, encounter({ first: 2 }))])).added).toBe(1);
  });

  test("a dense record is an encounter of 5 bytes of its identifier and one of its metadata", async () => {
    const store = open();
    const log = slots(clock(1, 0, NOW), dense({ rpi: 5, aem: 9, first: 20, seconds: 31, maxRssi: -50, below: 4 }), encounter({ first: 60 }));
    expect(await store.commitPull(BOARD, [block(145, log)])).toMatchObject({ added: 3, encounters: 2, upTo: 145 + 7 + 3 + 7 });
    expect(await store.commitPull(BOARD, [block(145, log)])).toMatchObject({ added: 0 });
    expect((await store.encounters())[0]).toEqual({
      board: BOARD.logId,
      logId: BOARD.logId,
      seq: at(1),
      rpi: Buffer.alloc(5, 5),
      aem: Buffer.of(9),
      firstSeen: NOW + 16,
      lastSeen: NOW + 56,
      count: null,
      maxRssi: -50,
      meanRssi: -54,
      address: null,
      addressType: null,
      position: null,
    });
  });

  test("a board keeps its name, type and logs; what a contact leaves out stays known", async () => {
    const store = open();
    await store.commitPull({ ...BOARD, id: "badge-7", name: "Ada" }, [block(145, encounter({ first: 2 }))]);
    await store.commitPull({ logId: BOARD.logId, firmware: "0.2.0" }, []);
    await store.commitPull({ logId: "ffffffffffffffff", id: "badge-7" }, []);
    expect(await store.boards()).toEqual([
      {
        id: "badge-7",
        name: "Ada",
        type: "puckjs",
        role: null,
        firmware: "0.2.0",
        addedAt: NOW,
        contactAt: NOW,
        logs: [
          { logId: BOARD.logId, nextSeq: at(1) },
          { logId: "ffffffffffffffff", nextSeq: 0 },
        ],
      },
    ]);
    expect((await store.encounters({ board: "badge-7" })).length).toBe(1);
    expect(await store.encounters({ board: "badge-8" })).toEqual([]);
    await expect(store.commitPull({ logId: "xyz" }, [])).rejects.toMatchObject({ code: "bad_log_id" });
  });
});

describe("UTC of what was logged", () => {
  const times = async (store: Store) =>
    (await store.encounters()).map(({ seq, firstSeen, lastSeen }) => [seq, firstSeen && firstSeen - NOW, lastSeen && lastSeen - NOW]);

  test("a log written before the clock was set gets its times with the pull that brings the clock", async () => {
    const store = open();
    await store.commitPull(BOARD, [block(145, slots(mark(1, 0), encounter({ first: 100, seconds: 50 })))]);
    expect(await times(store)).toEqual([[at(1), null, null]]);
    expect(await store.encounters({ from: 0 })).toEqual([]);
    await store.commitPull(BOARD, [block(at(2), clock(1, 1000, NOW + 1000))]);
    expect(await times(store)).toEqual([[at(1), 100, 150]]);
  });

  test("a clock says nothing of other eras, nor of other boards, nor anything while it is unset", async () => {
    const store = open();
    const other = { logId: "ffffffffffffffff" };
    await store.commitPull(BOARD, [
      block(145, slots(encounter({ first: 2 }), clock(1, 4, 0), mark(2, 0), clock(2, 0, NOW), encounter({ first: 2 }))),
    ]);
    await store.commitPull(other, [block(145, encounter({ first: 2 }), { era: 2 })]);
    expect(await times(store)).toEqual([
      [at(4), 2, 2],
      [145, null, null],
      [145, null, null],
    ]);
  });

  test("a later clock corrects the drift of what was heard since the one before, and of nothing else", async () => {
    const store = open();
    const day = 86_400;
    await store.commitPull(BOARD, [
      block(145, slots(clock(1, 0, NOW), encounter({ first: day / 2 }), clock(1, day, NOW + day), encounter({ first: day + day / 2 }))),
    ]);
    expect((await times(store)).map(([, first]) => first)).toEqual([day / 2, day + day / 2]);
    // The board's seconds were long: 20 s behind after another day.
    await store.commitPull(BOARD, [block(at(4), slots(clock(1, 2 * day, NOW + 2 * day, { why: 3 }), clock(1, 2 * day, NOW + 2 * day + 20)))]);
    expect((await times(store)).map(([, first]) => first)).toEqual([day / 2, day + day / 2 + 10]);
    expect(await store.resolveTimes()).toBe(0);
  });

  test("contacts are kept as a history of each board, in the order in which they came", async () => {
    const store = open();
    const first = { hostMs: NOW * 1000, roundTripMs: 21.5, rotations: 12 };
    const second = {
      hostMs: NOW * 1000 + 60_000,
      boardMs: NOW * 1000 + 59_400,
      offsetMs: 600,
      stepMs: 600,
      roundTripMs: 22,
      driftPpm: 10.5,
      era: 3,
      tick: 400,
    };
    // the hub's clock may have been wrong, and then right
    await store.addClockSync(BOARD, second);
    await store.addClockSync(BOARD, first);
    expect(await store.clockSyncs(BOARD.logId)).toEqual([second, first]);
    expect(await store.clockSyncs("ffffffffffffffff")).toEqual([]);
  });
});

test("own keys are kept once, with the longest period, and only for the board that has them", async () => {
  const store = open();
  const tek = Buffer.alloc(16, 0x5a);
  expect(await store.addKeys(BOARD, [{ tek, rollingStart: 2652624, rollingPeriod: 20 }])).toBe(1);
  expect(await store.addKeys(BOARD, [{ tek, rollingStart: 2652624, rollingPeriod: 100 }])).toBe(0);
  expect(await store.addKeys(BOARD, [{ tek, rollingStart: 2652624, rollingPeriod: 50 }])).toBe(0);
  expect(await store.keys()).toEqual([{ board: BOARD.logId, tek, rollingStart: 2652624, rollingPeriod: 100 }]);
  expect(await store.keys("somebody else")).toEqual([]);
});
