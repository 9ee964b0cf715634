import type { BoardFacts } from "../../boards/board-facts.ts";
import { ROLES, settingRefusal } from "../../boards/capabilities.ts";
import { SETTING_COUNT, SETTING_RULES, settingProblem } from "../../protocols/settings.ts";
import { ConfigError } from "../errors.ts";

/**
 * All settings of a board by name: the usual ones, those that are usual for the role, and `changes` in their place.
 * @throws ConfigError `bad_setting` for a value that the rules or the board don't allow.
 */
export function chooseSettings(facts: BoardFacts, changes: { [name: string]: number }, role?: string): { [name: string]: number } {
  const known = Object.keys(SETTING_RULES);
  for (const [name, value] of Object.entries(changes)) {
    const problem = known.includes(name) ? settingProblem(name, value) : `no setting is called ${name}; known: ${known.join(", ")}`;
    if (problem) throw new ConfigError("bad_setting", problem);
  }
  const ofRole = (role && ROLES[role]?.settings) || {};
  const settings = Object.fromEntries(known.map((name) => [name, changes[name] ?? ofRole[name] ?? usual(facts, name)]));
  for (const [name, value] of Object.entries(settings)) {
    const problem = settingRefusal(facts, name, value);
    if (problem) throw new ConfigError("bad_setting", problem);
  }
  if (settings.scanTime > settings.cycleTime) {
    throw new ConfigError(
      "bad_setting",
      `scanTime: a scan of ${settings.scanTime} s is longer than the cycle of ${settings.cycleTime} s it belongs to`,
    );
  }
  return settings;
}

/** A cell of another kind is low at another voltage. */
function usual(facts: BoardFacts, name: string): number {
  return (name === "lowBattery" ? facts.battery?.lowMillivolts : undefined) ?? SETTING_RULES[name].initial;
}

/** Values in the order in which the firmware holds them. */
export function settingValues(settings: { [name: string]: number }): number[] {
  const values = new Array<number>(SETTING_COUNT).fill(0);
  for (const [name, value] of Object.entries(settings)) values[SETTING_RULES[name].index] = value;
  return values;
}
