/**
 * Machine instructions of the firmware's work: the one place that has them. Measured with callgrind on the real interpreter (2v29, 32-bit Linux, compiled for size) with the bundles of
 * this version, 30 neighbours; docs/performance.md says how, `npm run bench -- interpreter` does it again.
 */
export const INSTRUCTIONS = {
  /**
   * An advertisement in the scan handler of a wearable, what a scan does with it afterwards included; a scanner's takes 42,500, one of three protocols
   * 44,800. The interpreter's own event for it is not counted: the published current while scanning was measured with a processor that was busy with events.
   */
  report: 46_700,
  /** A scan of 2 s in which nothing is heard takes 2.1 million, a scanner's 1.2: half of it for each step of 2 s, half for each scan. */
  step: 1_050_000,
  scan: 1_050_000,
  /** A new identifier with metadata, address and advertisement. */
  rotation: 2_800_000,
  /**
   * Another protocol's turn: what has been made is sent from a fresh address. An estimate: a rotation less the arithmetic of its identifier, 0.7 million. No turn has been measured, and no
   * board.
   */
  turn: 2_100_000,
  /** A SmartBeacon's message with its fragments, and the change of address that comes with some of them. */
  token: 7_600_000,
  message: 9_200_000,
  fernet: 9_700_000,
  /** A meeting of two tokens: promises, the list of those who were met, up to three records in flash. An estimate: not measured. */
  meeting: 5_000_000,
};

/** What carries a SmartBeacon's message, by the names of `tracelet smartbeacon setup`. */
export const CARRIER_NAMES = ["token", "message", "fernet"] as const;
export type CarrierName = (typeof CARRIER_NAMES)[number];

/** 1,000 of them take 20 to 25 us on a Puck.js: a loop that Espruino publishes as 4,000 turns a second takes 13,600 of them. */
const SECONDS_PER_INSTRUCTION = 22.5e-9;

/** What the firmware did, as a radio counts it. */
export interface FirmwareWork {
  /** Advertisements handed to the script. */
  heard: number;
  scans: number;
  scanSeconds: number;
  rotations: number;
  /** Turns of protocols that are sent one after the other. */
  turns?: number;
  /** A SmartBeacon's messages. */
  messages?: number;
  carrier?: CarrierName;
  /** Meetings of tokens. */
  meetings?: number;
}

/** Seconds the processor needs for it. Within a factor of two: no board has been measured. */
export function firmwareSeconds({
  heard,
  scans,
  scanSeconds,
  rotations,
  turns = 0,
  messages = 0,
  carrier = "token",
  meetings = 0,
}: FirmwareWork): number {
  const { report, step, scan, rotation, turn, meeting } = INSTRUCTIONS;
  const hearing = heard * report + (scanSeconds / 2) * step + scans * scan;
  return SECONDS_PER_INSTRUCTION * (hearing + rotations * rotation + turns * turn + messages * INSTRUCTIONS[carrier] + meetings * meeting);
}
