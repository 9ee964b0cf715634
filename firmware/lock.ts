import { USB_PORT } from "tracelet:build";
import { ascii, hex, writeInt } from "../protocols/bytes.ts";
import { LOCK_ANSWER, LOCK_ASK, LOCK_NONCE, LOCK_NONCE_SECONDS, LOCK_SESSION_SECONDS } from "../protocols/device-link.ts";
import { LOCK_KEY, LOCK_MARK, LOCK_MARK_AT, LOG_FILE, LONG_BYTES, TEK } from "../protocols/log-format.ts";
import { tick } from "./board-clock.ts";
import { boardCrypto } from "./crypto/board.ts";
import { hardwareRandom } from "./crypto/random.ts";
import { append, deleteRecord, emptySlot, flash, flashErrors, logId, logStart, seal, usable } from "./encounter-log.ts";
import { frame } from "./frame.ts";

// The lock: with a key in the log the console belongs to no port, and each port has nothing but the challenge of protocols/device-link.ts.
// The key never leaves flash but for RAM; what of this a person with a debugger can undo stands in docs/lock.md.

/** Longest wait after a wrong answer, seconds. */
const LONGEST_WAIT = 3600;

/** Slot of the key; undefined: there is no lock. */
export let lockKey: Uint8Array | undefined;
/** Wrong answers since the firmware started. */
export let wrongAnswers = 0;
let listening = false;
let closer: number | undefined;

/** `keep`: the session goes on for as long as it may without another command. Else the board is locked. No key: neither. */
export function session(keep?: unknown): void {
  if (closer) clearTimeout(closer);
  closer = undefined;
  if (!lockKey) return;
  if (keep === true) closer = setTimeout(session, LOCK_SESSION_SECONDS * 1000);
  else E.setConsole(null, { force: true });
}

function listen(port: SerialPort): void {
  let line = "";
  let nonce: Uint8Array | undefined;
  let asked = 0;
  let wait = 0;
  let free = 0;
  function say(payload: Uint8Array): void {
    // a CR at the end would be held back by the hub
    port.println(frame(payload));
  }
  function take(whole: string): void {
    const now = tick();
    if (!lockKey) return;
    if (whole === LOCK_ASK) {
      asked = now;
      nonce = hardwareRandom(LOCK_NONCE + 2);
      writeInt(nonce, LOCK_NONCE, 2, Math.max(0, Math.ceil(free - now)));
      say(nonce);
    } else if (nonce && whole.length === LOCK_ANSWER) {
      const right = hex(boardCrypto.aes128(lockKey.subarray(1, LOCK_NONCE + 1), nonce.subarray(0, LOCK_NONCE)));
      let wrong = now < free || now > asked + LOCK_NONCE_SECONDS ? 1 : 0;
      // each serves once; all digits are looked at, whatever they are (COM-02)
      nonce = undefined;
      for (let i = 0; i < LOCK_ANSWER; i++) wrong |= right.charCodeAt(i) ^ whole.charCodeAt(i);
      say(ascii(wrong ? "!key" : "{}"));
      if (wrong) {
        wrongAnswers++;
        wait = Math.min(LONGEST_WAIT, wait * 2 || 1);
        free = now + wait;
      } else {
        wait = 0;
        E.setConsole(port, { force: true });
        session(true);
      }
    }
  }
  port.on("data", function (text) {
    const lines = (line + text).split("\n");
    // a longer one is none of ours, however it goes on
    line = lines.pop()!.substr(0, LOCK_ANSWER + 1);
    lines.forEach(take);
  });
}

/**
 * Looks for the key in all of the log, not along its records: the lock holds whatever has become of those. `fresh`: the record that counts; without it the first that is whole.
 * Others were left by a change or a page turn that lost its power, and go.
 */
function findKey(fresh?: Uint8Array): void {
  const log = (usable && require("Storage").read(LOG_FILE)) || "";
  const mark = LOCK_MARK + log.substr(4, 4);
  lockKey = undefined;
  // at its very end the interpreter takes the beginning of the mark for the mark, again and again
  for (let at = log.indexOf(mark); at > 0 && at <= log.length - mark.length; at = log.indexOf(mark, at + 1)) {
    const slot = flash.read(LONG_BYTES, logStart - LOCK_MARK_AT + at);
    if (!lockKey && seal(slot) && (!fresh || E.CRC32(slot) === E.CRC32(fresh))) lockKey = slot;
    else deleteRecord(slot, logStart - LOCK_MARK_AT + at);
  }
  if (!lockKey || listening) return;
  listening = true;
  listen(Serial1);
  listen(Bluetooth);
  if (USB_PORT) listen(USB);
  // the next central must not find the session of the last one
  NRF.on("disconnect", session);
}

/** At start, as soon as the log is open. */
export function openLock(): void {
  findKey();
  session();
}
/** Another key from now on, four words little-endian; zeros: none. In force when the session ends. The old one goes when the new one is written. */
export function setLock(words: number[]): void {
  const slot = emptySlot(TEK);
  const errors = flashErrors;
  slot.fill(255, 1);
  slot[LOCK_MARK_AT] = 0;
  slot[LOCK_MARK_AT + 1] = LOCK_KEY;
  slot.set(logId.subarray(0, 4), LOCK_MARK_AT + 2);
  for (let i = 0; i < 4; i++) writeInt(slot, 1 + i * 4, 4, words[i]);
  if (E.sum(words)) append(slot);
  // a key that didn't get into flash takes no other's place
  if (flashErrors === errors) findKey(slot);
  session(true);
}
