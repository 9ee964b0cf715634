import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import jsqr from "jsqr";
import { PNG } from "pngjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cleanUp } from "../../host-tools/cli/interrupt.ts";
import { DeviceError } from "../../host-tools/errors.ts";
import { nodeCrypto } from "../../host-tools/node-crypto.ts";
import type { BatchReport } from "../../host-tools/provision/report.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { createBeaconKey, readBeaconKey } from "../../host-tools/smartbeacon/key-file.ts";
import { Store } from "../../host-tools/store/store.ts";
import { COMPACT_TOKEN, decodeAdvertisement, MESSAGE_FRAGMENT } from "../../protocols/smartbeacon/advertisement.ts";
import { openToken } from "../../protocols/smartbeacon/compact-token.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { Fleet } from "../support/fleet.ts";
import { radioOf, status } from "../support/worn-boards.ts";

// Forty boards at forty ports, by the real command, with what goes wrong on such a day.

const COUNT = 40;
const nameOf = (n: number) => `puck-${String(n).padStart(2, "0")}`;
const portOf = (n: number) => `/dev/ttyUSB${n}`;
/** Its link breaks once, in the middle of its code. */
const LOOSE = 5;
/** Its adapter is pulled out and stays out. */
const PULLED = 11;
/** Somebody put a Pixl.js there. */
const OTHER = 17;
const OLD_CELL = 23;
/** Its Storage is full of somebody's files. */
const FULL = 29;
/** SmartBeacons: the first has a key that the plan names, the others get fresh ones; one is carried to its wall with MESSAGE C. */
const BEACONS = [10, 20, 30, 40];
const [WITH_KEY, , , WITH_MESSAGE] = BEACONS;

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-forty-"));
  await firmwareFor("wearable", "puckjs");
  await firmwareFor("smartbeacon", "puckjs", {}, [], ["smartbeacon"]);
});
afterAll(() => rmSync(folder, { recursive: true }));

function readLabel(file: string): string | undefined {
  const { data, width, height } = PNG.sync.read(readFileSync(file));
  return jsqr.default(new Uint8ClampedArray(data), width, height)?.data;
}

/** What a SmartBeacon sends now. */
function radioPayload(board: VirtualBoard): Uint8Array {
  return decodeAdvertisement(radioOf(board).station.emission!.advertising.packets[0]!)!;
}

const written = (board: VirtualBoard) => board.flash.bytesWritten;

