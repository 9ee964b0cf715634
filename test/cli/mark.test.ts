import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MIGRATIONS } from "../../host-tools/store/migrations/index.ts";
import { Store } from "../../host-tools/store/store.ts";
import { tracelet } from "../support/command-line.ts";

const NOON = Date.UTC(2026, 2, 2, 12) / 1000;
let folder: string;
let db: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-mark-"));
  db = join(folder, "tracelet.db");
  const store = Store.open(db);
  await store.enterBoard({ logId: "00112233aabbccdd", id: "badge-7", name: "ida" });
  await store.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("tracelet mark", () => {
  test("marks times in which a wearer was protected, and places by name; they make nothing safe", async () => {
    const day = ["--from", "2026-03-02 12:00", "--to", "2026-03-02 12:59"];
    for (const kind of ["mask", "ward", "vehicle"])
      expect(await tracelet("mark", kind, "--db", db, "--board", "ida", ...day)).toMatchObject({ exit: 0 });
    const place = await tracelet("mark", "place", "Room 5", "--db", db, "--board", "badge-7", ...day, "--note", "window open", "--json");
    expect(JSON.parse(place.out)).toEqual({
      id: 4,
      kind: "place",
      place: "Room 5",
      board: "badge-7",
      protocol: null,
      identifier: null,
      from: NOON,
      to: NOON + 3599,
      note: "window open",
    });
    const listed = await tracelet("mark", "list", "--db", db);
    expect(listed.out).toContain("1  mask, board badge-7, from 2026-03-02 12:00:00 UTC");
    expect(listed.out).toContain('4  place "Room 5", board badge-7');
    const store = Store.open(db, { readOnly: true });
    expect((await store.allMarks()).map(({ kind }) => kind)).toEqual(["mask", "ward", "vehicle", "place"]);
    expect(await store.marks()).toEqual([]);
    await store.close();
    expect(await tracelet("mark", "remove", "4", "--db", db)).toMatchObject({ exit: 0 });
  });

  test.each([
    [["mask", "--board", "ida", "--from", "2026-03-02"], "--to"],
    [["mask", "--board", "nobody", "--from", "2026-03-02", "--to", "2026-03-02"], "nobody"],
    [["ward", "--board", "ida", "--from", "2026-03-03", "--to", "2026-03-02"], "--from is later"],
    [["place", "  ", "--board", "ida", "--from", "2026-03-02", "--to", "2026-03-02"], "1 to 60 characters"],
    [["place", "--board", "ida", "--from", "2026-03-02", "--to", "2026-03-02"], "missing required argument"],
  ])("%j is refused: %s", async (argv, words) => {
    const { exit, err } = await tracelet("mark", ...argv, "--db", db);
    expect(exit).toBe(2);
    expect(err).toContain(words);
  });

  test("marks of an older database stay what they were: safe", async () => {
    const old = join(folder, "old.db");
    const database = new Database(old);
    for (const step of MIGRATIONS.slice(0, 8)) database.exec(step);
    database.pragma(`application_id = ${0x54524c54}`);
    database.pragma("user_version = 8");
    database.exec(`INSERT INTO boards (id, added_unix, contact_unix) VALUES ('a', 0, 0);
      INSERT INTO safe_marks (board_id, from_unix, to_unix, note, made_unix) VALUES ('a', 5, 9, 'wall', 1)`);
    database.close();
    const store = Store.open(old);
    expect(await store.marks()).toEqual([
      { id: 1, kind: "safe", place: null, board: "a", protocol: null, identifier: null, from: 5, to: 9, note: "wall" },
    ]);
    await expect(store.addMark({ kind: "mask", board: "a", protocol: null, identifier: null, from: null, to: 9, note: null })).rejects.toThrow();
    await store.close();
  });
});
