import { describe, expect, test } from "vitest";
import { puckjs } from "../../boards/puckjs.ts";
import { PARTS } from "../../host-tools/power/charge.ts";
import { detection } from "../../host-tools/power/detection.ts";
import { estimate, usualSchedule } from "../../host-tools/power/model.ts";
import { firmwareAccount } from "../../host-tools/simulator/power.ts";
import type { Radio, RadioActivity } from "../../host-tools/simulator/radio.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { WornWorld } from "../support/worn-boards.ts";

const DAY = 86400;
const activityOf = (board: VirtualBoard) => (board.radio as Radio).activity;

/** What was done between two readings. */
function between(from: RadioActivity, to: RadioActivity): RadioActivity {
  const difference = (a: object, b: object): object =>
    Object.fromEntries(
      Object.entries(b).map(([key, value]) => {
        const before = (a as Record<string, unknown>)[key];
        return [
          key,
          typeof value === "number" ? value - ((before as number | undefined) ?? 0) : difference((before as object) ?? {}, value as object),
        ];
      }),
    );
  return difference(from, to) as RadioActivity;
}

describe("a day of virtual boards with the real firmware", () => {
  test.each([
    ["the settings of a fresh board", {}],
    ["more scans, slower and weaker advertising", { scanTime: 4, cycleTime: 180, advertisingInterval: 500, txPower: -8 }],
  ])(
    "costs what the formula says: %s",
    async (_, settings) => {
      const world = new WornWorld(3);
      const boards: VirtualBoard[] = [];
      for (const [x, y] of [
        [0, 0],
        [1, 0],
        [0, 1],
      ])
        boards.push(await world.wear({ x: x!, y: y! }, { role: "wearable", settings }));
      world.pass(60);
      const before = activityOf(boards[0]!);
      world.pass(DAY);
      const counted = firmwareAccount(puckjs, between(before, activityOf(boards[0]!)), DAY);
      const formula = estimate(puckjs, "wearable", usualSchedule("wearable", settings), { neighbours: 2 });
      expect(Math.abs(counted.mean / formula.mean - 1)).toBeLessThan(0.005);
      const tolerance = { sleep: 0.001, advertising: 0.01, scanning: 0.01, connected: 0, cpu: 0.05 };
      for (const part of PARTS.filter((one) => formula.parts[one] !== undefined))
        expect(Math.abs(counted[part]! / DAY / formula.parts[part]! - 1), part).toBeLessThan(tolerance[part]);
    },
    60_000,
  );
});

describe("the chance that an encounter is heard", () => {
  test("is the share of the cycle in which a scan can fall into it, while it is shorter than the cycle", () => {
    expect(detection({ scanTime: 2, cycleTime: 300 }, 250, 1)).toBeGreaterThan(60 / 300);
    expect(detection({ scanTime: 2, cycleTime: 300 }, 250, 1)).toBeLessThan(62 / 300);
  });

  test("is as good as certain for 5 minutes with the scans GAEN-10 demands, and falls with slow advertising", () => {
    expect(detection({ scanTime: 2, cycleTime: 300 }, 250, 5)).toBeGreaterThan(0.999);
    expect(detection({ scanTime: 2, cycleTime: 300 }, 1000, 5)).toBeCloseTo(0.989, 3);
    expect(detection({ scanTime: 2, cycleTime: 300 }, 10_000, 15)).toBeLessThan(0.6);
    expect(detection({ scanTime: 2, cycleTime: 600 }, 250, 5)).toBeCloseTo(0.5, 2);
  });
});
