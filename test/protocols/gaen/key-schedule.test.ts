import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodeCrypto } from "../../../host-tools/node-crypto.ts";
import { aesCtr } from "../../../protocols/constructions/aes-ctr.ts";
import { rollingProximityIdentifiers } from "../../../protocols/gaen/identifier-series.ts";
import {
  intervalNumber,
  metadataKey,
  rollingProximityIdentifier,
  rollingProximityIdentifierKey,
  rollingStart,
} from "../../../protocols/gaen/key-schedule.ts";
import { decodeMetadata, decryptMetadata, encodeMetadata, encryptMetadata } from "../../../protocols/gaen/metadata.ts";
import { nobleCrypto } from "../../support/noble-crypto.ts";
import { fromHex, loadVectors, toHex } from "../../support/vectors.ts";

const vectors = loadVectors("gaen_v12.json");
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

describe.each([
  { name: "node", crypto: nodeCrypto },
  { name: "noble", crypto: nobleCrypto },
])("GAEN v1.2 over $name", ({ crypto }) => {
  test.each([vectors.official, ...vectors.tek_sets])("keys, identifiers and metadata of TEK $tek (GAEN-02)", (set) => {
    const rpik = rollingProximityIdentifierKey(crypto, fromHex(set.tek));
    const aemk = metadataKey(crypto, fromHex(set.tek));
    expect(toHex(rpik)).toBe(set.rpik);
    expect(toHex(aemk)).toBe(set.aemk);
    const series = rollingProximityIdentifiers(crypto, rpik, set.rolling_start, set.rolling_period);
    expect(series).toHaveLength(16 * set.rolling_period);
    for (const row of set.rows) {
      const rpi = rollingProximityIdentifier(crypto, rpik, row.enin);
      expect(toHex(rpi)).toBe(row.rpi);
      expect(toHex(series.subarray(16 * row.j, 16 * row.j + 16))).toBe(row.rpi);
      expect(toHex(encryptMetadata(crypto, aemk, rpi, fromHex(set.metadata)))).toBe(row.aem);
      expect(toHex(decryptMetadata(crypto, aemk, rpi, fromHex(row.aem)))).toBe(set.metadata);
    }
  });

  test("the example of the peer tool's README (GAEN-02)", () => {
    const example = vectors.seed_example;
    const rpik = rollingProximityIdentifierKey(crypto, fromHex(example.tek));
    const aemk = metadataKey(crypto, fromHex(example.tek));
    const rpi = rollingProximityIdentifier(crypto, rpik, example.enin);
    expect(rollingStart(example.enin)).toBe(example.rolling_start);
    expect([rpik, aemk, rpi, encryptMetadata(crypto, aemk, rpi, encodeMetadata(12))].map(toHex)).toEqual([
      example.rpik,
      example.aemk,
      example.rpi,
      example.aem,
    ]);
  });

  test("none of the known mistakes is made (GAEN-03)", () => {
    const bad = vectors.known_bad;
    const rpik = rollingProximityIdentifierKey(crypto, fromHex(bad.tek));
    const aemk = metadataKey(crypto, fromHex(bad.tek));
    const rpi = rollingProximityIdentifier(crypto, rpik, bad.enin);
    const made: { [name: string]: string } = {
      rpik: toHex(rpik),
      aemk: toHex(aemk),
      rpi: toHex(rpi),
      aem: toHex(encryptMetadata(crypto, aemk, rpi, fromHex(bad.metadata))),
    };
    expect([made.rpi, made.aem]).toEqual([bad.correct_rpi, bad.correct_aem]);
    for (const wrong of bad.wrong) {
      for (const name of ["rpik", "aemk", "rpi", "aem"]) if (wrong[name]) expect(made[name], wrong.mistake).not.toBe(wrong[name]);
    }
  });

  test.each(vectors.aem_variants)("metadata $metadata encrypts to $aem and opens again (GAEN-02)", (row) => {
    const aemk = metadataKey(crypto, fromHex(row.tek));
    expect(toHex(encryptMetadata(crypto, aemk, fromHex(row.rpi), fromHex(row.metadata)))).toBe(row.aem);
    expect(toHex(decryptMetadata(crypto, aemk, fromHex(row.rpi), fromHex(row.aem)))).toBe(row.metadata);
  });

  test.each(vectors.rotation)("a rotation from $start sends the identifiers of its moments (GAEN-06)", (scenario) => {
    for (const event of scenario.events) {
      expect(intervalNumber(event.t)).toBe(event.enin);
      expect(rollingStart(event.enin)).toBe(event.rolling_start);
      const tek = fromHex(scenario.teks[event.rolling_start]);
      const rpi = rollingProximityIdentifier(crypto, rollingProximityIdentifierKey(crypto, tek), event.enin);
      expect(toHex(rpi)).toBe(event.rpi);
      expect(toHex(encryptMetadata(crypto, metadataKey(crypto, tek), rpi, fromHex(scenario.metadata)))).toBe(event.aem);
    }
  });
});

