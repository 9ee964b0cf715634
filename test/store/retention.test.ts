import { describe, expect, test } from "vitest";
import type { MhRow } from "../../host-tools/store/mh-csv.ts";
import { Store } from "../../host-tools/store/store.ts";
import { at, clock, encounter, mark, sighting, slots } from "./slots.ts";

const BOARD = { logId: "00112233aabbccdd" };
const DAY = 86_400;
const NOW = 1_700_000_000;
const OLD = NOW - 20 * DAY;

describe("COM-05: what is old is deleted", () => {
  test("GAEN-11: by the time it was heard; records without UTC by the time they were pulled", async () => {
    let now = NOW;
    const store = Store.open(":memory:", { now: () => now });
    // Era 1 began 20 days ago; era 2 never saw a clock.
    await store.commitPull(BOARD, [
      {
        seq: 145,
        era: 1,
        baseTick: 0,
        slots: slots(
          clock(1, 0, OLD),
          encounter({ first: 2 }),
          sighting(1, 2, -50, 2),
          mark(1, 10 * DAY),
          encounter({ first: 2 }),
          mark(2, 0),
          encounter({ first: 2 }),
        ),
      },
    ]);
    const left = async () => (await store.encounters()).map((one) => one.seq);
    expect(await store.purge(now, 14)).toEqual({ encounters: 1, sightings: 1, keys: 0, messages: 0 });
    expect(await left()).toEqual([at(4), at(6)]);
    now += 5 * DAY;
    expect(await store.purge(now, 14)).toEqual({ encounters: 1, sightings: 0, keys: 0, messages: 0 });
    now += 10 * DAY;
    expect(await store.purge(now, 14)).toEqual({ encounters: 1, sightings: 0, keys: 0, messages: 0 });
    expect(await left()).toEqual([]);
    expect((await store.positions()).get(BOARD.logId)).toBe(at(7));
  });

  test("own keys go by their last interval, imported rows by the day of their import", async () => {
    let now = NOW;
    const store = Store.open(":memory:", { now: () => now });
    const today = Math.floor(NOW / 600);
    await store.addKeys(BOARD, [
      { tek: Buffer.alloc(16, 1), rollingStart: today - 15 * 144, rollingPeriod: 100 },
      { tek: Buffer.alloc(16, 2), rollingStart: today - 14 * 144, rollingPeriod: 144 },
    ]);
    const row: MhRow = {
      kind: "rx_data",
      start: 1589580000,
      end: 1589580000,
      rpi: Buffer.alloc(16),
      aem: Buffer.alloc(4),
      maxRssi: -5,
      address: null,
      addressType: "random",
    };
    await store.importRows({ file: "rx_data.csv", kind: "rx_data" }, [row]);
    expect(await store.purge(now, 14)).toEqual({ encounters: 0, sightings: 0, keys: 1, messages: 0 });
    now += 14 * DAY + 1;
    expect(await store.purge(now, 14)).toEqual({ encounters: 1, sightings: 0, keys: 1, messages: 0 });
    expect(await store.importRows({ file: "rx_data.csv", kind: "rx_data" }, [row])).toMatchObject({ added: 1 });
  });

  test("a retention that is no number of days is refused", async () => {
    const store = Store.open(":memory:");
    for (const days of [-1, Number.NaN, 40_000]) await expect(store.purge(NOW, days)).rejects.toMatchObject({ code: "bad_retention" });
  });
});
