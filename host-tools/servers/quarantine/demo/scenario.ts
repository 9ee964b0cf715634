import { decodeBase64Url, encodeBase64Url } from "../../../../protocols/base64.ts";
import { ascii } from "../../../../protocols/bytes.ts";
import { fernetText, sealFernet } from "../../../../protocols/fernet/token.ts";
import { MESSAGE_FRAGMENT } from "../../../../protocols/smartbeacon/advertisement.ts";
import { sealMessageC } from "../../../../protocols/smartbeacon/message-c.ts";
import { messageKeys } from "../../../../protocols/smartbeacon/open-message.ts";
import { formatTimestamp, formatUtc } from "../../../../protocols/smartbeacon/timestamp.ts";
import { aesEncrypt, nodeCrypto } from "../../../node-crypto.ts";
import { SeededRandom } from "../../../simulator/seeded-random.ts";
import { VirtualClock } from "../../../simulator/virtual-clock.ts";
import { AppBackend } from "../app-backend.ts";
import { AuthorityBackend } from "../authority-backend.ts";
import { PRESETS } from "../settings.ts";
import { DemoAppBackend, DemoAuthorityBackend } from "./backends.ts";
import { formatLine } from "./lines.ts";

// The demonstration as a run that its seed decides (QB-23): three phones, two beacons, devices that fail now and then. Source: "Quarantine Violation Police Alert", demonstration.

export interface DemoOptions {
  seed: number;
  /** `fernet`: the demonstration's own lines. `message-c`: the rules of the app backend, with their preset `demo`. */
  carrier: "fernet" | "message-c";
  /** Unix second at which the phones are registered, and seconds from there. */
  start: number;
  seconds: number;
  /** Chance that a device that is on works through a data tick, and that one that failed is back for the next. */
  works: number;
  returns: number;
}

export const DEMO_DEFAULTS: Omit<DemoOptions, "seed"> = {
  carrier: "fernet",
  start: Date.UTC(2020, 5, 5, 11) / 1000,
  seconds: 300,
  works: 0.9,
  returns: 0.5,
};

export interface DemoRun {
  /** What everybody did, in order; UTC text, colon, what. */
  log: string[];
  /** The authority's log: beacon, and when it was alerted. */
  alerts: Record<string, string[]>;
}

const DATA_SECONDS = 3;
/** The control looks a second after the data tick with which it falls together, so that no race decides. */
const CONTROL_DELAY = 1;
/** Tokens that a phone without Wi-Fi keeps, the newest of them. */
const MOST_KEPT = 16;

/** Something that fails and comes back. */
class Device {
  private isOn = true;
  constructor(
    private readonly random: SeededRandom,
    private readonly options: DemoOptions,
  ) {}
  /** Does it work in this tick? */
  works(): boolean {
    if (this.random.next() < this.options.works && this.isOn) return true;
    this.isOn = this.random.next() < this.options.returns;
    return false;
  }
  /** After a tick in which it did not: is it back? */
  get isBack(): boolean {
    return this.isOn;
  }
}

interface Phone {
  name: string;
  beacon: string;
  on: Device;
  bluetooth: Device;
  wifi: Device;
  kept: string[];
}

/** Both servers, whatever they speak; a message is a text. `at`: Unix seconds. */
interface Servers {
  register(phone: string, beacon: string, at: number): void;
  seal(beacon: string, at: number): string;
  forward(phone: string, message: string, at: number): boolean;
  /** Beacons about which the authority is alerted. */
  control(at: number): { beacon: string; home: string | undefined }[];
  log(at: number): Record<string, string[]>;
}

const BEACONS = ["beacon_01", "beacon_02"];
const PHONES: [name: string, beacon: string][] = [
  ["skt_01", "beacon_01"],
  ["skt_02", "beacon_01"],
  ["skt_03", "beacon_02"],
];
const HOMES = new Map(BEACONS.map((beacon) => [beacon, `info_${beacon}`]));

