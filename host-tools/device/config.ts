import { settingRefusal } from "../../boards/capabilities.ts";
import { findBoard } from "../../boards/index.ts";
import { SETTING_RULES, settingProblem } from "../../protocols/settings.ts";
import { ConfigError } from "../errors.ts";
import { parseTransmit } from "../protocol-masks.ts";
import type { Board } from "./board.ts";

export interface Change {
  name: string;
  value: number;
}

/** "key=value" as on the command line; protocols may have their names: `transmit=gaen,dp3t`. @throws ConfigError "bad_setting" */
export function parseChange(text: string): Change {
  const match = /^([A-Za-z]+)=(.*)$/.exec(text);
  if (!match) throw new ConfigError("bad_setting", `--set ${text}: key=value expected, such as --set scanTime=4`);
  const [, name, written] = match;
  const words = name === "transmit" ? parseTransmit(written) : undefined;
  const value = words ?? (/^-?\d+$/.test(written) ? Number(written) : Number.NaN);
  const problem = settingProblem(name, value);
  if (problem) throw new ConfigError("bad_setting", Number.isNaN(value) && SETTING_RULES[name] ? problem.replace(/NaN$/, `"${written}"`) : problem);
  return { name, value };
}

/** Why a board can't do what the rules allow in general; `undefined` if it can, or isn't known. `board`: an id of boards/. */
export function boardProblem(board: string, { name, value }: Change): string | undefined {
  const facts = findBoard(board);
  return facts && settingRefusal(facts, name, value);
}

/** Values by name, from the array a board keeps. */
export function namedSettings(values: number[]): Record<string, number> {
  return Object.fromEntries(Object.entries(SETTING_RULES).map(([name, rule]) => [name, values[rule.index]]));
}

/**
 * Changes settings, all checked before the first is sent. They hold at once and survive a restart. Answers all settings by name.
 * @throws ConfigError "bad_setting"
 */
export async function configure(board: Board, changes: Change[]): Promise<Record<string, number>> {
  await board.requireFirmware();
  const status = await board.status();
  for (const change of changes) {
    const problem = boardProblem(status.b, change);
    if (problem) throw new ConfigError("bad_setting", problem);
  }
  let values = status.c;
  for (const { name, value } of changes) {
    const { index } = SETTING_RULES[name];
    if (values[index] !== value) values = await board.changeSetting(index, value);
  }
  return namedSettings(values);
}
