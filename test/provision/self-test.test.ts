import { expect, test } from "vitest";
import { synchronise } from "../../host-tools/device/clock-sync.ts";
import { listenAround } from "../../host-tools/provision/bare-radio.ts";
import { type SelfTest, selfTest } from "../../host-tools/provision/self-test.ts";
import { Air } from "../../host-tools/simulator/air.ts";
import { radioIn } from "../../host-tools/simulator/board-radio.ts";
import type { VirtualBoard, VirtualBoardOptions } from "../../host-tools/simulator/virtual-board.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";
import { PAGE_HEADER_BYTES } from "../../protocols/log-format.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { pagesOf } from "../support/flash-log.ts";
import { overLink, virtualBoard } from "../support/virtual-link.ts";
import { install } from "../support/worn-boards.ts";

/** A board with the wearable's firmware that runs; `spoil` does something to it before it is tested. */
async function tested(
  options: Partial<VirtualBoardOptions> & { id?: string; role?: string } = {},
  spoil: (board: VirtualBoard) => void = () => {},
): Promise<SelfTest> {
  const { id = "puckjs", role = "wearable", ...rest } = options;
  const { clock, board } = virtualBoard(id, { radio: radioIn(undefined), ...rest });
  install(board, await firmwareFor(role, id));
  board.powerOff();
  board.powerOn();
  return overLink(clock, board, async (link) => {
    await synchronise(link);
    spoil(board);
    return selfTest(link, null);
  });
}

test("a board that is well gives its numbers and no warning", async () => {
  const result = await tested();
  expect(result).toMatchObject({
    crypto: { aes: true, sha256: true, by: "in" },
    radio: { advertising: true, errors: 0 },
    flash: { damaged: 0, errors: 0 },
    battery: { millivolts: 3000 },
    warnings: [],
  });
  expect(result.flash.records).toBeGreaterThan(3);
  expect(Math.abs(result.clock.gainedMs)).toBeLessThan(20);
});

test("a board whose interpreter lacks AES and SHA-256 says by whom they are done", async () => {
  expect((await tested({ id: "pixljs" })).crypto).toEqual({ aes: null, sha256: null, by: "sd" });
});

test.each<[string, RegExp, (board: VirtualBoard) => void]>([
  ["AES", /AES gives a wrong answer/, (board) => board.evaluate("global.AES={encrypt:function(b){return b}}")],
  ["AES that throws", /AES gives a wrong answer/, (board) => board.evaluate("global.AES={}")],
  [
    "the clock",
    /the clock went -?\d+ ms wrong in/,
    (board) => board.evaluate("(function(t,b){global.getTime=function(){return b+(t()-b)*1.3}})(getTime,getTime())"),
  ],
  [
    "flash",
    /1 of \d+ records read back damaged/,
    (board) => {
      // the first record of the first page: settings
      const at = pagesOf(board)[0].address + PAGE_HEADER_BYTES + 3;
      const where = [...board.flash.read(at, 20)].findIndex((byte) => byte !== 0);
      const byte = board.flash.read(at + where, 1)[0];
      board.flash.write(at + where, Uint8Array.of(byte & (byte - 1)));
    },
  ],
])("a fault of %s fails the test and is named", async (_, words, spoil) => {
  await expect(tested({}, spoil)).rejects.toThrow(words);
});

test("a used cell is a warning, with its voltage", async () => {
  expect((await tested({ batteryVolts: 2.6 })).warnings).toEqual([expect.stringContaining("battery 2600 mV")]);
});

test("a bare board tells whom it hears, and leaves nothing behind", async () => {
  const clock = new VirtualClock(1_790_000_000);
  const air = new Air({ clock, seed: 4 });
  const { board } = virtualBoard("puckjs", { clock, radio: radioIn(air), seed: 1 });
  for (const seed of [2, 3]) virtualBoard("puckjs", { clock, radio: radioIn(air), seed });
  const heard = await overLink(clock, board, (link) => listenAround(link.repl));
  expect(heard).toMatchObject({ devices: 2, seconds: 2 });
  expect(heard.packets).toBeGreaterThan(4);
  expect(heard.strongest).toBeLessThan(0);
  expect(board.evaluate("typeof TS")).toBe("undefined");
  const alone = virtualBoard("puckjs", { radio: radioIn(undefined) });
  expect(await overLink(alone.clock, alone.board, (link) => listenAround(link.repl))).toMatchObject({ packets: 0, devices: 0, strongest: null });
});

test("a radio that doesn't listen is told with the board's words", async () => {
  const { clock, board } = virtualBoard("puckjs", { radio: radioIn(undefined) });
  await overLink(clock, board, async (link) => {
    board.evaluate('NRF.setScan=function(){throw new Error("no radio today")}');
    await expect(listenAround(link.repl)).rejects.toMatchObject({ code: "radio_failed", message: expect.stringContaining("no radio today") });
  });
});
