import type { BoardFacts } from "./board-facts.ts";

/** Source: Espruino boards/PIXLJS.py (2v29); currents: espruino.com/Pixl.js. */
export const pixljs: BoardFacts = {
  id: "pixljs",
  name: "Pixl.js",
  espruinoNames: ["PIXLJS"],
  revisions: [],
  chip: { part: "nRF52832", ramKb: 64, flashKb: 512, mhz: 64 },
  softDevice: { name: "S132", version: "3.1.0", firmwareId: 0x91 },
  variables: { count: 2950, bytes: 13 },
  storage: { address: (118 - 9) * 4096, pages: 9, pageBytes: 4096, internal: true },
  crypto: { sha1: true, sha256: false, aes: false, aesCcm: false },
  console: { device: "Serial1", tx: "D1", rx: "D0", baud: 9600, alwaysOn: false },
  ports: ["Serial1", "Bluetooth"],
  lights: [{ name: "LED1", colour: "backlight" }],
  buttons: ["BTN1", "BTN2", "BTN3", "BTN4"],
  screen: { width: 128, height: 64, bitsPerPixel: 1, power: "Pixl.setLCDPower", fonts: ["4x6"], lit: "dark" },
  txPowers: [-40, -20, -16, -12, -8, -4, 0, 3, 4],
  advertising: { minimumMs: 20, minimumNonConnectableMs: 100, maximumMs: 10240, dataBytes: 31 },
  address: "static-random",
  gatt: { mtu: 53, centralLinks: 2, peripheralLinks: 1 },
  clock: { source: "rc", ppm: 250 },
  unicode: false,
  currents: {
    source: "espruino.com/Pixl.js, section Power Consumption; all with the screen on but sleep; 300 is the 0.3 mA idle of its list of features",
    sleep: 20,
    sleepScreenOn: 300,
    advertising375: 320,
    connectedActive: 500,
    scanning: 12000,
    cpu: 5000,
  },
  notes: [
    "Without a serial adapter the console is the screen itself; radio errors come as numbers without a name.",
    "Dates outside the years 1500 to 1250000 throw.",
    "The screen shows nothing before g.flip(), and each redraw draws current. It is on after a start, with the interpreter's logo and the board's own address.",
  ],
};
