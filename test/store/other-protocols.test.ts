import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openDatabase } from "../../host-tools/store/database.ts";
import { decodeKeysOfOthers } from "../../host-tools/store/keys-of-others.ts";
import { decodeOwnKeys, type PulledBlock } from "../../host-tools/store/log-decoder.ts";
import { MIGRATIONS } from "../../host-tools/store/migrations/index.ts";
import { Store } from "../../host-tools/store/store.ts";
import { writeInt } from "../../protocols/bytes.ts";
import { KEY_OF_OTHERS, KEY_OF_OTHERS_ENDED, PAYLOAD_BYTES } from "../../protocols/log-format.ts";
import { CT10_TAG, DP3T_TAG, DP3T_UNLINKABLE_TAG, OPENCOVIDTRACE_TAG } from "../../protocols/protocol-tags.ts";
import { at, clock, dense, encounter, othersDenseSlot, othersSlot, slots } from "./slots.ts";

const BOARD = { logId: "00112233aabbccdd" };
const NOW = 1_700_000_000;
const DAY = Math.floor(NOW / 86400);
const ID = Buffer.alloc(16, 0xab);
const block = (bytes: Uint8Array, more: Partial<PulledBlock> = {}): PulledBlock => ({ seq: 145, era: 1, baseTick: 0, slots: bytes, ...more });
const open = () => Store.open(":memory:", { now: () => NOW });

/** A part as T.k hands it over. */
function part(tag: number, number: number, fill: number, more: { day?: number; ended?: boolean; period?: number } = {}): Uint8Array {
  const payload = new Uint8Array(PAYLOAD_BYTES);
  payload.fill(fill, 0, 16);
  writeInt(payload, 16, 4, (more.day ?? DAY) * 144);
  payload.set([more.period ?? 0, more.ended ? KEY_OF_OTHERS_ENDED : KEY_OF_OTHERS, tag, number], 20);
  return payload;
}
const chain = (fill: number, more: { day?: number; ended?: boolean; period?: number } = {}) =>
  [0, 1, 2].map((n) => part(DP3T_TAG, n, fill + n, more));
const sk = (fill: number) => Buffer.concat([Buffer.alloc(16, fill), Buffer.alloc(16, fill + 1)]);

describe("encounters of several protocols in one log", () => {
  const log = slots(
    clock(1, 10, NOW),
    encounter({ rpi: 5, first: 20, seconds: 30, count: 3 }),
    othersSlot(DP3T_TAG, ID, -4, { first: 30, seconds: 8, count: 2, maxRssi: -50, below: 4 }),
    othersDenseSlot(CT10_TAG, ID, undefined, { first: 40, seconds: 8, maxRssi: -70 }),
    dense({ rpi: 6, first: 48 }),
  );

  test("CT-05, MUX-03: each is found under its own protocol, and GAEN's are what they were without the others", async () => {
    const store = open();
    expect(await store.commitPull(BOARD, [block(log)])).toMatchObject({ added: 5, encounters: 4, damaged: [] });
    expect((await store.encounters()).map(({ seq }) => seq)).toEqual([at(1), at(3) + 3]);
    expect(await store.encountersOf("dp3t")).toEqual([
      {
        board: BOARD.logId,
        logId: BOARD.logId,
        seq: at(2),
        protocol: "dp3t",
        identifier: ID,
        txPower: -4,
        firstSeen: NOW + 20,
        lastSeen: NOW + 28,
        count: 2,
        maxRssi: -50,
        meanRssi: -54,
      },
    ]);
    expect(await store.encountersOf("ct10")).toMatchObject([{ identifier: ID.subarray(0, 5), txPower: null, count: null, firstSeen: NOW + 30 }]);
    expect(await store.encountersOf("dp3t-unlinkable")).toEqual([]);
    expect((await store.commitPull(BOARD, [block(log)])).added).toBe(0);
    expect(await store.purge(NOW + 15 * 86400, 14)).toMatchObject({ encounters: 4 });
  });

  test("one of an unknown protocol is told and not kept; everything else of the pull is", async () => {
    const store = open();
    const { added, damaged, upTo } = await store.commitPull(BOARD, [
      block(slots(encounter({ first: 2 }), othersSlot(99, ID, 0, { first: 4 }), encounter({ first: 6 }))),
    ]);
    expect([added, damaged, upTo]).toEqual([2, [{ seq: at(1), reason: "unknown protocol 99" }], at(3)]);
  });

  test("encounters without a date are told of GAEN alone", async () => {
    const store = open();
    await store.commitPull(BOARD, [block(slots(encounter({ first: 2 }), othersSlot(DP3T_TAG, ID, 0, { first: 4 })))]);
    expect((await store.undated()).map(({ seq }) => seq)).toEqual([145]);
    expect((await store.encountersOf("dp3t"))[0].firstSeen).toBeNull();
  });

  test("a database of the layout before is taken over with its rows, all GAEN's, and takes the others from then on", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tracelet-others-"));
    const path = join(folder, "old.db");
    const old = new Database(path);
    for (const step of MIGRATIONS.slice(0, 3)) old.exec(step);
    old.exec(`INSERT INTO boards VALUES ('badge', NULL, NULL, NULL, NULL, 1, 1);
      INSERT INTO logs VALUES (1, '${BOARD.logId}', 'badge', 145);
      INSERT INTO records VALUES (1, 100, 1, 0, 'encounter', zeroblob(28), ${NOW}), (1, 107, 1, 0, 'dense', zeroblob(12), ${NOW});
      INSERT INTO encounters (log, seq, era, first_tick, last_tick, first_unix, last_unix, rpi, aem, max_rssi)
        VALUES (1, 100, 1, 5, 6, ${NOW}, ${NOW}, zeroblob(16), x'01020304', -60), (1, 107, 1, 5, 6, ${NOW}, ${NOW}, zeroblob(5), x'02', -61);
      PRAGMA application_id = ${0x54524c54}; PRAGMA user_version = 3`);
    old.close();
    const store = Store.open(path, { now: () => NOW });
    expect((await store.encounters()).map(({ seq, aem, maxRssi }) => [seq, Buffer.from(aem).toString("hex"), maxRssi])).toEqual([
      [100, "01020304", -60],
      [107, "02", -61],
    ]);
    expect((await store.commitPull(BOARD, [block(log)])).encounters).toBe(4);
    expect(await store.encountersOf("dp3t")).toHaveLength(1);
    await store.close();
    const database = openDatabase(path);
    expect(database.pragma("foreign_key_check")).toEqual([]);
    // GAEN's can't lose its metadata, and the others can't have any
    for (const [protocol, aem] of [
      ["gaen", "NULL"],
      ["dp3t", "zeroblob(4)"],
    ]) {
      const write = `UPDATE encounters SET aem = ${aem} WHERE protocol = '${protocol}'`;
      expect(() => database.exec(write)).toThrow("CHECK constraint failed");
    }
    database.close();
    rmSync(folder, { recursive: true });
  });
});

