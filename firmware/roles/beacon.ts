import { CT10, DP3T, DP3T_UNLINKABLE, GAEN, MESSAGES, OPENCOVIDTRACE, SERVES, SEVERAL } from "tracelet:build";
import { readU32 } from "../../protocols/bytes.ts";
import { INTERVAL_SECONDS, intervalNumber, ROLLING_PERIOD, rollingStart } from "../../protocols/gaen/key-schedule.ts";
import { KEY_ENDED, KEY_IN_USE, KEY_OF_OTHERS, KEY_OF_OTHERS_ENDED, TEK } from "../../protocols/log-format.ts";
import type { Crypto } from "../../protocols/ports.ts";
import { CT10_TAG, DP3T_TAG, DP3T_UNLINKABLE_TAG, GAEN_TAG, OPENCOVIDTRACE_TAG, SMARTBEACON_TAG } from "../../protocols/protocol-tags.ts";
import { MESSAGE_PERIOD, PRIVATE_ADDRESS, RETENTION, TRANSMIT } from "../../protocols/settings.ts";
import { tick, unixTime } from "../board-clock.ts";
import { boardCrypto } from "../crypto/board.ts";
import { append, deleteRecord, eachOf } from "../encounter-log.ts";
import { contactTracing, dailyKeys } from "../senders/contact-tracing-v1.ts";
import { dp3t } from "../senders/dp3t.ts";
import { forgetGaenKey, makeGaen } from "../senders/gaen.ts";
import { openCovidTrace } from "../senders/opencovidtrace.ts";
import { randomLifetime, type Sender } from "../senders/sender.ts";
import { carrier, makeMessage } from "../senders/smartbeacon.ts";
import { settings } from "../settings.ts";
import { advertising, privateRefused, rotations, stopAdvertising, transmit } from "../transmitter.ts";

// Whose identifiers are on the air, and when they change. A board that speaks GAEN only has it easy. Others do what the setting says (MUX-02): one protocol alone; several in turns,
// where an address costs no restart of the radio stack; else several from one address, which change together, and which that address links to each other (BLE-07).

/** Seconds until the radio is asked again. */
const RETRY = 10;
/** Seconds of a turn: six advertisements at the usual interval, and less than the shortest scan of others. */
const TURN = 1.5;
const DAY = 86400;
/** Seconds of a SmartBeacon's message where the setting says nothing, and how many go out from one address at most. */
const USUAL_PERIOD = 60;
const MESSAGES_OF_ADDRESS = 15;

/** The last interval of GAEN whose identifier was sent, or may have been before a restart: no other of it ever is. */
let sent = 0;

/** One of several senders. */
interface Voice {
  tag: number;
  sender: Sender;
  /** As above, in the sender's own periods. */
  sent: number;
  /** Made in the period `made`, and not sent yet; in turns, what is being sent until the tick `until`. */
  data: Uint8Array | undefined;
  made: number;
  until: number;
}
const voices: Voice[] = [];
let turn = 0;

function addVoice(tag: number, sender: Sender): void {
  voices.push({ tag: tag, sender: sender, sent: 0, data: undefined, made: 0, until: 0 });
}
if (SEVERAL && GAEN) addVoice(GAEN_TAG, { period: INTERVAL_SECONDS, make: makeGaen, forgetKey: forgetGaenKey, lifetime: randomLifetime });
if (DP3T) addVoice(DP3T_TAG, dp3t);
if (DP3T_UNLINKABLE) addVoice(DP3T_UNLINKABLE_TAG, dp3t);
if (OPENCOVIDTRACE) addVoice(OPENCOVIDTRACE_TAG, openCovidTrace);
// last: it is never sent without being asked for (CT-06)
if (CT10) addVoice(CT10_TAG, contactTracing);

/** Which protocols are sent, bit n for tag n. */
export function transmitted(): number {
  if (MESSAGES) return carrier() ? 1 << SMARTBEACON_TAG : 0;
  const first = voices[0].tag;
  return settings[TRANSMIT] || (first === CT10_TAG ? 0 : 1 << first);
}

/** Ends the keys of today and of days to come: the next rotation begins fresh ones. `last`: the interval in which that is (GAEN-12), 0 where the clock was set back (COM-07). */
export function endKeys(last: number): void {
  const day = rollingStart(intervalNumber(unixTime()));
  // of a tracing key what may be published; it may have begun long ago
  const ended = CT10 ? dailyKeys(boardCrypto, unixTime(), settings[RETENTION]) : [];
  function isMeant(slot: Uint8Array): boolean {
    const isGaen = slot[22] === KEY_IN_USE && readU32(slot, 17) >= day;
    return SEVERAL ? isGaen || slot[22] === KEY_OF_OTHERS : isGaen;
  }
  eachOf(1 << TEK, function (slot) {
    if (isMeant(slot) && !(CT10 && slot[22] === KEY_OF_OTHERS && slot[23] === CT10_TAG)) ended.push(slot);
  });
  for (let i = 0; i < ended.length; i++) {
    const slot = ended[i];
    if (SEVERAL && slot[22] !== KEY_IN_USE) {
      if (DP3T && slot[23] === DP3T_TAG) slot[21] = Math.max(0, Math.min(255, (day - readU32(slot, 17)) / ROLLING_PERIOD));
      slot[22] = KEY_OF_OTHERS_ENDED;
    } else {
      if (last) slot[21] = last - readU32(slot, 17) + 1;
      slot[22] = KEY_ENDED;
    }
    append(slot);
  }
  // only now, so that no power cut forgets a key; looked for again, because a fresh page may have moved it
  eachOf(1 << TEK, function (slot, address) {
    if (isMeant(slot)) deleteRecord(slot, address);
  });
  if (SEVERAL)
    for (let i = 0; i < voices.length; i++) {
      const voice = voices[i];
      voice.sender.forgetKey();
      voice.sent = voice.until = 0;
      voice.data = undefined;
    }
  else {
    /*@__INLINE__*/ forgetGaenKey();
    sent = 0;
  }
}

