import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatTimestamp, formatUtc, parseTimestamp, parseUtc } from "../../../protocols/smartbeacon/timestamp.ts";
import { loadVectors } from "../../support/vectors.ts";

const vectors = loadVectors("smartbeacon.json");
const second = fc.integer({ min: 0, max: 0xffffffff });

describe("TIMESTAMP (QB-07)", () => {
  test.each(vectors.timestamps)("'$text' names $unix", ({ text, unix }) => {
    expect(parseTimestamp(text) ?? null).toBe(unix);
  });

  test.each(vectors.format)("$unix at $offset_min minutes is $text", ({ unix, offset_min, text }) => {
    expect(formatTimestamp(unix, offset_min)).toBe(text);
    expect(parseTimestamp(text)).toBe(unix);
  });

  test("is read as it was written, for any second and offset whose year has four digits from 1970 to 2105", () => {
    fc.assert(
      fc.property(second, fc.integer({ min: -840, max: 840 }), (unix, offset) => {
        const year = new Date((unix + offset * 60) * 1000).getUTCFullYear();
        expect(parseTimestamp(formatTimestamp(unix, offset))).toBe(year < 1970 || year > 2105 ? undefined : unix);
      }),
    );
  });

  test("is the calendar of the computer", () => {
    fc.assert(
      fc.property(second, (unix) => {
        const iso = new Date(unix * 1000).toISOString();
        expect(formatTimestamp(unix, 0)).toBe(`${iso.slice(0, 10)}/${iso.slice(11, 19)}/UTC+0`);
      }),
    );
  });

  test.each([
    ["2020-06-05/11:59:59/UTC-0", 1591358399],
    ["2020-06-05/11:59:59/UTC+1:00", 1591354799],
    ["2020-06-05/11:59:59/UTC+14:00", 1591307999],
    ["2105-12-31/23:59:59/UTC-14", 4291797599],
  ])("%s is one, too", (text, unix) => {
    expect(parseTimestamp(text)).toBe(unix);
  });

  test.each([
    "2020-06-05/11:59:59/UTC+1:60",
    "2020-06-05/11:59:59/UTC+1:5",
    "2020-06-05/11:59:59/UTC+1:",
    "2020-06-05/11:59:59/UTC+1:00:00",
    "2020-06-05/11:59:59/UTC+14:01",
    "2020-06-05/11:59:59/UTC+ 1",
    "2020-06-05/11:59:59/UTC+1e0",
    "2020-06-05/11:59:59/UTC+1.4:30",
    "2020-06-05/11:59:59/UTC+1.5",
    "2020-06-05/11:59:59/UTC+1:05.5",
    "2020-06-05/11:59:59/UTC+",
    "2020-06-05/11:59:59/UTC+-1",
    "2020-06-05/ 1:59:59/UTC+1",
    "2020-06-05/1e0:00:0/UTC+1",
    "2106-01-01/00:00:00/UTC+0",
  ])("%s is none", (text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  });

  test("of the Fernet variant is read as it was written", () => {
    for (const { text, time } of vectors.fernet_variant) {
      expect(formatUtc(time, 123456)).toBe(text);
      expect(parseUtc(text)).toBe(time);
    }
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4291747199 }), fc.nat(999_999), (unix, microseconds) => {
        const text = formatUtc(unix, microseconds);
        expect(text).toBe(`${new Date(unix * 1000).toISOString().slice(0, 19).replace("T", " ")}.${String(microseconds).padStart(6, "0")}`);
        expect(parseUtc(text)).toBe(unix);
      }),
    );
    for (const wrong of [
      "2020-06-05 10:59:59",
      "2020-06-05 10:59:59.12345",
      "2020-06-05 10:59:59.1234567",
      "2020-06-05 10:59:59.12345x",
      "2020-06-05/10:59:59.123456",
    ])
      expect(parseUtc(wrong), wrong).toBeUndefined();
  });
});
