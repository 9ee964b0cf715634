import { expect, test } from "vitest";
import { nodeCrypto } from "../../../host-tools/node-crypto.ts";
import { borderOfDay, boxAround, locationIndex, meets } from "../../../host-tools/opencovidtrace/borders.ts";
import { openContact, ShownLinks, sealContact } from "../../../host-tools/opencovidtrace/contact-secret.ts";
import { intervalOf, isKeptDay, matches, openMeta, RETENTION_DAYS, TOLERANCE } from "../../../host-tools/opencovidtrace/matching.ts";
import { keysToPublish, othersTracks, trackKey } from "../../../host-tools/opencovidtrace/tracks.ts";
import { rollingId } from "../../../protocols/opencovidtrace/payload.ts";
import { fromHex, loadVectors, toHex } from "../../support/vectors.ts";

const vectors = loadVectors("opencovidtrace.json");
const parameters = loadVectors("parameters.json").opencovidtrace;

test.each(vectors.match)("under the key of day $day $rolling_id was sent in interval $enin (OCT-03)", ({ daily_key, day, rolling_id, enin }) => {
  const key = { dailyKey: fromHex(daily_key), day };
  expect(intervalOf(key, fromHex(rolling_id)) ?? null).toBe(enin);
  expect(matches(key, { rollingId: fromHex(rolling_id), day })).toBe(enin !== null);
});

test("an encounter across midnight matches only where a tolerance is switched on, and only close to midnight (OCT-03)", () => {
  const key = { dailyKey: new Uint8Array(16).fill(7), day: 18392 };
  const sent = (ofDay: number) => rollingId(nodeCrypto, key.dailyKey, key.day * 144 + ofDay);
  for (const [ofDay, day, close] of [
    [143, 18393, true],
    [132, 18393, true],
    [131, 18393, false],
    [0, 18391, true],
    [11, 18391, true],
    [12, 18391, false],
    [143, 18391, false],
    [143, 18394, false],
  ] as const) {
    expect(matches(key, { rollingId: sent(ofDay), day })).toBe(false);
    expect(matches(key, { rollingId: sent(ofDay), day }, TOLERANCE)).toBe(close);
  }
  expect(matches(key, { rollingId: sent(70), day: 18392 }, TOLERANCE)).toBe(true);
});

test.each(vectors.meta)("with the published meta key the position $lat, $lng is told (OCT-12)", ({ meta_key, unix, lat, lng, accuracy, meta }) => {
  const opened = openMeta(fromHex(meta_key), fromHex(meta));
  expect(opened.unix).toBe(unix);
  if (lat === null) expect(opened.position).toBeUndefined();
  else {
    expect(opened.position!.lat).toBeCloseTo(lat, 6);
    expect(opened.position!.lng).toBeCloseTo(lng, 6);
    expect(opened.position!.accuracy).toBe(Math.trunc(accuracy));
  }
});

test.each(vectors.index)("the box of $lat, $lng (OCT-06)", ({ lat, lng, lat_idx, lng_idx, box }) => {
  expect([locationIndex(lat), locationIndex(lng)]).toEqual([lat_idx, lng_idx]);
  const found = boxAround(lat_idx, lng_idx);
  for (const side of ["minLat", "maxLat", "minLng", "maxLng"] as const) expect(found[side]).toBeCloseTo(box[side], 9);
});

test.each(vectors.border_filter)("a border and a client's box: $included (OCT-06)", ({ border, query, included }) => {
  expect(meets(border, query)).toBe(included);
  expect(meets(query, border)).toBe(included);
});

test("a day's border holds its positions, each side 0.05 to 0.1 degrees further out, within the globe (OCT-06, OCT-07)", () => {
  const draws = [0, 1, 0.5, 0];
  expect(
    borderOfDay(
      [
        { lat: 10, lng: 20 },
        { lat: 11, lng: 19 },
      ],
      () => draws.shift()!,
    ),
  ).toEqual({ minLat: 9.95, maxLat: 11.1, minLng: 18.925, maxLng: 20.05 });
  expect(borderOfDay([{ lat: 89.99, lng: -179.99 }], () => 0.5)).toMatchObject({ maxLat: 90, minLng: -180 });
  expect(borderOfDay([], () => 0)).toBeUndefined();
  expect(parameters.border_extend_degree).toEqual({ min: 0.05, max: 0.1 });
});

test.each(vectors.track_key)("own tracks are known by their key (OCT-08)", ({ daily_key, key_b64 }) => {
  expect(trackKey(fromHex(daily_key))).toBe(key_b64);
  const tracks = [key_b64, "other"].map((key) => ({ key, day: 1, points: [] }));
  expect(othersTracks(tracks, [fromHex(daily_key)]).map(({ key }) => key)).toEqual(["other"]);
});

test("days without a border stay at home, and meta keys without consent (OCT-07)", () => {
  const day = { dailyKey: new Uint8Array(16), metaKey: new Uint8Array(16), day: 5, border: { minLat: 0, maxLat: 1, minLng: 0, maxLng: 1 } };
  const away = { ...day, day: 6, border: undefined };
  expect(keysToPublish([day, away], false)).toEqual([{ value: "AAAAAAAAAAAAAAAAAAAAAA==", day: 5, border: day.border }]);
  expect(keysToPublish([day, away], true)[0]).toMatchObject({ meta: "AAAAAAAAAAAAAAAAAAAAAA==" });
});

test.each(vectors.make_contact)("the answer to a QR code is sealed under its key, and opens with it (OCT-09)", ({
  key,
  rolling_id,
  meta,
  secret_b64,
}) => {
  expect(sealContact(fromHex(key), fromHex(rolling_id + meta))).toBe(secret_b64);
  const opened = openContact(fromHex(key), secret_b64)!;
  expect([toHex(opened.rollingId), toHex(opened.meta)]).toEqual([rolling_id, meta]);
  for (const bad of ["", "AAAA", secret_b64.slice(0, 40), `${secret_b64}AAAA`, `!${secret_b64.slice(1)}`])
    expect(openContact(fromHex(key), bad)).toBeUndefined();
});

test("the key of a shown link is gone after two minutes, its bytes too (OCT-09)", () => {
  const links = new ShownLinks();
  const key = new Uint8Array(16).fill(9);
  links.add(1000, key);
  expect(links.keyOf(1000, 121000)).toBe(key);
  expect(links.keyOf(1001, 1001)).toBeUndefined();
  expect(links.keyOf(1000, 121001)).toBeUndefined();
  expect([links.size, key.every((byte) => byte === 0)]).toEqual([0, true]);
});

test("days are kept 14 days (OCT-11)", () => {
  expect([isKeptDay(100, 114), isKeptDay(100, 115)]).toEqual([true, false]);
  expect(RETENTION_DAYS).toBe(parameters.retention_days);
});
