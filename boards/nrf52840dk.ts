import type { BoardFacts } from "./board-facts.ts";

/** Source: Espruino boards/NRF52840DK.py (2v29). */
export const nrf52840dk: BoardFacts = {
  id: "nrf52840dk",
  name: "nRF52840DK",
  espruinoNames: ["NRF52840DK"],
  revisions: [],
  chip: { part: "nRF52840", ramKb: 256, flashKb: 1024, mhz: 64 },
  softDevice: { name: "S140", version: "6.1.1", firmwareId: 0xb6 },
  variables: { count: 12500, bytes: 14 },
  storage: { address: (246 - 10) * 4096, pages: 10, pageBytes: 4096, internal: true },
  crypto: { sha1: false, sha256: false, aes: false, aesCcm: false },
  console: { device: "Serial1", tx: "D6", rx: "D8", baud: 9600, alwaysOn: false },
  ports: ["Serial1", "Bluetooth", "USB"],
  lights: [
    { name: "LED1", colour: "green" },
    { name: "LED2", colour: "green" },
    { name: "LED3", colour: "green" },
    { name: "LED4", colour: "green" },
  ],
  buttons: ["BTN1", "BTN2", "BTN3", "BTN4"],
  txPowers: [-40, -20, -16, -12, -8, -4, 0, 2, 3, 4, 5, 6, 7, 8],
  advertising: { minimumMs: 20, minimumNonConnectableMs: 20, maximumMs: 10240, dataBytes: 31, extendedBytes: 63 },
  address: "static-random",
  gatt: { mtu: 131, centralLinks: 2, peripheralLinks: 1 },
  clock: { source: "rc", ppm: 500 },
  unicode: false,
  currents: { source: "nobody has published any" },
  notes: ["Has native USB beside the pins.", "No crypto module in the interpreter at all."],
};
