import { LIGHTS } from "tracelet:build";
import { unixTime } from "./board-clock.ts";
import { usable } from "./encounter-log.ts";

// A short press shows the state: green, all is well; blue, the clock is not set and nothing is sent; red, there is no log.
// With a single light it blinks once, twice or three times. Two seconds and longer: a console over Bluetooth for a minute, shown by a long light.

const LONG_PRESS = 2;

function blink(light: Pin, times: number, ms: number): void {
  light.set();
  setTimeout(function () {
    light.reset();
    if (times > 1) {
      setTimeout(function () {
        blink(light, times - 1, ms);
      }, 300);
    }
  }, ms);
}

export function installIndicators(openService: () => void): void {
  setWatch(
    function (event) {
      if (event.time - event.lastTime >= LONG_PRESS) {
        openService();
        blink(LIGHTS > 2 ? LED3 : LED1, 1, 2000);
        return;
      }
      const state = usable ? (unixTime() ? 1 : 2) : 3;
      if (LIGHTS > 2) blink(state > 2 ? LED1 : state > 1 ? LED3 : LED2, 1, 150);
      else blink(LED1, state, 150);
    },
    BTN,
    { edge: "falling", repeat: true, debounce: 50 },
  );
}
