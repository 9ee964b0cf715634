import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { puckjs } from "../../boards/puckjs.ts";
import { readBatch } from "../../host-tools/bluetrace/batch-file.ts";
import { makeBatch, openTempId } from "../../host-tools/bluetrace/temp-ids.ts";
import { judgeUpload } from "../../host-tools/bluetrace/upload.ts";
import { sealToken } from "../../host-tools/bluetrace/upload-token.ts";
import { type LoadOptions, load } from "../../host-tools/cli/bluetrace.ts";
import { toBundle } from "../../host-tools/cli/flash.ts";
import { createOutput } from "../../host-tools/cli/output.ts";
import { tokenLines } from "../../host-tools/cli/status.ts";
import { flash } from "../../host-tools/device/flash.ts";
import { pullLog } from "../../host-tools/device/pull.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { Store } from "../../host-tools/store/store.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { tracelet } from "../support/command-line.ts";
import { AUTHORITY_KEY, HAI, load as hand, userId, wearToken } from "../support/tokens.ts";
import { status, WornWorld } from "../support/worn-boards.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-bluetrace-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const TOKEN = { role: "token", protocols: ["bluetrace"], clockSet: false };

/** The command on a board in virtual time. */
async function loadOn(world: WornWorld, board: VirtualBoard, given: Partial<LoadOptions>): Promise<{ text: string; value: unknown }> {
  const options: LoadOptions = { port: "/dev/ttyTEST", fast: false, batch: "", model: "device", service: "production", ...given };
  const printed = { text: "", value: undefined as unknown };
  const output = { ...createOutput(true), result: (value: unknown, text: string) => Object.assign(printed, { text, value }) };
  await world.talk(board, (link) => load(link, output, options));
  return printed;
}
function batchFile(name: string, now: number): string {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(makeBatch(AUTHORITY_KEY, userId(1), Math.floor(now))));
  return file;
}

describe("tracelet bluetrace batch", () => {
  test("makes a batch that the authority's key opens, in files of their owner's alone; a second time nothing is overwritten (BT-02)", async () => {
    const [key, out] = [join(folder, "authority.key"), join(folder, "alice.batch")];
    const made = await tracelet("bluetrace", "batch", "--new-key", key, "--out", out, "--json");
    expect(made.exit, made.err).toBe(0);
    const { uid } = JSON.parse(made.out) as { uid: string };
    for (const file of [key, out]) expect(statSync(file).mode & 0o777).toBe(0o600);
    const secret = (JSON.parse(readFileSync(key, "utf8")) as { bluetrace_key: string }).bluetrace_key;
    const { tempIDs } = readBatch(out);
    expect(tempIDs).toHaveLength(100);
    expect(openTempId([Buffer.from(secret, "hex")], tempIDs[0].tempID)).toMatchObject({ uid });
    expect(made.out).not.toContain(secret.slice(0, 12));
    expect(made.out).not.toContain(tempIDs[0].tempID.slice(0, 12));
    const again = await tracelet("bluetrace", "batch", "--key-file", key, "--uid", uid, "--out", out);
    expect(again).toMatchObject({ exit: 2, err: expect.stringContaining("is there already") });
  });

  test.each([
    [["--out", "x"], "--key-file"],
    [["--key-file", "a", "--new-key", "b", "--out", "x"], "--key-file"],
    [["--key-file", "nowhere", "--out", "x"], "--new-key"],
    [["--new-key", "k", "--uid", "short", "--out", "x"], "28 base64"],
  ])("is refused with what to do: %j", async (options, words) => {
    const { exit, err } = await tracelet("bluetrace", "batch", ...options);
    expect(exit).toBe(2);
    expect(err).toContain(words);
    expect(existsSync("x")).toBe(false);
  });
});