describe("own keys of the other protocols", () => {
  test("CT-04, DP-04: keys by protocol, out of an answer that has GAEN's as well", () => {
    const tek = new Uint8Array(PAYLOAD_BYTES).fill(255);
    writeInt(tek, 16, 4, DAY * 144);
    tek[20] = 100;
    const answer = slots(
      tek,
      ...chain(10, { day: DAY - 3 }),
      part(CT10_TAG, 0, 1, { ended: true, period: 144 }),
      part(DP3T_UNLINKABLE_TAG, 0, 2, { day: DAY - 1 }),
      ...chain(20, { day: DAY - 9, ended: true, period: 4 }),
    );
    expect(decodeOwnKeys(answer)).toHaveLength(1);
    const { keys, setApart } = decodeKeysOfOthers(answer);
    expect(setApart).toEqual([]);
    expect(keys.map(({ key, ...rest }) => [Buffer.from(key).toString("hex"), rest])).toEqual([
      [sk(20).toString("hex"), { protocol: "dp3t", startDay: DAY - 9, lastDay: DAY - 5, ended: true }],
      [sk(10).toString("hex"), { protocol: "dp3t", startDay: DAY - 3, lastDay: undefined, ended: false }],
      ["02".repeat(16), { protocol: "dp3t-unlinkable", startDay: DAY - 1, lastDay: DAY - 1, ended: false }],
      ["01".repeat(16), { protocol: "ct10", startDay: DAY, lastDay: DAY, ended: true }],
    ]);
  });

  test("OpenCovidTrace's are two, of a day each, ended ones as well; half of one is none", () => {
    const days = (fill: number, more: { day?: number; ended?: boolean } = {}) => [0, 1].map((n) => part(OPENCOVIDTRACE_TAG, n, fill + n, more));
    const answer = slots(
      ...days(30, { day: DAY - 1 }),
      ...days(50, { ended: true }),
      ...days(60),
      ...chain(10),
      part(OPENCOVIDTRACE_TAG, 1, 9, { day: DAY - 5 }),
    );
    const { keys, setApart } = decodeKeysOfOthers(answer);
    expect(
      keys
        .filter(({ protocol }) => protocol === "opencovidtrace")
        .map(({ key, startDay, lastDay, ended }) => [key[0], key[16], startDay - DAY, lastDay! - DAY, ended]),
    ).toEqual([
      [30, 31, -1, -1, false],
      [50, 51, 0, 0, true],
      [60, 61, 0, 0, false],
    ]);
    expect(setApart).toEqual([{ reason: "opencovidtrace: incomplete, its other half is not there", count: 1 }]);
  });

  test("half of a key, a part no key has and an unknown protocol are set apart with a word, and never with their bytes", () => {
    const answer = slots(...chain(10).slice(1), part(CT10_TAG, 1, 0xee), part(77, 0, 0xee), ...chain(40, { day: DAY - 1 }));
    const { keys, setApart } = decodeKeysOfOthers(answer);
    expect(keys.map(({ key }) => Buffer.from(key))).toEqual([sk(40)]);
    expect(setApart).toEqual([
      { reason: "ct10: a part that no key of it has", count: 1 },
      { reason: "unknown protocol 77", count: 1 },
      { reason: "dp3t: incomplete, its other half is not there", count: 1 },
    ]);
    expect(JSON.stringify(setApart)).not.toContain("ee");
  });

  test("chains that ended on one day are told apart by the order of the log, wherever the oldest page's copies begin and whatever is there twice", () => {
    const ended = { ended: true };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.nat(14), fc.nat(14), (count, turned, twice) => {
        const parts = Array.from({ length: count }, (_, i) => chain(10 * i + 1, ended)).flat();
        const rotated = [...parts.slice(turned % parts.length), ...parts.slice(0, turned % parts.length)];
        // the copies are there before their page is erased
        const answer = [...rotated, ...rotated.slice(0, twice % parts.length)];
        const { keys, setApart } = decodeKeysOfOthers(slots(...answer));
        expect(setApart).toEqual([]);
        expect(new Set(keys.map(({ key }) => Buffer.from(key).toString("hex")))).toEqual(
          new Set(Array.from({ length: count }, (_, i) => sk(10 * i + 1).toString("hex"))),
        );
      }),
    );
  });

  test("any answer of whole payloads is read without an error, and every other one is refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 * PAYLOAD_BYTES }), fc.array(fc.nat(5), { maxLength: 20 }), (bytes, states) => {
        states.forEach((state, i) => {
          if (i * PAYLOAD_BYTES + 21 < bytes.length) bytes[i * PAYLOAD_BYTES + 21] = state;
        });
        if (bytes.length % PAYLOAD_BYTES === 0) for (const { key } of decodeKeysOfOthers(bytes).keys) expect([16, 32]).toContain(key.length);
        else expect(() => decodeKeysOfOthers(bytes)).toThrow("multiple of 26 bytes");
      }),
    );
  });

  test("COM-05: they are kept once in a table of their own, know that they have ended, and go with the retention", async () => {
    const store = open();
    const { keys } = decodeKeysOfOthers(slots(...chain(10), part(CT10_TAG, 0, 1, { ended: true, period: 144, day: DAY - 2 })));
    expect(await store.addKeysOfOthers(BOARD, keys)).toBe(2);
    expect(await store.addKeysOfOthers(BOARD, keys)).toBe(0);
    expect(await store.keys()).toEqual([]);
    expect(await store.keysOfOthers()).toMatchObject([
      { protocol: "ct10", startDay: DAY - 2, ended: true, board: BOARD.logId },
      { protocol: "dp3t", startDay: DAY, ended: false, lastDay: undefined },
    ]);
    await store.addKeysOfOthers(BOARD, decodeKeysOfOthers(slots(...chain(10, { ended: true, period: 1 }))).keys);
    expect((await store.keysOfOthers(BOARD.logId))[1]).toMatchObject({ key: sk(10), ended: true, lastDay: DAY + 1 });
    expect(await store.keysOfOthers("somebody else")).toEqual([]);
    const end = (day: number) => (day + 1) * 86400 + 14 * 86400;
    expect(await store.purge(end(DAY - 2), 14)).toMatchObject({ keys: 0 });
    expect(await store.purge(end(DAY - 2) + 1, 14)).toMatchObject({ keys: 1 });
    expect(await store.purge(end(DAY + 1) + 1, 14)).toMatchObject({ keys: 1 });
    // a chain that goes on ages from when it was handed over
    await store.addKeysOfOthers(BOARD, decodeKeysOfOthers(slots(...chain(10, { day: DAY - 40 }))).keys);
    expect(await store.purge(NOW + 14 * 86400, 14)).toMatchObject({ keys: 0 });
    expect(await store.purge(NOW + 14 * 86400 + 1, 14)).toMatchObject({ keys: 1 });
  });
});
