import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exportFiles } from "../../host-tools/cli/export.ts";
import { importFiles } from "../../host-tools/cli/import.ts";
import { Store } from "../../host-tools/store/store.ts";
import { loadVectors } from "../support/vectors.ts";
import { clock, encounter, mark, sighting, slots } from "./slots.ts";

const BOARD = { logId: "00112233aabbccdd", id: "badge-7" };
const NOW = 1_700_000_000;
const { cases } = loadVectors("mh_csv.json");

let folder = "";
let count = 0;
const newFolder = () => join(folder, `${++count}`);
const read = (out: string, name: string) => readFileSync(join(out, name), "utf8");

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-export-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("exporting files of the peer tool", () => {
  test.each(cases.filter((one) => one.sessions.length === 1))("MH-01: what was imported comes out byte for byte: $name", async ({ files }) => {
    const store = Store.open(":memory:");
    const paths = Object.entries(files as Record<string, string>).map(([name, text]) => {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    });
    await importFiles(store, paths);
    const out = newFolder();
    await exportFiles(store, { out, keys: "tek_data.csv" in files });
    expect(Object.fromEntries(readdirSync(out).map((name) => [name, read(out, name)]))).toEqual(files);
  });

  test("a board's encounters have their times in UTC; those whose time is unknown are left out, counted, and told with bounds in a file of their own", async () => {
    const store = Store.open(":memory:");
    const log = slots(
      clock(1, 10, NOW),
      encounter({ rpi: 0xab, aem: 0xcd, first: 20, seconds: 30, maxRssi: -50 }),
      mark(2, 0),
      encounter({ first: 2 }),
    );
    await store.commitPull(BOARD, [{ seq: 145, era: 1, baseTick: 0, slots: log }]);
    const out = newFolder();
    const report = await exportFiles(store, { out, board: "badge-7" });
    const files = ["rx_data.csv", "undated.csv"].map((name) => ({ file: join(out, name), rows: 1 }));
    expect(report).toEqual({ files, leftOut: { withoutTime: 1, withoutAem: 0, dense: 0 } });
    expect(read(out, "rx_data.csv")).toBe(
      `StartTime;EndTime;RPI;AEM;MaxRSSI;BDADDR\n${NOW + 10};${NOW + 40};${"ab".repeat(16)};cdcdcdcd;-50;00:00:00:00:00:00 (random)\n`,
    );
    const after = new Date((NOW + 41) * 1000).toISOString().slice(0, 19).replace("T", " ");
    expect(read(out, "undated.csv")).toBe(
      `board;era;record;not before;not after;seconds;rpi;aem;max rssi\nbadge-7;2;166;${after} UTC;;0;${"01".repeat(16)};02020202;-60\n`,
    );
    expect(readdirSync(out)).toEqual(["rx_data.csv", "undated.csv"]);
  });

  test("with the raw log on, sightings are written and lend their address to the encounter; one without an encounter is left out", async () => {
    const store = Store.open(":memory:");
    const log = slots(
      clock(1, 0, NOW),
      sighting(5, 0x11, -70, 2),
      sighting(5, 0xc2, -60, 4),
      sighting(6, 0xc3, -90, 4),
      encounter({ rpi: 5, first: 2, seconds: 2 }),
    );
    await store.commitPull(BOARD, [{ seq: 145, era: 1, baseTick: 0, slots: log }]);
    const out = newFolder();
    expect((await exportFiles(store, { out })).leftOut).toEqual({ withoutTime: 0, withoutAem: 1, dense: 0 });
    expect(read(out, "rx_data.csv").split("\n")[1]).toBe(`${NOW + 2};${NOW + 4};${"05".repeat(16)};02020202;-60;c2:c2:c2:c2:c2:c2 (random)`);
    expect(read(out, "rx_raw_data.csv").split("\n").slice(1, -1)).toEqual([
      `${NOW + 2};${"05".repeat(16)};02020202;-70;11:11:11:11:11:11 (random)`,
      `${NOW + 4};${"05".repeat(16)};02020202;-60;c2:c2:c2:c2:c2:c2 (random)`,
    ]);
  });

  test("MH-05: only the owner may read the files, also in place of others; keys are written only when asked for", async () => {
    const store = Store.open(":memory:");
    await store.addKeys(BOARD, [{ tek: Buffer.alloc(16, 0xff), rollingStart: 2649312, rollingPeriod: 20 }]);
    const out = newFolder();
    await exportFiles(store, { out });
    chmodSync(join(out, "rx_data.csv"), 0o644);
    expect(readdirSync(out)).toEqual(["rx_data.csv"]);
    await exportFiles(store, { out, keys: true });
    expect(readdirSync(out).map((name) => [name, statSync(join(out, name)).mode & 0o777])).toEqual([
      ["rx_data.csv", 0o600],
      ["tek_data.csv", 0o600],
    ]);
    expect(statSync(out).mode & 0o777).toBe(0o700);
    expect(read(out, "tek_data.csv")).toBe(`TEK_Roll_Interval_i;TEK;TEK-base64\n2649312;${"ff".repeat(16)};/////////////////////w==\n`);
  });

  test("an unknown board and a folder that can't be are refused in one sentence", async () => {
    const store = Store.open(":memory:");
    await store.commitPull(BOARD, []);
    await expect(exportFiles(store, { out: newFolder(), board: "badge-8" })).rejects.toMatchObject({
      code: "no_such_board",
      message: "board badge-8: not in this database; known: badge-7",
    });
    const file = join(folder, "file");
    writeFileSync(file, "");
    await expect(exportFiles(store, { out: join(file, "x") })).rejects.toMatchObject({ code: "unwritable_file" });
  });
});
