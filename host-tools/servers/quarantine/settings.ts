import { FUTURE_SECONDS, STALE_SECONDS } from "../../../protocols/smartbeacon/open-message.ts";

// The figures of the control (QB-17). Source: this project's own, upon the pyramid of "Quarantine Violation Police Alert": the beacon makes a message each minute,
// the phone forwards each five, the server allows one of delay.

export interface ControlSettings {
  /** From which moment silence counts: the time in the newest good message, or that of its coming. The first gains nobody anything by hoarding. */
  basis: "timestamp" | "receipt";
  /** A message may be so much early, and so late, s. */
  futureSeconds: number;
  staleSeconds: number;
  /** Delay up to which the score is full, s. */
  punctualSeconds: number;
  /** Longer silence is a violation, s. */
  limitSeconds: number;
  /** Between control ticks, s. The rules don't keep time themselves: whoever calls `tick` does. */
  controlSeconds: number;
  /** So many messages in a row, each of another batch, out of time by the same to within so much, tell of a beacon whose clock is wrong. */
  faultMessages: number;
  faultSpreadSeconds: number;
  /** Are uploads taken that name the phone by its DP-3T key? Otherwise by phone_ref alone, and the key is not kept (QB-21). */
  rawKeys: boolean;
}

/** The longest silence of a home in which all is well, s: flush, delay on the way, and `lost` messages beside the one that comes. */
export function longestSilence(forward: number, delay: number, message: number, lost: number): number {
  return forward + delay + message * (1 + lost);
}

const STANDARD: ControlSettings = {
  basis: "timestamp",
  futureSeconds: FUTURE_SECONDS,
  staleSeconds: STALE_SECONDS,
  punctualSeconds: 60,
  limitSeconds: longestSilence(300, 60, 60, 1),
  controlSeconds: 60,
  faultMessages: 3,
  faultSpreadSeconds: 10,
  rawKeys: false,
};

/** `paper`: as in the source, one valid message received in each six minutes; its beacons use mode `single`. `demo`: the figures of its demonstration. */
export const PRESETS = {
  standard: STANDARD,
  paper: { ...STANDARD, basis: "receipt", limitSeconds: 360, rawKeys: true },
  demo: { ...STANDARD, futureSeconds: 5, staleSeconds: 15, punctualSeconds: 3, limitSeconds: 15, controlSeconds: 15, rawKeys: true },
} as const satisfies Record<string, ControlSettings>;
