import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { emptyStore, handOver, heard, pulled, T0 } from "../study/study-db.ts";
import { tracelet } from "../support/command-line.ts";

let folder = "";
let count = 0;
const file = (...lines: string[]) => {
  const path = join(folder, `${++count}.csv`);
  writeFileSync(path, [...lines, ""].join("\n"));
  return path;
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-calibrate-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const HEADER = "setup,distance,transmitter,receiver,tx,rssi,count";
/** Two units of each, so that everybody hears everybody; the Puck hears 8 dB less and sends 9 dB less. */
const table = (distances: number[]) =>
  distances.flatMap((distance, i) => {
    const lost = 50 + 4 * i;
    const gains: [name: string, receives: number, sends: number][] = [
      ["iphone8", 0, 0],
      ["puckjs", -8, -9],
    ];
    return gains.flatMap(([transmitter, , sends]) =>
      gains.map(([receiver, receives]) => `hall,${distance},${transmitter},${receiver},0,${receives + sends - lost},40`),
    );
  });

describe("tracelet calibrate", () => {
  test("a table of runs becomes corrections, and a row in a list that keeps its other rows", async () => {
    const runs = file(HEADER, ...table([0.5, 1, 1.5, 2, 3, 4]));
    const out = file("oem,device,model,rssi correction,tx,calibration confidence", "google,flame,Pixel 4,8,-30,3", "Espruino,puckjs,Puck.js,1,1,0");
    const { exit, out: printed, err } = await tracelet("calibrate", runs, "--reference", "iphone8", "--out", out);
    expect([exit, err]).toEqual([0, ""]);
    expect(printed).toBe(
      [
        "24 pairs in 6 setups, against iphone8; 0.0 dB left unexplained",
        "puckjs: confidence high",
        "  added to its RSSI: +8.0 dB, standard error 0.0 dB, 6 setups",
        "  added to its transmit power: -9.0 dB, standard error 0.0 dB, 6 setups",
        `${out}: 2 rows`,
        "",
      ].join("\n"),
    );
    expect(readFileSync(out, "utf8").split("\n").slice(1)).toEqual(["google,flame,Pixel 4,8,-30,3", "Espruino,puckjs,Puck.js,8,-9,3", ""]);
  });

  test("what is far off and what wasn't measured is told", async () => {
    const lines = table([0.5, 1, 1.5, 2, 3]).filter((line) => !/,puckjs,puckjs,/.test(line));
    const spoilt = lines.map((line, i) => (i === 7 ? line.replace(/-\d+,40$/, "-99,40") : line));
    const { out } = await tracelet("calibrate", file(HEADER, ...spoilt, "hall,1,tv,iphone8,0,-60,1"), "--reference", "iphone8");
    expect(out).toContain("far off: iphone8 heard by puckjs in hall, 1.5 m");
    expect(out).toContain("tv: no row for a list, which needs both directions\n  added to its RSSI: not measured");
  });

  test("runs out of a database: two boards, when, and how far apart", async () => {
    const db = join(folder, "runs.db");
    const store = emptyStore(db);
    // 1 and 3 are Pucks, 2 is a Pixl.js that hears 2 dB more and sends 3 dB more
    await pulled(store, 1, heard(3, { first: 100, maxRssi: -60 }), heard(2, { first: 700, maxRssi: -57 }), heard(2, { first: 1300, maxRssi: -20 }));
    await pulled(store, 2, heard(1, { first: 706, maxRssi: -58 }));
    await pulled(store, 3, heard(1, { first: 108, maxRssi: -60 }), heard(2, { first: 710, maxRssi: -57 }));
    for (const n of [1, 2, 3]) await handOver(store, n);
    await store.close();
    const time = (s: number) => new Date((T0 + s) * 1000).toISOString().slice(0, 16).replace("T", " ");
    const setups = file(
      "setup,distance,a,b,from,to",
      `table,1,board-1,board-3,${time(60)},${time(600)}`,
      `table,1,board-1,board-2,${T0 + 600},${T0 + 1200}`,
      `floor,4,board-1,board-2,${T0 + 2000},${T0 + 2400}`,
    );
    const { exit, out } = await tracelet("calibrate", "--db", db, "--setups", setups, "--reference", "puckjs", "--json");
    expect(exit).toBe(0);
    const { devices, calibrations, empty, cells } = JSON.parse(out);
    expect(devices).toMatchObject([{ device: "pixljs", receives: { decibels: expect.closeTo(2, 6) }, sends: { decibels: expect.closeTo(3, 6) } }]);
    expect(calibrations).toMatchObject([{ oem: "Espruino", model: "Pixl.js", correction: { rssi: -2, txPower: 3 }, confidence: 0 }]);
    expect([empty, cells]).toEqual([["floor, 4 m"], 3]);
    const unknown = file("distance,a,b,from,to", `1,board-1,board-9,${T0},${T0 + 9}`);
    expect(JSON.parse((await tracelet("calibrate", "--db", db, "--setups", unknown, "--reference", "puckjs", "--json")).err).error).toMatchObject({
      code: "bad_setups",
      message: expect.stringContaining("board-9: not in this database"),
    });
  });

  test("--assumed writes what nobody has measured, and says so", async () => {
    const out = join(folder, "new", "assumed.csv");
    const { out: printed } = await tracelet("calibrate", "--assumed", "--out", out);
    expect(printed).toBe(`${out}: 2 rows. Puck.js, Pixl.js: assumptions, nobody has measured them (confidence lowest)\n`);
    expect(readFileSync(out, "utf8")).toBe(
      "oem,device,model,rssi correction,tx,calibration confidence\nEspruino,puckjs,Puck.js,9,-9,0\nEspruino,pixljs,Pixl.js,9,-9,0\n",
    );
  });

  test.each([
    [["x.csv"], 2, "--reference"],
    [["--reference", "a"], 2, "a table of runs"],
    [["--reference", "a", "--db", "x.db"], 2, "go together"],
    [["--assumed"], 2, "--out"],
    [["--assumed", "--out", "x", "--reference", "a"], 2, "leave the runs"],
    [["/nowhere.csv", "--reference", "a"], 1, "can't be read"],
  ])("%j is refused with a reason", async (argv, code, words) => {
    const { exit, err } = await tracelet("calibrate", ...argv);
    expect([exit, err]).toEqual([code, expect.stringContaining(words)]);
  });

  test.each([
    ["no column", "a,b", "no column distance, transmitter, receiver, tx, rssi"],
    ["distance", "hall,near,a,b,0,-60,1", "line 2: distance"],
    ["rssi", "hall,1,a,b,0,60,1", "line 2: rssi"],
    ["device", "hall,1,,b,0,-60,1", "line 2: transmitter"],
    ["count", "hall,1,a,b,0,-60,0", "line 2: count"],
  ])("a table with a bad %s is refused with its line", async (what, line, words) => {
    const path = what === "no column" ? file(line, "1,2") : file(HEADER, line);
    const { exit, err } = await tracelet("calibrate", path, "--reference", "a");
    expect([exit, err]).toEqual([1, expect.stringContaining(words)]);
  });

  test.each([
    ["1,x,x,1,2", "two boards"],
    ["far,x,y,1,2", "distance"],
    ["1,x,y,2,1", "in order"],
    ["1,x,y,yesterday,2", "in order"],
    ["1,x,y,2026-02-30 08:00,2026-03-02 08:10", "in order"],
    ["1,x,y,2026-03-02,2026-03-03", "in order"],
  ])("a table of setups with %s is refused", async (line, words) => {
    const setups = file("distance,a,b,from,to", line);
    const { exit, err } = await tracelet("calibrate", "--db", "x.db", "--setups", setups, "--reference", "a");
    expect([exit, err]).toEqual([1, expect.stringContaining(words)]);
  });
});
