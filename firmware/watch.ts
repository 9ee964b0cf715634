import { ADVERTISE, LONG_PRESS, PROOF, SCAN, VERSION } from "tracelet:build";
import { hex } from "../protocols/bytes.ts";
import { NEVER_PROVEN } from "../protocols/device-link.ts";
import { LABEL_FILE, PAGE_WORDS } from "../protocols/log-format.ts";
import { unixTime } from "./board-clock.ts";
import { encountersToday } from "./day-count.ts";
import { acknowledged, firstSequence, logId, nextSequence, pages, usable } from "./encounter-log.ts";
import { openEncounters } from "./roles/scanner.ts";
import { CLOCK_UNSET, proofAge, wearerState } from "./wearer-state.ts";

// Button and screen of a Bangle.js 2: 176 by 176 pixels of eight colours. The watch has a lock of its own (not lock.ts): ten seconds after the last press it switches its display off and
// locks, and then a press does no more than unlock it, which is told by an event. So there is no timer for the screen here. Between the presses the screen is blank: what it
// would go on showing in sunlight is stale soon. The words are those of screen.ts: shared, they would cost a Pixl.js what it hasn't got.

const SHOWN_MS = 10000;
const SMALL = "4x6:2";
const STATE = 1;
const LABEL = 2;

/** What is shown; 0: nothing. */
let page = 0;
/** Looks whether the button is still held. */
let held: number | undefined;

function rest(): void {
  page = 0;
  g.clear(true).flip();
}

function drawState(): void {
  const unix = unixTime();
  const state = wearerState();
  const now = unix ? new Date(unix * 1000).toISOString() : "--:--";
  // as the lights have them: green, yellow, blue, red
  g.setColor(["#0f0", "#ff0", "#ff0", "#00f", "#00f", "#f00"][state])
    .fillRect(0, 0, 175, 25)
    .setColor(state < CLOCK_UNSET ? "#000" : "#fff")
    .setFont("4x6:2x3")
    .drawString(["ALL IS WELL", "BATTERY LOW", "LOG NEARLY FULL", "CLOCK NOT SET", "NOTHING IS SENT", "NO LOG"][state], 8, 5);
  g.setColor("#000").setFont(SMALL);
  if (state) g.drawString(["CHARGE IT", "TO THE HUB", "TO THE HUB", "IN 10 MIN TO THE HUB", "TO THE HUB"][state - 1], 8, 31);
  g.drawString(unix ? now.substr(0, 10) + " UTC" : "", 8, 97);
  g.setFont("4x6:8").drawString(unix ? now.substr(11, 5) : now, 10, 47);
  g.setFont(SMALL);
  if (SCAN) g.drawString("ENCOUNTERS TODAY " + encountersToday(), 8, 115);
  const waiting = nextSequence() - Math.max(acknowledged, firstSequence());
  const full = usable ? "LOG " + (((100 * waiting) / (pages * PAGE_WORDS + PAGE_WORDS)) | 0) + " %" : "";
  g.drawString((SCAN ? "OPEN " + openEncounters + "  " : "") + full + "\nBATTERY " + E.getBattery() + " %", 8, 129);
  if (PROOF && ADVERTISE && state < CLOCK_UNSET) {
    const age = /*@__INLINE__*/ proofAge();
    g.drawString(age < NEVER_PROVEN ? "CONFIRMED " + ((age / 3600) | 0) + " H AGO" : "NOT CONFIRMED", 8, 159);
  }
}

function drawLabel(): void {
  const qr = require("Storage").read(LABEL_FILE);
  // black and white: it is to be read from here
  if (qr) g.drawImage(qr, 36, 22, { scale: 5 });
  g.setFont(SMALL).drawString("TRACELET", 8, 4).drawString(VERSION, 8, 160);
  if (usable) g.setFont("4x6:3").drawString(hex(logId.subarray(0, 4)), 8, 139);
}

/** `service`: a console over Bluetooth is open for a minute. */
function draw(service: boolean): void {
  page = service ? 3 : page === STATE ? LABEL : STATE;
  g.clear(true);
  if (page === STATE) /*@__INLINE__*/ drawState();
  else if (page === LABEL) /*@__INLINE__*/ drawLabel();
  else
    g.setColor("#00f")
      .fillRect(0, 0, 175, 175)
      .setColor("#fff")
      .setFont("4x6:4")
      .drawString("BLUETOOTH", 16, 56)
      .setFont("4x6:3")
      .drawString("FOR A MINUTE", 16, 90);
  g.flip();
}

export function installWatch(openService: () => void): void {
  function press(): void {
    if (held) clearTimeout(held);
    held = setTimeout(function () {
      held = undefined;
      if (!digitalRead(BTN)) return;
      openService();
      draw(true);
    }, LONG_PRESS * 1000);
    draw(false);
  }
  // a twist of the wrist must not light it
  Bangle.setOptions({
    wakeOnTwist: false,
    wakeOnTouch: false,
    wakeOnFaceUp: false,
    wakeOnDoubleTap: false,
    lockTimeout: SHOWN_MS,
    lcdPowerTimeout: SHOWN_MS,
    backlightTimeout: SHOWN_MS,
  });
  rest();
  Bangle.setLCDPower(false);
  Bangle.setLocked(true);
  Bangle.on("lock", function (locked) {
    if (locked) rest();
    else press();
  });
  setWatch(press, BTN, { edge: "rising", repeat: true, debounce: 50 });
}
