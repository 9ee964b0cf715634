import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodeCrypto } from "../../../host-tools/node-crypto.ts";
import { decodeAdvertisement, encodeAdvertisement, wholeMessage } from "../../../protocols/smartbeacon/advertisement.ts";
import { fragment, fragmentCount, messageId } from "../../../protocols/smartbeacon/fragments.ts";
import { fromHex, loadVectors, type Row, toHex } from "../../support/vectors.ts";

const vectors = loadVectors("smartbeacon.json");

/** All fragments of a message, in their order. */
function fragments(type: number, message: Uint8Array): Uint8Array[] {
  const id = messageId(nodeCrypto, message);
  return Array.from({ length: fragmentCount(message.length) }, (_, i) => fragment(type, id, message, i));
}

function expectRow(type: number, message: string, row: Row): void {
  expect(toHex(messageId(nodeCrypto, fromHex(message)))).toBe(row.msg_id);
  const payloads = fragments(type, fromHex(message));
  expect(payloads.map(toHex)).toEqual(row.payloads);
  const adverts = payloads.map(encodeAdvertisement);
  expect(adverts.map(toHex)).toEqual(row.adverts);
  for (const [i, advert] of adverts.entries()) {
    expect(advert.length).toBeLessThanOrEqual(31);
    expect(decodeAdvertisement(advert)).toEqual(payloads[i]);
  }
}

describe("SmartBeacon on the air", () => {
  test.each(vectors.fragments)("MESSAGE C $msg_id goes out in four fragments (QB-09)", (row) => {
    expectRow(0xb1, row.message, row);
  });

  test.each(vectors.fernet_variant)("the Fernet token $msg_id goes out in five (QB-09)", (row) => {
    expectRow(0xb2, row.raw, row);
  });

  test.each([...vectors.compact])("the token of start $boot goes out in one advertisement (QB-09, QB-11)", ({ payload, advert }) => {
    expect(toHex(encodeAdvertisement(fromHex(payload)))).toBe(advert);
    expect(toHex(decodeAdvertisement(fromHex(advert))!)).toBe(payload);
  });

  test.each(vectors.extended)("a whole message takes an extended advertisement (QB-09, BLE-13)", ({ message, ad }) => {
    expect(toHex(encodeAdvertisement(wholeMessage(fromHex(message))))).toBe(ad);
    expect(toHex(decodeAdvertisement(fromHex(ad))!)).toBe(`b5${message}`);
  });

  test("past 31 bytes nothing is built (BLE-01)", () => {
    expect(encodeAdvertisement(new Uint8Array(24))).toHaveLength(31);
    for (const size of [25, 80, 82]) expect(() => encodeAdvertisement(new Uint8Array(size))).toThrow(`payload: at most 24 bytes, got ${size}`);
  });

  test("the chunks of any message, put together by their index, are the message", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 160 }), (message) => {
        const chunks = fragments(0xb2, message);
        expect(chunks.map((payload) => payload[3])).toEqual(chunks.map((_, i) => i * 16 + chunks.length - 1));
        expect(Uint8Array.from(chunks.flatMap((payload) => [...payload.subarray(4)]))).toEqual(message);
        for (const payload of chunks) expect(decodeAdvertisement(encodeAdvertisement(payload))).toEqual(payload);
      }),
    );
  });
});
