import { ADVERTISE, PROOF, SCAN, VERSION } from "tracelet:build";
import { hex } from "../protocols/bytes.ts";
import { NEVER_PROVEN } from "../protocols/device-link.ts";
import { LABEL_FILE, PAGE_WORDS } from "../protocols/log-format.ts";
import { unixTime } from "./board-clock.ts";
import { encountersToday } from "./day-count.ts";
import { acknowledged, firstSequence, logId, nextSequence, pages, usable } from "./encounter-log.ts";
import { openEncounters } from "./roles/scanner.ts";
import { CLOCK_UNSET, proofAge, WELL, wearerState } from "./wearer-state.ts";

// The screen of a Pixl.js: 128 by 64 pixels. It takes fifteen times what the board takes at rest, so it is off but for ten seconds after a press.
// The first press shows how the board is, one more while it shows whose it is, and so on in turn.

const SHOWN_MS = 10000;
/** The interpreter's smallest letters, of 4 by 6 pixels; doubled, and three times as large. */
const SMALL = "4x6";
const LARGE = "4x6:2";
const LARGEST = "4x6:3";

let page = 0;
/** Presses that still keep the screen on. */
let showing = 0;

/** Off, and it comes on with a press only. */
export function hideScreen(): void {
  if (--showing > 0) return;
  page = showing = 0;
  Pixl.setLCDPower(false);
}

function drawState(): void {
  const unix = unixTime();
  const state = wearerState();
  const now = unix ? new Date(unix * 1000).toISOString() : "";
  if (state !== WELL) g.fillRect(0, 0, 127, 13).setColor(0);
  g.setFont(LARGE).drawString(["ALL IS WELL", "BATTERY LOW", "LOG NEARLY FULL", "CLOCK NOT SET", "NOTHING IS SENT", "NO LOG"][state], 2, 1);
  g.setColor(1).setFont(SMALL);
  // what to do
  if (state) g.drawString(["SWAP IT, THEN ", "", "", "IN 10 MIN ", ""][state - 1] + "TO THE HUB", 2, 16);
  g.drawString(unix ? now.substr(0, 10) + "\nUTC" : "", 72, 28);
  g.setFont(LARGEST).drawString(unix ? now.substr(11, 5) : "--:--", 2, 25);
  g.setFont(SMALL);
  if (SCAN) g.drawString("ENCOUNTERS TODAY " + encountersToday() + ", OPEN " + openEncounters, 2, 46);
  const waiting = nextSequence() - Math.max(acknowledged, firstSequence());
  const full = usable ? ", LOG " + (((100 * waiting) / (pages * PAGE_WORDS + PAGE_WORDS)) | 0) + " %" : "";
  g.drawString("BATTERY " + NRF.getBattery().toFixed(2) + " V" + full, 2, 52);
  if (PROOF && ADVERTISE && state < CLOCK_UNSET) {
    const age = /*@__INLINE__*/ proofAge();
    g.drawString(age < NEVER_PROVEN ? "CONFIRMED " + ((age / 3600) | 0) + " H AGO" : "NOT CONFIRMED", 2, 58);
  }
}

function drawLabel(): void {
  const qr = require("Storage").read(LABEL_FILE);
  if (qr) g.drawImage(qr, 11, 11, { scale: 2 });
  g.drawString("TRACELET", 62, 14).drawString(VERSION, 62, 45);
  if (usable) g.setFont(LARGE).drawString(hex(logId.subarray(0, 4)), 62, 26);
}

/** `service`: a console over Bluetooth is open for a minute. */
export function showScreen(service: boolean): void {
  setTimeout(hideScreen, SHOWN_MS);
  showing++;
  page = service ? 3 : page === 1 ? 2 : 1;
  g.clear(true);
  if (page === 1) /*@__INLINE__*/ drawState();
  else if (page === 2) /*@__INLINE__*/ drawLabel();
  else g.setFont(LARGE).drawString("BLUETOOTH\nFOR A MINUTE", 2, 14);
  g.flip();
  Pixl.setLCDPower(true);
}