export function runDemo(options: DemoOptions): DemoRun {
  const clock = new VirtualClock(options.start);
  const chance = new SeededRandom(options.seed);
  // Of its own, so that the same devices fail whichever carrier is chosen.
  const secrets = new SeededRandom(options.seed + 1);
  const servers = options.carrier === "fernet" ? fernetServers(secrets) : messageServers(secrets);
  const beacons = BEACONS.map((name) => ({ name, on: new Device(chance, options), packet: undefined as string | undefined }));
  const device = () => new Device(chance, options);
  const phones: Phone[] = PHONES.map(([name, beacon]) => ({ name, beacon, on: device(), bluetooth: device(), wifi: device(), kept: [] }));
  const log: string[] = [];
  const say = (what: string) => log.push(`${formatUtc(clock.now, 0)}: ${what}`);

  for (const { name, beacon } of phones) {
    servers.register(name, beacon, clock.now);
    say(`HealthAuthority registers ${name} with ${beacon}`);
  }

  const send = (phone: Phone) => {
    for (const message of phone.kept.splice(0)) {
      const accepted = servers.forward(phone.name, message, clock.now);
      say(`${phone.name} forwards ${message}: ${accepted ? "accepted" : "refused"}`);
    }
  };
  const phoneTick = (phone: Phone) => {
    if (!phone.on.works()) return say(`${phone.name} is off`);
    if (!phone.bluetooth.works()) return say(`${phone.name} has no Bluetooth`);
    const packet = beacons.find(({ name }) => name === phone.beacon)!.packet;
    if (packet !== undefined) phone.kept = [...phone.kept, packet].slice(-MOST_KEPT);
    if (phone.wifi.works()) return send(phone);
    say(`${phone.name} has no Wi-Fi, ${phone.kept.length} kept`);
    if (phone.wifi.isBack) send(phone);
  };
  const dataTick = () => {
    for (const beacon of beacons) {
      beacon.packet = beacon.on.works() ? servers.seal(beacon.name, clock.now) : undefined;
      say(beacon.packet === undefined ? `${beacon.name} is off` : `${beacon.name} sends ${beacon.packet}`);
    }
    for (const phone of phones) phoneTick(phone);
    clock.after(DATA_SECONDS, dataTick);
  };
  const controlTick = () => {
    for (const { beacon, home } of servers.control(clock.now)) say(`ALERT App,${beacon} at ${home ?? "an unknown home"}`);
    clock.after(PRESETS.demo.controlSeconds, controlTick);
  };
  clock.after(DATA_SECONDS, dataTick);
  clock.after(PRESETS.demo.controlSeconds + CONTROL_DELAY, controlTick);
  clock.advanceTo(options.start + options.seconds);
  return { log, alerts: servers.log(clock.now) };
}

/** Bytes that the seed decides; nobody's secret but a simulation's. */
function drawn(random: SeededRandom, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => Math.floor(random.next() * 256));
}

function fernetServers(secrets: SeededRandom): Servers {
  const app = new DemoAppBackend();
  const authority = new DemoAuthorityBackend(HOMES);
  const keys = new Map(BEACONS.map((beacon) => [beacon, encodeBase64Url(drawn(secrets, 32))]));
  return {
    register: (phone, beacon, at) => app.take(formatLine({ kind: "setup", phone, beacon, key: keys.get(beacon)! }), formatUtc(at, 0)),
    seal: (beacon, at) => fernetText(sealFernet(nodeCrypto, decodeBase64Url(keys.get(beacon)!)!, at, drawn(secrets, 16), ascii(formatUtc(at, 0)))),
    forward(phone, token, at) {
      const answer = app.take(formatLine({ kind: "token", phone, token }), formatUtc(at, 0));
      return answer.kind === "token" && answer.accepted;
    },
    control: (at) =>
      app.control(formatUtc(at, 0)).map((line) => {
        const taken = authority.take(line, formatUtc(at, 0));
        return { beacon: line.split(",")[1], home: taken === "refused" ? undefined : taken.home };
      }),
    log: () => authority.log,
  };
}

function messageServers(secrets: SeededRandom): Servers {
  const app = new AppBackend(PRESETS.demo);
  const authority = new AuthorityBackend();
  const keys = new Map(BEACONS.map((beacon) => [beacon, { id: drawn(secrets, 16), sk: drawn(secrets, 32), mode: "split" as const }]));
  const names = new Map([...keys].map(([beacon, { id }]) => [Buffer.from(id).toString("hex"), beacon]));
  const phones = new Map(PHONES.map(([phone]) => [phone, drawn(secrets, 32)]));
  let sent = 0;
  return {
    register(phone, beacon, at) {
      const key = keys.get(beacon)!;
      const id = Buffer.from(key.id).toString("hex");
      app.setup({ pastKey: phones.get(phone)!, pastTime: at - (at % 86400), beacon: key }, at);
      authority.addHome(id, HOMES.get(beacon)!, at);
      authority.confirm(id, app.enable(id, at));
    },
    seal(beacon, at) {
      const { sk, mode } = keys.get(beacon)!;
      const { encryption, mac } = messageKeys(nodeCrypto, sk, mode);
      return encodeBase64Url(sealMessageC(nodeCrypto, aesEncrypt, encryption, mac, drawn(secrets, 16), ascii(formatTimestamp(at, 0))));
    },
    forward(phone, message, at) {
      const messages = [{ type: MESSAGE_FRAGMENT, bytes: decodeBase64Url(message)! }];
      const { verdicts } = app.batch({ phone: Buffer.from(phones.get(phone)!).toString("hex"), messages }, at);
      return verdicts[0].verdict === "ok";
    },
    control: (at) =>
      app.tick(at).map((event) => ({
        beacon: names.get(event.id_beacon)!,
        home: authority.receive({ id: `demo-${sent++}`, event }, at).address,
      })),
    log: (at) => Object.fromEntries(Object.entries(authority.violations(at)).map(([id, times]) => [names.get(id)!, times])),
  };
}
