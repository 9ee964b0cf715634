import { describe, expect, test } from "vitest";
import { nodeCrypto } from "../../../host-tools/node-crypto.ts";
import { rollingProximityIdentifierKey } from "../../../protocols/gaen/key-schedule.ts";
import { CHARACTERISTIC, encodeAdvertisement, isAdvertisement, isServiceAllowed, SERVICE } from "../../../protocols/opencovidtrace/advertisement.ts";
import { mayConnect, RECONNECT_SECONDS } from "../../../protocols/opencovidtrace/connections.ts";
import {
  CONTACT_UNMARKED,
  decodePayload,
  encodeMeta,
  encodePayload,
  encryptMeta,
  isExposure,
  markExposed,
  markSafe,
  PAYLOAD_BYTES,
  type Position,
  rollingId,
} from "../../../protocols/opencovidtrace/payload.ts";
import { parseUuid } from "../../../protocols/uuid128.ts";
import { nobleCrypto } from "../../support/noble-crypto.ts";
import { fromHex, loadVectors, toHex } from "../../support/vectors.ts";

const vectors = loadVectors("opencovidtrace.json");
const adverts = loadVectors("ble_adverts.json");

describe.each([
  ["node", nodeCrypto],
  ["noble", nobleCrypto],
])("with the crypto of %s", (_, crypto) => {
  test.each(vectors.rolling_id)("rolling identifier of interval $enin (OCT-01)", (row) => {
    expect(Math.floor(row.unix / 600)).toBe(row.enin);
    expect(toHex(rollingProximityIdentifierKey(crypto, fromHex(row.daily_key)))).toBe(row.rpik);
    expect(toHex(rollingId(crypto, fromHex(row.daily_key), row.enin))).toBe(row.rolling_id);
  });
  test.each(vectors.meta)("meta block at $lat, $lng (OCT-01, OCT-12)", (row) => {
    const block = encodeMeta(row.unix, row.lat === null ? undefined : (row as unknown as Position));
    expect(toHex(block)).toBe(row.plaintext);
    expect(toHex(rollingProximityIdentifierKey(crypto, fromHex(row.meta_key)))).toBe(row.key);
    expect(toHex(encryptMeta(crypto, fromHex(row.meta_key), block))).toBe(row.meta);
  });
  test.each(vectors.payload)("payload (OCT-01)", (row) => {
    const value = encodePayload(crypto, fromHex(row.daily_key), fromHex(row.meta_key), row.unix, row as unknown as Position);
    expect(toHex(value)).toBe(row.value);
    const { rollingId: id, meta } = decodePayload(value)!;
    expect(toHex(id) + toHex(meta)).toBe(row.value);
  });
});

test.each(vectors.payload_bad)("a value of another length is refused: $value (OCT-01)", ({ value }) => {
  expect(decodePayload(fromHex(value))).toBeUndefined();
});

test("a receiver without a fix sends no zeros (OCT-12)", () => {
  expect(encodeMeta(5, { lat: NaN, lng: NaN, accuracy: NaN })).toEqual(encodeMeta(5));
  expect(encodeMeta(5, { lat: 91, lng: 0, accuracy: 0 })).toEqual(encodeMeta(5));
  expect(toHex(encodeMeta(0xfffffffe, { lat: -90, lng: -180, accuracy: 1 }))).toBe("feffffff0017" + "5bca002eb69401000000");
});

test("OpenCovidTrace's advertisement is built and recognised; the UART service and everybody else's are not its (OCT-04, BLE-01, BLE-11)", () => {
  const service = parseUuid(SERVICE)!;
  expect([SERVICE, CHARACTERISTIC]).toEqual(
    ["service_uuid128", "characteristic_uuid128"].map((name) => loadVectors("parameters.json").opencovidtrace[name]),
  );
  expect(toHex(encodeAdvertisement(service))).toBe(adverts.accept.find((row) => row.name === "OpenCovidTrace discovery")!.hex);
  for (const row of [...adverts.accept, ...adverts.reject])
    expect(isAdvertisement(fromHex(row.hex), service), row.name).toBe(row.expect.protocol === "opencovidtrace");
});

test("another service may be configured, the UART's never (OCT-04, BLE-11)", () => {
  for (const uuid of ["6e400001-b5a3-f393-e0a9-e50e24dcca9e", "6E400001-B5A3-F393-E0A9-E50E24DCCA9E", "6e400003-b5a3-f393-e0a9-e50e24dcca9e"])
    expect(isServiceAllowed(uuid)).toBe(false);
  for (const uuid of [SERVICE, "7b51b001-6d0c-4c9e-9b3a-5d8f2e41c0a7"]) expect(isServiceAllowed(uuid)).toBe(true);
});

test("the numbers are the published ones (OCT-01, OCT-05)", () => {
  const { value_bytes, mtu, reconnect_min_s } = loadVectors("parameters.json").opencovidtrace;
  // an answer is an opcode longer than its part, a notification three bytes
  expect([PAYLOAD_BYTES, PAYLOAD_BYTES + 3, RECONNECT_SECONDS]).toEqual([value_bytes, mtu, reconnect_min_s]);
});

test("a peer is read again after five seconds, two connections at once at most (OCT-05)", () => {
  expect(mayConnect(0, undefined, 100)).toBe(true);
  expect(mayConnect(1, 96, 100)).toBe(false);
  expect(mayConnect(1, 95, 100)).toBe(true);
  expect(mayConnect(2, undefined, 100)).toBe(false);
});

test("a safe contact stays and raises no alarm, whether it matched before or after it was marked (OCT-10)", () => {
  expect(isExposure(CONTACT_UNMARKED)).toBe(false);
  expect(isExposure(markExposed(CONTACT_UNMARKED))).toBe(true);
  expect(isExposure(markSafe(markExposed(CONTACT_UNMARKED)))).toBe(false);
  expect(isExposure(markExposed(markSafe(CONTACT_UNMARKED)))).toBe(false);
  // marks only clear bits, so a byte of flash takes them and a restart changes nothing
  for (let marks = 0; marks < 256; marks++) expect([markSafe(marks) & ~marks, markExposed(marks) & ~marks]).toEqual([0, 0]);
});
