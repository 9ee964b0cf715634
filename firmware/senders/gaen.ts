import { readU32, writeInt } from "../../protocols/bytes.ts";
import { encodeAdvertisement, FLAGS } from "../../protocols/gaen/advertisement.ts";
import {
  expandKey,
  IDENTIFIER_KEY,
  intervalNumber,
  METADATA_KEY,
  pseudorandomKey,
  ROLLING_PERIOD,
  rollingProximityIdentifier,
  rollingStart,
} from "../../protocols/gaen/key-schedule.ts";
import { encodeMetadata, encryptMetadata } from "../../protocols/gaen/metadata.ts";
import { KEY_IN_USE, LONG_BYTES, TEK } from "../../protocols/log-format.ts";
import type { Crypto } from "../../protocols/ports.ts";
import { TX_POWER } from "../../protocols/settings.ts";
import { append, eachOf } from "../encounter-log.ts";
import { settings } from "../settings.ts";

let tek: Uint8Array | undefined;
let start = 0;
/** What follows from today's key: PRK, RPIK and AEMK. Made once, and one at a time: without SHA-256 in the interpreter each takes more than a second. */
let derived: Uint8Array[] = [];

/** Today's key: the one of the log after a restart, else a new one, which goes to the log before its first use (GAEN-01). Answers what `makeGaen` does. */
function useKeyOf(crypto: Crypto, day: number, unix: number): number {
  tek = undefined;
  derived = [];
  eachOf(1 << TEK, function (slot) {
    if (slot[22] === KEY_IN_USE && readU32(slot, 17) === day) tek = slot;
  });
  const known = tek ? intervalNumber(unix + 60) : 0;
  if (!tek) {
    tek = new Uint8Array(LONG_BYTES);
    tek.fill(KEY_IN_USE);
    tek[0] = TEK;
    tek.set(crypto.randomBytes(16), 1);
    writeInt(tek, 17, 4, day);
    tek[21] = ROLLING_PERIOD;
    append(tek);
  }
  // last, so that it begins again where somebody interrupted it from the console
  start = day;
  return known;
}

/** The next advertisement begins with the key of the log, or a new one. */
export function forgetGaenKey(): void {
  start = 0;
}

/** A `Sender`'s `make` for Exposure Notification v1.2. */
export function makeGaen(crypto: Crypto, unix: number): Uint8Array | number {
  const interval = intervalNumber(unix);
  const day = rollingStart(interval);
  if (day !== start) return /*@__INLINE__*/ useKeyOf(crypto, day, unix);
  if (derived.length > 2) {
    const rpi = /*@__INLINE__*/ rollingProximityIdentifier(crypto, derived[1], interval);
    return /*@__INLINE__*/ encodeAdvertisement(
      rpi,
      /*@__INLINE__*/ encryptMetadata(crypto, derived[2], rpi, /*@__INLINE__*/ encodeMetadata(settings[TX_POWER])),
      FLAGS,
    );
  }
  derived.push(
    derived.length
      ? /*@__INLINE__*/ expandKey(crypto, derived[0], derived.length < 2 ? IDENTIFIER_KEY : METADATA_KEY)
      : pseudorandomKey(crypto, tek!.subarray(1, 17)),
  );
  return 0;
}
