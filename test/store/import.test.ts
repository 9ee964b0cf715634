import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { importFiles, register } from "../../host-tools/cli/import.ts";
import { detectMhKind, readLines } from "../../host-tools/store/mh-file.ts";
import { Store } from "../../host-tools/store/store.ts";
import { loadVectors } from "../support/vectors.ts";

const NOW = 1_700_000_000;
const { cases } = loadVectors("mh_csv.json");
const files = Object.fromEntries(cases.map((one) => [one.name, one.files]));
const first = files["maximum RSSI, first and last time; written when unseen for 2*cycle+10 s"];
const positions = files["position columns, None without fix"];

let folder = "";
let count = 0;
const write = (text: string | Uint8Array) => {
  const path = join(folder, `${++count}.csv`);
  writeFileSync(path, text);
  return path;
};
const open = () => Store.open(":memory:", { now: () => NOW });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-import-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("importing files of the peer tool", () => {
  test("the kind is told by the content; rows become encounters, sightings and keys", async () => {
    const store = open();
    const paths = [first["rx_data.csv"], first["rx_raw_data.csv"], first["tek_data.csv"]].map(write);
    expect(await importFiles(store, paths)).toEqual([
      { file: paths[0], kind: "rx_data", rows: 2, added: 2, duplicates: 0, malformed: [] },
      { file: paths[1], kind: "rx_raw_data", rows: 5, added: 5, duplicates: 0, malformed: [] },
      { file: paths[2], kind: "tek_data", rows: 1, added: 1, duplicates: 0, malformed: [] },
    ]);
    expect(await store.encounters()).toMatchObject([
      { firstSeen: 1589580000, lastSeen: 1589580020, maxRssi: -44, address: "0c:33:79:93:2c:1a", addressType: "random", board: null, position: null },
      { firstSeen: 1589580010, lastSeen: 1589580040, maxRssi: -79 },
    ]);
    expect((await store.sightings()).map((one) => one.unix)).toEqual([1589580000, 1589580010, 1589580010, 1589580020, 1589580040]);
    expect(await store.keys()).toMatchObject([{ rollingStart: 2649312, rollingPeriod: 144 }]);
  });

  test("the same file again, a longer version of it and one that overlaps add only what is new", async () => {
    const store = open();
    const [header, one, two] = first["rx_data.csv"].split("\n");
    const summary = async (...lines: string[]) => {
      const [{ rows, added, duplicates }] = await importFiles(store, [write([header, ...lines, ""].join("\n"))]);
      return [rows, added, duplicates];
    };
    expect(await summary(one)).toEqual([1, 1, 0]);
    expect(await summary(one)).toEqual([1, 0, 1]);
    expect(await summary(one, two)).toEqual([2, 1, 1]);
    expect(await summary(two, header, one, one)).toEqual([3, 0, 3]);
    expect((await store.encounters()).length).toBe(2);
  });

  test("the same row from two named devices is two encounters", async () => {
    const store = open();
    const path = write(first["rx_data.csv"]);
    for (const board of ["pi-1", "pi-2", "pi-1"]) await importFiles(store, [path], board);
    expect((await store.encounters({ board: "pi-1" })).length).toBe(2);
    expect((await store.encounters()).length).toBe(4);
  });

  test("MH-02: malformed lines are told with their number, and the others are taken", async () => {
    const store = open();
    const [header, one, two] = first["rx_data.csv"].split("\n");
    const path = write([one.slice(20), header, "", one, header, `"${two}"`, two, one.slice(0, 60)].join("\n"));
    const [{ added, malformed }] = await importFiles(store, [path]);
    expect(added).toBe(2);
    expect(malformed).toEqual([
      { line: 1, reason: "6 or 10 columns expected, got 5" },
      { line: 3, reason: "empty line" },
      { line: 6, reason: "fields are quoted; the peer tool quotes nothing" },
      { line: 8, reason: "the line is cut short: 6 or 10 columns expected, got 4" },
    ]);
  });

  test("CR LF, a byte order mark and a missing last line end are accepted", async () => {
    const store = open();
    const text = first["rx_data.csv"].trimEnd().replaceAll("\n", "\r\n");
    expect(await importFiles(store, [write(`\ufeff${text}`)])).toMatchObject([{ added: 2, malformed: [] }]);
    expect(await importFiles(store, [write(first["rx_data.csv"])])).toMatchObject([{ added: 0, duplicates: 2 }]);
  });

  test("a last line that may have lost digits of its position is not taken", async () => {
    const store = open();
    const path = write(positions["rx_data.csv"].slice(0, -3));
    expect(await importFiles(store, [path])).toMatchObject([
      { added: 1, malformed: [{ line: 3, reason: "the line has no end: it may be cut short" }] },
    ]);
  });

  test("positions are kept as they were written", async () => {
    const store = open();
    await importFiles(store, [write(positions["rx_raw_data.csv"])]);
    const kept = (await store.sightings()).map((one) => Object.values(one.position ?? {}));
    expect(kept[0]).toEqual([null, null, null, null]);
    expect(kept[2]).toEqual(["52.520008", "13.404954", "34.5", "0.12"]);
  });

  test("a wrong separator is told once, with the one that was found", () => {
    for (const [separator, name] of [
      [",", "a comma"],
      ["\t", "a tab"],
      ["|", "a bar"],
    ]) {
      const text = first["rx_data.csv"].replaceAll(";", separator);
      const wrong = expect.objectContaining({ code: "wrong_separator", message: expect.stringContaining(`separated by ${name}`) });
      expect(() => detectMhKind(write(text))).toThrow(wrong);
      expect(() => detectMhKind(write(text.split("\n").slice(1).join("\n")))).toThrow(wrong);
    }
  });

  test.each([
    ["", "empty_file"],
    ["a;b;c\n1;2;3\n", "unknown_file"],
    [new Uint8Array(Buffer.from("\ufeffTime;RPI", "utf16le")), "utf16"],
    [new Uint8Array(5000), "unknown_file"],
  ])("a file that is something else is refused: row %#", (text, code) => {
    expect(() => detectMhKind(write(text))).toThrow(expect.objectContaining({ code }));
  });

  test("one file that can't be read stops the command before anything is imported", async () => {
    const store = open();
    const bad = [join(folder, "none.csv"), folder];
    for (const path of bad) {
      await expect(importFiles(store, [write(first["rx_data.csv"]), path])).rejects.toMatchObject({ code: "unreadable_file" });
    }
    expect(await store.encounters()).toEqual([]);
  });

  test("lines longer than any legal one, and files larger than one read, keep their line numbers", () => {
    const path = write(`${"x".repeat(200_000)}\nsecond\n${"third,".repeat(30_000)}\nlast`);
    const lines = [...readLines(path)];
    expect(lines.map(({ number, ended }) => [number, ended])).toEqual([
      [1, true],
      [2, true],
      [3, true],
      [4, false],
    ]);
    expect([lines[1].text, lines[3].text]).toEqual(["second", "last"]);
  });
});

test("COM-05: tracelet import makes a private database, answers in JSON, and deletes what is too old", async () => {
  let written = "";
  const stdout = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    written += text;
    return true;
  });
  const program = new Command();
  register(program);
  const [path, db] = [write(first["rx_data.csv"]), join(folder, "peer.db")];
  const earlier = Store.open(db, { now: () => NOW });
  await importFiles(earlier, [write(positions["rx_data.csv"])]);
  await earlier.close();
  await program.parseAsync(["import", path, "--db", db, "--retention", "30", "--json"], { from: "user" });
  stdout.mockRestore();
  expect(JSON.parse(written)).toEqual({
    files: [{ file: path, kind: "rx_data", rows: 2, added: 2, duplicates: 0, malformed: [] }],
    purged: { encounters: 2, sightings: 0, keys: 0, messages: 0 },
  });
  expect(statSync(db).mode & 0o777).toBe(0o600);
});