describe("tracelet bluetrace load", () => {
  test("sets the clock and brings TempIDs; the second batch goes where the first ends, for the authority that the board knows (BT-04)", async () => {
    const world = new WornWorld(1);
    const board = await world.wear({ x: 0, y: 0 }, TOKEN);
    const first = batchFile("first.batch", world.clock.now);
    await expect(loadOn(world, board, { batch: first })).rejects.toMatchObject({ code: "usage", message: expect.stringContaining("--authority") });
    const loaded = await loadOn(world, board, { batch: first, authority: HAI });
    expect(loaded.value).toMatchObject({ authority: HAI, tempIds: 100 });
    expect(loaded.text).toContain("100 TempIDs of QX_HAI");
    world.pass(30);
    expect(status(board)).toMatchObject({ ad: 1, ha: HAI });
    const address = world.sentBy(board).at(-1)!.address;
    const second = await loadOn(world, board, { batch: batchFile("second.batch", world.clock.now + 43_200) });
    expect(second.value).toMatchObject({ authority: HAI, tempIds: 100 });
    world.pass(30);
    // the one in use stays until its end, and so does its address
    expect(world.sentBy(board).at(-1)!.address).toBe(address);
    expect(JSON.stringify([loaded, second])).not.toContain(readBatch(first).tempIDs[0].tempID.slice(0, 12));
  });

  test("of a board with another role, or of a batch that is over, changes nothing", async () => {
    const world = new WornWorld(2);
    const wearable = await world.wear({ x: 0, y: 0 });
    const token = await world.wear({ x: 0, y: 0 }, TOKEN);
    const batch = batchFile("now.batch", world.clock.now);
    await expect(loadOn(world, wearable, { batch, authority: HAI })).rejects.toMatchObject({ code: "wrong_role" });
    const old = batchFile("old.batch", world.clock.now - 200_000);
    await expect(loadOn(world, token, { batch: old, authority: HAI })).rejects.toMatchObject({ code: "batch_over" });
    expect(status(token)).toMatchObject({ ha: "", te: [0, 0, 0, 0] });
  });

  test.each([
    ["{", "no batch of TempIDs"],
    ['{"tempIDs":[],"refreshTime":1}', "no batch of TempIDs"],
    ['{"tempIDs":[{"tempID":"short","startTime":1,"expiryTime":2}],"refreshTime":1}', "no batch of TempIDs"],
  ])("of a file that is none is refused before a board is asked, and its text isn't told: %s", async (text, words) => {
    const file = join(folder, "broken.batch");
    writeFileSync(file, text);
    const { exit, err } = await tracelet("bluetrace", "load", "--port", "/dev/none", "--batch", file);
    expect(exit).toBe(2);
    expect(err).toContain(words);
    expect(err).not.toContain("short");
  });

  test("of names that others could not read is refused", async () => {
    const file = batchFile("good.batch", 1_790_000_000);
    for (const names of [
      ["--authority", 'a"b'],
      ["--authority", "x".repeat(32)],
      ["--model", "x".repeat(33)],
    ]) {
      const { exit, err } = await tracelet("bluetrace", "load", "--port", "/dev/none", "--batch", file, ...names);
      expect(exit).toBe(2);
      expect(err).toContain("ASCII characters");
    }
  });
});

