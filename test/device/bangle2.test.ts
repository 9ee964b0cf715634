import { beforeAll, describe, expect, test } from "vitest";
import { bangle2 } from "../../boards/bangle2.ts";
import { toBundle } from "../../host-tools/cli/flash.ts";
import type { Board } from "../../host-tools/device/board.ts";
import { synchronise } from "../../host-tools/device/clock-sync.ts";
import { type Bundle, flash } from "../../host-tools/device/flash.ts";
import { pullLog } from "../../host-tools/device/pull.ts";
import { knownAnswers } from "../../host-tools/provision/self-test.ts";
import { Air } from "../../host-tools/simulator/air.ts";
import { BluetoothConsole } from "../../host-tools/simulator/bluetooth-console.ts";
import { radioIn } from "../../host-tools/simulator/board-radio.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { Store } from "../../host-tools/store/store.ts";
import { LABEL_FILE } from "../../protocols/log-format.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { overLink, virtualBoard } from "../support/virtual-link.ts";

// A watch has no cable: all of this goes over Bluetooth, as whatever bridge makes a port of that would carry it.

const LOG_ID = Buffer.from("feedfacecafe0002", "hex");
const LONG_PRESS_MS = 1000;
let bundle: Bundle;

beforeAll(async () => {
  const { code, manifest } = await firmwareFor("wearable", "bangle2");
  bundle = toBundle(Buffer.from(code, "latin1"), manifest);
}, 90_000);

function watch(): { board: VirtualBoard; pass(seconds: number): void; over<T>(work: (link: Board) => Promise<T>): Promise<T> } {
  const { clock, board } = virtualBoard("bangle2", { radio: (made) => radioIn(new Air({ clock: made.clock, seed: 5 }))(made) });
  return {
    board,
    pass: (seconds) => clock.advanceTo(clock.now + seconds),
    async over(work) {
      // whoever was there before has gone
      clock.advanceTo(clock.now + 1);
      const link = BluetoothConsole.open(board);
      if (!link) throw new Error("takes no connection");
      try {
        return await overLink(clock, link, work);
      } finally {
        link.close();
      }
    },
  };
}

/** With our firmware, and its clock set. */
async function ready() {
  const made = watch();
  made.pass(2);
  await made.over((link) => flash(link, bundle, { logId: LOG_ID }));
  await made.over((link) => synchronise(link));
  return made;
}

describe("a Bangle.js 2 over Bluetooth", () => {
  test("is flashed as it comes, and asked before its apps are erased", async () => {
    const { board, pass, over } = watch();
    for (const name of ["setting.json", "launch.app.js", ...Array.from({ length: 30 }, (_, i) => `app${i}.app.js`)])
      board.storage.write(name, Buffer.from("1"));
    pass(2);
    const refused = over((link) => flash(link, bundle, { logId: LOG_ID }));
    await expect(refused).rejects.toMatchObject({ code: "foreign_files" });
    await expect(refused).rejects.toThrow(/32 files that are not ours \(setting\.json, launch\.app\.js, .* and 27 more\).*app loader.*--erase/);
    expect(board.storage.find("setting.json")).toBeDefined();
    const said: string[] = [];
    const flashed = await over((link) => flash(link, bundle, { erase: true, logId: LOG_ID, say: (text) => said.push(text) }));
    expect(flashed).toMatchObject({ version: bundle.version, freshLog: true, logPages: 31, checkedBy: "SHA-256" });
    expect(said.join()).toContain("erasing");
    expect([...board.storage.files()].map(({ name }) => name.replaceAll("\0", ""))).toEqual(["tl.log", ".bootcde", LABEL_FILE]);
    expect(board.errors).toEqual([]);
  });

  test("has its clock set, is asked and read out by one program after the other", async () => {
    const { board, pass, over } = await ready();
    const status = await over((link) => link.status());
    // the chip's AES is not in this board's interpreter, and no machine code runs here
    expect(status).toMatchObject({ b: "bangle2", id: LOG_ID.toString("hex"), pg: 31, er: [0, 0, 0], mv: 3900 });
    expect(Math.abs(status.u / 1000 - board.clock.now)).toBeLessThan(1);
    const store = Store.open(":memory:", { now: () => Math.floor(board.clock.now) });
    const pulled = await over((link) => pullLog(link, store));
    expect(pulled.damaged).toBe(0);
    expect((await over((link) => link.status())).ak).toBeGreaterThan(status.ak);
    expect((await over((link) => knownAnswers(link.repl, bangle2.crypto))).sha256).toBe(true);
    pass(5);
    expect(board.errors).toEqual([]);
  });

  test("keeps its log when it gets another firmware, which is a matter of seconds", async () => {
    const { over } = await ready();
    const next = {
      ...bundle,
      code: Buffer.from(Buffer.from(bundle.code).toString("latin1").replaceAll(bundle.version, "9.9.9-test"), "latin1"),
      version: "9.9.9-test",
    };
    const flashed = await over((link) => flash(link, next));
    expect(flashed).toMatchObject({ replaced: bundle.version, freshLog: false, logId: LOG_ID.toString("hex") });
    expect(flashed.seconds).toBeLessThan(30);
  });

  test("takes no connection while it advertises, and one for a minute after a press of a second; it stays open while somebody is there", async () => {
    const { board, pass, over } = await ready();
    // up to a minute after the last program, and then at the next ten minutes of the clock
    pass(700);
    expect(board.radio!.connectable).toBe(false);
    await expect(over((link) => link.status())).rejects.toThrow("takes no connection");
    board.pressButton(LONG_PRESS_MS);
    pass(3);
    expect(board.radio!.connectable).toBe(true);
    await over(async (link) => {
      pass(200);
      expect((await link.status()).ad).toBe(0);
    });
    pass(1);
    expect(board.radio!.connectable).toBe(true);
    pass(62);
    expect(board.radio!.connectable).toBe(false);
    expect(board.errors).toEqual([]);
  });

  test("has no console on its screen when nobody is connected", async () => {
    const { board, pass } = await ready();
    pass(700);
    expect(board.consoleDevice).toBe("Bluetooth");
    expect(board.screen!.on).toBe(false);
  });
});