function periodOf(voice: Voice, unix: number): number {
  return Math.floor(unix / voice.sender.period);
}
/** Has `voice` something to send now? Answers 0, or -1 where more is to be done first, or the seconds until it may have. */
function prepare(voice: Voice, crypto: Crypto, unix: number): number {
  const wait = (voice.sent + 1) * voice.sender.period - unix;
  if (wait > 0) return wait;
  stopAdvertising();
  const period = periodOf(voice, unix);
  if (!voice.data || voice.made !== period) {
    const data = voice.sender.make(crypto, unix);
    if (!(data as Uint8Array).length) {
      if (data) voice.sent = data as number;
      return -1;
    }
    voice.data = data as Uint8Array;
    voice.made = period;
  }
  return 0;
}
function markSent(voice: Voice, crypto: Crypto, unix: number): number {
  voice.sent = periodOf(voice, unix);
  return voice.sender.lifetime(crypto, unix);
}

/** The next voice's turn, from an address that nobody else ever has. */
function takeTurns(active: Voice[], crypto: Crypto, unix: number): number {
  let soonest = DAY;
  for (let i = 0; i < active.length; i++) {
    turn = (turn + 1) % active.length;
    const voice = active[turn];
    if (tick() >= voice.until) voice.data = undefined;
    if (!voice.data) {
      const wait = prepare(voice, crypto, unix);
      if (wait < 0) {
        turn += active.length - 1;
        return 0;
      }
      soonest = Math.min(soonest, wait || DAY);
      if (voice.data) voice.until = tick() + markSent(voice, crypto, unix);
    }
    if (voice.data) {
      stopAdvertising();
      transmit(voice.data);
      return advertising ? TURN : RETRY;
    }
  }
  stopAdvertising();
  return soonest;
}
/** A change of all that can change now. What can't is silent until the next one. */
function changeTogether(active: Voice[], crypto: Crypto, unix: number): number {
  const ready: Voice[] = [];
  let soonest = DAY;
  for (let i = 0; i < active.length; i++) {
    const wait = prepare(active[i], crypto, unix);
    if (wait < 0) return 0;
    if (wait) soonest = Math.min(soonest, wait);
    else ready.push(active[i]);
  }
  if (!ready.length) return soonest;
  const packets = ready.map(function (voice) {
    return voice.data!;
  });
  transmit(packets[0], packets);
  let longest = 0;
  let seconds = RETRY;
  for (let i = 0; i < ready.length; i++) {
    const voice = ready[i];
    voice.data = undefined;
    if (!advertising) continue;
    const its = markSent(voice, crypto, unix);
    // when the longest period is over, so are all the others
    if (voice.sender.period > longest) {
      longest = voice.sender.period;
      seconds = its;
    }
  }
  return seconds;
}
function rotateSeveral(crypto: Crypto, unix: number): number {
  const mask = transmitted();
  let active = voices.filter(function (voice) {
    return (mask >> voice.tag) & 1;
  });
  if (active.length > 1 && settings[PRIVATE_ADDRESS]) {
    // nobody may connect to a private address, and who sends no other has no turns
    if (!SERVES && !privateRefused) return takeTurns(active, crypto, unix);
    active = [active[0]];
  }
  if (!active.length) {
    stopAdvertising();
    return DAY;
  }
  return changeTogether(active, crypto, unix);
}

/** The next message of a SmartBeacon, from a fresh address now and then; never in the middle of one. */
function nextMessage(crypto: Crypto, unix: number): number {
  stopAdvertising();
  const packets = makeMessage(crypto, unix);
  if (!packets.length) return RETRY;
  transmit(packets[0], packets, rotations % MESSAGES_OF_ADDRESS > 0);
  return advertising ? settings[MESSAGE_PERIOD] || USUAL_PERIOD : RETRY;
}

/** Fresh address and identifiers in one radio-silent moment (BLE-06). Answers the seconds until it wants to be called again: at once while more is to be done first. */
export function rotate(crypto: Crypto, unix: number): number {
  if (MESSAGES) return /*@__INLINE__*/ nextMessage(crypto, unix);
  if (SEVERAL) return /*@__INLINE__*/ rotateSeveral(crypto, unix);
  const period = intervalNumber(unix);
  // an identifier is sent from one address only (BLE-06): what is on the air stays there, and where nothing is the next period is waited for
  if (period <= sent) return (sent + 1) * INTERVAL_SECONDS - unix;
  stopAdvertising();
  const data = /*@__INLINE__*/ makeGaen(crypto, unix);
  if (!(data as Uint8Array).length) {
    if (data) sent = data as number;
    return 0;
  }
  /*@__INLINE__*/ transmit(data as Uint8Array);
  if (!advertising) return RETRY;
  sent = period;
  return /*@__INLINE__*/ randomLifetime(crypto, unix);
}
