import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { importFiles } from "../../host-tools/cli/import.ts";
import { FormatError } from "../../host-tools/errors.ts";
import { Store } from "../../host-tools/store/store.ts";
import { encodeBase64 } from "../../protocols/base64.ts";

const NOW = 1_700_000_000;
const T0 = 1_605_000_000;
let folder = "";
let count = 0;
const open = () => Store.open(":memory:", { now: () => NOW });
const rpi = (n: number) => Buffer.alloc(16, n);
const aem = Buffer.from("01020304", "hex");

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-phones-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A database as an app leaves it, with statements of its own. */
function database(fill: (database: Database.Database) => void, mode = "DELETE"): string {
  const path = join(folder, `${++count}.db`);
  const made = new Database(path);
  made.pragma(`journal_mode = ${mode}`);
  fill(made);
  made.close();
  return path;
}
const text = (content: string) => {
  const path = join(folder, `${++count}.csv`);
  writeFileSync(path, content);
  return path;
};

const MICROG =
  "CREATE TABLE advertisements(rpi BLOB NOT NULL, aem BLOB NOT NULL, timestamp INTEGER NOT NULL, rssi INTEGER NOT NULL, duration INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(rpi, timestamp))";
const microg = (rows: unknown[][], mode?: string) =>
  database((made) => {
    made.exec(MICROG);
    const add = made.prepare("INSERT INTO advertisements VALUES (?, ?, ?, ?, ?)");
    made.transaction(() => {
      for (const row of rows) add.run(row);
    })();
  }, mode);

const RAMBLE =
  "CREATE TABLE devices(id INTEGER PRIMARY KEY, service_uuids TEXT, service_data TEXT, first_seen, last_seen); CREATE TABLE locations(device_id, timestamp, rssi, longitude, latitude)";
const gaenData = (n: number) => `fd6f:${rpi(n).toString("hex")}01020304`;
const ramble = (devices: unknown[][], locations: unknown[][]) =>
  database((made) => {
    made.exec(RAMBLE);
    for (const row of devices) made.prepare("INSERT INTO devices VALUES (?, 'fd6f', ?, ?, ?)").run(row);
    for (const row of locations) made.prepare("INSERT INTO locations VALUES (?, ?, ?, ?, ?)").run(row);
  });

const TEMP_ID = encodeBase64(new Uint8Array(61).fill(7));
const HEADER = "id,timestamp,v,msg,org,modelP,modelC,rssi,txPower";

describe("microG", () => {
  test("its collected identifiers become encounters, whose strength is a mean, with the file they came from", async () => {
    const store = open();
    const path = microg([[rpi(1), aem, T0 * 1000 + 900, -60, 61_200]]);
    expect(await importFiles(store, [path], "phone")).toEqual([
      { file: path, kind: "microg", rows: 1, added: 1, duplicates: 0, malformed: [], table: true },
    ]);
    expect(await store.encounters()).toMatchObject([{ board: "phone", firstSeen: T0, lastSeen: T0 + 62, maxRssi: -60, meanRssi: -60, logId: null }]);
  });

  test("the same file again adds nothing; an encounter that went on takes the place of its beginning", async () => {
    const store = open();
    const added = async (...rows: unknown[][]) => (await importFiles(store, [microg(rows)])).map((one) => [one.added, one.duplicates]);
    const begin = [rpi(1), aem, T0 * 1000, -60, 5000];
    expect(await added(begin)).toEqual([[1, 0]]);
    expect(await added(begin)).toEqual([[0, 1]]);
    expect(await added([rpi(1), aem, T0 * 1000, -64, 90_000], [rpi(2), aem, T0 * 1000, -70, 0])).toEqual([[2, 0]]);
    expect(await added(begin)).toEqual([[0, 1]]);
    expect(await store.encounters()).toMatchObject([{ firstSeen: T0, lastSeen: T0 + 90, meanRssi: -64 }, { meanRssi: -70 }]);
  });

  test("rows that are none are told by their number, and the others taken", async () => {
    const store = open();
    const path = microg([
      [rpi(1), aem, T0 * 1000, -9223372036854775808n, 0],
      [rpi(2), aem, T0 * 1000, 0, 0],
      [Buffer.alloc(15), aem, T0 * 1000, -60, 0],
      [rpi(3), "0102", T0 * 1000, -60, 0],
      [rpi(4), aem, T0, -60, 1e15],
      [rpi(5), aem, -1, -60, 0],
      [rpi(6), aem, T0 * 1000, -60, 0],
    ]);
    const [{ added, malformed }] = await importFiles(store, [path]);
    expect(added).toBe(1);
    expect(malformed.map(({ line, reason }) => [line, reason.split(":")[0]])).toEqual([
      [1, "rssi"],
      [2, "rssi"],
      [3, "rpi"],
      [4, "aem"],
      [5, "timestamp, duration"],
      [6, "timestamp, duration"],
    ]);
  });

  test("a file that was in write-ahead mode is read without anything made beside it; rows that are not in it yet are asked for", async () => {
    const path = microg([[rpi(1), aem, T0 * 1000, -60, 0]], "WAL");
    const bytes = readFileSync(path);
    const before = readdirSync(folder);
    expect(await importFiles(open(), [path])).toMatchObject([{ added: 1 }]);
    expect(readdirSync(folder)).toEqual(before);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    writeFileSync(`${path}-wal`, "more rows");
    await expect(importFiles(open(), [path])).rejects.toMatchObject({ code: "unwritten_rest" });
  });
});

