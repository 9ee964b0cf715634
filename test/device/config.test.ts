import { describe, expect, test } from "vitest";
import { boardProblem, configure, parseChange } from "../../host-tools/device/config.ts";
import { listPorts } from "../../host-tools/device/ports.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";
import { FakeFirmware } from "../support/fake-firmware.ts";
import { overLink } from "../support/virtual-link.ts";

describe("settings", () => {
  test.each([
    ["scanTime", "key=value"],
    ["scanTime=3", "multiple of 2"],
    ["scanTime=four", '"four"'],
    ["scanTime=4.5", '"4.5"'],
    ["cycleTime=99999", "4 to 3600 s"],
    ["volume=3", "cycleTime, scanTime"],
    ["rawLog=", '""'],
  ])("%s is refused before anything is sent, and the message says what is right", (text, words) => {
    expect(() => parseChange(text)).toThrow(words);
  });

  test("what one board can't do is refused, too", () => {
    expect(boardProblem("puckjs", { name: "txPower", value: 8 })).toContain("-40, -20");
    expect(boardProblem("puckjs", { name: "txPower", value: 4 })).toBeUndefined();
    expect(boardProblem("puckjs", { name: "scanTime", value: 4 })).toBeUndefined();
  });

  test("changes arrive and are read back; an unchanged value is not sent again", async () => {
    const clock = new VirtualClock(1_790_000_000);
    const board = new FakeFirmware(clock);
    const values = await overLink(clock, board.pins, (link) =>
      configure(link, [parseChange("scanTime=4"), parseChange("txPower=-8"), parseChange("cycleTime=300")]),
    );
    expect(values).toMatchObject({ scanTime: 4, txPower: -8, cycleTime: 300, retention: 14 });
    expect(board.settings.slice(0, 4)).toEqual([300, 4, 250, -8]);
    expect(board.pins.lines.filter((line) => line.startsWith("T.c"))).toEqual(["T.c(1,4)", "T.c(3,-8)"]);
  });
});

describe("serial ports", () => {
  test("what the system tells comes with maker and serial number", async () => {
    const ports = await listPorts(
      async () => [{ path: "/dev/ttyUSB0", manufacturer: "FTDI", serialNumber: "A50285BI" }, { path: "/dev/ttyS3" }],
      async () => ["ttyUSB0", "ttyAMA0", "null", "ttyS3"],
    );
    expect(ports).toEqual([
      { path: "/dev/ttyAMA0", description: "" },
      { path: "/dev/ttyUSB0", description: "FTDI, A50285BI" },
    ]);
  });

  test("a system that can't tell is no obstacle", async () => {
    const ports = await listPorts(
      async () => {
        throw new Error("spawn udevadm ENOENT");
      },
      async () => ["ttyUSB10", "ttyUSB2", "serial0"],
    );
    expect(ports.map((port) => port.path)).toEqual(["/dev/serial0", "/dev/ttyUSB2", "/dev/ttyUSB10"]);
  });
});
