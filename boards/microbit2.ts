import type { BoardFacts } from "./board-facts.ts";

/** Source: Espruino boards/MICROBIT2.py (2v29), targets/nrf5x/jshardware.c. The board file names the nRF52832, because the nRF52833 is driven with its SDK. */
export const microbit2: BoardFacts = {
  id: "microbit2",
  name: "micro:bit 2",
  espruinoNames: ["MICROBIT2"],
  revisions: [],
  chip: { part: "nRF52833", ramKb: 128, flashKb: 512, mhz: 64 },
  softDevice: { name: "S132", version: "3.1.0", firmwareId: 0x91 },
  variables: { count: 6000, bytes: 13 },
  storage: { address: (118 - 10) * 4096, pages: 10, pageBytes: 4096, internal: true },
  crypto: { sha1: false, sha256: false, aes: false, aesCcm: false },
  console: { device: "Serial1", tx: "H1", rx: "H0", baud: 9600, alwaysOn: true },
  ports: ["Serial1", "Bluetooth"],
  lights: [{ name: "LED1", colour: "red" }],
  buttons: ["BTN1", "BTN2"],
  screen: { width: 5, height: 5, bitsPerPixel: 1, fonts: ["4x6"], lit: "light" },
  txPowers: [-40, -20, -16, -12, -8, -4, 0, 3, 4],
  advertising: { minimumMs: 20, minimumNonConnectableMs: 100, maximumMs: 10240, dataBytes: 31 },
  address: "static-random",
  gatt: { mtu: 53, centralLinks: 2, peripheralLinks: 1 },
  clock: { source: "rc", ppm: 250 },
  unicode: false,
  currents: { source: "nobody has published any" },
  notes: ["The console goes through the USB bridge and is always on.", "Reference counts have 4 bits here: at most 15 references to one value."],
};
