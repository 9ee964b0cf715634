import { CONSOLE } from "tracelet:build";
import { HEAD_BYTES, LOCK_MARK, LOCK_MARK_AT, LOG_FILE, LONG_BYTES } from "../protocols/log-format.ts";

const PIECE = 1024;

// `.bootPowerOn`: what the interpreter runs first when it gets power, even where a button that is held down makes it pass over the firmware (`.bootcde`).
// So a button is no way round the lock: where the firmware did not begin, a log with a lock key is overwritten before anybody gets a console.
// From the second statement on a Ctrl-C interrupts nothing: it does so from the console's port only.

// 1 until the firmware begins; then 0, and at last the commands
global.T = 1;
E.setConsole(null, { force: true });
setTimeout(function () {
  // memory-mapped: takes no memory, and is searched by the interpreter itself
  const log: string = require("Storage").read(LOG_FILE) || "";
  // period and state of the key's record, and the beginning of the log id, which no stranger knows
  const mark = LOCK_MARK + log.substr(4, 4);
  const at = log.indexOf(mark);
  // at its very end the interpreter takes the beginning of the mark for the mark
  if (at > 0 && at <= log.length - mark.length) {
    // The firmware has decided. Or it failed, and tells nobody why: whoever wants the board without its data holds the button down.
    if (global.T !== 1) return;
    const start = E.getAddressOf(log, true);
    const wipe = function (from: number, to: number): void {
      for (; from < to; from += PIECE) require("Flash").write(new Uint8Array(Math.min(PIECE, to - from)), start + from);
    };
    // as long as there is data there is a lock, even if the power goes meanwhile: what is behind the key goes first, then what is before it, and the key at the end of that
    wipe(at + LONG_BYTES - LOCK_MARK_AT, log.length);
    wipe(HEAD_BYTES, at);
    // without its head it is no log: the next one gets a name of its own
    wipe(0, HEAD_BYTES);
  }
  E.setConsole(CONSOLE);
}, 0);
