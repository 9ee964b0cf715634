import { ADVERTISE, BLUETOOTH_CONSOLE, BUTTON, LOCK, MESSAGES, READS, SCAN, SERVES, TOKEN } from "tracelet:build";
import { CLOCK_SET, CLOCK_STEP_UNKNOWN, CLOCK_UNMEASURED } from "../protocols/log-format.ts";
import type { Crypto } from "../protocols/ports.ts";
import { PRIVATE_ADDRESS, SCAN_TIME } from "../protocols/settings.ts";
import { COMPACT_TOKEN } from "../protocols/smartbeacon/advertisement.ts";
import { cycleTime, measureBattery } from "./battery.ts";
import { clockMoved, PLAUSIBLE, tick, unixTime } from "./board-clock.ts";
import { installConsole } from "./console.ts";
import { appendClock, deleteExpired, openLog, usable } from "./encounter-log.ts";
import { ENDING, isWaitedFor, linked } from "./gatt-client.ts";
import { guestUntil, installServer, isGuest, offerConsole, showOut } from "./gatt-server.ts";
import { installIndicators } from "./indicators.ts";
import { lockKey, openLock } from "./lock.ts";
import { NEVER } from "./never.ts";
import { endKeys, rotate } from "./roles/beacon.ts";
import { PATIENCE, readNext } from "./roles/reader.ts";
import { isDeaf, listen, scanner } from "./roles/scanner.ts";
import { installToken, openTokenConsole, proceed } from "./roles/token.ts";
import { forgetPeers } from "./roles/unread.ts";
import { carrier } from "./senders/smartbeacon.ts";
import { settings } from "./settings.ts";
import { advertising, stopAdvertising, takeStaticAddress } from "./transmitter.ts";

const STEP = 2;
const DAY = 86400;
const SERVICE_SECONDS = 60;
/** Seconds after which an interrupted turn begins again; no jump of the clock. */
const AGAIN = 10;
/** Seconds after which the chip resets itself when the interpreter does not come back from what it does. The longest of ours takes 5. */
const HANGING = 60;
/** Seconds: sums of times differ in their last bits. */
const MOMENT = 0.01;
/** Seconds after a scan in which peers may be connected to, and what the last of them may take. */
const QUEUE = 30;
const LONGEST_LINK = PATIENCE + ENDING;
/** A timer is never this late: somebody else has moved the clock. */
const JUMP = 30;

// What is called from one place only is pasted there at its call's word: as a function it would cost the interpreter 4 variables and one for each parameter. Not where it is
// called in a loop, and not in the scanner's handler: there it would be skimmed each time.

