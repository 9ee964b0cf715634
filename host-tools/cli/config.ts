import { SETTING_RULES } from "../../protocols/settings.ts";
import { configure, parseChange } from "../device/config.ts";
import { transmitWarnings } from "../device/spoken-protocols.ts";
import { type LinkOptions, withBoard, withLinkOptions } from "./board-session.ts";
import type { RegisterCommand } from "./output.ts";

/** Settings as a table: name, value, unit, range, meaning. */
export function settingsTable(values: Record<string, number>): string {
  const rows = Object.entries(SETTING_RULES).map(([name, rule]) => {
    const range = rule.step === 1 ? `${rule.minimum} to ${rule.maximum}` : `${rule.minimum} to ${rule.maximum}, even`;
    return [name, String(values[name]), rule.unit, range, rule.what];
  });
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map(
      ([name, value, unit, range, what]) =>
        `${name.padEnd(widths[0])}  ${value.padStart(widths[1])} ${unit.padEnd(widths[2])}  ${range.padEnd(widths[3])}  ${what}`,
    )
    .join("\n");
}

export const register: RegisterCommand = (program) => {
  withLinkOptions(program.command("config"), [
    "config --port /dev/ttyUSB0",
    "config --port /dev/ttyUSB0 --set scanTime=4 --set txPower=-8",
    "config --port /dev/ttyUSB0 --set transmit=gaen,dp3t",
  ])
    .description("show and change the settings of a board")
    .option("--set <key=value>", "change a setting; may be given several times", (text: string, before: string[]) => [...before, text], [])
    .action(async (options: LinkOptions & { set: string[] }) => {
      const changes = options.set.map(parseChange);
      await withBoard(options, false, async (board, output) => {
        const values = await configure(board, changes);
        output.result(values, settingsTable(values));
        if (changes.some(({ name }) => name === "transmit" || name === "privateAddress")) {
          for (const warning of transmitWarnings(await board.status())) process.stderr.write(`tracelet: warning: ${warning}\n`);
        }
      });
    });
};