describe("RaMBLE", () => {
  test("a device's locations become sightings with positions, and together an encounter", async () => {
    const store = open();
    const path = ramble(
      [
        [4, gaenData(1), String(T0), String(T0 + 60)],
        [5, "180f:64", T0, T0],
      ],
      [
        [4, T0 + 60, -50, null, null],
        [4, String(T0), "-70", 8.5, 47.25],
        [5, T0, -10, null, null],
      ],
    );
    expect(await importFiles(store, [path])).toMatchObject([{ kind: "ramble", rows: 3, added: 3, malformed: [] }]);
    expect(await store.encounters()).toMatchObject([{ firstSeen: T0, lastSeen: T0 + 60, maxRssi: -50 }]);
    const position = { latitude: "47.25", longitude: "8.5", altitude: null, speed: null };
    expect(await store.sightings()).toMatchObject([
      { unix: T0, rssi: -70, position },
      { unix: T0 + 60, rssi: -50, position: null },
    ]);
    expect(await importFiles(store, [path])).toMatchObject([{ added: 0, duplicates: 3 }]);
  });

  test("a device that came back with another identifier has that one for half an hour at most", async () => {
    const store = open();
    const locations = [0, 3600, 7200].map((later) => [4, T0 + later, -60, null, null]);
    await importFiles(store, [ramble([[4, gaenData(1), T0, T0 + 7200]], locations)]);
    expect(await store.encounters()).toMatchObject([{ firstSeen: T0 + 7200, lastSeen: T0 + 7200 }]);
  });

  test("devices without what is needed are told by their row", async () => {
    const devices = [
      [1, "fd6f:0102", T0, T0],
      [2, gaenData(2), null, T0],
      [3, gaenData(3), T0 + 1, T0],
      [4, gaenData(4), T0, T0],
      [5, gaenData(5).toUpperCase().replace("FD6F", "fd6f"), T0, T0],
    ];
    const [{ malformed, added }] = await importFiles(open(), [ramble(devices, [[5, T0, -60, 1000, "north"]])]);
    expect(malformed.map(({ line }) => line)).toEqual([1, 2, 3, 4]);
    expect(added).toBe(2);
  });
});

describe("OpenTrace", () => {
  const line = (cells: Record<string, unknown> = {}) => {
    const row = {
      id: 1,
      timestamp: T0 * 1000,
      v: 2,
      msg: TEMP_ID,
      org: "QX_HAI",
      modelP: "Pixel 4",
      modelC: "iPhone X",
      rssi: -60,
      txPower: "",
      ...cells,
    };
    return HEADER.split(",").map((name) => row[name as keyof typeof row]);
  };
  const csv = (...lines: unknown[][]) => text([HEADER, ...lines.map((cells) => cells.join(",")), ""].join("\n"));

  test("its records are meetings of BlueTrace, kept as they are", async () => {
    const store = open();
    expect(await importFiles(store, [csv(line(), line({ timestamp: T0 + 9, txPower: -4 }))], "phone")).toMatchObject([
      { kind: "opentrace", rows: 2, added: 2, malformed: [] },
    ]);
    const models = { peripheral: "Pixel 4", central: "iPhone X", version: 2 };
    const common = { board: "phone", logId: null, seq: null, central: null, authority: "QX_HAI", models, rssi: -60, tempId: Buffer.alloc(61, 7) };
    expect(await store.meetings()).toEqual([
      { ...common, at: T0, txPower: null },
      { ...common, at: T0 + 9, txPower: -4 },
    ]);
    expect(await store.meetings({ board: "another" })).toEqual([]);
    expect(await store.encounters()).toEqual([]);
  });

  test("the app's own table is read as well, and what came from the one is known to the other", async () => {
    const store = open();
    const path = database((made) => {
      made.exec(
        "CREATE TABLE record_table(id INTEGER PRIMARY KEY, timestamp INTEGER, v INTEGER, msg TEXT, org TEXT, modelP TEXT, modelC TEXT, rssi INTEGER, txPower INTEGER)",
      );
      made.prepare("INSERT INTO record_table VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)").run(line({ txPower: null }));
    });
    expect(await importFiles(store, [path])).toMatchObject([{ kind: "opentrace", added: 1, table: true }]);
    expect(await importFiles(store, [csv(line()), path])).toMatchObject([
      { added: 0, duplicates: 1 },
      { added: 0, duplicates: 1 },
    ]);
  });

  test.each([
    ["timestamp", { timestamp: "yesterday" }],
    ["msg", { msg: "AAAA" }],
    ["org", { org: "" }],
    ["modelP, modelC", { modelC: "x".repeat(129) }],
    ["rssi", { rssi: 3 }],
    ["txPower", { txPower: "high" }],
    ["v", { v: 0 }],
    ["9 columns expected, got 10", { org: "a,b" }],
  ])("a line with a wrong %s is told by its number", async (reason, cells) => {
    const [{ added, malformed }] = await importFiles(open(), [csv(line(), line(cells))]);
    expect([added, malformed.length, malformed[0].line, malformed[0].reason.split(":")[0]]).toEqual([1, 1, 3, reason]);
  });
});

