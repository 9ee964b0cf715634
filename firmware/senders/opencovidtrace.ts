import { concat } from "../../protocols/bytes.ts";
import {
  INTERVAL_SECONDS,
  intervalNumber,
  rollingProximityIdentifier,
  rollingProximityIdentifierKey,
  rollingStart,
} from "../../protocols/gaen/key-schedule.ts";
import { encodeAdvertisement, SERVICE } from "../../protocols/opencovidtrace/advertisement.ts";
import { encodeMeta } from "../../protocols/opencovidtrace/payload.ts";
import type { Crypto } from "../../protocols/ports.ts";
import { OPENCOVIDTRACE_TAG } from "../../protocols/protocol-tags.ts";
import { uuidBytes } from "../../protocols/uuid128.ts";
import { addSecret, findSecret } from "../own-keys.ts";
import type { Sender } from "./sender.ts";

/** Identifiers begin up to so many seconds after their interval, so that not all boards change at once. */
const OFFSET = 60;

/** Interval number at which the day's keys begin; 0: none are at hand. */
let start = 0;
/** Daily key and meta key, 16 bytes each, as they are kept; and what follows from them, made one at a time. */
let secret: Uint8Array;
let derived: Uint8Array[] = [];
/** What is to be read of us: 32 bytes, of the advertising data that was made last. */
export let ownPayload: Uint8Array;

/** The day's keys: those of the log after a restart, else new ones. Answers what `make` does. */
function useDay(crypto: Crypto, today: number, unix: number): number {
  const found = findSecret(OPENCOVIDTRACE_TAG, 2);
  const known = found && found.start === today ? found : undefined;
  secret = known ? known.bytes : crypto.randomBytes(32);
  if (!known) addSecret(OPENCOVIDTRACE_TAG, today, secret);
  const restarted = known && !start;
  derived = [];
  start = today;
  return restarted ? intervalNumber(unix + 60) : 0;
}

/** OpenCovidTrace: nothing but the service on the air, the rolling identifier for whoever connects. A board has no position, and says so (OCT-12). */
export const openCovidTrace: Sender = {
  period: INTERVAL_SECONDS,
  make: function (crypto, unix) {
    const interval = intervalNumber(unix);
    const today = rollingStart(interval);
    if (today !== start) return useDay(crypto, today, unix);
    if (derived.length < 2) {
      derived.push(rollingProximityIdentifierKey(crypto, secret.subarray(derived.length * 16, derived.length * 16 + 16)));
      return 0;
    }
    ownPayload = concat(rollingProximityIdentifier(crypto, derived[0], interval), crypto.aes128(derived[1], encodeMeta(Math.floor(unix))));
    return encodeAdvertisement(uuidBytes(SERVICE));
  },
  forgetKey: function () {
    start = 0;
  },
  lifetime: function (crypto, unix) {
    const left = INTERVAL_SECONDS - (unix % INTERVAL_SECONDS);
    // at midnight at once, like all that rolls with the day
    return (unix + left) % 86400 ? left + (crypto.randomBytes(1)[0] % OFFSET) : left;
  },
};
