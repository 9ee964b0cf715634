import { afterEach, beforeAll, expect, test } from "vitest";
import { aesDecrypt, aesEncrypt, nodeCrypto } from "../../host-tools/node-crypto.ts";
import { Dp3tPhone } from "../../host-tools/phones/dp3t-phone.ts";
import { GaenPhone } from "../../host-tools/phones/gaen-phone.ts";
import type { Position } from "../../host-tools/simulator/air.ts";
import { VirtualPhone } from "../../host-tools/simulator/phone.ts";
import { SeededRandom } from "../../host-tools/simulator/seeded-random.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { observationHash } from "../../protocols/dp3t/unlinkable.ts";
import { intervalNumber, rollingProximityIdentifier, rollingProximityIdentifierKey } from "../../protocols/gaen/key-schedule.ts";
import type { Crypto } from "../../protocols/ports.ts";
import { CT10_TAG, DP3T_TAG, DP3T_UNLINKABLE_TAG, GAEN_TAG, SMARTBEACON_TAG } from "../../protocols/protocol-tags.ts";
import { MESSAGE_FRAGMENT } from "../../protocols/smartbeacon/advertisement.ts";
import { messageKeys, openMessageC } from "../../protocols/smartbeacon/open-message.ts";
import { recordsOf } from "../support/flash-log.ts";
import { allowedBy, ephIdsOf } from "../support/handed-keys.ts";
import { keepRecord, type Phase, type Voice, voicesIn } from "../support/observer.ts";
import { BEACON, COLLECTOR, handedOver, messagesIn, SK, setUp } from "../support/sent-messages.ts";
import { toHex } from "../support/vectors.ts";
import { configure, DAY, expectQuietConsoles, MORNING, status, type WearOptions, WornWorld } from "../support/worn-boards.ts";

// A day of boards of all kinds and two phones among each other: a plan says who was with whom, and logs, collected messages and the phones' memories are held against it.

afterEach(expectQuietConsoles);

const GAEN = 1 << GAEN_TAG;
const DP3T = 1 << DP3T_TAG;
const CT10 = 1 << CT10_TAG;
const HOUR = 3600;
const MEETING = 1500;
/** Metres between two places where people are: no radio reaches that far. */
const APART = 5000;

type Tag = "gaen" | "dp3t" | "ct10";
interface Part {
  options: WearOptions;
  /** What it sends and what it takes down, as the air tells them apart. */
  sends: Tag[];
  hears: Tag[];
  /** Of DP-3T. */
  unlinkable?: boolean;
}

const PARTS: { [name: string]: Part } = {
  gaen: { options: { board: "puckjs" }, sends: ["gaen"], hears: ["gaen"] },
  linked: {
    options: { board: "pixljs", protocols: ["gaen", "dp3t"], settings: { transmit: GAEN | DP3T } },
    sends: ["gaen", "dp3t"],
    hears: ["gaen", "dp3t"],
  },
  turns: {
    options: { board: "mdbt42q", protocols: ["gaen", "dp3t"], built: { privateAddress: 1 } },
    sends: ["gaen", "dp3t"],
    hears: ["gaen", "dp3t"],
  },
  all: { options: { board: "nrf52840dk", protocols: ["gaen", "dp3t", "smartbeacon"] }, sends: ["gaen"], hears: ["gaen", "dp3t"] },
  dp3t: { options: { board: "mdbt42q", protocols: ["dp3t"] }, sends: ["dp3t"], hears: ["dp3t"] },
  unlinkable: { options: { board: "puckjs", protocols: ["dp3t-unlinkable"] }, sends: ["dp3t"], hears: ["dp3t"], unlinkable: true },
  old: { options: { board: "pixljs", protocols: ["gaen", "ct10"], settings: { transmit: CT10 } }, sends: ["ct10"], hears: ["gaen", "ct10"] },
  scanner: { options: { board: "nrf52840dk", role: "scanner", protocols: ["gaen", "dp3t", "ct10"] }, sends: [], hears: ["gaen", "dp3t", "ct10"] },
  wall: { options: { ...BEACON, board: "mdbt42q" }, sends: [], hears: [] },
  collector: { options: { ...COLLECTOR, board: "puckjs" }, sends: [], hears: [] },
};
const PHONES: { [name: string]: { sends: Tag[]; hears: Tag[] } } = {
  "gaen phone": { sends: ["gaen"], hears: ["gaen"] },
  "dp3t phone": { sends: ["dp3t"], hears: ["dp3t"] },
};
const EVERYBODY: { [name: string]: { sends: Tag[]; hears: Tag[]; unlinkable?: boolean } } = { ...PARTS, ...PHONES };
const NAMES = Object.keys(EVERYBODY);

