import { SCAN } from "tracelet:build";
import { readU32, writeInt } from "../../protocols/bytes.ts";
import { encodeAdvertisement, FLAGS } from "../../protocols/gaen/advertisement.ts";
import {
  expandIdentifierKey,
  expandMetadataKey,
  intervalNumber,
  pseudorandomKey,
  ROLLING_PERIOD,
  rollingProximityIdentifier,
  rollingStart,
} from "../../protocols/gaen/key-schedule.ts";
import { encodeMetadata, encryptMetadata } from "../../protocols/gaen/metadata.ts";
import { LONG_BYTES, TEK } from "../../protocols/log-format.ts";
import type { Crypto } from "../../protocols/ports.ts";
import { formatAddress, randomAddress, STATIC_RANDOM } from "../../protocols/random-address.ts";
import { ADVERTISING_INTERVAL, PRIVATE_ADDRESS, TX_POWER } from "../../protocols/settings.ts";
import { tick, unixTime } from "../board-clock.ts";
import { append, deleteRecord, eachOf } from "../encounter-log.ts";
import { renewPrivateAddress } from "../private-address.ts";
import { settings } from "../settings.ts";
import { isDeaf } from "./scanner.ts";

export let advertising = false;
export let rotations = 0;
/** Times the radio refused. */
export let radioErrors = 0;
/** RPI on the air, while `advertising`. */
export let sentIdentifier: Uint8Array;
/** Is the address non-resolvable private? Else it is static random. */
export let privateAddress = false;

/** Rotation falls between 601 and 1199 s after the last one (GAEN-05). */
const SHORTEST = 601;
const SPREAD = 599;
/** Seconds until the radio is asked again. */
const RETRY = 10;
/** State of a key in its record; an ended one is never sent from again. */
const IN_USE = 255;

let tek: Uint8Array | undefined;
let start = 0;
/** The last interval that was sent with the key in use. */
let sent = 0;
/** What follows from today's key: PRK, RPIK and AEMK. Made once, and one at a time: without SHA-256 in the interpreter each takes more than a second. */
let derived: Uint8Array[] = [];
let flags: number | undefined = FLAGS;

/** Today's key: the one of the log after a restart, else a new one, which goes to the log before its first use (GAEN-01). */
function useKeyOf(crypto: Crypto, day: number, unix: number): void {
  tek = undefined;
  derived = [];
  eachOf(1 << TEK, function (slot) {
    if (slot[22] === IN_USE && readU32(slot, 17) === day) tek = slot;
  });
  // before the restart this interval may have been sent already, and if the clock was then set back a little, the next one
  sent = tek ? intervalNumber(unix + 60) : 0;
  if (!tek) {
    tek = new Uint8Array(LONG_BYTES);
    tek.fill(IN_USE);
    tek[0] = TEK;
    tek.set(crypto.randomBytes(16), 1);
    writeInt(tek, 17, 4, day);
    tek[21] = ROLLING_PERIOD;
    append(tek);
  }
  // last, so that it begins again where somebody interrupted it from the console
  start = day;
}

/** Ends the keys of today and of days to come: the next rotation begins a fresh one. `last`: the interval in which that is (GAEN-12), 0 where the clock was set back (COM-07). */
export function endKeys(last: number): void {
  const unix = unixTime();
  const day = unix ? rollingStart(intervalNumber(unix)) : start;
  const ended: Uint8Array[] = [];
  function isMeant(slot: Uint8Array): boolean {
    return slot[22] === IN_USE && readU32(slot, 17) >= day;
  }
  eachOf(1 << TEK, function (slot) {
    if (isMeant(slot)) ended.push(slot);
  });
  for (let i = 0; i < ended.length; i++) {
    const slot = ended[i];
    if (last) slot[21] = last - readU32(slot, 17) + 1;
    slot[22] = 1;
    append(slot);
  }
  // only now, so that no power cut forgets a key; looked for again, because a fresh page may have moved it
  eachOf(1 << TEK, function (slot, address) {
    if (isMeant(slot)) deleteRecord(slot, address);
  });
  start = 0;
}

export function stopAdvertising(): void {
  NRF.sleep();
  advertising = false;
}

/** Fresh address, RPI and AEM in one radio-silent moment (BLE-06). Answers the seconds until it wants to be called again: at once while the keys of a new day are being made. */
export function rotate(crypto: Crypto, unix: number): number {
  const interval = intervalNumber(unix);
  const day = rollingStart(interval);
  if (day !== start || interval > sent || !advertising) stopAdvertising();
  if (day !== start) /*@__INLINE__*/ useKeyOf(crypto, day, unix);
  if (derived.length < 3) {
    if (!derived.length) derived.push(pseudorandomKey(crypto, tek!.subarray(1, 17)));
    else
      derived.push(
        derived.length < 2 ? /*@__INLINE__*/ expandIdentifierKey(crypto, derived[0]) : /*@__INLINE__*/ expandMetadataKey(crypto, derived[0]),
      );
    return 0;
  }
  // an identifier is sent from one address only (BLE-06): what is on the air stays there, and where nothing is the next interval is waited for
  if (interval <= sent) return (sent + 1) * 600 - unix;
  const rpi = /*@__INLINE__*/ rollingProximityIdentifier(crypto, derived[1], interval);
  const aem = /*@__INLINE__*/ encryptMetadata(crypto, derived[2], rpi, /*@__INLINE__*/ encodeMetadata(settings[TX_POWER]));
  let refused: number | undefined;
  try {
    // asleep, both are only stored; waking sends the new payload from the new address
    NRF.setAdvertising(/*@__INLINE__*/ encodeAdvertisement(rpi, aem, flags), {
      connectable: false,
      scannable: false,
      interval: settings[ADVERTISING_INTERVAL],
    });
    privateAddress = false;
    // a radio that has been deaf for long needs the restart that a static address brings
    if (settings[PRIVATE_ADDRESS] && !(SCAN && isDeaf(tick()))) {
      privateAddress = /*@__INLINE__*/ renewPrivateAddress();
      if (!privateAddress) radioErrors++;
    }
    if (!privateAddress) NRF.setAddress(formatAddress(randomAddress(crypto.randomBytes, STATIC_RANDOM)) + " random");
    // the restart of the stack has put the power back
    NRF.setTxPower(settings[TX_POWER]);
    refused = flags;
    NRF.wake();
    advertising = true;
  } catch (_e) {
    // not every stack takes flags that speak of classic Bluetooth; without them the packet is as good (BLE-03)
    if (refused) flags = undefined;
    NRF.sleep();
  }
  if (!advertising) {
    radioErrors++;
    return RETRY;
  }
  sentIdentifier = rpi;
  rotations++;
  sent = interval;
  const random = crypto.randomBytes(2);
  return Math.min(SHORTEST + (((random[0] << 8) | random[1]) % SPREAD), (day + ROLLING_PERIOD) * 600 - unix);
}
