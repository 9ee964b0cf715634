import { expect, test } from "vitest";
import { findBoard } from "../../boards/index.ts";
import { buildFirmware } from "../../host-tools/generator/bundle.ts";
import { CHARACTERISTIC as EPHID } from "../../protocols/dp3t/advertisement.ts";
import { CHARACTERISTIC } from "../../protocols/opencovidtrace/advertisement.ts";

const text = async (role: string, protocols: string[], features?: string[]) =>
  (await buildFirmware({ board: findBoard("puckjs")!, role, protocols, with: features })).text;

test("only who is asked to connect has anything of it: who scans reads, who sends offers (DP-08, DP-12, BLE-08)", async () => {
  const [plain, wearable, scanner, beacon] = await Promise.all([
    text("wearable", ["dp3t"]),
    text("wearable", ["dp3t"], ["gatt"]),
    text("scanner", ["dp3t"], ["gatt"]),
    text("beacon", ["opencovidtrace"]),
  ]);
  const has = (code: string) => [/NRF\.connect\(/, /NRF\.setServices\(/, /connectable:!0,scannable:!0,whenConnected/].map((part) => part.test(code));
  expect(has(plain)).toEqual([false, false, false]);
  expect(has(wearable)).toEqual([true, true, true]);
  expect(has(scanner)).toEqual([true, false, false]);
  expect(has(beacon)).toEqual([false, true, true]);
  expect([plain, wearable, scanner, beacon].map((code) => [code.includes(EPHID), code.includes(CHARACTERISTIC)])).toEqual([
    [false, false],
    [true, false],
    [true, false],
    [false, true],
  ]);
});

test("connections are refused where the protocol has none, and where the console would be all that strangers find", async () => {
  const build = (board: string, role: string, protocols: string[], features?: string[]) =>
    buildFirmware({ board: findBoard(board)!, role, protocols, with: features });
  await expect(build("puckjs", "wearable", ["gaen"], ["gatt"])).rejects.toMatchObject({ code: "board_cannot", exitCode: 2 });
  await expect(build("bangle2", "wearable", ["dp3t"], ["gatt"])).rejects.toThrow("its only console is Bluetooth");
  await expect(build("bangle2", "beacon", ["opencovidtrace"])).rejects.toThrow("its only console is Bluetooth");
});
