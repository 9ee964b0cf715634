import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { puckjs } from "../../boards/puckjs.ts";
import { createOutput } from "../../host-tools/cli/output.ts";
import { keyThatIsThere, type SetupOptions, setUp } from "../../host-tools/cli/smartbeacon.ts";
import { nodeCrypto } from "../../host-tools/node-crypto.ts";
import { radioIn } from "../../host-tools/simulator/board-radio.ts";
import { LiveBoard } from "../../host-tools/simulator/serve.ts";
import { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";
import { readBeaconKey } from "../../host-tools/smartbeacon/key-file.ts";
import { Store } from "../../host-tools/store/store.ts";
import { COMPACT_TOKEN, FERNET_FRAGMENT, MESSAGE_FRAGMENT } from "../../protocols/smartbeacon/advertisement.ts";
import { sealToken, tokenKeys } from "../../protocols/smartbeacon/compact-token.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { tracelet } from "../support/command-line.ts";
import { install, status, WornWorld } from "../support/worn-boards.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-smartbeacon-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const BEACON = { role: "smartbeacon", protocols: ["smartbeacon"], clockSet: false };
const PORT = "/dev/ttyTEST";

/** The command on a board in virtual time. Answers all it printed, as text and as JSON. */
async function setUpOn(world: WornWorld, board: VirtualBoard, given: Partial<SetupOptions>): Promise<{ text: string; value: unknown }> {
  const options: SetupOptions = { port: PORT, fast: false, carrier: "token", utcOffset: 0, ...given };
  const there = keyThatIsThere(options);
  const printed = { text: "", value: undefined as unknown };
  const output = { ...createOutput(true), result: (value: unknown, text: string) => Object.assign(printed, { text, value }) };
  await world.talk(board, (link) => setUp(link, output, options, there));
  return printed;
}

describe("tracelet smartbeacon setup", () => {
  test("makes a key file, then a beacon that sends; no secret is printed (QB-13)", async () => {
    const world = new WornWorld(1);
    const board = await world.wear({ x: 0, y: 0 }, BEACON);
    const file = join(folder, "kitchen.beacon");
    const made = await setUpOn(world, board, { new: file });
    expect(made.value).toMatchObject({ keyFile: file, carrier: "token", sends: true });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(status(board).ad).toBe(1);
    const content = readFileSync(file, "utf8");
    // a second time never makes another key
    const again = await tracelet("smartbeacon", "setup", "--port", PORT, "--new", file);
    expect(again).toMatchObject({ exit: 2, err: expect.stringContaining("--id-file") });
    expect(readFileSync(file, "utf8")).toBe(content);
    const other = await setUpOn(world, board, { idFile: file, carrier: "message", utcOffset: -90 });
    expect(other.text).toContain("a message is on the air (message");
    const { sk_beacon, id_beacon } = JSON.parse(content) as Record<string, string>;
    const shown = JSON.stringify([made, again, other]);
    expect(shown).not.toContain(sk_beacon.slice(0, 12));
    expect(shown).not.toContain(id_beacon.slice(0, 12));
  });

  test("of a board with another role leaves no key file behind", async () => {
    const world = new WornWorld(2);
    const board = await world.wear({ x: 0, y: 0 });
    const file = join(folder, "never.beacon");
    await expect(setUpOn(world, board, { new: file })).rejects.toMatchObject({ code: "wrong_role" });
    expect(existsSync(file)).toBe(false);
  });

  test("a key that was made and didn't arrive is not lost: the error names its file", async () => {
    const world = new WornWorld(3);
    const board = await world.wear({ x: 0, y: 0 }, BEACON);
    const file = join(folder, "cut.beacon");
    const take = board.input.bind(board);
    board.input = (bytes) => {
      if (Buffer.from(bytes).includes("T.b(")) board.powerOff();
      else take(bytes);
    };
    const failed = setUpOn(world, board, { new: file });
    await expect(failed).rejects.toMatchObject({ code: "timeout", message: expect.stringContaining(`try again with --id-file ${file}`) });
    expect(readBeaconKey(file).sk).toHaveLength(32);
  });

  test.each([
    [[], "--id-file"],
    [["--id-file", "a", "--new", "b"], "--id-file"],
    [["--id-file", "a", "--mode", "single"], "--mode"],
    [["--new", "a", "--utc-offset", "900"], "-840 to 840"],
    [["--new", "a", "--carrier", "pigeon"], "token, message, fernet"],
    [["--id-file", "SHORT", "--carrier", "fernet"], "32 bytes"],
  ])("is refused before a board is asked: %j", async (options, words) => {
    const short = join(folder, "short.beacon");
    writeFileSync(short, JSON.stringify({ id_beacon: "1".repeat(32), sk_beacon: "2".repeat(32), mode: "single" }));
    const { exit, err } = await tracelet("smartbeacon", "setup", "--port", "/dev/none", ...options.map((one) => (one === "SHORT" ? short : one)));
    expect(exit).toBe(2);
    expect(err).toContain(words);
  });
});

describe("what was collected", () => {
  const KEY = { id_beacon: "11".repeat(16), sk_beacon: "22".repeat(32), mode: "split" };
  const at = 1_790_000_000;
  const [board, other] = [{ logId: "00112233aabbccdd" }, { logId: "ffeeddccbbaa0011" }];

  async function collected(): Promise<{ db: string; idFile: string }> {
    const [db, idFile] = [join(folder, "collected.db"), join(folder, "collected.beacon")];
    if (existsSync(db)) return { db, idFile };
    writeFileSync(idFile, JSON.stringify(KEY));
    const store = Store.open(db);
    const token = (unix: number) =>
      sealToken(nodeCrypto, tokenKeys(nodeCrypto, Buffer.from(KEY.sk_beacon, "hex")), Buffer.from(KEY.id_beacon, "hex"), {
        status: 0,
        unix,
        boot: 1,
      });
    await store.addMessages(board, [
      { receivedAt: at, type: COMPACT_TOKEN, bytes: token(at - 30) },
      { receivedAt: at + 60, type: MESSAGE_FRAGMENT, bytes: new Uint8Array(80) },
      { receivedAt: at + 120, type: FERNET_FRAGMENT, bytes: new Uint8Array(89).fill(255) },
    ]);
    await store.addMessages(other, [{ receivedAt: at + 5, type: COMPACT_TOKEN, bytes: token(at - 30) }]);
    await store.close();
    return { db, idFile };
  }

  test("is written as a server takes it, with times of reception beside it", async () => {
    const { db } = await collected();
    const { out } = await tracelet("smartbeacon", "messages", "--db", db, "--json", "--board", board.logId);
    expect(JSON.parse(out)).toEqual({
      v: 1,
      tuples: [{ q: expect.stringMatching(/^s[\w+/]{31}$/) }, { c: Buffer.alloc(80).toString("base64") }, { f: `${"_".repeat(118)}8=` }],
      received: [at, at + 60, at + 120].map((unix) => ({ board: board.logId, unix })),
    });
    expect(JSON.parse((await tracelet("smartbeacon", "messages", "--db", db, "--json")).out).tuples).toHaveLength(4);
    expect((await tracelet("smartbeacon", "messages", "--db", db)).out).toContain("4 messages");
    expect(await tracelet("smartbeacon", "messages", "--db", db, "--board", "x")).toMatchObject({ exit: 2 });
    expect(await tracelet("export", "--db", db, "--out", folder, "--protocol", "smartbeacon")).toMatchObject({
      exit: 2,
      err: expect.stringContaining("tracelet smartbeacon messages"),
    });
  });

  test("is verified with the beacon's key: how many, how late, how good; with another key it fails", async () => {
    const { db, idFile } = await collected();
    const verified = await tracelet("smartbeacon", "verify", "--db", db, "--id-file", idFile, "--json");
    expect(JSON.parse(verified.out)).toMatchObject({
      messages: 3,
      verdicts: { ok: 1, "bad-mac": 1, "bad-version": 1 },
      ok: { count: 1, delay: { least: 30, median: 30, most: 30 }, score: 100 },
    });
    const told = await tracelet("smartbeacon", "verify", "--db", db, "--id-file", idFile);
    expect(told.out).toMatch(/^1 of 3 messages are this beacon's and in time\n {2}came 30 to 30 s .*; score 100 of 100\n/);
    const stranger = join(folder, "stranger.beacon");
    writeFileSync(stranger, JSON.stringify({ ...KEY, sk_beacon: "33".repeat(32) }));
    const failed = await tracelet("smartbeacon", "verify", "--db", db, "--id-file", stranger);
    expect(failed).toMatchObject({ exit: 1, out: "", err: expect.stringMatching(/^tracelet: 0 of 3 messages .*2 bad-mac: another beacon's/) });
  });

  test("ages like everything else (COM-05), is stored once a board, and its file tells when it came first", async () => {
    const store = Store.open(":memory:", { now: () => at });
    const one = { receivedAt: at, type: COMPACT_TOKEN, bytes: new Uint8Array(24) };
    expect(await store.addMessages(board, [one, { ...one, receivedAt: at + 1 }])).toBe(1);
    expect(await store.addMessages(board, [{ ...one, receivedAt: at + 9 }])).toBe(0);
    expect(await store.addMessages(other, [one])).toBe(1);
    expect(await store.messages(board.logId)).toEqual([{ ...one, board: board.logId, bytes: Buffer.alloc(24) }]);
    const later = { ...one, receivedAt: at + 86_400, bytes: new Uint8Array(24).fill(1) };
    await store.addMessages(board, [later]);
    expect(await store.purge(at + 14 * 86_400, 14)).toMatchObject({ messages: 0 });
    expect(await store.purge(at + 14 * 86_400 + 1, 14)).toEqual({ encounters: 0, sightings: 0, keys: 0, messages: 2 });
    expect((await store.messages()).map(({ receivedAt }) => receivedAt)).toEqual([later.receivedAt]);
    await store.close();
  });
});

test("tracelet pull tells of messages on a board that collects them", async () => {
  const board = new VirtualBoard({ facts: puckjs, clock: new VirtualClock(1_790_000_000), radio: radioIn(undefined) });
  install(board, await firmwareFor("collector", "puckjs", {}, [], ["smartbeacon"]));
  const live = new LiveBoard(board, { speed: 20 });
  try {
    const port = `tcp://localhost:${await live.listenTcp(0)}`;
    live.start();
    const pulled = await tracelet("pull", "--port", port, "--db", join(folder, "pulled.db"), "--json");
    expect(pulled.exit, pulled.err).toBe(0);
    expect(JSON.parse(pulled.out).messages).toEqual({ waiting: 0, added: 0 });
    const told = await tracelet("pull", "--port", port, "--db", join(folder, "pulled.db"), "--dry-run");
    expect(told.out).toContain("0 SmartBeacon messages would be pulled");
    expect((await tracelet("status", "--port", port)).out).toContain("collected 0 SmartBeacon messages");
  } finally {
    await live.stop();
  }
});
