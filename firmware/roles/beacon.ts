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
import { SLOT_BYTES, TEK } from "../../protocols/log-format.ts";
import type { Crypto } from "../../protocols/ports.ts";
import { formatAddress, randomAddress, STATIC_RANDOM } from "../../protocols/random-address.ts";
import { ADVERTISING_INTERVAL, TX_POWER } from "../../protocols/settings.ts";
import { append, deleteRecord, eachRecord } from "../encounter-log.ts";
import { settings } from "../settings.ts";

export let advertising = false;
export let rotations = 0;
/** Times the radio refused. */
export let radioErrors = 0;

/** Rotation falls between 601 and 1199 s after the last one (GAEN-05). */
const SHORTEST = 601;
const SPREAD = 599;
/** Seconds until the radio is asked again. */
const RETRY = 10;
/** State of a key in its record; an ended one is never sent from again. */
const IN_USE = 255;

let tek: Uint8Array | undefined;
let start = 0;
/** What follows from today's key: PRK, RPIK and AEMK. Made once, and one at a time: without SHA-256 in the interpreter each takes more than a second. */
let derived: Uint8Array[] = [];
let flags: number | undefined = FLAGS;

/** Today's key: the one of the log after a restart, else a new one, which goes to the log before its first use (GAEN-01). */
function useKeyOf(crypto: Crypto, day: number): void {
  derived = [];
  eachRecord(TEK, function (slot) {
    if (slot[21] === IN_USE && readU32(slot, 16) === day) tek = slot;
  });
  if (!tek) {
    tek = new Uint8Array(SLOT_BYTES);
    tek.fill(IN_USE);
    tek.set(crypto.randomBytes(16));
    writeInt(tek, 16, 4, day);
    tek[20] = ROLLING_PERIOD;
    append(TEK, tek);
  }
  start = day;
}

/** Ends today's key at `unix`: the next rotation begins a fresh one (GAEN-12, COM-07). */
export function endKey(unix: number): void {
  let where = 0;
  eachRecord(TEK, function (slot, address) {
    if (slot[21] !== IN_USE || readU32(slot, 16) !== start) return;
    tek = slot;
    where = address;
  });
  if (tek) {
    // the ended form first, so that no power cut forgets the key
    const elapsed = intervalNumber(unix) - start + 1;
    if (elapsed > 0 && elapsed < ROLLING_PERIOD) tek[20] = elapsed;
    tek[21] = 1;
    append(TEK, tek);
    deleteRecord(where);
  }
  tek = undefined;
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
  stopAdvertising();
  if (day !== start) {
    tek = undefined;
    useKeyOf(crypto, day);
  }
  if (derived.length < 3) {
    if (!derived.length) derived.push(pseudorandomKey(crypto, tek!.subarray(0, 16)));
    else derived.push(derived.length < 2 ? expandIdentifierKey(crypto, derived[0]) : expandMetadataKey(crypto, derived[0]));
    return 0;
  }
  const rpi = rollingProximityIdentifier(crypto, derived[1], interval);
  const aem = encryptMetadata(crypto, derived[2], rpi, encodeMetadata(settings[TX_POWER]));
  try {
    // asleep, both are only stored; waking sends the new payload from the new address
    NRF.setAdvertising(encodeAdvertisement(rpi, aem, flags), { connectable: false, scannable: false, interval: settings[ADVERTISING_INTERVAL] });
    NRF.setAddress(formatAddress(randomAddress(crypto.randomBytes, STATIC_RANDOM)) + " random");
    // the restart of the stack has put the power back
    NRF.setTxPower(settings[TX_POWER]);
    NRF.wake();
    advertising = true;
  } catch (_e) {
    // not every stack takes flags that speak of classic Bluetooth; without them the packet is as good (BLE-03)
    flags = undefined;
    NRF.sleep();
  }
  if (!advertising) {
    radioErrors++;
    return RETRY;
  }
  rotations++;
  const random = crypto.randomBytes(2);
  return Math.min(SHORTEST + (((random[0] << 8) | random[1]) % SPREAD), (day + ROLLING_PERIOD) * 600 - unix);
}
