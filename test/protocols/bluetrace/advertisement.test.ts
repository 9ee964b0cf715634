import { expect, test } from "vitest";
import { nodeCrypto } from "../../../host-tools/node-crypto.ts";
import {
  advertisementTail,
  CHARACTERISTICS,
  decodeAdvertisement,
  encodeAdvertisement,
  SERVICES,
} from "../../../protocols/bluetrace/advertisement.ts";
import { parseUuid } from "../../../protocols/uuid128.ts";
import { fromHex, loadVectors, toHex } from "../../support/vectors.ts";

const adverts = loadVectors("ble_adverts.json");
const parameters = loadVectors("parameters.json").bluetrace;
const services = SERVICES.map((uuid) => parseUuid(uuid)!);
const rows = adverts.accept.filter((row) => row.expect.protocol === "bluetrace");

test.each(rows.filter((row) => row.inputs.tail))("$name is built byte by byte (BLE-01)", ({ inputs, hex }) => {
  expect(toHex(encodeAdvertisement(parseUuid(inputs.uuid)!, inputs.tx_power, inputs.tail))).toBe(hex);
});

test.each(rows)("$name is recognised by its service (BLE-02)", ({ inputs, hex, expect: told }) => {
  const heard = decodeAdvertisement(fromHex(hex), services);
  expect(SERVICES[heard!.service]).toBe(told.uuid);
  expect(heard!.txPower ?? null).toBe(told.tx_power);
  expect(heard!.tail && Buffer.from(heard!.tail).toString()).toBe(inputs.tail);
});

test("nobody else's packet is BlueTrace's (BLE-02)", () => {
  for (const row of [...adverts.accept, ...adverts.reject])
    if (row.expect.protocol !== "bluetrace") expect(decodeAdvertisement(fromHex(row.hex), services), row.name).toBeUndefined();
});

test.each([
  "",
  "01ff",
  "02ffff",
  "03ffff03",
  "04ffff0361",
  "07ffff0361626364",
  "0bffff0361616161616161ff",
  "ffff",
])("manufacturer data %j of a peer does no harm (BT-20)", (tail) => {
  const packet = fromHex(`1107${toHex(services[0])}020ac4${tail}`);
  expect(decodeAdvertisement(packet, services)).toMatchObject({ service: 0, txPower: -60 });
  // also in front of everything else
  if (tail && tail !== "ffff")
    expect(decodeAdvertisement(fromHex(`${tail}1107${toHex(services[0])}`), services)).toMatchObject({ service: 0, txPower: undefined });
});

test("services and characteristics are the published ones (BT-05)", () => {
  expect(SERVICES).toEqual([
    parameters.android_production_service_uuid128,
    parameters.android_staging_service_uuid128,
    parameters.ios_service_uuid128,
  ]);
  expect(CHARACTERISTICS).toEqual([
    parameters.android_characteristic_uuid128,
    parameters.android_characteristic_uuid128,
    parameters.ios_characteristic_uuid128,
  ]);
});

test("each start of advertising draws three new characters, of all that phones have (BT-10)", () => {
  const tails = Array.from({ length: 2000 }, () => advertisementTail(nodeCrypto.randomBytes));
  for (const tail of tails) expect(tail).toMatch(/^[0-9a-f]{3}$/);
  for (let place = 0; place < 3; place++) expect(new Set(tails.map((tail) => tail[place])).size).toBe(16);
});
