import { findBoard } from "../../boards/index.ts";
import { FEWEST_TEMP_IDS } from "../../protocols/bluetrace/temp-id.ts";
import { type DeviceStatus, NEVER_PROVEN } from "../../protocols/device-link.ts";
import { WORD_BYTES } from "../../protocols/log-format.ts";
import type { Board } from "../device/board.ts";
import { durationInWords, offsetInWords, utc } from "../device/clock-words.ts";
import { namedSettings } from "../device/config.ts";
import { type LogRoom, logRoom } from "../device/log-room.ts";
import { spokenProtocols } from "../device/spoken-protocols.ts";
import { DeviceError } from "../errors.ts";
import { type LinkOptions, withBoard, withLinkOptions } from "./board-session.ts";
import { settingsTable } from "./config.ts";
import type { RegisterCommand } from "./output.ts";
import { inKilobytes } from "./pull.ts";
import { addressConformance, protocolLines, transmitterLines } from "./transmitter-words.ts";

function describe(board: Board, status: DeviceStatus, offsetMs: number, room: LogRoom): string {
  const { identity } = board;
  const name = findBoard(identity.board)?.name ?? identity.board;
  const [radio, flash, overflows] = status.er;
  const log = status.id
    ? `id ${status.id}, ${status.lo} to ${status.hi}, ${inKilobytes(room.unpulledWords * WORD_BYTES)} not pulled yet, ${inKilobytes(status.dr * WORD_BYTES)} lost`
    : "none that can be used; `tracelet flash --erase` makes one";
  const lines = [
    `${board.name}: ${name}, ${status.r}, firmware ${status.v}, Espruino ${identity.version.text}`,
    `  clock     ${status.u ? `${utc(status.u)}, ${offsetInWords(offsetMs, status.u)}` : offsetInWords(0, undefined) + "; set it with `tracelet time`"}`,
    `  log       ${log}`,
    ...(status.id ? describeRoom(room, status).map((line) => `            ${line}`) : []),
    `  radio     ${status.ad ? "advertising" : "not advertising"}, ${status.ro} rotations, ${status.op} encounters open, ${status.n} sightings since start`,
    ...(status.pf === undefined ? [] : [`  proof     ${proofInWords(status.pf)}`]),
    ...protocolLines(status),
    ...transmitterLines(status),
    `  start     number ${status.e}, ${durationInWords(status.t * 1000)} ago`,
    `  battery   ${batteryInWords(status)}`,
    `  lock      ${lockInWords(status)}`,
    `  errors    ${radio} radio, ${flash} flash, ${overflows} scans in which the input queue overflowed`,
    ...(status.gr
      ? [
          `  readings  ${status.gr[0]} identifiers read over connections since start, ${status.gr[1]} peers had none to read, ${status.gr[2]} not reached, ${status.gr[3]} links cut for taking too long`,
        ]
      : []),
    ...(status.co ? [`  collected ${status.co[0]} SmartBeacon messages since start, ${status.co[1]} packets refused`] : []),
    ...tokenLines(status, status.u / 1000).map((line) => `  ${line}`),
    ...(status.wd ? [`  watch     ${status.wd[0]} dead scans, ${status.wd[1]} restarts of the radio after an hour of silence`] : []),
    "  settings",
    ...settingsTable(namedSettings(status.c))
      .split("\n")
      .map((line) => "    " + line),
  ];
  return lines.join("\n");
}

function proofInWords(seconds: number): string {
  if (seconds >= NEVER_PROVEN) return "nobody has confirmed its advertisements since it started; `tracelet prove` asks others";
  return `its advertisements were last heard by a witness ${durationInWords(seconds * 1000)} ago`;
}

function batteryInWords({ mv, ml, lb }: DeviceStatus): string {
  const volts = (millivolts: number) => `${(millivolts / 1000).toFixed(2)} V`;
  const loaded = ml ? `, ${volts(ml)} while scanning` : "";
  return `${volts(mv)} at rest${loaded}${lb ? "; low, so it scans less often: change the battery" : ""}`;
}

/** How full the log is of what nobody has pulled, and when that begins to be lost. */
function describeRoom({ unpulledPercent, daysLeft, nearlyFull }: LogRoom, { df }: DeviceStatus): string[] {
  const when =
    daysLeft === undefined ? "" : `; at this rate the oldest of it goes in about ${daysLeft < 10 ? daysLeft.toFixed(1) : Math.round(daysLeft)} days`;
  const lines = [`${unpulledPercent} % of it holds records that were not pulled${when}; new encounters are written ${df ? "dense" : "in full"}`];
  if (nearlyFull) lines.push("NEARLY FULL: less than a page is left before records are lost that were not pulled; pull now");
  return lines;
}

/** What a board with the role token says of BlueTrace. `unix`: its time, 0 where it has none. */
export function tokenLines({ ha, te, me }: Pick<DeviceStatus, "ha" | "te" | "me">, unix: number): string[] {
  if (ha === undefined || !te || !me) return [];
  const [left, refresh, ...ends] = te;
  const [meetings, refused, unreadable, cut] = me;
  if (ha === null)
    return [
      "bluetrace its log has no pages for TempIDs; pull it, then `tracelet flash --erase --role token --protocol bluetrace`",
      "          SILENT until then",
    ];
  const until = utc(Math.max(...ends) * 1000);
  const more = refresh > 0 && (unix >= refresh || left < FEWEST_TEMP_IDS) ? "; new ones are due: `tracelet bluetrace load`" : "";
  const tempIds =
    left > 0 ? `${left} TempIDs left, the last until ${until}${more}` : "SILENT: no TempID is left; bring some with `tracelet bluetrace load`";
  return [
    `bluetrace ${ha === "" ? "no health authority yet" : `health authority ${ha}`}, ${tempIds}`,
    `          ${meetings} meetings since start, ${refused} messages refused, ${unreadable} peers unreadable, ${cut} links cut for taking too long`,
  ];
}

function lockInWords({ lk, wr }: DeviceStatus): string {
  if (lk === undefined) return "none: the firmware was built without it";
  if (lk === 0) return "off: whoever connects has the console; `tracelet lock` sets a key";
  return `on, opened with its key; ${wr ?? 0} wrong answers since start`;
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
        const room = await logRoom(board, status);
        const readable = {
          ...status,
          room,
          protocols: spokenProtocols(status),
          settings: namedSettings(status.c),
          address_conformance: addressConformance(status),
          clockOffsetMs: status.u ? offsetMs : null,
        };
        output.result({ port: options.port, interpreter, firmware: readable }, describe(board, status, offsetMs, room));
      });
    });
};
