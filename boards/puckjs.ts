import type { BoardFacts } from "./board-facts.ts";

/** Source: Espruino boards/PUCKJS.py (2v29), libs/puckjs/jswrap_puck.c; currents: espruino.com/Puck.js. */
export const puckjs: BoardFacts = {
  id: "puckjs",
  name: "Puck.js",
  espruinoNames: ["PUCKJS"],
  revisions: [
    { name: "1", hwVersion: 1, differences: "magnetometer MAG3110 only" },
    { name: "2", hwVersion: 2, differences: "magnetometer LIS3MDL, accelerometer LSM6DS3TR, thermometer PCT2075; needs release 2v05 or later" },
    { name: "2.1", hwVersion: 2.1, differences: "magnetometer MMC5603NJ" },
    { name: "2.2", hwVersion: undefined, differences: "needs release 2v26 or later" },
    { name: "Lite", hwVersion: undefined, differences: "tells HWVERSION as the text Lite 1; no sensors, no NFC and no blue light" },
  ],
  chip: { part: "nRF52832", ramKb: 64, flashKb: 512, mhz: 64 },
  softDevice: { name: "S132", version: "3.1.0", firmwareId: 0x91 },
  variables: { count: 2630, bytes: 13 },
  storage: { address: (118 - 10) * 4096, pages: 10, pageBytes: 4096, internal: true },
  crypto: { sha1: true, sha256: true, aes: true, aesCcm: false },
  console: { device: "Serial1", tx: "D28", rx: "D29", baud: 9600, alwaysOn: false },
  lights: [
    { name: "LED1", colour: "red" },
    { name: "LED2", colour: "green" },
    { name: "LED3", colour: "blue" },
  ],
  buttons: ["BTN1"],
  txPowers: [-40, -20, -16, -12, -8, -4, 0, 3, 4],
  advertising: { minimumMs: 20, minimumNonConnectableMs: 100, maximumMs: 10240, dataBytes: 31 },
  address: "static-random",
  gatt: { mtu: 53, centralLinks: 2, peripheralLinks: 1 },
  clock: { source: "rc", ppm: 250 },
  unicode: false,
  currents: {
    source: "espruino.com/Puck.js, section Power Consumption",
    sleep: 3,
    advertising375: 40,
    advertisingNonConnectable375: 22,
    connectedIdle: 32,
    connectedActive: 600,
    scanning: 12000,
    cpu: 4000,
  },
  notes: [
    "A watch on the button raises the sleep current from 3 to 12 microamps.",
    "The minimal build of the interpreter calls itself PUCKJS as well, but has no crypto and other Storage pages: use the ordinary build.",
    "The console on the pins starts only when RX is high at power-on; it then keeps the fast clock running, about 1 mA.",
  ],
};
