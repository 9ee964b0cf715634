import { encodeAdvertisement } from "../../protocols/contact-tracing-v1/advertisement.ts";
import { dailyTracingKey, dayNumber, rollingProximityIdentifier, timeIntervalNumber } from "../../protocols/contact-tracing-v1/key-schedule.ts";
import { INTERVAL_SECONDS, intervalNumber, ROLLING_PERIOD } from "../../protocols/gaen/key-schedule.ts";
import { KEY_OF_OTHERS_ENDED } from "../../protocols/log-format.ts";
import type { Crypto } from "../../protocols/ports.ts";
import { CT10_TAG } from "../../protocols/protocol-tags.ts";
import { addSecret, findSecret, secretSlot } from "../own-keys.ts";
import { randomLifetime, type Sender } from "./sender.ts";

/** Days since 1970; 0: the tracing key is not at hand. */
let day = 0;
let dailyKey: Uint8Array;

/** Daily keys of the days on which the tracing key was used and that are within `days`, each as a record of a key that has ended. The tracing key itself never leaves the board (CT-04). */
export function dailyKeys(crypto: Crypto, unix: number, days: number): Uint8Array[] {
  const known = findSecret(CT10_TAG, 2);
  const slots: Uint8Array[] = [];
  const today = dayNumber(unix);
  if (known)
    for (let at = Math.max(known.start / ROLLING_PERIOD, today - days); at <= today; at++) {
      const slot = secretSlot(CT10_TAG, at * ROLLING_PERIOD, dailyTracingKey(crypto, known.bytes, at), 0);
      slot[21] = ROLLING_PERIOD;
      slot[22] = KEY_OF_OTHERS_ENDED;
      slots.push(slot);
    }
  return slots;
}

/** Contact Tracing v1.0: the RPI alone, with GAEN's timing. */
export const contactTracing: Sender = {
  period: INTERVAL_SECONDS,
  make: function (crypto, unix) {
    const today = dayNumber(unix);
    if (day === today) return encodeAdvertisement(rollingProximityIdentifier(crypto, dailyKey, timeIntervalNumber(unix)));
    const known = findSecret(CT10_TAG, 2);
    const tracingKey = known ? known.bytes : crypto.randomBytes(32);
    if (!known) addSecret(CT10_TAG, today * ROLLING_PERIOD, tracingKey);
    dailyKey = dailyTracingKey(crypto, tracingKey, today);
    const restarted = known && !day;
    day = today;
    return restarted ? intervalNumber(unix + 60) : 0;
  },
  forgetKey: function () {
    day = 0;
  },
  lifetime: randomLifetime,
};
