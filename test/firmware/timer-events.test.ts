import { expect, test } from "vitest";
import { radioOf, WornWorld } from "../support/worn-boards.ts";

const DAY = 86400;

/** Events of the firmware's timer in a day, and what there was to do: beginnings and ends of scans, new addresses, one daily clean-up. */
test.each([
  ["wearable", 24],
  ["scanner", 24],
  ["beacon", 0],
])("the one timer of a %s wakes the board when there is something to do, and never else", async (role, scanEvents) => {
  const world = new WornWorld(501);
  const board = await world.wear({ x: 0, y: 0 }, { role });
  world.pass(1000);
  const before = { timers: board.timers.events, ...radioOf(board).activity };
  world.pass(DAY);
  const { scans, stackRestarts } = radioOf(board).activity;
  const work = 2 * (scans - before.scans) + (role === "scanner" ? 0 : stackRestarts - before.stackRestarts);
  // keys of a new day are made in three steps with the main loop in between; a clean-up; a scan over the edge of the day
  const rest = role === "scanner" ? 2 : 6;
  const events = board.timers.events - before.timers;
  expect(events).toBeGreaterThanOrEqual(work - 1);
  expect(events).toBeLessThanOrEqual(work + rest);
  expect(Math.round(events / 24)).toBe(scanEvents + (role === "scanner" ? 0 : 4));
  expect(board.timers.count).toBe(1);
});
