import { PROTOCOLS } from "../boards/capabilities.ts";
import { GAEN_TAG } from "../protocols/protocol-tags.ts";
import { ConfigError } from "./errors.ts";

// Protocols as bits: of the setting `transmit`, and of `pr` in a board's status. Bit n is the protocol with tag n.

/** In `transmit`: nothing at all is sent. */
const NONE = 128;
export const GAEN_ALONE = 1 << GAEN_TAG;

function nameOf(tag: number): string {
  return Object.keys(PROTOCOLS).find((name) => PROTOCOLS[name].tag === tag) ?? `protocol ${tag}`;
}

/** Names of the bits of a mask, by tag. */
export function protocolNames(mask: number): string[] {
  return [0, 1, 2, 3, 4, 5, 6].filter((tag) => (mask >> tag) & 1).map(nameOf);
}

/** Bits of some protocols. */
export function protocolMask(names: string[]): number {
  return names.reduce((mask, name) => mask | (1 << PROTOCOLS[name].tag), 0);
}

/** `gaen,dp3t` as the number of the setting; `none` for nothing. Undefined where it isn't words. @throws ConfigError "bad_setting" */
export function parseTransmit(written: string): number | undefined {
  if (!/^[a-z]/i.test(written)) return undefined;
  if (written === "none") return NONE;
  const names = written.split(",");
  const unknown = names.find((name) => !Object.keys(PROTOCOLS).includes(name));
  if (unknown !== undefined) {
    throw new ConfigError("bad_setting", `transmit: no protocol is called "${unknown}"; known: ${Object.keys(PROTOCOLS).join(", ")}, none`);
  }
  return protocolMask(names);
}

/** Why firmware with the protocols of `built`, a mask, can't send those of `transmit`; `undefined` if it can. */
export function transmitProblem(built: number, transmit: number): string | undefined {
  const missing = protocolNames(transmit & ~built & ~NONE);
  if (missing.length > 0) {
    const all = [...protocolNames(built), ...missing].join(",");
    return `transmit: ${missing.join(", ")} can't be sent by firmware with ${protocolNames(built).join(", ")}; build it with --protocol ${all}`;
  }
  if (built === GAEN_ALONE && transmit & NONE)
    return "transmit: firmware with gaen alone always sends it; take the role scanner where nothing is to be sent";
  return undefined;
}
