import { expect, test } from "vitest";
import { parseTime } from "../../host-tools/cli/mark.ts";
import { matchStore } from "../../host-tools/cli/match.ts";
import { nodeCrypto } from "../../host-tools/node-crypto.ts";
import { Store } from "../../host-tools/store/store.ts";
import { metadataKey, rollingProximityIdentifier, rollingProximityIdentifierKey } from "../../protocols/gaen/key-schedule.ts";
import { encodeMetadata, encryptMetadata } from "../../protocols/gaen/metadata.ts";
import { clock, encounterSlot, slots } from "../store/slots.ts";
import { asPublished, exportOf } from "../support/diagnosis-keys.ts";

const NOON = Date.UTC(2026, 2, 2, 12) / 1000;
const TEK = new Uint8Array(16).fill(7);

test("an exposure of GAEN that is marked as safe is known and doesn't count (OCT-10)", async () => {
  const store = Store.open(":memory:", { now: () => NOON + 600 });
  const interval = Math.floor(NOON / 600);
  const rpi = rollingProximityIdentifier(nodeCrypto, rollingProximityIdentifierKey(nodeCrypto, TEK), interval);
  const aem = encryptMetadata(nodeCrypto, metadataKey(nodeCrypto, TEK), rpi, encodeMetadata(-4));
  const log = slots(clock(1, 0, NOON - 100), encounterSlot(rpi, aem, { first: 120, seconds: 60 }));
  await store.commitPull({ logId: "00112233aabbccdd", id: "badge-7" }, [{ seq: 145, era: 1, baseTick: 0, slots: log }]);
  const start = Math.floor(NOON / 86_400) * 86_400;
  const key = { key: TEK, rollingStart: start / 600, rollingPeriod: 144, transmissionRisk: 0, reportType: 1 };
  const published = asPublished(exportOf([key], [], start));
  const found = async () => {
    const { exposures, safe } = await matchStore(store, [published]);
    return [exposures.length, safe.length];
  };
  expect(await found()).toEqual([1, 0]);
  const mark = { board: "badge-7", protocol: null, identifier: null, from: NOON, to: NOON + 3600, note: null };
  const number = await store.addMark(mark);
  expect(await found()).toEqual([0, 1]);
  await store.removeMark(number);
  await store.addMark({ ...mark, board: "badge-7", from: NOON + 30 });
  expect(await found()).toEqual([1, 0]);
  await store.close();
});

test("times of a mark are UTC; the end of a day or minute is its last second; what is no time is refused", () => {
  expect(parseTime("2026-03-02", false)).toBe(NOON - 43_200);
  expect(parseTime("2026-03-02", true)).toBe(NOON + 43_199);
  expect(parseTime("2026-03-02 12:00", true)).toBe(NOON + 59);
  expect(parseTime("2026-03-02T12:00:30Z", true)).toBe(NOON + 30);
  for (const wrong of ["2026-02-30", "2026-13-01", "noon", "2026-03-02 25:00", "1772452800"]) expect(() => parseTime(wrong, false)).toThrow("UTC");
});
