import type { DeviceStatus } from "../../protocols/device-link.ts";
import { PRIVATE_ADDRESS, TRANSMIT } from "../../protocols/settings.ts";
import { GAEN_ALONE, protocolNames, transmitProblem } from "../protocol-masks.ts";

export interface SpokenProtocols {
  /** Names, of PROTOCOLS in boards/capabilities.ts, by tag. */
  built: string[];
  /** Those on the air as long as the clock runs; none of a role that only listens. */
  sent: string[];
  /** Several come from one address, which tells everybody that their identifiers are one board's. */
  linked: boolean;
}

/** Mask of what is built into a board's firmware, and of what it is to send. */
function masksOf({ pr, r }: Pick<DeviceStatus, "pr" | "r">): [number, number] {
  return pr ?? [GAEN_ALONE, r === "scanner" ? 0 : GAEN_ALONE];
}

/** What a board speaks. Firmware of GAEN alone says nothing of it (firmware/console.ts). */
export function spokenProtocols(status: Pick<DeviceStatus, "pr" | "r" | "c">): SpokenProtocols {
  const [built, asked] = masksOf(status);
  const sent = protocolNames(asked & built);
  // with private addresses they take turns, or only one of them is sent (firmware/roles/beacon.ts)
  return { built: protocolNames(built), sent, linked: sent.length > 1 && !status.c[PRIVATE_ADDRESS] };
}

/** What is to be said of what a board was told to send: the setting holds, also for another firmware. */
export function transmitWarnings(status: Pick<DeviceStatus, "pr" | "r" | "c">): string[] {
  const { sent, linked } = spokenProtocols(status);
  const problem = transmitProblem(masksOf(status)[0], status.c[TRANSMIT]);
  return [...(problem ? [problem] : []), ...(linked ? [linkedWarning(sent)] : [])];
}

/** What is said wherever several protocols are sent from one address. */
export function linkedWarning(sent: string[]): string {
  return `${sent.join(" and ")} are sent from one address, which links them to each other: whoever hears them knows that they are one board's; privateAddress=1 sends them in turns, each from its own`;
}
