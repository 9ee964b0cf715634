import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FormatError } from "../../../host-tools/errors.ts";
import { nodeCrypto } from "../../../host-tools/node-crypto.ts";
import { parseAnswer, parsePlaces, parsePublishedKeys } from "../../../host-tools/opencovidtrace/contact-files.ts";
import { matchContacts } from "../../../host-tools/opencovidtrace/contact-matches.ts";
import { decodePayload, encodePayload } from "../../../protocols/opencovidtrace/payload.ts";

const DAY = 20_514;
const NOON = (DAY + 0.5) * 86_400;
const dailyKey = new Uint8Array(16).fill(7);
const metaKey = new Uint8Array(16).fill(8);
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

describe("files of contacts", () => {
  test("are read as they are written", () => {
    expect(parseAnswer('{"token":"t","platform":"a","secret":"AAAA","tst":5}', "f")).toEqual({ secret: "AAAA", tst: 5 });
    expect(parsePlaces(`[{"day":${DAY},"lat":48.1,"lng":-11.5}]`, "f")).toEqual([{ day: DAY, lat: 48.1, lng: -11.5 }]);
    const file = { keys: [{ value: base64(dailyKey), day: DAY, border: { minLat: 0, maxLat: 1, minLng: 0, maxLng: 1 }, meta: base64(metaKey) }] };
    const [key] = parsePublishedKeys(JSON.stringify(file), "f");
    expect([base64(key!.dailyKey), key!.day, base64(key!.metaKey!)]).toEqual([base64(dailyKey), DAY, base64(metaKey)]);
  });

  test.each<[string, (text: string, file: string) => unknown, string, string]>([
    ["an answer without a time", parseAnswer, '{"secret":"verysecret"}', "answer.json: not in its form"],
    ["a place off the globe", parsePlaces, '[{"day":1,"lat":0,"lng":0},{"day":1,"lat":91,"lng":0}]', "answer.json: not in its form at entry 2"],
    ["a key of 15 bytes", parsePublishedKeys, `{"keys":[{"value":"${"verysecret".repeat(2)}","day":1}]}`, "answer.json: entry 1 is no key"],
    ["no JSON", parsePublishedKeys, "verysecret", "answer.json: no JSON"],
  ])("%s is told by file and place, and nothing of it (COM-06)", (_, read, text, words) => {
    expect(() => read(text, "answer.json")).toThrow(words);
    expect(() => read(text, "answer.json")).not.toThrow("verysecret");
  });

  test("readers stand any text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        for (const read of [parseAnswer, parsePlaces, parsePublishedKeys])
          try {
            read(text, "f");
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError);
          }
      }),
    );
  });
});

test("a contact is found once, with time and place of the meeting where a meta key was published (OCT-03, OCT-07)", () => {
  const position = { lat: 48.1, lng: 11.5, accuracy: 20 };
  const contact = { ...decodePayload(encodePayload(nodeCrypto, dailyKey, metaKey, NOON, position))!, day: DAY };
  const [plain, withMeta] = [
    { dailyKey, day: DAY },
    { dailyKey, day: DAY, metaKey },
  ];
  expect(matchContacts([plain], [contact])).toEqual([{ contact, key: plain }]);
  const [match] = matchContacts([plain, withMeta], [contact]);
  expect(match).toMatchObject({ key: withMeta, opened: { unix: NOON } });
  expect(match!.opened!.position!.lat).toBeCloseTo(48.1, 6);
  expect(matchContacts([withMeta], [{ ...contact, day: DAY + 1 }])).toEqual([]);
  expect(matchContacts([], [contact])).toEqual([]);
});