/** Starts the roles of this build on a board. `crypto`: of this board. */
export function start(crypto: Crypto): void {
  let timer: number | undefined;
  // all in ticks
  let planned = 0;
  let expected = 0;
  let refreshAt = 0;
  let scanAt = usable ? 0 : NEVER;
  let cleanAt = 0;
  let cycleBegan = 0;
  let stepsLeft = 0;
  /** Next look at peers that are to be read; the end of it; and was anybody connected to since the scan? */
  let readAt = NEVER;
  let readUntil = 0;
  let hasRead = false;

  function schedule(): void {
    const now = tick();
    // another tool has moved the clock, and no timer has noticed yet: the next one will be near enough
    if (now < planned - 1 || now > expected + JUMP) {
      clockChanged(now - expected, CLOCK_STEP_UNKNOWN, CLOCK_UNMEASURED);
      return;
    }
    if (timer) clearTimeout(timer);
    planned = now;
    // nothing else is done while a link is being made or used: neither scans nor the address go with it
    expected = Math.max(
      now,
      READS
        ? Math.min(SERVES ? guestUntil : NEVER, linked() ? readAt : Math.min(refreshAt, cleanAt, scanAt, readAt))
        : SERVES
          ? Math.min(refreshAt, cleanAt, guestUntil)
          : Math.min(refreshAt, cleanAt, SCAN ? scanAt : cleanAt),
    );
    timer = setTimeout(wake, (expected - now) * 1000);
  }
  function clockChanged(moved: number, step: number, roundTripMs: number): void {
    /*@__INLINE__*/ clockMoved(moved);
    // time that is lived twice must not repeat its identifiers (COM-07): before it was unset the clock may have been ahead
    if (ADVERTISE && (moved < -60 || getTime() - moved < PLAUSIBLE)) endKeys(0);
    appendClock(CLOCK_SET, step, roundTripMs);
    // a clock that is put right a little changes nothing on the air before midnight
    refreshAt = !TOKEN && advertising && Math.abs(moved) <= 60 ? Math.min(refreshAt, tick() + DAY - (unixTime() % DAY)) : 0;
    cleanAt = 0;
    schedule();
  }

  function scan(now: number): void {
    if (stepsLeft) {
      if (--stepsLeft) scanAt += STEP;
      else {
        /*@__INLINE__*/ measureBattery();
        listen();
        scanAt = cycleBegan + Math.max(cycleTime(), settings[SCAN_TIME]);
        if (READS) {
          readAt = now;
          readUntil = now + QUEUE;
          hasRead = false;
        }
      }
      scanner.endStep(stepsLeft ? 0 : 1);
    } else {
      if (READS) {
        readAt = NEVER;
        forgetPeers();
      }
      // steps carry whole seconds; the receiver is on for the full time all the same (GAEN-10)
      cycleBegan = now | 0;
      stepsLeft = settings[SCAN_TIME] / STEP;
      scanAt = now + STEP;
      // who advertises restarts the stack with a new address, and never with the same identifier on the air
      if (!(ADVERTISE && advertising) && isDeaf(now)) NRF.restart();
      scanner.start(cycleBegan);
    }
  }
  /** Connects to the next one that was heard without an identifier, if nothing is due before its end. */
  function read(now: number): void {
    readAt = NEVER;
    if (isWaitedFor || now >= readUntil || (hasRead && scanAt - now < LONGEST_LINK)) return;
    if (refreshAt - now < LONGEST_LINK) {
      readAt = refreshAt;
      return;
    }
    // the stack ends advertising after three minutes, and the interpreter would take that for the end of its attempt: they begin anew
    if (ADVERTISE && !hasRead && advertising && !NRF.getSecurityStatus().connected) {
      NRF.sleep();
      NRF.wake();
    }
    hasRead = true;
    const isBusy = readNext(now, function () {
      readAt = 0;
      schedule();
    });
    if (isBusy) readAt = tick() + linked();
  }
  /** What is on the air from now on. Answers for how many seconds. */
  function refresh(unix: number): number {
    // what is due in a moment is asked for then, not again and again until it is
    if (TOKEN) return Math.max(MOMENT, /*@__INLINE__*/ proceed(unix));
    // a new address restarts the radio stack, which waits for the end of a connection
    if (SERVES && isGuest() && NRF.getSecurityStatus().connected) {
      // nobody comes after it
      stopAdvertising();
      return 1;
    }
    if (NRF.getSecurityStatus().connected) return BLUETOOTH_CONSOLE ? SERVICE_SECONDS : 10;
    // a compact token says that its clock is not set, all others are silent then (COM-04, QB-14)
    if (!(ADVERTISE && usable && (unix || (MESSAGES && carrier() === COMPACT_TOKEN)))) {
      stopAdvertising();
      return DAY;
    }
    // the minute of the console is over, and an identifier may not be due yet
    if (!advertising) stopAdvertising();
    // no private address is to be had while a scan runs: it pauses, and its step goes on
    const pauses = SCAN && stepsLeft && settings[PRIVATE_ADDRESS];
    if (pauses) listen();
    const seconds = rotate(crypto, unix);
    if (pauses) scanner.start((scanAt - STEP) | 0);
    return seconds;
  }
  function wake(): void {
    const now = tick();
    // whoever interrupts this from the console must not end everything
    timer = setTimeout(wake, AGAIN * 1000);
    if (Math.abs(now - expected) > JUMP) {
      clockChanged(now - expected, CLOCK_STEP_UNKNOWN, CLOCK_UNMEASURED);
      return;
    }
    const unix = unixTime();
    if (SERVES && now >= guestUntil) showOut();
    const rest = READS ? linked() : 0;
    if (READS && rest) readAt = now + rest;
    else {
      if (SCAN && now >= scanAt) /*@__INLINE__*/ scan(now);
      if (now >= refreshAt) refreshAt = tick() + /*@__INLINE__*/ refresh(unix);
      if (READS && now >= readAt) read(now);
    }
    if (now >= cleanAt) {
      cleanAt = now + DAY;
      if (unix) /*@__INLINE__*/ deleteExpired();
    }
    schedule();
  }

  // whatever hangs for so long is not one of ours; once on, it stays on until the chip is reset
  E.enableWatchdog(HANGING);
  // no name, no connectable advertisement before or between ours (BLE-08): where a script ends, its packet is replaced by one with a name, unless asleep
  // a hub that has only this way in stays
  if (!(BLUETOOTH_CONSOLE && NRF.getSecurityStatus().connected)) NRF.sleep();
  // it were on the screen else
  if (BLUETOOTH_CONSOLE) E.setConsole("Bluetooth", { force: true });
  E.on("kill", function () {
    if (ADVERTISE || TOKEN) stopAdvertising();
    if (SCAN) scanner.endStep(2);
  });
  /*@__INLINE__*/ openLog();
  if (LOCK) /*@__INLINE__*/ openLock();
  /*@__INLINE__*/ installConsole(
    function (unix, roundTripMs) {
      schedule();
      const before = unixTime();
      const moved = unix - getTime();
      setTime(unix);
      const step = before && Math.abs(moved) < 2147483 ? Math.round(moved * 1000) : CLOCK_STEP_UNKNOWN;
      clockChanged(moved, step, roundTripMs);
      return step;
    },
    function () {
      refreshAt = 0;
      schedule();
    },
  );
  if (BUTTON) {
    /*@__INLINE__*/ installIndicators(function () {
      schedule();
      stopAdvertising();
      // first of all, for the name is made of it: neither is to be seen with the last identifier
      if (TOKEN) openTokenConsole(SERVICE_SECONDS);
      if (SERVES) offerConsole();
      if (ADVERTISE || TOKEN) takeStaticAddress();
      // the name of a locked one tells nothing, neither here nor to whoever connects
      NRF.setAdvertising(
        {},
        LOCK && lockKey ? { connectable: true, scannable: true, interval: 375, name: "-" } : { connectable: true, scannable: true, interval: 375 },
      );
      NRF.wake();
      refreshAt = tick() + SERVICE_SECONDS;
      schedule();
    });
  }
  if (TOKEN) {
    /*@__INLINE__*/ installToken(function () {
      refreshAt = 0;
      schedule();
    });
  }
  if (SERVES) /*@__INLINE__*/ installServer(schedule);
  // without a log nothing is scanned or sent: keys must be kept before they are used (GAEN-01)
  if (usable) schedule();
}
