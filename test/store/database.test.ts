import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase } from "../../host-tools/store/database.ts";
import { databaseError } from "../../host-tools/store/database-errors.ts";
import type { PulledBlock } from "../../host-tools/store/log-decoder.ts";
import { first } from "../../host-tools/store/migrations/001-first.ts";
import { MIGRATIONS } from "../../host-tools/store/migrations/index.ts";
import { commitPull } from "../../host-tools/store/pull.ts";
import { Store } from "../../host-tools/store/store.ts";
import { at, dense, encounter, slots } from "./slots.ts";

const BOARD = { logId: "00112233aabbccdd" };
const NOW = 1_700_000_000;
let folder = "";
let files = 0;
const newPath = () => join(folder, `${++files}.db`);
const block = (seq: number, count: number): PulledBlock => ({
  seq,
  era: 1,
  baseTick: 0,
  slots: slots(...Array.from({ length: count }, (_, i) => encounter({ first: 2 * (seq + 7 * i) }))),
});
const countOf = async (store: Store) => (await store.encounters()).length;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-store-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("a commit is whole or not there", () => {
  test("a failure in the middle of a pull leaves the store as it was, and the pull can be repeated", async () => {
    const store = Store.open(newPath());
    await store.commitPull(BOARD, [block(145, 3)]);
    function* breaksOff() {
      yield block(at(3), 50);
      throw new Error("the link broke");
    }
    await expect(store.commitPull(BOARD, breaksOff())).rejects.toThrow("the link broke");
    expect([await countOf(store), (await store.positions()).get(BOARD.logId)]).toEqual([3, at(3)]);
    expect((await store.commitPull(BOARD, [block(at(3), 50)])).added).toBe(50);
    await store.close();
  });

  test("what is on the disk in the middle of a commit opens as the state before it", async () => {
    const path = newPath();
    const database = openDatabase(path);
    commitPull(database, BOARD, [block(145, 3)], NOW);
    // So small a cache that a part of the commit reaches the file before it is complete.
    database.pragma("cache_size = 10");
    const before = statSync(`${path}-wal`).size;
    const left = newPath();
    function* killed() {
      for (let i = 3; i < 3000; i += 145) yield block(at(i), 145);
      for (const suffix of ["", "-wal"]) copyFileSync(path + suffix, left + suffix);
      yield block(at(9000), 1);
    }
    commitPull(database, BOARD, killed(), NOW);
    expect(statSync(`${left}-wal`).size).toBeGreaterThan(before + 100_000);
    const found = Store.open(left);
    expect([await countOf(found), (await found.positions()).get(BOARD.logId)]).toEqual([3, at(3)]);
    await found.close();
    database.close();
  });

  test("a full disk stops a commit without a trace", () => {
    const database = openDatabase(newPath());
    database.pragma(`max_page_count = ${(database.pragma("page_count", { simple: true }) as number) + 4}`);
    let error: unknown;
    try {
      commitPull(database, BOARD, [block(145, 145), block(at(145), 145), block(at(290), 145)], NOW);
    } catch (thrown) {
      error = databaseError(thrown, "x.db");
    }
    expect(error).toMatchObject({ code: "database_full", message: expect.stringContaining("x.db: the disk is full") });
    expect(database.prepare("SELECT count(*) FROM logs").pluck().get()).toBe(0);
    database.close();
  });

  test("commits outlast a power cut: the log is synchronised at each", () => {
    const database = openDatabase(newPath());
    expect(["journal_mode", "synchronous", "foreign_keys", "secure_delete"].map((name) => database.pragma(name, { simple: true }))).toEqual([
      "wal",
      2,
      1,
      1,
    ]);
    database.close();
  });
});

