import { nodeCrypto } from "../host-tools/node-crypto.ts";
import { Air } from "../host-tools/simulator/air.ts";
import { SeededRandom } from "../host-tools/simulator/seeded-random.ts";
import { VirtualClock } from "../host-tools/simulator/virtual-clock.ts";
import { COMPACT_TOKEN, decodeAdvertisement, encodeAdvertisement, MESSAGE_FRAGMENT } from "../protocols/smartbeacon/advertisement.ts";
import { fragment, fragmentCount, messageId } from "../protocols/smartbeacon/fragments.ts";
import { createReceiver, MESSAGE, RECEIVER_LIMITS } from "../protocols/smartbeacon/receiver.ts";
import { checkDelivery } from "./delivery-boards.ts";

// How soon somebody who comes near a SmartBeacon has a message of it. Many small worlds: a sender with the real packets, a listener with the real receiver, and the air between them.

const START = Date.UTC(2026, 2, 2) / 1000;
const METRES = 5;
/** Seconds from one message to the next, and of how many a beacon keeps its address. */
const PERIOD = 60;
const MESSAGES_OF_ADDRESS = 15;
const MESSAGE_C_BYTES = 80;
const TOKEN_BYTES = 24;

interface Sending {
  carrier: "B1" | "B3";
  intervalMs: number;
}
/** Seconds of a scan, and from one scan to the next. */
interface Listening {
  scan: number;
  cycle: number;
}

const SENDING: Sending[] = [
  { carrier: "B1", intervalMs: 100 },
  { carrier: "B1", intervalMs: 250 },
  { carrier: "B3", intervalMs: 100 },
  { carrier: "B3", intervalMs: 250 },
];
/** A collector as it is shipped, and a wearable. */
const LISTENING: Listening[] = [
  { scan: 4, cycle: 30 },
  { scan: 2, cycle: 300 },
];
const LOST = [0, 0.25, 0.5, 0.75];

function packetsOf({ carrier }: Sending, random: SeededRandom): Uint8Array[] {
  const message = Uint8Array.from({ length: carrier === "B1" ? MESSAGE_C_BYTES : TOKEN_BYTES }, () => random.next() * 256);
  if (carrier === "B3") {
    message[0] = COMPACT_TOKEN;
    return [encodeAdvertisement(message)];
  }
  const id = messageId(nodeCrypto, message);
  return Array.from({ length: fragmentCount(message.length) }, (_, i) => encodeAdvertisement(fragment(MESSAGE_FRAGMENT, id, message, i)));
}

/** Seconds from coming near until the first whole message, `undefined` where none comes within `limit`. */
function firstMessage(sending: Sending, { scan, cycle }: Listening, lost: number, seed: number, limit: number): number | undefined {
  const random = new SeededRandom(seed);
  const clock = new VirtualClock(START);
  const air = new Air({ clock, seed, model: { lossProbability: lost } });
  const beacon = air.station("beacon");
  const phone = air.station("phone");
  air.place(beacon, { x: 0, y: 0 });
  air.place(phone, { x: METRES, y: 0 });
  let messages = Math.floor(random.next() * MESSAGES_OF_ADDRESS);
  const next = () => {
    const address = `c0:00:00:00:00:${Math.floor(messages++ / MESSAGES_OF_ADDRESS)
      .toString(16)
      .padStart(2, "0")} random`;
    const packets = packetsOf(sending, random);
    beacon.advertise({ address, packets, intervalMs: sending.intervalMs, txPower: 0, connectable: false, scannable: false });
    clock.after(PERIOD, next);
  };
  // a message that began before somebody came
  clock.after(random.next() * PERIOD, next);
  clock.advanceTo(START + PERIOD);
  const came = clock.now;
  const receiver = createReceiver(nodeCrypto, RECEIVER_LIMITS);
  let first: number | undefined;
  const listen = () => {
    phone.scan({
      windowMs: 100,
      intervalMs: 100,
      heard: ({ address, data }) => {
        const payload = decodeAdvertisement(data);
        if (payload && receiver.receive(Math.floor(clock.now) * 1000, address, payload) === MESSAGE) first ??= clock.now - came;
      },
    });
    clock.after(scan, () => phone.scan(undefined));
    clock.after(cycle, listen);
  };
  clock.after(random.next() * cycle, listen);
  while (first === undefined && clock.now < came + limit) clock.advanceTo(Math.min(clock.now + 5, came + limit));
  return first;
}

/** Part of `worlds` visits in which a message was there after 2 and after 6 minutes; a figure of 0.5 is right within 0.05 with 400 worlds, nineteen times of twenty. */
export async function measureDelivery({ worlds, visits }: { worlds: number; visits: number }) {
  const rows = [];
  for (const listening of LISTENING)
    for (const sending of SENDING)
      for (const lost of LOST) {
        const times = Array.from({ length: worlds }, (_, i) => firstMessage(sending, listening, lost, 1 + i, 360));
        const within = (seconds: number) => times.filter((time) => time !== undefined && time <= seconds).length / worlds;
        rows.push({ ...sending, ...listening, lost, within2min: within(120), within6min: within(360) });
      }
  return { worlds: rows, boards: await checkDelivery({ visits, metres: METRES, lost: [0, 0.5, 0.75] }) };
}
