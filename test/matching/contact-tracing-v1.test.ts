import { describe, expect, test } from "vitest";
import { matchDailyKeys } from "../../host-tools/matching/contact-tracing-v1.ts";
import { nodeCrypto } from "../../host-tools/node-crypto.ts";
import { dailyTracingKey, dayNumber, rollingProximityIdentifier, timeIntervalNumber } from "../../protocols/contact-tracing-v1/key-schedule.ts";
import { fromHex, loadVectors, type Row, toHex } from "../support/vectors.ts";

const vectors = loadVectors("ct_v10.json");

describe("Contact Tracing v1.0", () => {
  test.each(vectors.day_numbers)("second $unix is interval $tin of day $day (CT-03)", ({ unix, day, day_le, tin }) => {
    expect([dayNumber(unix), timeIntervalNumber(unix)]).toEqual([day, tin]);
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(dayNumber(unix));
    expect(bytes.toString("hex")).toBe(day_le);
  });

  test.each(vectors.cases)("keys and identifiers of day $day, $dtk (CT-01)", ({ tk, day, dtk, rpis }) => {
    expect(toHex(dailyTracingKey(nodeCrypto, fromHex(tk), day))).toBe(dtk);
    for (const { tin, rpi } of rpis) expect(toHex(rollingProximityIdentifier(nodeCrypto, fromHex(dtk), tin))).toBe(rpi);
  });

  test.each(vectors.known_bad.wrong as Row[])("not made: $mistake (CT-02)", ({ dtk, rpi }) => {
    const { tk, day, tin, correct_dtk, correct_rpi } = vectors.known_bad;
    const key = dailyTracingKey(nodeCrypto, fromHex(tk), day);
    const own = [toHex(key), toHex(rollingProximityIdentifier(nodeCrypto, key, tin))];
    expect(own).toEqual([correct_dtk, correct_rpi]);
    for (const wrong of [dtk, rpi]) expect(own).not.toContain(wrong);
  });

  test.each(vectors.match)("the key of day $day made $rpi for interval $tin (CT-01)", ({ dtk, day, rpi, tin }) => {
    const key = { dailyKey: fromHex(dtk), day };
    const sightings = Array.from({ length: 144 }, (_, interval) => ({ rpi: fromHex(rpi), heardAt: day * 86400 + interval * 600 + 599 }));
    const matches = matchDailyKeys(nodeCrypto, [key], sightings);
    expect(new Set(matches.map(({ interval }) => interval))).toEqual(new Set(tin === null ? [] : [tin]));
    // ten minutes around the interval, twelve times before it and twelve after
    expect(matches).toHaveLength(tin === null ? 0 : 25);
  });

  test("counts two hours around its time, over midnight too, and no more", () => {
    const [{ dtk, day, rpis }] = vectors.cases;
    const first = fromHex(rpis.find(({ tin }: { tin: number }) => tin === 0).rpi);
    const midnight = day * 86400;
    const at = (heardAt: number) => matchDailyKeys(nodeCrypto, [{ dailyKey: fromHex(dtk), day }], [{ rpi: first, heardAt }]).length;
    expect([midnight - 7201, midnight - 7200, midnight, midnight + 7799, midnight + 7800].map(at)).toEqual([0, 1, 1, 1, 0]);
  });

  test("of several keys and sightings finds each pair", () => {
    const keys = vectors.cases.map(({ dtk, day }) => ({ dailyKey: fromHex(dtk), day }));
    const sightings = vectors.cases.flatMap(({ day, rpis }) =>
      rpis.map(({ tin, rpi }: { tin: number; rpi: string }) => ({ rpi: fromHex(rpi), heardAt: day * 86400 + tin * 600, tin })),
    );
    const matches = matchDailyKeys(nodeCrypto, keys, sightings);
    expect(matches).toHaveLength(sightings.length);
    for (const { sighting, interval } of matches) expect(interval).toBe(sighting.tin);
    expect(() => matchDailyKeys(nodeCrypto, [{ dailyKey: new Uint8Array(15), day: 1 }], [])).toThrow("daily tracing key: 16 bytes, got 15");
  });
});