test("tracelet bluetrace export writes what an authority takes, every record valid (BT-03, BT-15)", async () => {
  const world = new WornWorld(3);
  const boards = [await wearToken(world, 1, { x: 0, y: 0 }), await wearToken(world, 2, { x: 1, y: 0 })];
  world.pass(900);
  const db = join(folder, "meetings.db");
  const store = Store.open(db, { now: () => Math.floor(world.clock.now) });
  await world.talk(boards[0], (link) => pullLog(link, store));
  const [{ id }] = await store.boards();
  await store.close();
  const token = sealToken(AUTHORITY_KEY, { uid: userId(1), createdAt: world.clock.now, upload: "ABCDEF" });
  const [tokenFile, out] = [join(folder, "token"), join(folder, "upload.json")];
  writeFileSync(tokenFile, `${token}\n`);
  const exported = await tracelet("bluetrace", "export", "--db", db, "--board", id, "--out", out, "--token-file", tokenFile, "--json");
  expect(exported.exit, exported.err).toBe(0);
  expect(exported.out).not.toContain(token);
  const report = judgeUpload(readFileSync(out, "utf8"), { keys: [AUTHORITY_KEY], own: HAI, known: [], now: world.clock.now });
  expect(report).toMatchObject({ status: "SUCCESS", uploadCode: "ABCDEF", malformed: [], tooOld: [] });
  if (report.status !== "SUCCESS") return;
  expect(report.records.length).toBeGreaterThan(4);
  for (const { verdict, record } of report.records) {
    expect(verdict).toMatchObject({ isValid: true, contactId: userId(2) });
    expect(record).toMatchObject({ org: HAI, modelP: "device", modelC: "device", v: 2 });
  }
  expect((await tracelet("bluetrace", "export", "--db", db, "--board", "nobody", "--out", join(folder, "y"))).err).toContain("not in this database");
  expect((await tracelet("export", "--db", db, "--out", folder, "--protocol", "bluetrace")).err).toContain("tracelet bluetrace export");
});

test("tracelet status says what a token has and what it lacks (BT-04)", async () => {
  const world = new WornWorld(4);
  const board = await world.wear({ x: 0, y: 0 }, TOKEN);
  const lines = () => tokenLines(status(board), world.clock.now).join("\n");
  expect(lines()).toMatch(/no health authority yet, SILENT: no TempID is left; bring some with `tracelet bluetrace load`/);
  const { tempIDs, refreshTime } = makeBatch(AUTHORITY_KEY, userId(1), Math.floor(world.clock.now));
  hand(board, { tempIDs: tempIDs.slice(0, 5), refreshTime });
  expect(lines()).toMatch(/^bluetrace health authority QX_HAI, 5 TempIDs left, the last until .*; new ones are due/);
  hand(board, { tempIDs, refreshTime });
  expect(lines()).toMatch(/^bluetrace health authority QX_HAI, 100 TempIDs left, the last until [^;]*\n {10}0 meetings since start/);
  expect(tokenLines({ ha: null, te: [0, 0, 0, 0], me: [0, 0, 0, 0] }, 0).join()).toContain("no pages for TempIDs");
  expect(tokenLines({}, 0)).toEqual([]);
});

test("a board flashed as a token has pages for TempIDs and keeps its log as another role; the log of another role has none, and is not taken", async () => {
  const world = new WornWorld(5);
  const board = world.addBoard(puckjs, { x: 0, y: 0 });
  board.powerOn();
  const bundleOf = async (role: string, protocols: string[]) => {
    const { code, manifest } = await firmwareFor(role, "puckjs", {}, [], protocols);
    return toBundle(Buffer.from(code, "latin1"), manifest);
  };
  const [token, wearable] = [await bundleOf("token", ["bluetrace"]), await bundleOf("wearable", ["gaen"])];
  const made = await world.talk(board, (link) => flash(link, token, { fast: true }));
  expect(made).toMatchObject({ freshLog: true, role: "token" });
  const loaded = await loadOn(world, board, { batch: batchFile("flashed.batch", world.clock.now), authority: HAI });
  expect(loaded.value).toMatchObject({ tempIds: 100 });
  const other = await world.talk(board, (link) => flash(link, wearable, { fast: true }));
  expect(other).toMatchObject({ freshLog: false, logId: made.logId });
  const back = await world.talk(board, (link) => flash(link, token, { fast: true }));
  expect(back).toMatchObject({ freshLog: false, logId: made.logId });
  expect(status(board)).toMatchObject({ ha: HAI, te: [100, expect.any(Number), expect.any(Number), expect.any(Number)] });
  const worn = await world.wear({ x: 9, y: 0 });
  await expect(world.talk(worn, (link) => flash(link, token, { fast: true }))).rejects.toMatchObject({
    code: "other_log",
    message: expect.stringContaining("no pages for TempIDs"),
  });
});
