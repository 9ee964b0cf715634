import type { BoardFacts } from "./board-facts.ts";

/** Source: Espruino boards/MDBT42Q.py (2v29); lights and currents: espruino.com/MDBT42Q. */
export const mdbt42q: BoardFacts = {
  id: "mdbt42q",
  name: "MDBT42Q",
  espruinoNames: ["MDBT42Q"],
  revisions: [
    { name: "breakout board", hwVersion: undefined, differences: "button, two lights and a regulator for 2.5 to 16 V" },
    { name: "bare module", hwVersion: undefined, differences: "button and lights are pins D0, D1, D2; supply 1.7 to 3.6 V" },
  ],
  chip: { part: "nRF52832", ramKb: 64, flashKb: 512, mhz: 64 },
  softDevice: { name: "S132", version: "3.1.0", firmwareId: 0x91 },
  variables: { count: 2950, bytes: 13 },
  storage: { address: (118 - 10) * 4096, pages: 10, pageBytes: 4096, internal: true },
  crypto: { sha1: true, sha256: true, aes: false, aesCcm: false },
  console: { device: "Serial1", tx: "D6", rx: "D8", baud: 9600, alwaysOn: false },
  ports: ["Serial1", "Bluetooth"],
  lights: [
    { name: "LED1", colour: "red" },
    { name: "LED2", colour: "green" },
  ],
  buttons: ["BTN1"],
  txPowers: [-40, -20, -16, -12, -8, -4, 0, 3, 4],
  advertising: { minimumMs: 20, minimumNonConnectableMs: 100, maximumMs: 10240, dataBytes: 31 },
  address: "static-random",
  gatt: { mtu: 53, centralLinks: 2, peripheralLinks: 1 },
  clock: { source: "rc", ppm: 250 },
  unicode: false,
  currents: {
    source: "espruino.com/MDBT42Q",
    sleep: 5,
    advertising375: 80,
    connectedIdle: 40,
    connectedActive: 900,
    cpu: 4000,
  },
  notes: [
    "Only modules bought with the interpreter have a bootloader; others need a programmer.",
    "The bare module must not be fed from a LiPo cell without a regulator.",
    "The console on the pins starts only when RX is high at power-on.",
  ],
};