test.each(vectors.intervals)("second $unix is interval $enin of the key from $rolling_start (GAEN-04)", (row) => {
  expect(intervalNumber(row.unix)).toBe(row.enin);
  expect(rollingStart(row.enin)).toBe(row.rolling_start);
  expect(row.enin - rollingStart(row.enin)).toBe(row.j);
});

test("a rolling start is a UTC midnight, at most 143 intervals back (GAEN-01)", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (unix) => {
      const start = rollingStart(intervalNumber(unix));
      expect(start % 144).toBe(0);
      expect(unix - start * 600).toBeGreaterThanOrEqual(0);
      expect(unix - start * 600).toBeLessThan(86400);
    }),
  );
});

test.each(vectors.metadata)("metadata $metadata reads version $major.$minor, $tx_power dBm (GAEN-09)", (row) => {
  const metadata = decodeMetadata(fromHex(row.metadata));
  expect(metadata).toEqual({ major: row.major, minor: row.minor, confidence: row.calibration_confidence, txPower: row.tx_power });
  expect(metadata.major === 1).toBe(row.supported);
});

test("encoded metadata reads back, reserved bytes zero (GAEN-09)", () => {
  fc.assert(
    fc.property(fc.integer({ min: -128, max: 127 }), fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }), (txPower, confidence) => {
      const encoded = encodeMetadata(txPower, confidence);
      expect(decodeMetadata(encoded)).toEqual({ major: 1, minor: confidence === undefined ? 0 : 1, confidence: confidence ?? 0, txPower });
      expect([...encoded.subarray(2)]).toEqual([0, 0]);
    }),
  );
});

test("encrypting metadata is AES-CTR from the RPI on, and changes neither (GAEN-02)", () => {
  fc.assert(
    fc.property(bytes(16), bytes(16), bytes(4), (aemk, rpi, metadata) => {
      const before = toHex(rpi) + toHex(metadata);
      expect(toHex(encryptMetadata(nodeCrypto, aemk, rpi, metadata))).toBe(toHex(aesCtr(nodeCrypto.aes128, aemk, rpi, metadata)));
      expect(toHex(rpi) + toHex(metadata)).toBe(before);
    }),
  );
});

test("both implementations of Crypto derive the same from any TEK", () => {
  fc.assert(
    fc.property(bytes(16), fc.integer({ min: 0, max: 2 ** 32 - 1 }), (tek, interval) => {
      const [node, noble] = [nodeCrypto, nobleCrypto].map((crypto) => {
        const rpi = rollingProximityIdentifier(crypto, rollingProximityIdentifierKey(crypto, tek), interval);
        return toHex(rpi) + toHex(encryptMetadata(crypto, metadataKey(crypto, tek), rpi, encodeMetadata(-4)));
      });
      expect(node).toBe(noble);
    }),
    { numRuns: 30 },
  );
});

test("RPIK is HKDF as RFC 5869 writes it out, in one line of another HMAC", () => {
  const tek = fromHex(vectors.official.tek);
  const prk = createHmac("sha256", Buffer.alloc(32)).update(tek).digest();
  expect(createHmac("sha256", prk).update("EN-RPIK\x01").digest("hex").slice(0, 32)).toBe(toHex(rollingProximityIdentifierKey(nodeCrypto, tek)));
});
