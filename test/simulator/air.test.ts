import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Advertising, Schedule } from "../../host-tools/simulator/advertiser.ts";
import { Air, type AirModel, type Report } from "../../host-tools/simulator/air.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";

const START = 1_600_000_000;
/** No chance in it: every packet arrives as strong as the distance says. */
const CALM: Partial<AirModel> = { shadowingDb: 0, ricianKDb: 60, lossProbability: 0 };

function beacon(address: string, changes: Partial<Advertising> = {}): Advertising {
  return {
    address: `${address} random`,
    packets: [new Uint8Array(31)],
    intervalMs: 250,
    txPower: 0,
    connectable: false,
    scannable: false,
    ...changes,
  };
}

/** One sender and one receiver so many metres apart; answers what arrives in 2 s windows that open every 300 s. */
function pair(options: {
  metres: number;
  seed?: number;
  model?: Partial<AirModel>;
  windows?: number;
  scanMs?: number;
  sender?: Partial<Advertising>;
}): Report[][] {
  const clock = new VirtualClock(START);
  const air = new Air({ clock, seed: options.seed ?? 1, model: options.model });
  const sender = air.station("sender");
  const receiver = air.station("receiver");
  air.place(receiver, { x: options.metres, y: 0 });
  sender.advertise(beacon("c0:00:00:00:00:01", options.sender));
  const windows: Report[][] = [];
  for (let i = 0; i < (options.windows ?? 20); i++) {
    const heard: Report[] = [];
    const scanMs = options.scanMs ?? 100;
    receiver.scan({ windowMs: scanMs, intervalMs: scanMs, heard: (report) => void heard.push(report) });
    clock.advanceTo(clock.now + 2);
    receiver.scan(undefined);
    clock.advanceTo(clock.now + 298);
    windows.push(heard);
  }
  return windows;
}

