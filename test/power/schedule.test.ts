import { readFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { puckjs } from "../../boards/puckjs.ts";
import { run } from "../../host-tools/cli/program.ts";
import { type Choice, COIN_CELL, chooseSchedule, USABLE, type Wish } from "../../host-tools/power/schedule.ts";
import { settingProblem } from "../../protocols/settings.ts";

function choose(changes: Partial<Wish>): Choice {
  return chooseSchedule({
    facts: puckjs,
    role: "wearable",
    battery: { milliampereHours: COIN_CELL, usable: USABLE },
    surroundings: { neighbours: 5 },
    fixed: {},
    ...changes,
  });
}

describe("choosing a schedule", () => {
  test("a Puck.js with the settings of a fresh board lasts 60 days on a CR2032", () => {
    const { days, schedule } = choose({});
    expect(schedule).toEqual({ cycleTime: 300, scanTime: 2, advertisingInterval: 250, txPower: 0, messagePeriod: 60 });
    expect(days).toBeGreaterThan(60);
  });

  test("keeps GAEN's demands and recommendations as long as it can (GAEN-08, GAEN-10)", () => {
    for (const days of [5, 10, 20, 30, 40, 50, 60]) {
      const { schedule, reached, days: lasts } = choose({ days });
      expect(reached).toBe(true);
      expect(lasts).toBeGreaterThanOrEqual(days);
      expect(schedule.scanTime).toBeGreaterThanOrEqual(2);
      expect(schedule.cycleTime).toBeLessThanOrEqual(300);
      expect(schedule.advertisingInterval).toBeGreaterThanOrEqual(200);
      expect(schedule.advertisingInterval).toBeLessThanOrEqual(270);
      for (const [name, value] of Object.entries(schedule)) expect(settingProblem(name, value)).toBeUndefined();
    }
  });

  test("fewer days are more scanning: 4 s as recommended, and more often", () => {
    const duty = (days: number) => {
      const { scanTime, cycleTime } = choose({ days }).schedule;
      return scanTime / cycleTime;
    };
    expect(duty(10)).toBeGreaterThan(duty(20));
    expect(duty(20)).toBeGreaterThan(duty(60));
    expect(choose({ days: 30 }).schedule.scanTime).toBe(4);
  });

  test("says so when it has to leave the recommended advertising, and goes no further than it has to", () => {
    const { schedule, notes, reached } = choose({ days: 68 });
    expect(reached).toBe(true);
    expect(schedule).toMatchObject({ scanTime: 2, cycleTime: 300 });
    expect(schedule.advertisingInterval).toBeGreaterThan(270);
    expect(schedule.advertisingInterval).toBeLessThan(1000);
    expect(notes.join(" ")).toContain("leaves GAEN's recommended 200 to 270 ms");
  });

  test("gives the longest there is where nothing lasts long enough", () => {
    const { reached, days, notes } = choose({ days: 365 });
    expect(reached).toBe(false);
    expect(days).toBeLessThan(365);
    expect(notes[0]).toContain("365 days can't be reached");
  });

  test("leaves alone what is decided", () => {
    expect(choose({ days: 60, fixed: { scanTime: 4, txPower: -8 } }).schedule).toMatchObject({ scanTime: 4, txPower: -8 });
    expect(choose({ fixed: { cycleTime: 600 } }).notes.join(" ")).toContain("at least every 300 s");
  });

  test("the table has the chosen schedule once and varies one setting at a time, those of the role only", () => {
    const { alternatives, schedule } = choose({ days: 60 });
    expect(alternatives.filter((one) => one.chosen).map((one) => one.schedule)).toEqual([schedule]);
    for (const one of alternatives.filter(({ chosen }) => !chosen))
      expect(Object.keys(schedule).filter((name) => one.schedule[name as keyof typeof schedule] !== schedule[name as keyof typeof schedule])).toEqual(
        [one.changed],
      );
    expect(new Set(choose({ role: "beacon" }).alternatives.map((one) => one.changed))).toEqual(
      new Set([undefined, "advertisingInterval", "txPower"]),
    );
    expect(choose({ role: "scanner" }).alternatives[0]).not.toHaveProperty("reach");
  });
});

describe("SmartBeacons and several protocols", () => {
  test("a SmartBeacon begins at its own 100 ms, and advertises as often as there is room", () => {
    const intervalFor = (days?: number) => choose({ role: "smartbeacon", days }).schedule.advertisingInterval;
    expect([intervalFor(), intervalFor(80), intervalFor(100), intervalFor(150)]).toEqual([100, 100, 150, 250]);
    const slow = choose({ role: "smartbeacon", days: 200 });
    expect(slow.schedule.advertisingInterval).toBeGreaterThan(250);
    expect(slow.notes.join(" ")).toContain("messages in fragments will be lost");
    expect(slow.notes.join(" ")).not.toContain("GAEN");
    expect(new Set(slow.alternatives.map(({ changed }) => changed))).toEqual(new Set([undefined, "advertisingInterval", "txPower", "messagePeriod"]));
  });

  test("a message is work: the longer between two, and the smaller, the less", () => {
    const cpu = (carrier: "token" | "message" | "fernet", messagePeriod: number) =>
      choose({ role: "smartbeacon", fixed: { messagePeriod }, speech: { inTurns: false, carrier } }).estimate.parts.cpu!;
    expect(cpu("token", 60)).toBeLessThan(cpu("message", 60));
    expect(cpu("message", 60)).toBeLessThan(cpu("fernet", 60));
    expect(cpu("fernet", 120)).toBeCloseTo(cpu("fernet", 60) / 2, 9);
  });

  test("a collector listens for 4 s of 30, and less only where days are wanted", () => {
    const surroundings = { neighbours: 1 };
    expect(choose({ role: "collector", surroundings }).schedule).toMatchObject({ scanTime: 4, cycleTime: 30 });
    const long = choose({ role: "collector", surroundings, days: 30 });
    expect(long.reached).toBe(true);
    expect(long.schedule.scanTime).toBe(4);
    expect(long.notes.join(" ")).toContain(`this is 4 s of ${long.schedule.cycleTime}`);
  });

  test("in turns costs the processor more than all else it does, linked costs nothing", () => {
    const turns = choose({ speech: { inTurns: true, carrier: "token" } });
    expect(turns.estimate.parts.cpu! / choose({}).estimate.parts.cpu!).toBeGreaterThan(50);
    expect(turns.estimate.parts.scanning).toBe(choose({}).estimate.parts.scanning);
  });
});

describe("docs/energy.md", () => {
  const page = readFileSync(new URL("../../docs/energy.md", import.meta.url), "utf8");

  test("has the figures of the model for the settings of a fresh board", () => {
    const { days, daysRange, meanMicroamps, estimate } = choose({});
    expect(page).toContain(`uses ${meanMicroamps.toFixed(0)} µA: **${days.toFixed(0)} days on a CR2032**`);
    expect(page).toContain(`${daysRange[0].toFixed(0)} to ${daysRange[1].toFixed(0)} days.`);
    for (const mean of Object.values(estimate.parts)) expect(page).toContain(`| ${mean.toFixed(1)} |`);
  });

  test("has the figures of the model for other roles and for several protocols", () => {
    const rows: [string, Partial<Wish>][] = [
      ["smartbeacon, compact tokens, 100 ms", { role: "smartbeacon" }],
      ["the same, MESSAGE C in fragments", { role: "smartbeacon", speech: { inTurns: false, carrier: "message" } }],
      ["the same, Fernet", { role: "smartbeacon", speech: { inTurns: false, carrier: "fernet" } }],
      ["MESSAGE C, 250 ms", { role: "smartbeacon", fixed: { advertisingInterval: 250 }, speech: { inTurns: false, carrier: "message" } }],
      ["collector, 4 s of 30 s, one SmartBeacon in reach", { role: "collector", surroundings: { neighbours: 1 } }],
      ["wearable, GAEN", {}],
      ["wearable, GAEN and DP-3T linked", {}],
      ["wearable, GAEN and DP-3T in turns", { speech: { inTurns: true, carrier: "token" } }],
    ];
    for (const [what, wish] of rows) {
      const { meanMicroamps, days, estimate } = choose(wish);
      const { advertising, scanning, cpu } = estimate.parts;
      const cell = (part: number | undefined) => (part === undefined ? "–" : Number(part.toFixed(0)).toLocaleString("en"));
      const cells = [
        what,
        cell(meanMicroamps),
        cell(advertising),
        cell(scanning),
        cell(cpu),
        ((meanMicroamps * 24) / 1000).toFixed(1),
        days.toFixed(0),
      ];
      expect(page).toContain(`| ${cells.join(" | ")} |`);
    }
  });

  test("recommends what is chosen, and says truly how long it lasts", () => {
    const rows = [...page.matchAll(/^\| (\d+) days \| (CR2032|2,600 mAh) \| (\d) s every (\d+) s \| (\d+) ms.* \| (\d+) days \|$/gm)];
    expect(rows.length).toBe(6);
    for (const [, days, battery, scanTime, cycleTime, advertisingInterval, lasts] of rows) {
      const choice = choose({ days: Number(days), battery: { milliampereHours: battery === "CR2032" ? COIN_CELL : 2600, usable: USABLE } });
      expect(choice.schedule).toEqual({
        scanTime: Number(scanTime),
        cycleTime: Number(cycleTime),
        advertisingInterval: Number(advertisingInterval),
        txPower: 0,
        messagePeriod: 60,
      });
      expect(choice.days).toSatisfy((exact: number) => Math.abs(exact - Number(lasts)) < 1);
    }
  });
});

async function tracelet(...argv: string[]): Promise<{ exit: number; out: string; err: string }> {
  const written = { out: "", err: "" };
  const spies = (["out", "err"] as const).map((where) =>
    vi.spyOn(where === "out" ? process.stdout : process.stderr, "write").mockImplementation((chunk) => {
      written[where] += String(chunk);
      return true;
    }),
  );
  try {
    return { exit: await run(argv), ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

describe("tracelet power", () => {
  test("answers a program with days, mean current, schedule, alternatives, parts and errors", async () => {
    const { exit, out } = await tracelet("power", "--board", "puckjs", "--days", "60", "--json");
    expect(exit).toBe(0);
    const answer = JSON.parse(out);
    expect(answer).toMatchObject({ board: "puckjs", role: "wearable", wanted: 60, reached: true, battery: { milliampereHours: 225, usable: 0.85 } });
    expect(answer.days).toBeGreaterThanOrEqual(60);
    expect((225 * 0.85 * 1000) / answer.meanMicroamps / 24).toBeCloseTo(answer.days, 6);
    expect(Object.keys(answer.schedule).sort()).toEqual(["advertisingInterval", "cycleTime", "messagePeriod", "scanTime", "txPower"]);
    expect(Object.keys(answer.parts)).toEqual(["sleep", "advertising", "scanning", "cpu"]);
    expect(answer.alternatives.length).toBeGreaterThan(15);
    expect(answer.errors.puckjs.scanning).toMatchObject({ published: 12000, kind: "input" });
  });

  test("shows a person the schedule, its life, the parts and what other settings cost", async () => {
    const { out } = await tracelet("power", "--board", "puckjs", "--battery", "1000", "--usable", "100", "--set", "scanTime=4");
    expect(out).toMatch(/^schedule {2}scan 4 s every 300 s, advertise every 250 ms at 0 dBm$/m);
    expect(out).toMatch(/^lasts {5}\d+ days \(\d+ to \d+ if/m);
    expect(out).toMatch(/^\* {5}4 {4}300 {8}250 {5}0/m);
  });

  test.each([
    [["--board", "puck"], "no board is called"],
    [["--board", "puckjs", "--role", "lamp"], "no role is called"],
    [
      ["--board", "bangle2"],
      "nobody has published what a Bangle.js 2 uses for advertising and scanning; at rest it is 300 uA; boards with published currents: puckjs, mdbt42q, pixljs",
    ],
    [["--board", "bangle2", "--role", "scanner"], "uses for scanning; at rest"],
    [["--board", "microbit2", "--role", "scanner"], "nobody has published what a micro:bit 2 uses; boards"],
    [["--board", "puckjs", "--set", "retention=3"], "has no effect on the battery"],
    [["--board", "puckjs", "--set", "messagePeriod=120"], "no effect on the battery of a wearable"],
    [["--board", "puckjs", "--role", "collector", "--set", "txPower=0"], "those that have: scanTime, cycleTime"],
    [["--board", "puckjs", "--role", "smartbeacon", "--protocol", "gaen"], "speaks smartbeacon and nothing else"],
    [["--board", "puckjs", "--turns"], "only several protocols"],
    [["--board", "puckjs", "--role", "scanner", "--protocol", "gaen,dp3t", "--turns"], "only several protocols"],
    [["--board", "puckjs", "--role", "smartbeacon", "--carrier", "pigeon"], "token, message, fernet"],
    [["--board", "puckjs", "--set", "txPower=5"], "Puck.js does"],
    [["--board", "puckjs", "--set", "scanTime=3"], "multiple of 2"],
    [["--board", "puckjs", "--days", "soon"], "a number from 1 to 3650"],
    [["--board", "puckjs", "--battery", "0"], "a number from 1 to 100000"],
  ])("refuses %j and says why", async (argv, words) => {
    const { exit, err } = await tracelet("power", ...argv);
    expect(exit).toBe(2);
    expect(err).toContain(words);
  });
});
