import fc from "fast-check";
import { expect, test } from "vitest";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";

test("events run in the order of their times, equal times in the order in which they were planned", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }), (times) => {
      const clock = new VirtualClock(100);
      const seen: number[] = [];
      times.forEach((time, i) => void clock.at(100 + time, () => void seen.push(i)));
      clock.advanceTo(200);
      const expected = times.map((_, i) => i).sort((a, b) => times[a]! - times[b]! || a - b);
      expect(seen).toEqual(expected);
      expect(clock.now).toBe(200);
    }),
  );
});

test("a cancelled event never runs, even when most are cancelled", () => {
  const clock = new VirtualClock(0);
  let ran = 0;
  const planned = Array.from({ length: 3000 }, (_, i) => clock.at(i, () => void ran++));
  for (const [i, event] of planned.entries()) if (i % 10 !== 0) event.cancel();
  planned[1]!.cancel();
  expect(clock.nextAt).toBe(0);
  clock.advanceTo(5000);
  expect(ran).toBe(300);
  expect(clock.nextAt).toBeUndefined();
});

test("cancelling an event that has run, or twice, does nothing", () => {
  const clock = new VirtualClock(0);
  const once = clock.after(1, () => undefined);
  clock.step();
  once.cancel();
  once.cancel();
  clock.after(1, () => undefined);
  expect(clock.step()).toBe(true);
  expect(clock.step()).toBe(false);
});

test("time never goes back: an event for the past runs next", () => {
  const clock = new VirtualClock(1000);
  let at = 0;
  clock.at(10, () => {
    at = clock.now;
  });
  clock.step();
  expect(at).toBe(1000);
});

test("advancing runs everything up to and including the time, also what is planned on the way", () => {
  const clock = new VirtualClock(0);
  const seen: number[] = [];
  const tick = () => {
    seen.push(clock.now);
    clock.after(1, tick);
  };
  clock.after(1, tick);
  clock.advanceTo(5);
  expect(seen).toEqual([1, 2, 3, 4, 5]);
});

test("an event that throws leaves the clock usable", () => {
  const clock = new VirtualClock(0);
  clock.after(1, () => {
    throw new Error("broken");
  });
  clock.after(2, () => undefined);
  expect(() => clock.advanceTo(3)).toThrow("broken");
  clock.advanceTo(3);
  expect(clock.now).toBe(3);
});

test("host code that sleeps on the clock is driven to its end without waiting for real time", async () => {
  const clock = new VirtualClock(0);
  const sleep = (seconds: number) => new Promise<void>((resolve) => void clock.after(seconds, resolve));
  const work = async () => {
    await sleep(3600);
    await Promise.all([sleep(10), sleep(86_400)]);
    return clock.now;
  };
  expect(await clock.drive(work())).toBe(90_000);
});

test("driving a task that nothing on the clock will wake is an error and not an endless wait", async () => {
  const clock = new VirtualClock(0);
  await expect(clock.drive(new Promise(() => undefined))).rejects.toThrow(/nothing is planned/);
  const forever = () => void clock.after(1, forever);
  forever();
  await expect(clock.drive(new Promise(() => undefined), { limit: 100 })).rejects.toThrow(/100 virtual seconds/);
});

test("a task that fails hands its error on", async () => {
  const clock = new VirtualClock(0);
  await expect(clock.drive(Promise.reject(new Error("no")))).rejects.toThrow("no");
});