test("forty boards, SmartBeacons among them (QB-13), are provisioned through broken links, wrong and full boards, an old battery and an abort of the whole batch; none twice", async () => {
  const fleet = new Fleet();
  const boards = new Map<number, VirtualBoard>();
  for (let n = 1; n <= COUNT; n++) {
    const board = n === OTHER ? fleet.board("pixljs") : fleet.board("puckjs", n === OLD_CELL ? { batteryVolts: 2.55 } : {});
    fleet.put(portOf(n), board);
    boards.set(n, board);
  }
  boards.get(FULL)!.evaluate('for(var i=0;i<4;i++)require("Storage").write("diary"+i,new Uint8Array(9500))');
  const plan = join(folder, "plan.csv");
  const rows = Array.from({ length: COUNT }, (_, i) => {
    const what = BEACONS.includes(i + 1) ? "smartbeacon,txPower=-8" : "wearable,cycleTime=60 txPower=-8";
    const beacon = i + 1 === WITH_KEY ? "kitchen.beacon," : i + 1 === WITH_MESSAGE ? ",message" : ",";
    return `${nameOf(i + 1)},${portOf(i + 1)},puckjs,${what},no,${beacon},"table ${i % 4}"`;
  });
  writeFileSync(plan, ["name,port,board,role,settings,lock,beacon,carrier,note", ...rows].join("\n"));
  createBeaconKey(join(folder, "kitchen.beacon"), "split").sk.fill(0);
  const command = ["--batch", plan, "--db", join(folder, "fleet.db"), "--report", join(folder, "report.json"), "--wait", "20"];
  const report = () => JSON.parse(readFileSync(join(folder, "report.json"), "utf8")) as BatchReport;

  let broken = false;
  let pulled = false;
  fleet.onOpen = (port, link) => {
    if (port === portOf(PULLED) && pulled) throw new DeviceError("no_port", `${port}: there is no such port`);
    if ((port !== portOf(LOOSE) || broken) && port !== portOf(PULLED)) return;
    const { write } = link;
    let writes = 0;
    link.write = (bytes) => {
      if (++writes === 20) {
        if (port === portOf(LOOSE)) broken = true;
        else pulled = true;
        link.cut();
      }
      return write(bytes);
    };
  };
  let done = 0;
  fleet.onSaid = (line) => {
    if (/: done$/.test(line) && ++done === 18) void cleanUp();
  };

  // the first run is aborted when 18 are done
  const first = await fleet.provision(...command);
  expect(first.error?.code).toBe("not_all_done");
  const half = report();
  expect(half.done).toBeGreaterThanOrEqual(18);
  expect(half.done).toBeLessThan(32);
  expect(half.boards.filter(({ state }) => state === "begun").length).toBeGreaterThan(0);
  expect(first.err.join("\n")).toContain(`${nameOf(LOOSE)}: flash:`);
  expect(half.boards[LOOSE - 1]).toMatchObject({ state: "done" });
  const finished = half.boards.filter(({ state }) => state === "done").map(({ line }) => line - 1);
  const before = new Map(finished.map((n) => [n, written(boards.get(n)!)]));

  // the second goes on
  fleet.onSaid = () => {};
  const second = await fleet.provision(...command);
  for (const [n, bytes] of before) expect(written(boards.get(n)!), nameOf(n)).toBe(bytes);
  expect(second.error?.message).toContain("3 of 40 boards are not done");
  const later = report();
  expect(later.done).toBe(COUNT - 3);
  expect(later.boards[OTHER - 1]).toMatchObject({ state: "failed", failure: { code: "wrong_board", message: expect.stringContaining("Pixl.js") } });
  expect(later.boards[FULL - 1]).toMatchObject({ state: "failed", failure: { code: "foreign_files", message: expect.stringContaining("--erase") } });
  expect(later.boards[PULLED - 1]).toMatchObject({ state: "failed", failure: { code: "no_port" } });
  expect(later.boards[OLD_CELL - 1]).toMatchObject({ state: "done", test: { battery: { millivolts: 2550 } } });
  expect(second.out).toContain(`${nameOf(OLD_CELL)}: battery 2550 mV: a used cell`);
  expect(written(boards.get(OTHER)!)).toBe(0);
  expect(boards.get(FULL)!.storage.files()).toHaveLength(4);

  // a cut in the middle of a batch leaves no key without its file, and makes none anew
  const keysBefore = new Map(readdirSync(join(folder, "plan/keys")).map((name) => [name, readFileSync(join(folder, "plan/keys", name), "utf8")]));
  // put right: the right board, the adapter back, the files given up
  const right = fleet.board();
  fleet.put(portOf(OTHER), right);
  boards.set(OTHER, right);
  fleet.onOpen = () => {};
  const third = await fleet.provision(...command, "--erase", "--json");
  expect(third.error).toBeUndefined();
  const last = JSON.parse(third.out) as BatchReport;
  expect(last).toEqual(report());
  expect(last.done).toBe(COUNT);
  for (const [n, bytes] of before) expect(written(boards.get(n)!), nameOf(n)).toBe(bytes);

  // each is what the plan says, and is what its label and the database say
  const wearable = await firmwareFor("wearable", "puckjs");
  const beacon = await firmwareFor("smartbeacon", "puckjs", {}, [], ["smartbeacon"]);
  const store = Store.open(join(folder, "fleet.db"));
  const entered = new Map((await store.boards()).map((board) => [board.name, board]));
  await store.close();
  expect(entered.size).toBe(COUNT);
  expect(new Set(last.boards.map(({ logId }) => logId)).size).toBe(COUNT);
  for (const row of last.boards) {
    const board = boards.get(row.line - 1)!;
    const now = status(board);
    const isBeacon = BEACONS.includes(row.line - 1);
    const { manifest } = isBeacon ? beacon : wearable;
    expect(now).toMatchObject({ v: manifest.version, id: row.logId, r: manifest.role, ad: 1, er: [0, 0, 0] });
    expect([now.c[0], now.c[3]]).toEqual([isBeacon ? 300 : 60, -8]);
    expect(row.beaconFile).toBe(row.line - 1 === WITH_KEY ? "kitchen.beacon" : isBeacon ? `keys/${row.name}.beacon` : undefined);
    expect(Math.abs(now.u / 1000 - fleet.clock.now)).toBeLessThan(0.3);
    expect(readLabel(join(folder, "plan", row.label!))).toBe(`TL:${row.logId!.slice(0, 8)} ${row.name}`);
    expect(entered.get(row.name)).toMatchObject({ id: board.serialNumber, firmware: manifest.version, logs: [{ logId: row.logId }] });
    expect(row.test).toMatchObject({ crypto: { aes: true, sha256: true, by: "in" }, flash: { damaged: 0, errors: 0 } });
    expect(row.test!.flash.records).toBeGreaterThan(4);
    expect(Math.abs(row.clockErrorMs!)).toBeLessThan(100);
    expect(board.errors).toEqual([]);
  }

  // what each SmartBeacon sends opens with its own key and no other; no secret is anywhere but in the key files
  const keyFiles = BEACONS.map((n) => (n === WITH_KEY ? join(folder, "kitchen.beacon") : join(folder, "plan/keys", `${nameOf(n)}.beacon`)));
  for (const [name, content] of keysBefore) expect(readFileSync(join(folder, "plan/keys", name), "utf8"), name).toBe(content);
  const told = [first, second, third].map(({ out, err }) => out + err.join("\n")).join("\n");
  const kept = ["plan/state.jsonl", "report.json"].map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
  const shared = BEACONS.map((n) => radioPayload(boards.get(n)!));
  keyFiles.forEach((file, i) => {
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { id, sk } = readBeaconKey(file);
    for (const secret of [Buffer.from(sk).toString("hex"), Buffer.from(id).toString("hex")]) expect(told + kept).not.toContain(secret);
    if (BEACONS[i] === WITH_MESSAGE) expect(shared[i]![0]).toBe(MESSAGE_FRAGMENT);
    else
      for (const [j, payload] of shared.entries())
        if (payload[0] === COMPACT_TOKEN) expect(typeof openToken(nodeCrypto, sk, id, payload) === "object").toBe(i === j);
  });
}, 90_000);

test("a board takes less than half a minute, and less than three quarters of one where the wire stays at 9,600 baud", async () => {
  const fleet = new Fleet();
  writeFileSync(join(folder, "two.csv"), "name,port,board,role\nfast,A,puckjs,wearable\n");
  writeFileSync(join(folder, "slow.csv"), "name,port,board,role\nslow,B,puckjs,wearable\n");
  fleet.put("A", fleet.board());
  fleet.put("B", fleet.board());
  const took = async (...argv: string[]) => {
    const { boards } = JSON.parse((await fleet.provision("--json", "--batch", ...argv)).out) as BatchReport;
    return boards[0].totalSeconds;
  };
  const fast = await took(join(folder, "two.csv"));
  const slow = await took(join(folder, "slow.csv"), "--no-fast");
  expect(fast).toBeLessThan(30);
  expect(slow).toBeLessThan(45);
  expect(slow - fast).toBeGreaterThan(8);
});
