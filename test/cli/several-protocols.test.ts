import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { puckjs } from "../../boards/puckjs.ts";
import { protocolLines } from "../../host-tools/cli/transmitter-words.ts";
import { parseChange } from "../../host-tools/device/config.ts";
import { spokenProtocols, transmitWarnings } from "../../host-tools/device/spoken-protocols.ts";
import { readTeks } from "../../host-tools/exposure-keys/keys.ts";
import { buildFirmware } from "../../host-tools/generator/bundle.ts";
import { radioIn } from "../../host-tools/simulator/board-radio.ts";
import { LiveBoard } from "../../host-tools/simulator/serve.ts";
import { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";
import { Store } from "../../host-tools/store/store.ts";
import { PRIVATE_ADDRESS, SETTING_COUNT, TRANSMIT } from "../../protocols/settings.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { tracelet } from "../support/command-line.ts";
import { install, setClock } from "../support/worn-boards.ts";

const status = (pr: [number, number] | undefined, more: { r?: string; transmit?: number; privateAddress?: number } = {}) => {
  const c = new Array<number>(SETTING_COUNT).fill(0);
  c[TRANSMIT] = more.transmit ?? 0;
  c[PRIVATE_ADDRESS] = more.privateAddress ?? 0;
  return { pr, r: more.r ?? "wearable", c };
};

test("BLE-07: protocols that are sent from one address are told as linked; in turns, alone or on a scanner nothing is", () => {
  expect(spokenProtocols(status([5, 5]))).toEqual({ built: ["gaen", "dp3t"], sent: ["gaen", "dp3t"], linked: true });
  expect(protocolLines(status([5, 5]))).toEqual([
    "  protocols gaen, dp3t; sent: gaen, dp3t",
    expect.stringMatching(/LINKED: gaen and dp3t .* links them to each other/),
  ]);
  expect(spokenProtocols(status([5, 5], { privateAddress: 1 })).linked).toBe(false);
  expect(protocolLines(status([7, 1]))).toEqual(["  protocols gaen, ct10, dp3t; sent: gaen"]);
  expect(protocolLines(status([2, 0]))).toEqual(["  protocols ct10; sent: none"]);
  // what isn't built in isn't sent
  expect(spokenProtocols(status([5, 9]))).toMatchObject({ sent: ["gaen"], linked: false });
  expect(spokenProtocols(status([65, 64])).built).toEqual(["gaen", "opencovidtrace"]);
  // GAEN alone says nothing of it
  expect(protocolLines(status(undefined))).toEqual([]);
  expect(spokenProtocols(status(undefined))).toEqual({ built: ["gaen"], sent: ["gaen"], linked: false });
  expect(spokenProtocols(status(undefined, { r: "scanner" })).sent).toEqual([]);
});

test("MUX-02: transmit takes names beside numbers, and what a board can't send is said", async () => {
  expect(parseChange("transmit=gaen,dp3t")).toEqual({ name: "transmit", value: 5 });
  expect(parseChange("transmit=none").value).toBe(128);
  expect(parseChange("transmit=6").value).toBe(6);
  expect(() => parseChange("transmit=gaen,morse")).toThrow(/no protocol is called "morse"; known: gaen, .*none/);
  expect(() => parseChange("scanTime=gaen")).toThrow('got "gaen"');
  expect(transmitWarnings(status([5, 13], { transmit: 13 }))).toEqual([
    expect.stringContaining("dp3t-unlinkable can't be sent by firmware with gaen, dp3t; build it with --protocol gaen,dp3t,dp3t-unlinkable"),
    expect.stringContaining("links them"),
  ]);
  expect(transmitWarnings(status(undefined, { transmit: 128 }))).toEqual([expect.stringContaining("always sends it")]);
  expect(transmitWarnings(status([5, 4], { transmit: 4 }))).toEqual([]);
  const request = { board: puckjs, role: "wearable", protocols: ["gaen"], settings: { transmit: 5 } };
  await expect(buildFirmware(request)).rejects.toMatchObject({ code: "bad_setting", message: expect.stringContaining("--protocol gaen,dp3t") });
});

test("a board with several protocols: config warns, status tells, keys pull writes each protocol's keys and keeps them", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tracelet-several-"));
  const board = new VirtualBoard({ facts: puckjs, clock: new VirtualClock(1_790_000_000), radio: radioIn(undefined) });
  install(board, await firmwareFor("wearable", "puckjs", {}, [], ["gaen", "dp3t", "ct10"]));
  const live = new LiveBoard(board, { speed: 20 });
  try {
    const port = `tcp://localhost:${await live.listenTcp(0)}`;
    live.start();
    setClock(board, board.clock.now);
    const changed = await tracelet("config", "--port", port, "--set", "transmit=gaen,dp3t,ct10");
    expect(changed.exit, changed.err).toBe(0);
    expect(changed.err).toMatch(/^tracelet: warning: gaen and ct10 and dp3t are sent from one address/);
    const told = await tracelet("status", "--port", port, "--json");
    expect(JSON.parse(told.out).firmware).toMatchObject({
      pr: [7, 7],
      protocols: { built: ["gaen", "ct10", "dp3t"], sent: ["gaen", "ct10", "dp3t"], linked: true },
    });
    const [out, db] = [join(folder, "keys.json"), join(folder, "tracelet.db")];
    const pulled = await tracelet("keys", "pull", "--port", port, "--out", out, "--db", db, "--fresh");
    expect(pulled.exit, pulled.err).toBe(0);
    expect(statSync(out).mode & 0o777).toBe(0o600);
    const file = JSON.parse(readFileSync(out, "utf8"));
    const today = Math.floor(board.clock.now / 86400);
    expect(file).toEqual({
      gaen: [{ tek: expect.stringMatching(/^[0-9a-f]{32}$/), rollingStart: today * 144, rollingPeriod: expect.any(Number) }],
      dp3t: [{ key: expect.stringMatching(/^[\w+/]{43}=$/), keyDate: today * 86_400_000, ended: true, lastDay: today }],
      ct10: [{ day: today, dtk: expect.stringMatching(/^[\w+/]{22}==$/) }],
    });
    expect(pulled.out).toContain("3 keys (gaen 1, ct10 1, dp3t 1)");
    expect(pulled.out + pulled.err).not.toContain(file.dp3t[0].key);
    // what is published of GAEN is taken out of the same file
    expect(readTeks(readFileSync(out, "utf8"), out).keys).toHaveLength(1);
    const store = Store.open(db);
    expect((await store.keys()).length).toBe(1);
    expect((await store.keysOfOthers(board.serialNumber)).map(({ protocol, key }) => [protocol, Buffer.from(key).toString("base64")])).toEqual([
      ["ct10", file.ct10[0].dtk],
      ["dp3t", file.dp3t[0].key],
    ]);
    await store.close();
  } finally {
    await live.stop();
    rmSync(folder, { recursive: true });
  }
});
