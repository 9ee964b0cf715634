import { INTERVAL_SECONDS, ROLLING_PERIOD } from "../../protocols/gaen/key-schedule.ts";
import type { Crypto } from "../../protocols/ports.ts";

const DAY = INTERVAL_SECONDS * ROLLING_PERIOD;
/** Rotation falls between 601 and 1199 s after the last one (GAEN-05). */
const SHORTEST = 601;
const SPREAD = 599;

/** What a protocol has on the air. Its time is cut into periods of equal length, counted since 1970, and an identifier belongs to one of them. */
export interface Sender {
  /** Length of a period, seconds. */
  period: number;
  /**
   * Advertising data for the period of `unix`, which begins with the Flags. A number where more is to be done first: ask again. No period up to that number may be sent
   * any more, because it may have been before a restart; 0 where there is none such.
   */
  make(crypto: Crypto, unix: number): Uint8Array | number;
  /** Its keys were ended. */
  forgetKey(): void;
  /** For how many seconds an identifier stays that is sent from now on. */
  lifetime(crypto: Crypto, unix: number): number;
}

/** Past the end of its interval, not past the end of its day. */
export function randomLifetime(crypto: Crypto, unix: number): number {
  const random = crypto.randomBytes(2);
  return Math.min(SHORTEST + (((random[0] << 8) | random[1]) % SPREAD), DAY - (unix % DAY));
}
