import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeExportFile } from "../../host-tools/exposure-keys/make-export.ts";
import { nodeCrypto } from "../../host-tools/node-crypto.ts";
import { Store } from "../../host-tools/store/store.ts";
import { metadataKey, rollingProximityIdentifier, rollingProximityIdentifierKey } from "../../protocols/gaen/key-schedule.ts";
import { encodeMetadata, encryptMetadata } from "../../protocols/gaen/metadata.ts";
import { clock, encounterSlot, slots } from "../store/slots.ts";
import { tracelet } from "../support/command-line.ts";
import { toHex } from "../support/vectors.ts";

const MIDNIGHT = Date.UTC(2026, 2, 2) / 1000;
const NOON = MIDNIGHT + 12 * 3600;
const TEK = new Uint8Array(16).fill(0x5b);
const rpi = (interval: number) => rollingProximityIdentifier(nodeCrypto, rollingProximityIdentifierKey(nodeCrypto, TEK), interval);
const aem = (interval: number) => encryptMetadata(nodeCrypto, metadataKey(nodeCrypto, TEK), rpi(interval), encodeMetadata(0));
const first = NOON / 600;

let folder: string;
const path = (name: string) => join(folder, name);
const report = (...argv: string[]) => tracelet("report", path("export.bin"), "--allow-unsigned", "--db", path("store.db"), ...argv);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-report-"));
  const key = { key: TEK, transmissionRisk: 0, rollingStart: MIDNIGHT / 600, rollingPeriod: 144, reportType: 1 };
  writeFileSync(path("export.bin"), makeExportFile({ keys: [key], start: NOON, end: NOON + 86400, region: "QX", signers: [] }));
  const store = Store.open(path("store.db"));
  const log = slots(
    clock(1, 0, NOON - 100),
    encounterSlot(rpi(first), aem(first), { first: 100, seconds: 600, count: 9, maxRssi: -61, below: 1 }),
    encounterSlot(rpi(first + 20), aem(first + 20), { first: 12100, seconds: 0, count: 2, maxRssi: -80, below: 1 }),
  );
  await store.commitPull({ logId: "00112233aabbccdd", id: "badge-7", name: "Ida" }, [{ seq: 145, era: 1, baseTick: 0, slots: log }]);
  const time = { board: "badge-7", protocol: null, identifier: null, from: NOON, to: NOON + 119, note: null };
  await store.addMark({ ...time, kind: "mask" });
  await store.addMark({ ...time, kind: "place", place: "Room 5" });
  await store.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("tracelet report", () => {
  test("writes a page that its owner alone may read, and says which events it has", async () => {
    const { exit, out } = await report("--out", path("report.html"), "--svg", path("svg"), "--png", path("png"));
    expect(exit).toBe(0);
    expect(out).toContain(
      "2 events\n  1  Monday 2 March 2026, 11:56 to 12:11 UTC, Ida, 15 min\n  2  Monday 2 March 2026, 15:16 to 15:21 UTC, Ida, 5 min\n",
    );
    expect(statSync(path("report.html")).mode & 0o777).toBe(0o600);
    const page = readFileSync(path("report.html"), "utf8");
    for (const words of ["Room 5", "Ida", "15 min, all of it near"]) expect(page).toContain(words);
    for (const secret of [toHex(TEK), toHex(rpi(first)).slice(0, 8)]) expect(page).not.toContain(secret);
    const names = ["days", "event-1", "event-2", "overview"];
    expect(readdirSync(path("svg"))).toEqual(names.map((name) => `${name}.svg`));
    expect(readdirSync(path("png"))).toEqual(names.map((name) => `${name}.png`));
  });

  test("tells a program one event, minute by minute, without key or identifier", async () => {
    const { out } = await report("--event", "1", "--json");
    const event = JSON.parse(out);
    expect({ ...event, minutes: event.minutes.length }).toEqual({
      number: 1,
      board: "badge-7",
      boardName: "Ida",
      from: NOON - 240,
      to: NOON + 660,
      senders: ["A"],
      safe: false,
      minutes: 15,
    });
    expect(event.minutes[4]).toEqual({
      at: NOON,
      heard: true,
      attenuation: 62,
      strongest: 61,
      senders: ["A"],
      protection: ["mask"],
      places: ["Room 5"],
    });
    expect(out).not.toContain("5b5b");
    const all = JSON.parse((await report("--json")).out);
    expect(all.events.length).toBe(2);
    expect(all.days).toEqual([{ board: "badge-7", day: MIDNIGHT / 86400, scoreSeconds: 900, heardSeconds: 1200 }]);
  });

  test("one event alone makes a page of its own, with its number", async () => {
    expect((await report("--event", "2", "--out", path("two.html"), "--zone", "Europe/Vienna")).out).toContain(
      "  2  Monday 2 March 2026, 16:16 to 16:21 Europe/Vienna",
    );
    const page = readFileSync(path("two.html"), "utf8");
    expect(page).toContain('id="event-2"');
    expect(page).not.toContain('id="event-1"');
  });

  test("knows every protocol that a match knows, and draws no score where there is none", async () => {
    for (const [protocol, published] of [
      ["opencovidtrace", '{"keys": []}'],
      ["ct10", "[]"],
    ]) {
      writeFileSync(path("published.json"), published);
      const argv = [path("published.json"), "--db", path("store.db"), "--protocol", protocol, "--out", path(`${protocol}.html`)];
      expect(await tracelet("report", ...argv)).toMatchObject({ exit: 0, out: expect.stringContaining("0 events") });
      expect(readFileSync(path(`${protocol}.html`), "utf8")).toContain("No exposure was found.");
    }
  });

  test.each([
    [["--event", "3"], "no_such_event", "there are 2"],
    [["--event", "0"], "usage", "from 1 on"],
    [["--zone", "Nowhere"], "bad_zone", "Europe/Vienna"],
    [["--board", "nobody"], "no_such_board", "badge-7"],
  ])("%j is refused: %s", async (argv, code, words) => {
    const { exit, err } = await report(...argv, "--out", path("never.html"));
    expect(exit).toBe(2);
    expect(err).toContain(words);
    expect(JSON.parse((await report(...argv, "--json")).err).error.code).toBe(code);
    expect(readdirSync(folder)).not.toContain("never.html");
  });

  test("a page that can't be written is refused, and one that is written over becomes its owner's", async () => {
    expect(await report("--out", path("none/report.html"))).toMatchObject({ exit: 1, err: expect.stringContaining("name another one with --out") });
    for (const option of ["--svg", "--png"])
      expect(await report("--out", path("report.html"), option, path("report.html/pictures"))).toMatchObject({
        exit: 1,
        err: expect.stringContaining(`name another one with ${option}`),
      });
    writeFileSync(path("open.html"), "", { mode: 0o644 });
    await report("--out", path("open.html"));
    expect(statSync(path("open.html")).mode & 0o777).toBe(0o600);
  });
});
