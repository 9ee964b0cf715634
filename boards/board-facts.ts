/** What is known of a board before any code runs on it. Everything here comes from a data sheet or from Espruino's own board files. */
export interface BoardFacts {
  /** As on the command line. */
  id: string;
  name: string;
  /** Values of `process.env.BOARD` that this file speaks for. */
  espruinoNames: string[];
  /** Hardware revisions that differ, as `process.env.HWVERSION` tells them. */
  revisions: { name: string; hwVersion: number | undefined; differences: string }[];
  chip: { part: string; ramKb: number; flashKb: number; mhz: number };
  /** Nordic's radio stack. `firmwareId`: as `process.env.SOFTDEVICE` tells it (2v28 and later). */
  softDevice: { name: string; version: string; firmwareId: number };
  /** Interpreter variables ("JsVars") and the bytes each takes. */
  variables: { count: number; bytes: number };
  /**
   * Where Storage lies. `internal`: memory-mapped flash of the chip; else a chip on SPI, which programs up to 256 bytes at a time. `ringPages`: of the log, at most: where there is more
   * room than the firmware could look through.
   */
  storage: { address: number; pages: number; pageBytes: number; internal: boolean; ringPages?: number };
  crypto: { sha1: boolean; sha256: boolean; aes: boolean; aesCcm: boolean };
  /** Console of a freshly started board and its pins. */
  console: { device: "Serial1" | "Bluetooth" | "USB" | "Terminal"; tx?: string; rx?: string; baud: number; alwaysOn: boolean };
  /** Ports of a started board through which somebody may reach its console. */
  ports: string[];
  lights: { name: string; colour: "red" | "green" | "blue" | "white" | "backlight" }[];
  buttons: string[];
  /** Seconds after which a press is a long one; 2 where it is not said. */
  longPress?: number;
  /** A cell that isn't at the chip's own supply: the pin that tells its voltage, volts for a reading of 1, and what is little, mV. Else `NRF.getBattery` tells it. */
  battery?: { pin: string; voltsAtOne: number; lowMillivolts: number };
  /** `power`: the call that switches it on and off. `fonts`: bitmap fonts of the interpreter, width by height of a letter's place. `lit`: what a pixel of 1 looks like. */
  screen?: { width: number; height: number; bitsPerPixel: number; power?: string; fonts: string[]; lit: "dark" | "light" };
  /** Legal transmit powers, dBm. */
  txPowers: number[];
  advertising: { minimumMs: number; minimumNonConnectableMs: number; maximumMs: number; dataBytes: number; extendedBytes?: number };
  /** Kind of random address the stack lets the interpreter set. */
  address: "static-random" | "nrpa";
  gatt: { mtu: number; centralLinks: number; peripheralLinks: number };
  clock: { source: "rc" | "crystal"; ppm: number };
  /** Is Unicode compiled in? Without it strings are bytes. */
  unicode: boolean;
  /** Published currents, microamps; undefined where nobody has published one. */
  currents: {
    source: string;
    /** Nothing runs, the radio is off; a screen is off as well. */
    sleep?: number;
    /** The same with a watch on the button. */
    sleepWatching?: number;
    /** The same with the screen on. */
    sleepScreenOn?: number;
    advertising375?: number;
    advertisingNonConnectable375?: number;
    /** Published as "less than". */
    advertisingNonConnectable2000Below?: number;
    connectedIdle?: number;
    connectedActive?: number;
    scanning?: number;
    cpu?: number;
  };
  /** Anything a user should know before buying forty. */
  notes: string[];
}
