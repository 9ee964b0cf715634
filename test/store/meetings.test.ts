import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sealRecord } from "../../host-tools/store/log-decoder.ts";
import { Store } from "../../host-tools/store/store.ts";
import { MEETING_PART_AT, MEETING_PLACES, MEETING_ROLE_AT, WORD_BYTES } from "../../protocols/log-format.ts";
import { BLUETRACE_TAG } from "../../protocols/protocol-tags.ts";
import { at, clock, encounter, type Heard, othersDenseSlot, othersSlot, slots } from "./slots.ts";

const BOARD = { logId: "00112233aabbccdd", authority: "QX_HAI" };
const DAY = 86_400;
const NOW = 1_700_000_000;

/** The three records of a meeting, by the table in protocols/log-format.ts. */
function meetingSlots(tempId: Uint8Array, central: boolean, txPower: number | undefined, heard: Heard): Uint8Array[] {
  const first = othersSlot(BLUETRACE_TAG, tempId.subarray(0, 16), txPower, heard);
  first[MEETING_ROLE_AT] = central ? 1 : 0;
  const rest = [1, 2].map((part) => {
    const slot = othersSlot(BLUETRACE_TAG, new Uint8Array(16), 0, { first: 0, count: 0, maxRssi: 0 });
    for (const [i, place] of MEETING_PLACES.entries()) slot[place] = tempId[16 + 23 * (part - 1) + i] ?? 0;
    slot[MEETING_PART_AT] = part;
    return slot;
  });
  return [first, ...rest].map(sealRecord);
}
function againSlot(tempId: Uint8Array, central: boolean, heard: Heard): Uint8Array {
  const slot = othersDenseSlot(BLUETRACE_TAG, tempId.subarray(0, 16), central ? 4 : undefined, heard);
  slot[0] = (slot[0] & 15) | (central ? 16 : 0);
  return sealRecord(slot);
}
const tempIds = fc.uint8Array({ minLength: 61, maxLength: 61 });
const TEMP_ID = Uint8Array.from({ length: 61 }, (_, i) => i * 4 + 1);
const open = (now = () => NOW) => Store.open(":memory:", { now });
const block = (seq: number, ...records: Uint8Array[]) => ({ seq, era: 1, baseTick: 0, slots: slots(...records) });

describe("a meeting in a board's log", () => {
  test("comes out with all 61 bytes, its time, strength and direction, however a pull was cut into blocks and commits (BT-05)", async () => {
    await fc.assert(
      fc.asyncProperty(
        tempIds,
        fc.boolean(),
        fc.nat(100),
        fc.integer({ min: 1, max: 127 }),
        fc.integer({ min: 1, max: 3 }),
        async (id, central, half, strength, cut) => {
          const store = open();
          const all = [clock(1, 0, NOW - 1000), ...meetingSlots(id, central, central ? 4 : undefined, { first: 2 * half, maxRssi: -strength })];
          await store.commitPull(BOARD, [block(145, ...all.slice(0, cut))]);
          const { encounters } = await store.commitPull(BOARD, [block(at(cut), ...all.slice(cut))]);
          expect(encounters).toBe(cut === 1 ? 1 : 0);
          expect(await store.meetings()).toEqual([
            {
              board: BOARD.logId,
              logId: BOARD.logId,
              seq: at(1),
              at: NOW - 1000 + 2 * half,
              tempId: Buffer.from(id),
              rssi: -strength,
              txPower: central ? 4 : null,
              central,
              models: null,
              authority: "QX_HAI",
            },
          ]);
          // the same once more adds nothing
          expect(await store.commitPull(BOARD, [block(145, ...all)])).toMatchObject({ added: 0, encounters: 0 });
          await store.close();
        },
      ),
      { numRuns: 15 },
    );
  });

  test("of which a record is missing or damaged is none, and spoils no other (BT-07)", async () => {
    for (let lost = 0; lost < 3; lost++) {
      const store = open();
      const torn = meetingSlots(TEMP_ID, true, 4, { first: 2 });
      torn[lost][27] = 255;
      const whole = meetingSlots(
        TEMP_ID.map((byte) => byte ^ 1),
        false,
        undefined,
        { first: 60 },
      );
      await store.commitPull(BOARD, [block(145, clock(1, 0, NOW - 100), ...torn, ...whole)]);
      expect((await store.meetings()).map(({ seq }) => seq)).toEqual([at(4)]);
      await store.close();
    }
  });

  test("with a TempID that is known is short, and has the bytes of the one before; without one nobody can tell it", async () => {
    const store = open();
    const short = WORD_BYTES * 3;
    expect(againSlot(TEMP_ID, true, { first: 80 })).toHaveLength(short);
    const before = [clock(1, 0, NOW - 1000), againSlot(TEMP_ID, true, { first: 8 }), ...meetingSlots(TEMP_ID, true, 4, { first: 100 })];
    const after = [againSlot(TEMP_ID, true, { first: 200, maxRssi: -70 }), againSlot(TEMP_ID, false, { first: 304 })];
    await store.commitPull(BOARD, [block(145, ...before, ...after)]);
    const met = (await store.meetings()).map(({ at: when, tempId, rssi, central, txPower }) => ({
      when,
      whole: tempId.length,
      rssi,
      central,
      txPower,
    }));
    expect(met).toEqual([
      { when: NOW - 900, whole: 61, rssi: -60, central: true, txPower: 4 },
      { when: NOW - 800, whole: 61, rssi: -70, central: true, txPower: 4 },
      { when: NOW - 696, whole: 61, rssi: -60, central: false, txPower: null },
    ]);
    await store.close();
  });

  test("is deleted after 21 days with all its records, where encounters of others go after 14; a number that was named holds for both (BT-13, COM-05)", async () => {
    let now = NOW;
    const store = open(() => now);
    const records = [clock(1, 0, NOW), ...meetingSlots(TEMP_ID, true, 4, { first: 2 }), encounter({ first: 4 })];
    await store.commitPull(BOARD, [block(145, ...records)]);
    now = NOW + 15 * DAY;
    expect(await store.purge(now)).toMatchObject({ encounters: 1 });
    expect(await store.meetings()).toHaveLength(1);
    now = NOW + 21 * DAY + 3;
    expect(await store.purge(now)).toMatchObject({ encounters: 1 });
    expect(await store.meetings()).toEqual([]);
    await store.close();
    const strict = open(() => now);
    now = NOW;
    await strict.commitPull(BOARD, [block(145, ...records)]);
    now = NOW + 8 * DAY;
    expect(await strict.purge(now, 7)).toMatchObject({ encounters: 2 });
    await strict.close();
  });

  test("is no encounter of GAEN, nor of any other protocol's list", async () => {
    const store = open();
    await store.commitPull(BOARD, [block(145, clock(1, 0, NOW), ...meetingSlots(TEMP_ID, true, 4, { first: 2 }))]);
    expect(await store.encounters()).toEqual([]);
    expect(await store.encountersOf("dp3t")).toEqual([]);
    await store.close();
  });
});
