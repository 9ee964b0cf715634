import { findBoard } from "../../boards/index.ts";
import type { DeviceStatus } from "../../protocols/device-link.ts";
import type { Board } from "../device/board.ts";
import { durationInWords, offsetInWords, utc } from "../device/clock-words.ts";
import { namedSettings } from "../device/config.ts";
import { DeviceError } from "../errors.ts";
import { type LinkOptions, withBoard, withLinkOptions } from "./board-session.ts";
import { settingsTable } from "./config.ts";
import type { RegisterCommand } from "./output.ts";
import { addressConformance, transmitterLines } from "./transmitter-words.ts";

function describe(board: Board, status: DeviceStatus, offsetMs: number): string {
  const { identity } = board;
  const name = findBoard(identity.board)?.name ?? identity.board;
  const [radio, flash, overflows] = status.er;
  const log = status.id
    ? `id ${status.id}, records ${status.lo} to ${status.hi}, ${Math.max(0, status.hi - Math.max(status.ak, status.lo))} not pulled yet, ${status.dr} lost`
    : "none that can be used; `tracelet flash --erase` makes one";
  const lines = [
    `${board.name}: ${name}, ${status.r}, firmware ${status.v}, Espruino ${identity.version.text}`,
    `  clock     ${status.u ? `${utc(status.u)}, ${offsetInWords(offsetMs, status.u)}` : offsetInWords(0, undefined) + "; set it with `tracelet time`"}`,
    `  log       ${log}`,
    `  radio     ${status.ad ? "advertising" : "not advertising"}, ${status.ro} rotations, ${status.op} encounters open, ${status.n} sightings since start`,
    ...(status.pf === undefined ? [] : [`  proof     ${proofInWords(status.pf)}`]),
    ...transmitterLines(status),
    `  start     number ${status.e}, ${durationInWords(status.t * 1000)} ago`,
    `  battery   ${batteryInWords(status)}`,
    `  errors    ${radio} radio, ${flash} flash, ${overflows} scans in which the input queue overflowed`,
    ...(status.wd ? [`  watch     ${status.wd[0]} dead scans, ${status.wd[1]} restarts of the radio after an hour of silence`] : []),
    "  settings",
    ...settingsTable(namedSettings(status.c))
      .split("\n")
      .map((line) => "    " + line),
  ];
  return lines.join("\n");
}

function proofInWords(seconds: number): string {
  if (seconds < 0) return "nobody has confirmed its advertisements since it started; `tracelet prove` asks others";
  return `its advertisements were last heard by a witness ${durationInWords(seconds * 1000)} ago`;
}

function batteryInWords({ mv, ml, lb }: DeviceStatus): string {
  const volts = (millivolts: number) => `${(millivolts / 1000).toFixed(2)} V`;
  const loaded = ml ? `, ${volts(ml)} while scanning` : "";
  return `${volts(mv)} at rest${loaded}${lb ? "; low, so it scans less often: change the battery" : ""}`;
}

export const register: RegisterCommand = (program) => {
  withLinkOptions(program.command("status"), ["status --port /dev/ttyUSB0", "status --port tcp://localhost:9601 --json"])
    .description("tell what a board is, what it does and how it is")
    .action(async (options: LinkOptions) => {
      await withBoard(options, false, async (board, output) => {
        const { identity } = board;
        const interpreter = { version: identity.version.text, board: identity.board, hardware: identity.hardware, serial: identity.serial };
        try {
          await board.requireFirmware();
        } catch (error) {
          if (!(error instanceof DeviceError) || error.code !== "no_firmware") throw error;
          const why = error.message;
          return output.result(
            { port: options.port, interpreter, firmware: null, why },
            `${why}\n  Espruino ${identity.version.text} on ${identity.board}`,
          );
        }
        const { value: status, sentAt, begunAt } = await board.timedStatus();
        const offsetMs = Math.round(status.u - ((sentAt + begunAt) / 2) * 1000);
        const readable = {
          ...status,
          settings: namedSettings(status.c),
          address_conformance: addressConformance(status),
          clockOffsetMs: status.u ? offsetMs : null,
        };
        output.result({ port: options.port, interpreter, firmware: readable }, describe(board, status, offsetMs));
      });
    });
};