describe("the schedule of an advertiser", () => {
  test("has an interval plus 0 to 10 ms between events, and the first one at once", () => {
    const times: number[] = [];
    new Schedule(START, 250, 7).between(START, START + 100, (time) => void times.push(time));
    expect(times[0]).toBe(START);
    const gaps = times.slice(1).map((time, i) => time - times[i]!);
    for (const gap of gaps) {
      expect(gap).toBeGreaterThanOrEqual(0.25 - 1e-6);
      expect(gap).toBeLessThan(0.26 + 1e-6);
    }
    const mean = gaps.reduce((a, b) => a + b) / gaps.length;
    expect(mean).toBeCloseTo(0.255, 3);
  });

  test("is the same in pieces as in one go, whatever the order of questions", () => {
    const whole: number[] = [];
    new Schedule(START, 100, 3).between(START, START + 70, (time) => void whole.push(time));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: 0, max: 59, noNaN: true }), fc.double({ min: 0, max: 5, noNaN: true })), { maxLength: 12 }),
        (questions) => {
          const schedule = new Schedule(START, 100, 3);
          for (const [from, length] of questions) {
            const part: number[] = [];
            schedule.between(START + from, START + from + length, (time) => void part.push(time));
            expect(part).toEqual(whole.filter((time) => time >= START + from && time < START + from + length));
            expect(schedule.count(START + from)).toBe(whole.filter((time) => time <= START + from).length);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("what a scan window catches", () => {
  test("a board that advertises every 250 ms is heard seven or eight times in 2 s on one channel", () => {
    const counts = pair({ metres: 2, model: CALM, windows: 100, scanMs: 2000 }).map((window) => window.length);
    // 2 s hold 2 / 0.26 = 7.7 to 2 / 0.25 = 8 events.
    expect(Math.min(...counts)).toBe(7);
    expect(Math.max(...counts)).toBe(8);
    expect(counts.reduce((a, b) => a + b) / 100).toBeCloseTo(2 / 0.255, 0);
  });

  test("a packet that the change of channels cuts is lost: one in some two hundred", () => {
    const counts = pair({ metres: 2, model: CALM, windows: 500 }).map((window) => window.length);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(6);
    const heard = counts.reduce((a, b) => a + b) / 500 / (2 / 0.255);
    // 0.376 ms of each 100 ms.
    expect(heard).toBeGreaterThan(0.98);
    expect(heard).toBeLessThan(1.005);
  });

  test("the three channels take their turns", () => {
    const channels = pair({ metres: 2, model: CALM }).flat();
    for (const channel of [37, 38, 39])
      expect(channels.filter((report) => report.channel === channel).length / channels.length).toBeCloseTo(1 / 3, 0);
    expect(new Set(channels.map((report) => report.channel)).size).toBe(3);
  });

  test("half the window in each interval hears half the packets", () => {
    const clock = new VirtualClock(START);
    const air = new Air({ clock, seed: 5, model: CALM });
    air.station("sender").advertise(beacon("c0:00:00:00:00:01"));
    let all = 0;
    let half = 0;
    air.station("a").scan({ windowMs: 100, intervalMs: 100, heard: () => all++ });
    air.station("b").scan({ windowMs: 50, intervalMs: 100, heard: () => half++ });
    clock.advanceTo(START + 600);
    expect(all / (600 / 0.255)).toBeCloseTo(1, 1);
    expect(half / all).toBeCloseTo(0.5, 1);
    expect(air.station("b").airTime.scanSeconds).toBeCloseTo(300, 3);
    expect(air.station("sender").airTime.advertisingEvents).toBeCloseTo(600 / 0.255, -1);
    expect(air.station("sender").airTime.transmitSeconds).toBeCloseTo((600 / 0.255) * 3 * 376e-6, 1);
  });

  test("what starts or changes inside an open window is heard from then on", () => {
    const clock = new VirtualClock(START);
    const air = new Air({ clock, seed: 1, model: CALM });
    const heard: string[] = [];
    const sender = air.station("sender");
    air.station("ear").scan({ windowMs: 100, intervalMs: 100, heard: ({ address, data }) => void heard.push(`${address.slice(15, 17)}:${data[0]}`) });
    clock.advanceTo(START + 0.35);
    sender.advertise(beacon("c0:00:00:00:00:01"));
    clock.advanceTo(START + 0.9);
    sender.advertise(beacon("c0:00:00:00:00:02"));
    clock.advanceTo(START + 1.5);
    sender.amend({ packets: [Uint8Array.of(9)] });
    clock.advanceTo(START + 2);
    sender.advertise(undefined);
    clock.advanceTo(START + 4);
    expect(heard.join(" ")).toMatch(/^(01:0 ){2,3}(02:0 ){2,3}(02:9 ?){2}$/);
  });

  test("an advertisement that is withdrawn at once has been sent", () => {
    const clock = new VirtualClock(START);
    const air = new Air({ clock, seed: 1, model: CALM });
    const heard: string[] = [];
    air.station("ear").scan({ windowMs: 1000, intervalMs: 1000, heard: ({ address }) => void heard.push(address) });
    clock.advanceTo(START + 0.5);
    air.station("sender").advertise(beacon("c0:00:00:00:00:01"));
    air.station("sender").advertise(undefined);
    clock.advanceTo(START + 3);
    expect(heard).toEqual(["c0:00:00:00:00:01 random"]);
  });
});

describe("signal strength", () => {
  test("falls with the distance as the exponent says", () => {
    const at = (metres: number) => pair({ metres, model: { ...CALM, exponent: 2 }, windows: 1 })[0]![0]!.rssi;
    expect(at(1)).toBe(-59);
    expect(at(10)).toBe(-79);
    expect(at(2)).toBe(-65);
  });

  test("scatters around it from packet to packet, and a stronger sender is louder by as much", () => {
    const values = pair({ metres: 3, model: { shadowingDb: 0 } }).flat();
    expect(new Set(values.map((report) => report.rssi)).size).toBeGreaterThan(5);
    const mean = (reports: Report[]) => reports.reduce((sum, report) => sum + 10 ** (report.rssi / 10), 0) / reports.length;
    const louder = pair({ metres: 3, model: { shadowingDb: 0 }, sender: { txPower: 4 } }).flat();
    expect(10 * Math.log10(mean(louder) / mean(values))).toBeCloseTo(4, 0);
    expect(10 * Math.log10(mean(values))).toBeCloseTo(-59 - 30 * Math.log10(3), 0);
  });

  test("ends at the receiver's sensitivity", () => {
    expect(pair({ metres: 15, model: CALM, windows: 3 }).flat().length).toBeGreaterThan(20);
    expect(pair({ metres: 20, model: CALM, windows: 3 }).flat()).toEqual([]);
    expect(pair({ metres: 20, model: CALM, windows: 3, sender: { txPower: 4 } }).flat().length).toBeGreaterThan(20);
  });

  test("follows a board that walks away", () => {
    const clock = new VirtualClock(START);
    const air = new Air({ clock, seed: 1, model: CALM });
    const heard: number[] = [];
    air.station("sender").advertise(beacon("c0:00:00:00:00:01"));
    air.place(air.station("ear"), (time) => ({ x: 1 + (time - START), y: 0 }));
    air.station("ear").scan({ windowMs: 100, intervalMs: 100, heard: ({ rssi }) => void heard.push(rssi) });
    clock.advanceTo(START + 10);
    expect(heard[0]).toBe(-59);
    expect(heard.at(-1)).toBe(Math.round(-59 - 30 * Math.log10(10)));
    expect([...heard].sort((a, b) => b - a)).toEqual(heard);
  });

  test("an obstacle takes its share both ways, a tin takes everything", () => {
    const clock = new VirtualClock(START);
    const air = new Air({ clock, seed: 1, model: CALM });
    const a = air.station("a");
    const b = air.station("b");
    air.place(b, { x: 1, y: 0 });
    const heard: number[] = [];
    for (const [station, address] of [
      [a, "c0:00:00:00:00:0a"],
      [b, "c0:00:00:00:00:0b"],
    ] as const) {
      station.advertise(beacon(address));
      station.scan({ windowMs: 100, intervalMs: 100, heard: ({ rssi }) => void heard.push(rssi) });
    }
    clock.advanceTo(START + 2);
    expect(new Set(heard.splice(0))).toEqual(new Set([-59]));
    air.obstacle(a, b, 12);
    clock.advanceTo(START + 4);
    expect(new Set(heard.splice(0))).toEqual(new Set([-71]));
    air.silence(a, true);
    clock.advanceTo(START + 4.01);
    heard.length = 0;
    clock.advanceTo(START + 8);
    expect(heard).toEqual([]);
    air.silence(a, false);
    clock.advanceTo(START + 10);
    expect(heard.length).toBeGreaterThan(10);
  });

  test("a rule can lose what it likes", () => {
    const clock = new VirtualClock(START);
    const air = new Air({ clock, seed: 1, model: CALM });
    air.station("sender").advertise(beacon("c0:00:00:00:00:01"));
    const jam = air.lose(({ channel }) => channel !== 38);
    const channels = new Set<number>();
    air.station("ear").scan({ windowMs: 100, intervalMs: 100, heard: ({ channel }) => void channels.add(channel) });
    clock.advanceTo(START + 5);
    expect([...channels]).toEqual([38]);
    jam.cancel();
    clock.advanceTo(START + 10);
    expect(channels.size).toBe(3);
  });
});

describe("many at once", () => {
  /** `names` advertise in one room; the sums of what one of them hears in ten windows. */
  function room(names: string[], seed: number, ear = "ear"): string[] {
    const clock = new VirtualClock(START);
    const air = new Air({ clock, seed });
    names.forEach((name) => {
      const station = air.station(name);
      const number = Number.parseInt(name.slice(1), 10);
      air.place(station, { x: number % 7, y: number % 5 });
      clock.at(START + 0.01 * number, () => station.advertise(beacon(`c0:00:00:00:00:${number.toString(16).padStart(2, "0")}`)));
    });
    const heard: string[] = [];
    clock.advanceTo(START + 10);
    air
      .station(ear)
      .scan({ windowMs: 100, intervalMs: 100, heard: (report) => void heard.push(`${clock.now.toFixed(6)} ${report.address} ${report.rssi}`) });
    clock.advanceTo(START + 15);
    return heard;
  }
  const names = Array.from({ length: 20 }, (_, i) => `n${i}`);

  test("the same seed gives the same air, another seed another one", () => {
    expect(room(names, 1)).toEqual(room(names, 1));
    expect(room(names, 1)).not.toEqual(room(names, 2));
  });

  test("the order in which boards are made changes nothing", () => {
    expect(room([...names].reverse(), 1)).toEqual(room(names, 1));
  });

  test("one that listens too changes nothing for the others", () => {
    const run = (others: boolean) => {
      const clock = new VirtualClock(START);
      const air = new Air({ clock, seed: 4 });
      for (const name of names) {
        air.station(name).advertise(beacon(`c0:00:00:00:00:${name.slice(1).padStart(2, "0")}`));
        if (others) air.station(name).scan({ windowMs: 30, intervalMs: 70, heard: () => undefined });
      }
      const heard: string[] = [];
      clock.advanceTo(START + 20);
      air.station("ear").scan({ windowMs: 100, intervalMs: 100, heard: ({ address, rssi }) => void heard.push(address + rssi) });
      clock.advanceTo(START + 22);
      return heard;
    };
    expect(run(true)).toEqual(run(false));
  });

  test("packets that overlap are lost unless one is stronger by the capture ratio", () => {
    const clock = new VirtualClock(START);
    const air = new Air({ clock, seed: 1, model: CALM });
    const heard = new Map<string, number>();
    air
      .station("ear")
      .scan({ windowMs: 1000, intervalMs: 1000, heard: ({ sender }) => void heard.set(sender.name, (heard.get(sender.name) ?? 0) + 1) });
    const [near, far] = [air.station("near"), air.station("far")];
    const both = (nearMetres: number) => {
      heard.clear();
      air.place(near, { x: nearMetres, y: 0 });
      air.place(far, { x: 0, y: 4 });
      clock.advanceTo(Math.ceil(clock.now) + 0.25);
      for (const station of [near, far]) {
        station.advertise(beacon("c0:00:00:00:00:01"));
        station.advertise(undefined);
      }
      clock.advanceTo(Math.ceil(clock.now) + 3);
      return Object.fromEntries(heard);
    };
    expect(both(4)).toEqual({});
    expect(both(1)).toSatisfy((got: Record<string, number>) => got.far === undefined);
  });

  test("a hundred senders in a room lose about as many packets as the arithmetic says", () => {
    const clock = new VirtualClock(START);
    const air = new Air({ clock, seed: 9, model: CALM });
    for (let i = 0; i < 100; i++) {
      const station = air.station(`s${i}`);
      air.place(station, { x: 3 * Math.cos(i), y: 3 * Math.sin(i) });
      clock.at(START + i * 0.0377, () => station.advertise(beacon("c0:00:00:00:00:01")));
    }
    clock.advanceTo(START + 60);
    let heard = 0;
    air.station("ear").scan({ windowMs: 100, intervalMs: 100, heard: () => heard++ });
    clock.advanceTo(START + 80);
    // All equally strong: a packet survives if none of 99 others begins within 376 us before or after it.
    const survive = Math.exp(-(99 / 0.255) * 2 * 376e-6);
    expect(heard / ((20 / 0.255) * 100)).toBeGreaterThan(survive - 0.05);
    expect(heard / ((20 / 0.255) * 100)).toBeLessThan(survive + 0.05);
  });

  test("a board does not hear while it sends itself", () => {
    const run = (sends: boolean) => {
      const clock = new VirtualClock(START);
      const air = new Air({ clock, seed: 9, model: CALM });
      air.station("a").advertise(beacon("c0:00:00:00:00:01", { intervalMs: 20 }));
      if (sends) air.station("b").advertise(beacon("c0:00:00:00:00:02", { intervalMs: 20 }));
      let heard = 0;
      air.station("b").scan({ windowMs: 1000, intervalMs: 1000, heard: () => heard++ });
      clock.advanceTo(START + 60);
      return heard;
    };
    // It sends for 1.6 of 25 ms, and a packet of 0.4 ms must fit beside that.
    expect(run(true) / run(false)).toBeGreaterThan(0.88);
    expect(run(true) / run(false)).toBeLessThan(0.96);
  });
});

test("an active scanner also gets the scan response of a sender that has one", () => {
  const clock = new VirtualClock(START);
  const air = new Air({ clock, seed: 1, model: CALM });
  air.station("sender").advertise(beacon("c0:00:00:00:00:01", { scannable: true, scanResponse: Uint8Array.of(2, 9, 65) }));
  const reports = { active: [] as Report[], passive: [] as Report[] };
  air.station("a").scan({ windowMs: 1000, intervalMs: 1000, active: true, heard: (report) => void reports.active.push(report) });
  air.station("p").scan({ windowMs: 1000, intervalMs: 1000, heard: (report) => void reports.passive.push(report) });
  clock.advanceTo(START + 5);
  expect(reports.passive.some((report) => report.scanResponse)).toBe(false);
  expect(reports.active.filter((report) => report.scanResponse).length).toBe(reports.active.length / 2);
});

test("extended advertising is heard by those who asked for it, coded further away", () => {
  const clock = new VirtualClock(START);
  const air = new Air({ clock, seed: 1, model: CALM });
  air.place(air.station("far"), { x: 25, y: 0 });
  air.station("far").advertise(beacon("c0:00:00:00:00:01", { extended: true, phy: "coded" }));
  const heard = { legacy: 0, coded: 0 };
  air.station("l").scan({ windowMs: 100, intervalMs: 100, heard: () => heard.legacy++ });
  air.station("c").scan({ windowMs: 100, intervalMs: 100, extended: true, phys: ["coded"], heard: () => heard.coded++ });
  clock.advanceTo(START + 10);
  expect(heard.legacy).toBe(0);
  expect(heard.coded).toBeGreaterThan(25);
});