/** Hours since the morning, and who is together for 25 minutes. The last one goes over midnight. */
const MEETINGS: { hour: number; who: string[] }[] = [
  { hour: 1, who: ["gaen", "linked", "gaen phone"] },
  { hour: 2.5, who: ["turns", "all", "dp3t phone", "wall", "collector"] },
  { hour: 4, who: ["linked", "turns", "unlinkable", "dp3t"] },
  { hour: 6, who: ["gaen", "old", "scanner", "gaen phone"] },
  { hour: 8, who: ["all", "unlinkable", "old", "dp3t phone"] },
  { hour: 10, who: ["linked", "dp3t", "scanner", "wall"] },
  { hour: 15.8, who: ["gaen", "all", "unlinkable", "dp3t", "gaen phone", "dp3t phone"] },
];

function whereabouts(name: string): (time: number) => Position {
  const number = NAMES.indexOf(name);
  return (time) => {
    const at = MEETINGS.findIndex(({ hour, who }) => who.includes(name) && time >= MORNING + hour * HOUR && time < MORNING + hour * HOUR + MEETING);
    return at < 0 ? { x: (MEETINGS.length + number) * APART, y: 0 } : { x: at * APART + MEETINGS[at].who.indexOf(name), y: 0 };
  };
}

/** `sender protocol` of all whom `name` must have heard. */
function companyOf(name: string): string[] {
  const { hears } = EVERYBODY[name];
  const others = MEETINGS.filter(({ who }) => who.includes(name)).flatMap(({ who }) => who.filter((other) => other !== name));
  return [...new Set(others.flatMap((other) => EVERYBODY[other].sends.filter((tag) => hears.includes(tag)).map((tag) => `${other} ${tag}`)))].sort();
}

function repeatable(seed: number): Crypto {
  const random = new SeededRandom(seed);
  return { ...nodeCrypto, randomBytes: (length) => Uint8Array.from({ length }, () => random.next() * 256) };
}

const world = new WornWorld(21);
const boards: { [name: string]: VirtualBoard } = {};
const voices: { [name: string]: Voice[] } = {};
let gaenPhone: GaenPhone;
let dp3tPhone: Dp3tPhone;
/** Who sent an identifier, under which protocol. */
const origin = new Map<string, string>();
let atNoon: { collector: ReturnType<typeof handedOver>; all: ReturnType<typeof handedOver> };

beforeAll(async () => {
  for (const [name, { options }] of Object.entries(PARTS)) boards[name] = await world.wear(whereabouts(name), options);
  const recorded: { [name: string]: Phase[] } = {};
  const device = (name: string, number: number) => {
    const made = new VirtualPhone({ air: world.air, name, address: `d0:00:00:00:00:0${number} random` });
    made.station.moveTo(whereabouts(name));
    recorded[name] = keepRecord(made.station);
    return made;
  };
  gaenPhone = new GaenPhone(device("gaen phone", 1), repeatable(1));
  dp3tPhone = new Dp3tPhone(device("dp3t phone", 2), repeatable(2), aesEncrypt);
  gaenPhone.start();
  dp3tPhone.start();
  setUp(boards.wall, MESSAGE_FRAGMENT);

  // what changes each 1.5 s is looked at for as long as somebody is there
  const until = (hour: number) => world.clock.advanceTo(MORNING + hour * HOUR);
  for (const { hour } of MEETINGS.filter(({ who }) => who.includes("turns"))) {
    until(hour - 0.1);
    configure(boards.turns, { transmit: GAEN | DP3T });
    until(hour + 0.45);
    configure(boards.turns, { transmit: 128 });
    atNoon ??= { collector: handedOver(boards.collector, -1), all: handedOver(boards.all, -1) };
  }
  until(17);

  for (const name of NAMES) {
    voices[name] = voicesIn(boards[name] ? world.sentBy(boards[name]) : recorded[name]);
    for (const { protocol, id } of voices[name]) origin.set(id, `${name} ${protocol}`);
  }
});

/** What a log holds, as `sender protocol`; an identifier that nobody has sent as itself. */
function companyIn(name: string): string[] {
  const heard = recordsOf(boards[name]).flatMap((record) => {
    if (record.kind === "encounter") return [origin.get(toHex(record.rpi)) ?? `stranger ${toHex(record.rpi)}`];
    if (record.kind !== "others") return [];
    const id = toHex(record.identifier);
    expect(record.protocol).toBe(
      { dp3t: EVERYBODY[name].unlinkable ? "dp3t-unlinkable" : "dp3t", ct10: "ct10" }[(observed.get(id) ?? origin.get(id) ?? " ").split(" ").at(-1)!],
    );
    return [(EVERYBODY[name].unlinkable ? observed.get(id) : origin.get(id)) ?? `stranger ${id}`];
  });
  return [...new Set(heard)].sort();
}
/** The same by the hashes of DP-3T's unlinkable design. */
const observed = new Map<string, string>();

test("everybody who was near is in the logs under the right protocol, and nobody else (MUX-03, BLE-02, CT-05)", () => {
  for (const [name, sent] of Object.entries(voices))
    for (const { protocol, id, from, to } of sent)
      for (let epoch = Math.floor(from / 900); protocol === "dp3t" && epoch <= Math.floor((to ?? world.clock.now) / 900); epoch++)
        observed.set(toHex(observationHash(nodeCrypto, Buffer.from(id, "hex"), epoch).slice(0, 16)), `${name} dp3t`);
  for (const name of Object.keys(PARTS)) expect(companyIn(name), name).toEqual(companyOf(name));
});