describe("a database that can't be used says why and what to do", () => {
  test("while another program writes: locked, and free again afterwards", async () => {
    const path = newPath();
    const store = Store.open(path, { busyTimeoutMs: 1 });
    const other = new Database(path);
    other.exec("BEGIN IMMEDIATE");
    await expect(store.commitPull(BOARD, [block(145, 1)])).rejects.toMatchObject({ code: "database_locked", message: expect.stringContaining(path) });
    expect(await countOf(store)).toBe(0);
    other.exec("ROLLBACK");
    other.close();
    expect((await store.commitPull(BOARD, [block(145, 1)])).added).toBe(1);
    await store.close();
  });

  test("opened for reading: nothing is written", async () => {
    const path = newPath();
    const writer = Store.open(path);
    await writer.commitPull(BOARD, [block(145, 2)]);
    await writer.close();
    const reader = Store.open(path, { readOnly: true });
    expect(await countOf(reader)).toBe(2);
    await expect(reader.commitPull(BOARD, [block(at(2), 1)])).rejects.toMatchObject({ code: "database_read_only" });
    await reader.close();
  });

  test("a read-only disk and a missing folder are told from one another", () => {
    const failure = (code: string) => databaseError(Object.assign(new Error("told by the system"), { code }), "x.db");
    expect(failure("EROFS")).toMatchObject({ code: "database_read_only", message: expect.stringContaining("check the disk and who owns the file") });
    expect(failure("SQLITE_READONLY_DBMOVED")).toMatchObject({ code: "database_read_only" });
    expect(() => openDatabase(join(folder, "none", "x.db"))).toThrow(expect.objectContaining({ code: "database_unreachable" }));
    expect(() => openDatabase(folder)).toThrow(expect.objectContaining({ code: "database_unreachable" }));
  });

  test("missing: a command that only looks creates nothing", () => {
    const path = newPath();
    expect(() => openDatabase(path, { readOnly: true })).toThrow(expect.objectContaining({ code: "database_missing" }));
    expect(() => statSync(path)).toThrow();
  });

  test("damaged pages", async () => {
    const path = newPath();
    const store = Store.open(path);
    await store.commitPull(BOARD, [block(145, 145), block(at(145), 145), block(at(290), 145)]);
    await store.close();
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 4096 * 2);
    writeFileSync(path, bytes);
    const damaged = async () => {
      const opened = Store.open(path);
      try {
        return await opened.encounters();
      } finally {
        await opened.close();
      }
    };
    await expect(damaged()).rejects.toMatchObject({ code: "database_damaged", message: expect.stringContaining("pull again") });
  });

  test("no database, or another program's", () => {
    const text = newPath();
    writeFileSync(text, "StartTime;EndTime;RPI;AEM;MaxRSSI;BDADDR\n".repeat(40), { mode: 0o644 });
    expect(() => openDatabase(text)).toThrow(expect.objectContaining({ code: "database_foreign" }));
    expect(statSync(text).mode & 0o777).toBe(0o644);
    const foreign = newPath();
    const other = new Database(foreign);
    other.exec("CREATE TABLE recipes (name TEXT)");
    other.close();
    expect(() => openDatabase(foreign)).toThrow(
      expect.objectContaining({ code: "database_foreign", message: expect.stringContaining("another program") }),
    );
  });

  test("written by a newer version, or not yet brought up to date", () => {
    const path = newPath();
    const database = openDatabase(path);
    database.pragma("user_version = 99");
    database.close();
    for (const readOnly of [false, true]) {
      expect(() => openDatabase(path, { readOnly })).toThrow(
        expect.objectContaining({ code: "database_newer", message: expect.stringContaining("layout 99") }),
      );
    }
    const empty = newPath();
    new Database(empty).close();
    writeFileSync(empty, "");
    expect(() => openDatabase(empty, { readOnly: true })).toThrow(expect.objectContaining({ code: "database_older" }));
  });
});

test("MH-05: only the owner may read the database and its side files, also one that was open to all before", async () => {
  const path = newPath();
  writeFileSync(path, "", { mode: 0o666 });
  const store = Store.open(path);
  await store.commitPull(BOARD, [block(145, 1)]);
  expect([path, `${path}-wal`, `${path}-shm`].map((file) => statSync(file).mode & 0o777)).toEqual([0o600, 0o600, 0o600]);
  await store.close();
});

test("two programs that create the same database at once both find it whole", () => {
  const path = newPath();
  const [first, second] = [openDatabase(path), openDatabase(path)];
  expect([first, second].map((database) => database.pragma("user_version", { simple: true }))).toEqual([MIGRATIONS.length, MIGRATIONS.length]);
  first.close();
  second.close();
});

test("a database of the first layout is taken over with all its rows, and takes dense records from then on", async () => {
  const path = newPath();
  const old = new Database(path);
  old.exec(first);
  old.exec(`INSERT INTO boards VALUES ('badge', NULL, NULL, NULL, NULL, 1, 1);
    INSERT INTO logs VALUES (1, '${BOARD.logId}', 'badge', 145);
    INSERT INTO records VALUES (1, 100, 1, 0, 'encounter', zeroblob(28), ${NOW}), (1, 101, 1, 0, 'sighting', zeroblob(28), ${NOW});
    INSERT INTO encounters (log, seq, era, first_tick, last_tick, first_unix, last_unix, rpi, aem, max_rssi)
      VALUES (1, 100, 1, 5, 6, ${NOW}, ${NOW}, zeroblob(16), zeroblob(4), -60);
    INSERT INTO sightings (log, seq, era, tick, rpi, rssi) VALUES (1, 101, 1, 5, zeroblob(16), -60);
    PRAGMA application_id = ${0x54524c54}; PRAGMA user_version = 1`);
  old.close();
  const store = Store.open(path);
  expect((await store.encounters()).map(({ seq, maxRssi }) => [seq, maxRssi])).toEqual([[100, -60]]);
  expect(await store.sightings()).toHaveLength(1);
  expect((await store.commitPull(BOARD, [{ seq: 145, era: 1, baseTick: 0, slots: dense({ first: 8 }) }])).encounters).toBe(1);
  // what refers to a record still goes with it
  expect(await store.purge(NOW + 15 * 86400, 14)).toMatchObject({ encounters: 1 });
  await store.close();
  const database = openDatabase(path);
  expect(database.pragma("foreign_key_check")).toEqual([]);
  expect(database.pragma("foreign_keys", { simple: true })).toBe(1);
  database.close();
});
