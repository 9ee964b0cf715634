import { ADVERTISE, LIGHTS, LONG_PRESS, PROOF, READS, SCREEN } from "tracelet:build";
import { whenFree } from "./gatt-client.ts";
import { hideScreen, showScreen } from "./screen.ts";
import { installWatch } from "./watch.ts";
import { CLOCK_UNSET, proofAge, wearerState } from "./wearer-state.ts";

// Lights, or the screen of a Pixl.js; a watch has both button and screen of its own (watch.ts).
// The button: a short press shows how the board is, two seconds and longer open a console over Bluetooth for a minute.
// Lights say it by blinks: short ones, the board works; long ones, it doesn't; how many of them says which state it is. Three lights have a colour for it as well.

const STEP_MS = 150;
const DAY = 86400;
/** By state: red 1, green 2, blue 4 and their sums. */
const COLOURS = "233441";
/** A light of two seconds, blue where there is blue. */
const SERVICE = "44444444444440";
/** At the end, where the board works and what it sends was confirmed within a day: white, or a second of light. */
const PROVEN = LIGHTS > 2 ? "00070" : "00011111110";

/** What the lights are still to show, a digit a step. */
let show = "";

function play(): void {
  // first of all: whoever interrupts this from the console must not leave a light on
  if (show.length > 1) setTimeout(play, STEP_MS);
  digitalWrite(LIGHTS > 2 ? [LED3, LED2, LED1] : LED1, +show[0]);
  show = show.substr(1);
}

function blinks(): string {
  const state = wearerState();
  const colour = COLOURS[state];
  let steps = "";
  for (let i = state % CLOCK_UNSET; i >= 0; i--) steps += (state < CLOCK_UNSET ? colour : colour + colour + colour + colour) + "00";
  return PROOF && ADVERTISE && state < CLOCK_UNSET && /*@__INLINE__*/ proofAge() < DAY ? steps + PROVEN : steps;
}

export function installIndicators(openService: () => void): void {
  if (SCREEN > 1) {
    /*@__INLINE__*/ installWatch(openService);
    return;
  }
  if (SCREEN) hideScreen();
  setWatch(
    function (event) {
      const long = event.time - event.lastTime >= LONG_PRESS;
      // the stack restarts for it, and must not while a link is being made
      if (READS && ADVERTISE && long) whenFree(openService);
      else if (long) openService();
      if (SCREEN) showScreen(long);
      else {
        // what is being shown gives way
        const idle = !show;
        show = long ? SERVICE : /*@__INLINE__*/ blinks();
        if (idle) play();
      }
    },
    BTN,
    { edge: "falling", repeat: true, debounce: 50 },
  );
}