test("phones have heard the boards, and each other not: they speak one protocol each", () => {
  const heard = (ids: Uint8Array[]) => [...new Set(ids.map((id) => origin.get(toHex(id)) ?? `stranger ${toHex(id)}`))].sort();
  expect(heard(gaenPhone.sightings.map(({ rpi }) => rpi))).toEqual(companyOf("gaen phone"));
  expect(heard(dp3tPhone.sightings.map(({ ephId }) => ephId))).toEqual(companyOf("dp3t phone"));
});

test("what is sent is what the keys say that are handed over (GAEN-02, DP-01, DP-05, CT-01)", () => {
  const tags = { gaen: GAEN_TAG, ct10: CT10_TAG };
  for (const name of Object.keys(PARTS)) {
    // in turns an identifier comes again and again, at last in the period after the next
    const sent = voices[name].filter(({ protocol, id }, i) => !protocol.startsWith("qb") && voices[name].findIndex((voice) => voice.id === id) === i);
    expect([...new Set(sent.map(({ protocol }) => protocol))].sort()).toEqual([...EVERYBODY[name].sends].sort());
    const allowed = allowedBy(boards[name]);
    const dp3t = EVERYBODY[name].unlinkable ? DP3T_UNLINKABLE_TAG : DP3T_TAG;
    for (const { protocol, id, from } of sent) expect(allowed({ ...tags, dp3t }[protocol as Tag], from), `${name} at ${from}`).toContain(id);
  }
  for (const { id, from } of voices["gaen phone"]) {
    const { tek } = gaenPhone.keys.find(({ rollingStart }) => rollingStart === Math.floor(from / DAY) * 144)!;
    expect(toHex(rollingProximityIdentifier(nodeCrypto, rollingProximityIdentifierKey(nodeCrypto, tek), intervalNumber(from)))).toBe(id);
  }
  for (const { id, from } of voices["dp3t phone"]) expect(ephIdsOf(dp3tPhone.first, Math.floor(from / DAY))).toContain(id);
  expect(gaenPhone.keys).toHaveLength(2);
});

test("no address has identifiers of two protocols, but where the wearer has linked them, and none is anybody else's (BLE-06, BLE-07, MUX-02)", () => {
  const users = new Map<string, Set<string>>();
  const identifiers = new Map<string, Set<string>>();
  for (const [name, sent] of Object.entries(voices))
    for (const { address, protocol, id } of sent) {
      users.set(address, (users.get(address) ?? new Set()).add(name));
      // a message isn't its sender's identifier, and has several packets
      if (!protocol.startsWith("qb")) identifiers.set(address, (identifiers.get(address) ?? new Set()).add(`${protocol} ${id}`));
    }
  for (const [address, names] of users) expect([...names], address).toHaveLength(1);
  let linked = 0;
  for (const [address, ids] of identifiers) {
    const [name] = users.get(address)!;
    const protocols = [...ids].map((id) => id.split(" ")[0]);
    expect(new Set(protocols).size, `${name}: ${address}`).toBe(protocols.length);
    if (name === "linked") linked = Math.max(linked, ids.size);
    else expect(ids.size, `${name}: ${address}`).toBe(1);
  }
  expect(linked).toBe(2);
  expect(voices.turns.length).toBeGreaterThan(1000);
});

test("who was at the wall has messages of it that its key opens, and of nobody else (QB-05, QB-15)", () => {
  const sent = messagesIn(world.sentBy(boards.wall)).map(({ message }) => toHex(message));
  const keys = messageKeys(nodeCrypto, SK, "split");
  const [begin, end] = [MORNING + 2.5 * HOUR, MORNING + 2.5 * HOUR + MEETING];
  for (const [name, least] of Object.entries({ collector: 10, all: 1 })) {
    const messages = atNoon[name as keyof typeof atNoon];
    expect(messages.length, name).toBeGreaterThanOrEqual(least);
    for (const { bytes } of messages) {
      expect(sent).toContain(toHex(bytes));
      const made = openMessageC(nodeCrypto, aesDecrypt, keys, bytes) as number;
      expect(made).toBeGreaterThan(begin - 61);
      expect(made).toBeLessThan(end);
    }
  }
});

test("every board is well: no errors, and each says what it speaks", () => {
  for (const name of Object.keys(PARTS)) expect(status(boards[name]), name).toMatchObject({ er: [0, 0, 0], e: 1 });
  expect(status(boards.all).pr).toEqual([GAEN | DP3T | (1 << SMARTBEACON_TAG), GAEN]);
  expect(status(boards.old).pr).toEqual([GAEN | CT10, CT10]);
  expect(status(boards.linked)).toMatchObject({ pr: [GAEN | DP3T, GAEN | DP3T] });
});
