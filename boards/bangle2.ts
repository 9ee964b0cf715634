import type { BoardFacts } from "./board-facts.ts";

/**
 * Source: Espruino boards/BANGLEJS2.py and libs/banglejs/jswrap_bangle.c (2v29). The two lights of other boards are circles drawn on the screen there. The log's ring has 31 pages of
 * 2,047: a record that is looked at takes 65,000 instructions, and there are up to 10,000 in so many (docs/bangle2.md).
 */
export const bangle2: BoardFacts = {
  id: "bangle2",
  name: "Bangle.js 2",
  espruinoNames: ["BANGLEJS2"],
  revisions: [{ name: "2", hwVersion: 2, differences: "the only one; HWVERSION tells it from Bangle.js 1" }],
  chip: { part: "nRF52840", ramKb: 256, flashKb: 1024, mhz: 64 },
  softDevice: { name: "S140", version: "6.1.1", firmwareId: 0xb6 },
  variables: { count: 12000, bytes: 14 },
  storage: { address: 0x60000000, pages: 2048, pageBytes: 4096, internal: false, ringPages: 31 },
  crypto: { sha1: true, sha256: true, aes: false, aesCcm: true },
  console: { device: "Terminal", baud: 9600, alwaysOn: true },
  ports: ["Serial1", "Bluetooth"],
  lights: [],
  buttons: ["BTN1"],
  // held for 1.5 s the watch loads its script anew
  longPress: 0.8,
  // 0.3144 of the reference is 4.2 V
  battery: { pin: "D3", voltsAtOne: 4.2 / 0.3144, lowMillivolts: 3600 },
  screen: { width: 176, height: 176, bitsPerPixel: 3, power: "Bangle.setLCDPower", fonts: ["4x6", "6x8"], lit: "light" },
  txPowers: [-40, -20, -16, -12, -8, -4, 0, 2, 3, 4, 5, 6, 7, 8],
  advertising: { minimumMs: 20, minimumNonConnectableMs: 20, maximumMs: 10240, dataBytes: 31, extendedBytes: 63 },
  address: "static-random",
  gatt: { mtu: 131, centralLinks: 2, peripheralLinks: 1 },
  clock: { source: "crystal", ppm: 50 },
  unicode: true,
  currents: { source: "espruino.com/Power+Consumption; sleep is the watch at rest", sleep: 300 },
  notes: [
    "No pins for a serial adapter: the console is Bluetooth, or the screen.",
    "The stack's own privacy mode rotates addresses as well (2v23 and later); NRF.setAddress works as on other boards.",
    "Its button restarts the script when it is held for 1.5 s.",
    "Storage is memory on SPI, which is not mapped into the address space: strings read from it are copies in RAM.",
  ],
};
