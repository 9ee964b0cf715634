import type { BoardFacts } from "../../boards/board-facts.ts";
import { charge, type PowerAccount } from "../power/charge.ts";
import { firmwareSeconds } from "../power/firmware-work.ts";
import { otherParts } from "../power/model.ts";
import type { RadioActivity } from "./radio.ts";

/** Espruino relaxes an idle connection after so long, seconds (BLE_DYNAMIC_INTERVAL_IDLE_TIME). */
const ACTIVE_LINK = 30;

/**
 * What a board has used in `seconds`, from published currents and what its radio did. The first 30 s of a link count as active, the rest as idle.
 * `cpuSeconds`: time of the script's work.
 */
export function powerAccount(
  facts: BoardFacts,
  activity: RadioActivity,
  seconds: number,
  cpuSeconds = 0,
  parts: { buttonWatched: boolean; screenOn: number } = { buttonWatched: false, screenOn: 0 },
): PowerAccount {
  const active = Math.min(activity.connectedSeconds, ACTIVE_LINK * activity.connections);
  const account = charge(facts, {
    seconds,
    ...parts,
    silentEvents: activity.advertisingEvents - activity.answerableEvents,
    answerableEvents: activity.answerableEvents,
    transmitSecondsAt: activity.transmitSecondsAt,
    scanSeconds: activity.scanSeconds,
    connectedActiveSeconds: active,
    connectedIdleSeconds: activity.connectedSeconds - active,
    cpuSeconds,
  });
  // Currents have been published for links that a central makes, not for those that the board makes itself; what it listens before is in `scanning`.
  if (activity.centralSeconds > 0) account.unknown.push("links made by the board");
  return account;
}

/** The same for a board that runs our firmware: a change of address is a rotation, and the work per advertisement, scan and rotation is what was measured. `screenSeconds`: for how long the screen was on. */
export function firmwareAccount(facts: BoardFacts, activity: RadioActivity, seconds: number, screenSeconds = 0): PowerAccount {
  const { heard, scans, scanSeconds, stackRestarts } = activity;
  const cpuSeconds = firmwareSeconds({ heard, scans, scanSeconds, rotations: stackRestarts });
  return powerAccount(facts, activity, seconds, cpuSeconds, { ...otherParts(facts), screenOn: screenSeconds / seconds });
}
