import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetReadObjects } from "hyparquet";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { importFiles } from "../../host-tools/cli/import.ts";
import { Store } from "../../host-tools/store/store.ts";
import { tracelet } from "../support/command-line.ts";
import { emptyStore, handOver, heard, heardDense, pulled, T0 } from "./study-db.ts";

let folder = "";
let db = "";
let count = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-formats-"));
  db = join(folder, "study.db");
  const store = emptyStore(db);
  await pulled(store, 1, heard(2, { first: 100, seconds: 60, maxRssi: -58, count: 9 }), heard(3, { first: 200 }), heardDense(2, { first: 608 }));
  await pulled(store, 2, heard(1, { first: 104, seconds: 30, maxRssi: -72 }));
  await handOver(store, 1);
  await handOver(store, 2);
  await store.addMark({ board: "board-1", protocol: null, identifier: null, from: T0 + 190, to: T0 + 210, note: null });
  await store.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** One export: exit code, what was printed, and how to read a file of it. */
async function exported(...options: string[]) {
  const out = join(folder, `${++count}`);
  const result = await tracelet("export", "--db", db, "--out", out, ...options);
  return { ...result, printed: result.out, out, read: (name: string) => readFileSync(join(out, name), "utf8") };
}

describe("tracelet export --format", () => {
  test("csv: every encounter in a row, and who met whom", async () => {
    const { exit, err, out, read } = await exported("--format", "csv");
    expect([exit, err]).toEqual([0, ""]);
    const [header, ...rows] = read("encounters.csv").trimEnd().split("\n");
    expect(header).toBe(
      "protocol,board,log,record,first_seen,last_seen,identifier,whole_identifier,metadata,tx_power_dbm,max_rssi_dbm,mean_rssi_dbm,sightings,latitude,longitude,safe",
    );
    expect(rows).toHaveLength(4);
    expect(rows[0]).toMatch(new RegExp(`^gaen,board-1,1{16},152,${T0 + 100},${T0 + 160},[0-9a-f]{32},true,[0-9a-f]{8},,-58,-58,9,,,false$`));
    expect(rows.filter((row) => row.endsWith("true"))).toHaveLength(1);
    expect(rows.filter((row) => /,[0-9a-f]{10},false,[0-9a-f]{2},/.test(row))).toHaveLength(1);
    expect(read("contacts.csv")).toBe(
      [
        "listener,sender,protocol,first_seen,last_seen,tx_power_dbm,max_rssi_dbm,mean_rssi_dbm,sightings,attenuation_db",
        `board-1,board-2,gaen,${T0 + 100},${T0 + 160},-8,-58,-58,9,50`,
        `board-2,board-1,gaen,${T0 + 104},${T0 + 134},-8,-72,-72,1,64`,
        `board-1,board-2,gaen,${T0 + 608},${T0 + 608},-8,-60,-60,,52`,
        "",
      ].join("\n"),
    );
    expect(statSync(join(out, "contacts.csv")).mode & 0o777).toBe(0o600);
  });

  test("parquet: the same tables, read back by another program's reader, with times as times", async () => {
    const csv = await exported("--format", "csv");
    const { out } = await exported("--format", "parquet");
    for (const name of ["encounters", "contacts"]) {
      const bytes = readFileSync(join(out, `${name}.parquet`));
      const rows = await parquetReadObjects({ file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer });
      const cells = rows.map((row) =>
        Object.values(row)
          .map((cell) => (cell instanceof Date ? cell.getTime() / 1000 : (cell ?? "")))
          .join(","),
      );
      expect([Object.keys(rows[0]).join(","), ...cells, ""].join("\n")).toBe(csv.read(`${name}.csv`));
      expect(rows[0].first_seen).toEqual(new Date((T0 + 100) * 1000));
    }
  });

  test("sociopatterns: a contact list with numbers, and whose they are", async () => {
    const { read } = await exported("--format", "sociopatterns");
    const times = [120, 140, 160, 180, 620].map((t) => `${T0 + t}\t1\t2\n`);
    expect(read("contacts.tsv")).toBe(times.join(""));
    expect(read("boards.tsv")).toBe("1\tboard-1\tBadge 1\n2\tboard-2\tBadge 2\n");
  });

  test("contacts can be kept to near ones", async () => {
    const { read } = await exported("--format", "sociopatterns", "--most-attenuation", "51");
    expect(read("contacts.tsv").split("\n")).toHaveLength(5);
    const report = JSON.parse((await exported("--format", "csv", "--most-attenuation", "51", "--json")).printed);
    expect(report.notes).toHaveLength(2);
  });

  test("contacts are nearer where a calibration list says that both boards hear and send weakly", async () => {
    const list = join(folder, "list.csv");
    expect((await tracelet("calibrate", "--assumed", "--out", list)).exit).toBe(0);
    const { read } = await exported("--format", "csv", "--calibration", list);
    // 9 dB added to what was heard, 9 taken from what was sent
    expect(read("contacts.csv").split("\n")[1]).toMatch(/,-8,-58,-58,9,32$/);
  });

  test("microg: what programs for phones read; imported again it adds what it has", async () => {
    const { out } = await exported("--format", "microg");
    const store = Store.open(":memory:");
    expect(await importFiles(store, [join(out, "exposure.db")])).toMatchObject([{ kind: "microg", rows: 3, added: 3, malformed: [] }]);
    expect(await store.encounters()).toMatchObject([
      { firstSeen: T0 + 100, lastSeen: T0 + 160 },
      { firstSeen: T0 + 104, lastSeen: T0 + 134 },
      { firstSeen: T0 + 200, lastSeen: T0 + 200 },
    ]);
  });

  test("opentrace: a phone's records come out as they went in, whatever their model is called", async () => {
    const header = "timestamp,msg,org,modelP,modelC,rssi,txPower,v";
    const msg = Buffer.alloc(61, 7).toString("base64");
    const text = [header, `${T0}000,${msg},QX_HAI,"Pixel, ""4""",iPhone X,-60,,2`, `${T0 + 1}000,${msg},QX_HAI,device,device,-61,4,2`, ""].join("\n");
    const [file, phones] = ["records.csv", "phones.db"].map((name) => join(folder, name));
    writeFileSync(file, text);
    expect((await tracelet("import", file, "--db", phones)).exit).toBe(0);
    const out = join(folder, "opentrace");
    expect((await tracelet("export", "--db", phones, "--out", out, "--format", "opentrace")).exit).toBe(0);
    expect(readFileSync(join(out, "records.csv"), "utf8")).toBe(text);
  });

  test.each([
    [["--format", "xml"], "unknown_format"],
    [["--format", "csv", "--keys"], "not_of_format"],
    [["--format", "csv", "--protocol", "dp3t"], "not_of_format"],
    [["--most-attenuation", "50"], "not_of_format"],
    [["--format", "microg", "--calibration", "x.csv"], "not_of_format"],
    [["--format", "sociopatterns", "--board", "board-1"], "between_boards"],
    [["--format", "csv", "--board", "board-9"], "no_such_board"],
  ])("%j is refused with a reason", async (options, code) => {
    const { exit, err } = await exported(...options, "--json");
    expect(exit).toBe(2);
    expect(JSON.parse(err).error.code).toBe(code);
  });
});
