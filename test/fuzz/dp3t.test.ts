import { expect, test } from "vitest";
import { nodeCrypto } from "../../host-tools/node-crypto.ts";
import { readStructures } from "../../protocols/advertising-data.ts";
import { classify } from "../../protocols/classify.ts";
import * as tracing from "../../protocols/contact-tracing-v1/advertisement.ts";
import * as dp3t from "../../protocols/dp3t/advertisement.ts";
import { buildFilter, decodeFilter, encodeFilter, mayHaveHash } from "../../protocols/dp3t/cuckoo-filter.ts";
import { decodeExposedList, encodeExposedList, exposedListFromJson, exposedListToJson, isBatchRelease } from "../../protocols/dp3t/exposed-list.ts";
import { decodeHashList, encodeHashList, hasHash } from "../../protocols/dp3t/hash-list.ts";
import { fromBase64, fromHex, loadVectors, toHex } from "../support/vectors.ts";
import { ensure, fuzz } from "./fuzz.ts";

const adverts = loadVectors("ble_adverts.json");
const vectors = loadVectors("dp3t.json");
const octets = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const hashes = Array.from({ length: 6 }, (_, n) => nodeCrypto.sha256(Uint8Array.of(n)));

test("advertisements of Contact Tracing v1.0 and DP-3T: an identifier is service data of 16 bytes, and nothing else is (BLE-02, BLE-04, DP-08)", () => {
  const found = { ct10: 0, dp3t: 0 };
  fuzz(
    [...adverts.accept, ...adverts.reject].map(({ hex }) => fromHex(hex)),
    40,
    (packet) => {
      const at = { ct10: tracing.rpiOffset(packet), dp3t: dp3t.ephIdOffset(packet) };
      for (const [protocol, low] of [
        ["ct10", 0x6f],
        ["dp3t", 0x68],
      ] as const) {
        const data = readStructures(packet).find(
          (one) => one.type === 0x16 && one.data.length === 18 && one.data[0] === low && one.data[1] === 0xfd,
        )?.data;
        ensure(at[protocol] === (data ? data.byteOffset - packet.byteOffset + 2 : -1), protocol);
        if (data) found[protocol]++;
      }
      ensure(tracing.decodeAdvertisement(packet)?.rpi.length === (at.ct10 < 0 ? undefined : 16), "RPI");
      ensure(dp3t.decodeAdvertisement(packet)?.ephId.length === (at.dp3t < 0 ? undefined : 16), "EphID");
      const protocol = classify(packet)?.protocol;
      ensure(protocol !== "dp3t-connect" || (dp3t.offersService(packet) && at.dp3t < 0), "connect");
    },
  );
  expect(Math.min(found.ct10, found.dp3t)).toBeGreaterThan(0);
});

test("lists of exposed keys: what is accepted has its lengths, days and release time, and comes back as it was (DP-10)", () => {
  let accepted = 0;
  fuzz(
    vectors.exposed_list.map(({ protobuf_b64 }) => fromBase64(protobuf_b64)),
    200,
    (input) => {
      const list = decodeExposedList(input);
      if (!list) return;
      accepted++;
      ensure(isBatchRelease(list.batchReleaseMs) && list.exposed.length <= input.length / 36, "release or number");
      for (const { key, keyDateMs } of list.exposed) ensure(key.length === 32 && keyDateMs % 86_400_000 === 0, "key or day");
      ensure(exposedListToJson(decodeExposedList(encodeExposedList(list))!) === exposedListToJson(list), "another list comes back");
    },
  );
  expect(accepted).toBeGreaterThan(0);
});

test("lists of exposed keys as JSON: the same rules (DP-10)", () => {
  const corpus = vectors.exposed_list.map(({ protobuf_b64 }) => octets(exposedListToJson(decodeExposedList(fromBase64(protobuf_b64))!)));
  let accepted = 0;
  fuzz(corpus, 200, (input) => {
    const list = exposedListFromJson(Buffer.from(input).toString("latin1"));
    if (!list) return;
    accepted++;
    ensure(exposedListToJson(decodeExposedList(encodeExposedList(list))!) === exposedListToJson(list), "the message says otherwise");
  });
  expect(accepted).toBeGreaterThan(0);
});

test("lists of hashes: what is accepted is the one file of its hashes, and finds them (DP-05)", () => {
  let accepted = 0;
  fuzz([encodeHashList(hashes), encodeHashList([]), encodeHashList(hashes.slice(2))], 120, (input) => {
    const list = decodeHashList(input);
    if (!list) return;
    accepted++;
    const each = Array.from({ length: list.length / 32 }, (_, i) => list.subarray(32 * i, 32 * i + 32));
    ensure(toHex(encodeHashList(each)) === toHex(input), "another file");
    ensure(each.every((hash) => hasHash(list, hash)) && !hasHash(list, new Uint8Array(32)), "looking up");
  });
  expect(accepted).toBeGreaterThan(0);
});

test("Cuckoo filters: what is accepted is as long as it says, and any of it can be looked into (DP-05)", () => {
  let accepted = 0;
  fuzz(
    [1, 2, 6, 8].flatMap((size) => [encodeFilter(buildFilter(hashes, size)), encodeFilter(buildFilter([], size))]),
    120,
    (input, draw) => {
      const filter = decodeFilter(input);
      if (!filter) return;
      accepted++;
      ensure(filter.slots.length === 4 * 2 ** filter.bucketsLog2 * filter.fingerprintBytes && filter.count <= 4 * 2 ** filter.bucketsLog2, "size");
      mayHaveHash(filter, hashes[draw(hashes.length)]);
      ensure(toHex(encodeFilter(filter)) === toHex(input), "another file");
    },
  );
  expect(accepted).toBeGreaterThan(0);
});