describe("files of others that must do no harm", () => {
  test.each<[string, string, (made: Database.Database) => void]>([
    ["a database of nobody known", "unknown_file", (made) => made.exec("CREATE TABLE notes(text)")],
    [
      "a view that would run for ever",
      "unknown_file",
      (made) =>
        made.exec(
          "CREATE VIEW advertisements AS WITH RECURSIVE n(rpi) AS (SELECT 1 UNION ALL SELECT rpi + 1 FROM n) SELECT rpi, 1 aem, 1 timestamp, 1 rssi, 1 duration FROM n",
        ),
    ],
    [
      "a column that is computed",
      "unknown_file",
      (made) => made.exec("CREATE TABLE advertisements(rpi, aem AS (zeroblob(1000000000)), timestamp, rssi, duration)"),
    ],
    ["a virtual table", "unknown_file", (made) => made.exec("CREATE VIRTUAL TABLE advertisements USING fts5(rpi, aem, timestamp, rssi, duration)")],
  ])("%s is refused", async (_, code, fill) => {
    await expect(importFiles(open(), [database(fill)])).rejects.toMatchObject({ code });
  });

  test("a file of nobody known is refused with all that could be read", async () => {
    const path = join(folder, "noise.txt");
    writeFileSync(path, "hello");
    const message = expect.stringMatching(/noise\.txt: neither tek_data.*nor is it a database of RaMBLE, microG or OpenTrace/);
    await expect(importFiles(open(), [path])).rejects.toMatchObject({ code: "unknown_file", message });
  });

  test("a damaged database takes nothing in", async () => {
    const store = open();
    const bytes = readFileSync(microg(Array.from({ length: 2000 }, (_, i) => [rpi(i % 256), aem, (T0 + i) * 1000, -60, 0])));
    bytes.fill(0xee, bytes.length - 8192);
    const path = join(folder, "damaged.db");
    writeFileSync(path, bytes);
    await expect(importFiles(store, [path])).rejects.toMatchObject({ code: "bad_database" });
    expect(await store.encounters()).toEqual([]);
    writeFileSync(path, "SQLite format 3\0 and then nothing of the kind");
    await expect(importFiles(store, [path])).rejects.toMatchObject({ code: "bad_database" });
  });

  test("whatever bytes of a database are changed: rows are taken, or the file is refused with a reason", async () => {
    const bytes = readFileSync(microg(Array.from({ length: 40 }, (_, i) => [rpi(i), aem, (T0 + i) * 1000, -60, 0])));
    const path = join(folder, "changed.db");
    const changes = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(changes, async (changed) => {
        const copy = Buffer.from(bytes);
        for (const [at, byte] of changed) copy[at] = byte;
        writeFileSync(path, copy);
        const store = open();
        const outcome = await importFiles(store, [path]).catch((error: unknown) => error);
        if (!Array.isArray(outcome)) {
          expect(outcome).toBeInstanceOf(FormatError);
          expect(await store.encounters()).toEqual([]);
        }
        await store.close();
      }),
      { numRuns: 150 },
    );
  });

  test("a wrong file among good ones stops the command before any is taken", async () => {
    const store = open();
    await expect(importFiles(store, [microg([[rpi(1), aem, T0 * 1000, -60, 0]]), join(folder, "none.db")])).rejects.toMatchObject({
      code: "unreadable_file",
    });
    expect(await store.encounters()).toEqual([]);
  });
});
