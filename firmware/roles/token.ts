import { advertisementTail, encodeAdvertisement, SERVICES } from "../../protocols/bluetrace/advertisement.ts";
import { ascii } from "../../protocols/bytes.ts";
import { SCAN_TIME, TX_POWER } from "../../protocols/settings.ts";
import { uuidBytes } from "../../protocols/uuid128.ts";
import { cycleTime, measureBattery } from "../battery.ts";
import { exchangeWithNext, installClient, listenForPeers } from "../bluetrace/client.ts";
import { newQuarter } from "../bluetrace/meetings.ts";
import { isMet, remember, thrownOut } from "../bluetrace/peers.ts";
import { goodbye, guest, offer, welcome } from "../bluetrace/server.ts";
import { chooseTempId, forgetTempId, openTempIds, org, service, tempId, validFrom, validUntil } from "../bluetrace/temp-ids.ts";
import { tick } from "../board-clock.ts";
import { hardwareRandom } from "../crypto/random.ts";
import { linked } from "../gatt-client.ts";
import { settings } from "../settings.ts";
import { advertising, stopAdvertising, transmit } from "../transmitter.ts";

// BlueTrace on a board: peripheral and central in turn (BT-08). It advertises; each cycle it listens for a while, then connects to whoever it heard, one after the other, and advertises
// again. One link at a time, each way, and nobody has it for longer than PATIENCE.

const ADVERTISING = 0;
const LISTENING = 1;
const CONNECTING = 2;
/** The console is open over Bluetooth, for its owner. */
const CONSOLE = 3;

/** Seconds that a peer gets in all, whoever has connected. */
const PATIENCE = 7;
/** Seconds that those who were heard may wait for their connection. */
const QUEUE = 7;
/** Seconds of one advertisement: less than after what the radio stack would begin anew, with the same characters at its end. */
const ADVERTISEMENT = 170;
/** Seconds until the radio is asked again. */
const RETRY = 10;
const TAIL_AT = 28;

let phase = ADVERTISING;
/** Does the radio stack have this TempID and an address for it? */
let fresh = false;
/** By its reference: a new start of the same takes what is in it then. */
let data: Uint8Array = new Uint8Array(0);
// ticks
let scanAt = 0;
let phaseUntil = 0;
let guestUntil = 0;
let isThrownOut = false;
let advertisementUntil = 0;
let cycleBegan = 0;

/** Part of a cycle, so that two boards don't listen in step and never hear each other: up to a sixth of it. */
function jitter(): number {
  return (cycleTime() * hardwareRandom(1)[0]) / 1530;
}
/** New characters at the end, so that nobody leads from one TempID to the next by them (BT-10). */
function redraw(): void {
  data.set(ascii(advertisementTail(hardwareRandom)), TAIL_AT);
}
/** Seconds for a peer from now on; none beyond the TempID that it is told. */
function patience(unix: number): number {
  return Math.min(PATIENCE, Math.max(0, validUntil - unix));
}

/** `again`: looks at once what is to be done. */
export function installToken(again: () => void): void {
  openTempIds();
  installClient(again);
  NRF.on("connect", function (address) {
    if (phase === CONSOLE) return;
    welcome(address);
    // the stack begins to advertise again by itself when it has left
    redraw();
    isThrownOut = isMet(thrownOut(address));
    guestUntil = isThrownOut ? 0 : tick() + PATIENCE;
    again();
  });
  NRF.on("disconnect", function () {
    goodbye();
    again();
  });
}
/** The hub has brought TempIDs. */
export function takeTempIds(): void {
  const before = org;
  openTempIds();
  // of the same authority the one in use stays until its end
  if (org !== before) forgetTempId();
}
/** The console for whoever connects, for `seconds` and as long as somebody is connected then. Advertising is the caller's. */
export function openTokenConsole(seconds: number): void {
  if (phase === LISTENING) listenForPeers(false);
  phase = CONSOLE;
  phaseUntil = tick() + seconds;
  goodbye();
  NRF.setServices(undefined, { uart: true });
}

/** The guest's time: answers the seconds until it is over, or the link should be. */
function attend(now: number, unix: number): number {
  const left = Math.min(guestUntil - now, isThrownOut ? PATIENCE : patience(unix));
  if (left > 0) return left;
  if (!isThrownOut) remember(thrownOut(guest), 0);
  isThrownOut = true;
  guestUntil = now + PATIENCE;
  try {
    NRF.disconnect();
  } catch (_e) {
    // it is ending
  }
  return PATIENCE;
}

/** Does what is due. Answers for how many seconds that is all. `unix`: 0 while the clock is not set. */
export function proceed(unix: number): number {
  const now = tick();
  if (phase === CONSOLE) {
    if (now < phaseUntil) return phaseUntil - now;
    if (NRF.getSecurityStatus().connected) return RETRY;
    phase = ADVERTISING;
    forgetTempId();
  }
  if (guest) return attend(now, unix);
  const rest = linked();
  if (rest) return rest;
  if (unix < validFrom || unix >= validUntil) {
    if (phase === LISTENING) listenForPeers(false);
    phase = ADVERTISING;
    stopAdvertising();
    const wait = chooseTempId(unix);
    // never one that has expired (BT-04)
    if (!tempId) return wait;
    fresh = true;
    newQuarter();
    // after a silence, too, not all at once
    if (scanAt <= now) scanAt = now + jitter() * 6;
  }
  if (phase === LISTENING) {
    if (now < phaseUntil) return phaseUntil - now;
    measureBattery();
    listenForPeers(false);
    phase = CONNECTING;
    phaseUntil = now + QUEUE;
  }
  if (phase === CONNECTING) {
    // with less time than it takes to find the peer nobody is asked
    if (now < phaseUntil && patience(unix) === PATIENCE && exchangeWithNext(PATIENCE)) return linked() || 1;
    phase = ADVERTISING;
    scanAt = cycleBegan + cycleTime() + jitter();
  }
  if (now >= scanAt && !fresh) {
    stopAdvertising();
    cycleBegan = now;
    phaseUntil = now + settings[SCAN_TIME];
    phase = LISTENING;
    listenForPeers(true);
    return settings[SCAN_TIME];
  }
  if (!advertising || now >= advertisementUntil) {
    stopAdvertising();
    if (fresh) offer();
    data = encodeAdvertisement(uuidBytes(SERVICES[service]), settings[TX_POWER], "000");
    redraw();
    transmit(data, undefined, !fresh);
    if (!advertising) return RETRY;
    fresh = false;
    advertisementUntil = now + ADVERTISEMENT;
  }
  return Math.max(0, Math.min(scanAt - now, advertisementUntil - now, validUntil - unix));
}
