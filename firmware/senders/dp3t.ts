import { DP3T_UNLINKABLE } from "tracelet:build";
import { writeInt } from "../../protocols/bytes.ts";
import { encodeAdvertisement } from "../../protocols/dp3t/advertisement.ts";
import { EPOCH_SECONDS, EPOCHS, ephIdNumber, nextSecretKey, streamKey } from "../../protocols/dp3t/low-cost.ts";
import { seededBytes, shuffledOrder } from "../../protocols/dp3t/shuffle.ts";
import { ephId, epochNumber, epochSeed } from "../../protocols/dp3t/unlinkable.ts";
import { ROLLING_PERIOD } from "../../protocols/gaen/key-schedule.ts";
import type { Crypto } from "../../protocols/ports.ts";
import { DP3T_TAG, DP3T_UNLINKABLE_TAG } from "../../protocols/protocol-tags.ts";
import { RETENTION, TX_POWER } from "../../protocols/settings.ts";
import { boardAes256 } from "../crypto/board.ts";
import { addSecret, findSecret, type OwnSecret, replaceSecret } from "../own-keys.ts";
import { settings } from "../settings.ts";
import type { Sender } from "./sender.ts";

/** Identifiers begin up to so many seconds after their epoch, so that not all boards change at once (DP-03). */
const OFFSET = 60;

/** Days since 1970; 0: no key is at hand. */
let day = 0;
/** Low-cost: stream key of the day. Unlinkable: what the day's seeds are made of. */
let dayKey: Uint8Array;
/** Which EphID of the low-cost design each epoch sends. */
let order: Uint8Array;

/** The chain of SKs, kept from the oldest day on that may still be published: 32 bytes SK, 16 bytes for the order. */
function useChain(crypto: Crypto, today: number): OwnSecret | undefined {
  const known = findSecret(DP3T_TAG, 3);
  const secret = known || { start: today * ROLLING_PERIOD, bytes: crypto.randomBytes(48) };
  const oldest = Math.max(secret.start / ROLLING_PERIOD, today - settings[RETENTION]);
  let sk = new Uint8Array(secret.bytes.subarray(0, 32));
  for (let at = secret.start / ROLLING_PERIOD; at < today; at++) {
    if (at === oldest) secret.bytes.set(sk);
    sk = nextSecretKey(crypto, sk);
  }
  if (!known || oldest * ROLLING_PERIOD > secret.start) {
    if (oldest === today) secret.bytes.set(sk);
    replaceSecret(DP3T_TAG, oldest * ROLLING_PERIOD, secret.bytes);
  }
  dayKey = streamKey(crypto, sk);
  // the same after a restart, and not to be had from a published SK
  const seed = new Uint8Array(16);
  writeInt(seed, 0, 4, today);
  order = shuffledOrder(seededBytes(crypto.aes128, crypto.aes128(secret.bytes.subarray(32), seed)), EPOCHS);
  return known;
}

function useDay(crypto: Crypto, today: number): OwnSecret | undefined {
  const start = today * ROLLING_PERIOD;
  const found = findSecret(DP3T_UNLINKABLE_TAG, 1);
  const known = found && found.start === start ? found : undefined;
  dayKey = known ? known.bytes : crypto.randomBytes(16);
  if (!known) addSecret(DP3T_UNLINKABLE_TAG, start, dayKey);
  return known;
}

/** DP-3T in the design of this build: the EphID of the epoch. */
export const dp3t: Sender = {
  period: EPOCH_SECONDS,
  make: function (crypto, unix) {
    const epoch = epochNumber(unix);
    const today = Math.floor(epoch / EPOCHS);
    if (day === today)
      return encodeAdvertisement(
        DP3T_UNLINKABLE ? ephId(crypto, epochSeed(crypto, dayKey, epoch)) : ephIdNumber(boardAes256, dayKey, order[epoch % EPOCHS]),
        settings[TX_POWER],
      );
    const known = (DP3T_UNLINKABLE ? useDay(crypto, today) : useChain(crypto, today)) && !day;
    day = today;
    // after a restart
    return known ? epochNumber(unix + 60) : 0;
  },
  forgetKey: function () {
    day = 0;
  },
  lifetime: function (crypto, unix) {
    const left = EPOCH_SECONDS - (unix % EPOCH_SECONDS);
    // at midnight at once, like all that rolls with the day
    return (unix + left) % 86400 ? left + (crypto.randomBytes(1)[0] % OFFSET) : left;
  },
};
