import { describe, expect, test } from "vitest";
import { DEMO_DEFAULTS, type DemoOptions, runDemo } from "../../../host-tools/servers/quarantine/demo/scenario.ts";

const run = (options: Partial<DemoOptions>) => runDemo({ ...DEMO_DEFAULTS, seed: 1, ...options });
const CARRIERS = ["fernet", "message-c"] as const;

describe.each(CARRIERS)("QB-23: the demonstration with %s", (carrier) => {
  test("the same seed gives the same run, byte for byte; another seed another", () => {
    const first = JSON.stringify(run({ carrier }));
    expect(JSON.stringify(run({ carrier }))).toBe(first);
    expect(JSON.stringify(run({ carrier, seed: 2 }))).not.toBe(first);
  });

  test("where all devices work nobody is alerted, and each token is accepted", () => {
    const { log, alerts } = run({ carrier, works: 1 });
    expect(alerts).toEqual({});
    expect(log.filter((line) => / forwards .* accepted$/.test(line))).toHaveLength(300);
    expect(log.some((line) => line.endsWith("refused"))).toBe(false);
  });

  test("where none works each control tells of each phone", () => {
    const { alerts } = run({ carrier, works: 0, returns: 0 });
    expect(Object.fromEntries(Object.entries(alerts).map(([beacon, times]) => [beacon, times.length]))).toEqual({ beacon_01: 38, beacon_02: 19 });
    expect(alerts.beacon_02[0]).toBe("2020-06-05 11:00:16.000000");
  });

  test("devices that fail now and then cause few alerts, and some", () => {
    const { log } = run({ carrier, seed: 3, seconds: 3000 });
    const alerted = log.filter((line) => line.includes("ALERT")).length;
    expect(alerted).toBeGreaterThan(0);
    // of three phones at 199 controls
    expect(alerted).toBeLessThan((3 * 199) / 4);
  });

  test("a phone whose Wi-Fi was away sends all that it kept, not the last alone", () => {
    const { log } = run({ carrier, seed: 3, seconds: 3000 });
    const burst = log.some((line, i) => {
      const [, phone, at] = /^(.*): (skt_0\d) forwards .* accepted$/.exec(line) ?? [];
      return phone !== undefined && log[i + 1]?.startsWith(`${phone}: ${at} forwards`) && log[i + 1].endsWith("accepted");
    });
    expect(burst).toBe(true);
  });
});

test("both carriers come to the same alerts at the same times: the rules are the same, and so are the devices that fail", () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const [fernet, messages] = CARRIERS.map((carrier) => run({ carrier, seed, seconds: 1500 }).alerts);
    expect(messages).toEqual(fernet);
  }
});
