import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { bangle2 } from "../../boards/bangle2.ts";
import { pixljs } from "../../boards/pixljs.ts";
import { puckjs } from "../../boards/puckjs.ts";
import { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";
import { LABEL_FILE } from "../../protocols/log-format.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { install } from "../support/worn-boards.ts";
import { build, NO_INTERPRETER } from "./abilities.ts";
import { Interpreter, temporaryDirectory } from "./interpreter.ts";
import { run } from "./machine.ts";

// A press on the button, on the real interpreter. Its Linux build has neither radio nor watches nor a screen, and no ARM to run machine code: what stands in for them is here, and what is drawn is told as text.

const SHIM = `global.NRF={sleep:function(){},wake:function(){},setAdvertising:function(){},setAddress:function(){},setTxPower:function(){},restart:function(){},
getSecurityStatus:function(){return{connected:false}},getBattery:function(){return 2.98},setScan:function(){}};
E.nativeCall=function(){return function(){return 1}};
global.setWatch=function(f){global.__watch=f};
global.__press=function(s){var t=getTime();__watch({state:false,time:t,lastTime:t-s})};`;
const SCREEN = `(function(){var g={};function same(){return g}
g.clear=g.setColor=g.setFont=g.fillRect=same;g.drawImage=function(i){print("image",i.length);return g};
g.drawString=function(s){if(s)print("~"+s);return g};g.flip=function(){};global.g=g;global.Pixl={setLCDPower:function(on){print("power",on)}}})();`;
const WATCH = `(function(){var lock;global.Bangle={setOptions:function(o){print("options",o.lockTimeout)},setLocked:function(on){print("locked",on)},
setLCDPower:function(on){print("power",on)},on:function(e,f){lock=f}};global.__lock=function(on){lock(on,"button")};
E.setConsole=function(d,o){print("console",d,o.force)};E.getBattery=function(){return 71};global.analogRead=function(p){return p=="D3"?0.2934:0}})();`;
/** 2026-03-02, 09:01 UTC */
const UNIX = 1772442060;

/** The bundle for a board whose Storage lies elsewhere. */
function otherStorage(code: string, address: number): string {
  return [pixljs, bangle2].reduce((text, { storage }) => text.replaceAll(String(storage.address), String(address)), code);
}

describe.skipIf(NO_INTERPRETER)("a press on the real interpreter", () => {
  const directories: string[] = [];
  let running: Interpreter | undefined;
  let able = false;
  beforeAll(async () => {
    const { abilities } = await build();
    able = (["byte strings", "mapped storage", "virtual time", "aes", "pins"] as const).every((one) => abilities.has(one));
  });
  afterEach(async () => {
    await running?.close();
    for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
  });

  /** The bundle of a board, in a chip with a Puck.js's Storage. */
  async function started(id: string, role: string): Promise<Interpreter> {
    const firmware = await firmwareFor(role, id);
    const directory = temporaryDirectory();
    directories.push(directory);
    const chip = new VirtualBoard({ facts: puckjs, clock: new VirtualClock(0) });
    const { address, pages, pageBytes } = puckjs.storage;
    install(chip, { ...firmware, code: otherStorage(firmware.code, address) }, 3);
    chip.storage.write(LABEL_FILE, Uint8Array.of(8, 1, 1, 255));
    chip.storage.write(".boot0", Buffer.from(SHIM + (id === "puckjs" ? "" : SCREEN) + (id === "bangle2" ? WATCH : ""), "latin1"));
    writeFileSync(join(directory, "espruino.flash"), chip.flash.read(address, pages * pageBytes));
    running = new Interpreter({ directory, virtualTime: 0 });
    await running.quiet();
    await run(running, "echo(0)");
    await running.advance(2000);
    await run(running, `T.t(${UNIX},0,0)`);
    await running.advance(5000);
    await running.quiet();
    running.text = "";
    return running;
  }
  const usage = async (board: Interpreter) => Number(await run(board, "print(process.memory().usage)"));

  test("lights a green light for 150 ms, and what it took of variables comes back", async ({ skip }) => {
    if (!able) return skip();
    const board = await started("puckjs", "wearable");
    const light = async () => (await run(board, "print(digitalRead([LED3,LED2,LED1]))")).trim();
    for (const round of [1, 2]) {
      const before = await usage(board);
      await run(board, "__press(0.1)");
      expect(await light(), `round ${round}`).toBe("2");
      await board.advance(200);
      expect(await light()).toBe("0");
      await board.advance(5000);
      expect(await usage(board)).toBeLessThanOrEqual(before);
    }
  });

  test("draws both pages of a Pixl.js's screen, switches it off after ten seconds, and keeps nothing", async ({ skip }) => {
    if (!able) return skip();
    const board = await started("pixljs", "scanner");
    const lines = async () => (await run(board, "__press(0.1)")).split("\r\n").filter((line) => line !== "");
    let after = 0;
    for (const round of [1, 2, 3]) {
      const page = await lines();
      expect(page, `round ${round}`).toContain("~ALL IS WELL");
      expect(page).toContain("~09:01");
      expect(page).toContain("~ENCOUNTERS TODAY 0, OPEN 0");
      expect(page).toContain("power true");
      expect(await lines()).toEqual(expect.arrayContaining(["image 4", "~TRACELET", "~01020304"]));
      await board.advance(9000);
      await board.quiet();
      expect(board.text).not.toContain("power false");
      await board.advance(2000);
      await board.quiet();
      expect(board.text).toContain("power false");
      board.text = "";
      const used = await usage(board);
      // the interpreter's own objects for dates and Storage come with the first round
      if (round > 1) expect(used).toBeLessThanOrEqual(after);
      after = used;
      // the same minute again
      await run(board, `T.t(${UNIX},0,0)`);
    }
  });

  test("draws the pages of a Bangle.js 2 as the watch wakes and as its button goes down, blanks them when it locks, and keeps nothing", async ({
    skip,
  }) => {
    if (!able) return skip();
    const board = await started("bangle2", "scanner");
    const lines = async (what: string) => (await run(board, what)).split("\r\n").filter((line) => line !== "");
    let after = 0;
    for (const round of [1, 2, 3]) {
      const page = await lines("__lock(false)");
      expect(page, `round ${round}`).toEqual(
        expect.arrayContaining(["~ALL IS WELL", "~09:01", "~2026-03-02 UTC", "~ENCOUNTERS TODAY 0", "BATTERY 71 %"]),
      );
      expect(await lines("__watch()")).toEqual(expect.arrayContaining(["image 4", "~TRACELET", "~01020304"]));
      // nobody holds the button any more
      await board.advance(1000);
      await board.quiet();
      expect(board.text).not.toContain("BLUETOOTH");
      expect(await lines("__lock(true)")).toEqual([]);
      const used = await usage(board);
      if (round > 1) expect(used).toBeLessThanOrEqual(after);
      after = used;
      await run(board, `T.t(${UNIX},0,0)`);
    }
    // records in three operations each, and what they say of the cell
    const frame = Buffer.from(await run(board, "T.s()"), "latin1");
    // header of four bytes, its last two the length
    const status = JSON.parse(frame.toString("latin1", 4, 4 + frame.readUInt16LE(2))) as { er: number[]; mv: number; hi: number; b: string };
    expect(status).toMatchObject({ b: "bangle2", er: [0, 0, 0], mv: 3919 });
    expect(status.hi).toBeGreaterThan(30);
  });
});
