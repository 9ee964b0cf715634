import { createCipheriv, createHmac, hkdfSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { aesDecrypt, aesEncrypt, nodeCrypto } from "../../../host-tools/node-crypto.ts";
import { aesCbc, aesCbcOpen } from "../../../protocols/constructions/aes-cbc.ts";
import { aesCtr } from "../../../protocols/constructions/aes-ctr.ts";
import { hkdf } from "../../../protocols/constructions/hkdf.ts";
import { hmacSha256 } from "../../../protocols/constructions/hmac.ts";
import { nobleCrypto } from "../../support/noble-crypto.ts";
import { fromHex, loadVectors, type Row, toHex } from "../../support/vectors.ts";

const vectors = loadVectors("primitives.json");
const isAes128 = (row: Row) => row.key.length === 32;
const bytes = (maxLength: number, minLength = 0) => fc.uint8Array({ minLength, maxLength });

describe.each([
  { name: "node", crypto: nodeCrypto },
  { name: "noble", crypto: nobleCrypto },
])("primitives over $name (COM-08)", ({ crypto }) => {
  test.each(vectors.aes_ecb.filter(isAes128))("AES-128 of $name", (row) => {
    expect(toHex(crypto.aes128(fromHex(row.key), fromHex(row.plaintext)))).toBe(row.ciphertext);
  });

  test.each(vectors.sha256)("SHA-256 of '$message'", (row) => {
    expect(toHex(crypto.sha256(fromHex(row.message)))).toBe(row.digest);
  });

  test.each(vectors.hmac_sha256)("HMAC of $name", (row) => {
    const mac = toHex(hmacSha256(crypto, fromHex(row.key), fromHex(row.message)));
    expect(mac).toHaveLength(64);
    expect(mac.slice(0, row.mac.length)).toBe(row.mac);
  });

  test.each(vectors.hkdf_sha256)("HKDF of $name", (row) => {
    expect(toHex(hmacSha256(crypto, fromHex(row.salt), fromHex(row.ikm)))).toBe(row.prk);
    expect(toHex(hkdf(crypto, fromHex(row.ikm), fromHex(row.salt), fromHex(row.info), row.length))).toBe(row.okm);
  });

  test.each(vectors.aes_ctr.filter(isAes128))("CTR of $name, both ways, with a 128-bit counter", (row) => {
    const key = fromHex(row.key);
    const counter = fromHex(row.counter);
    const ciphertext = toHex(aesCtr(crypto.aes128, key, counter, fromHex(row.plaintext)));
    expect(ciphertext).toBe(row.ciphertext);
    expect(ciphertext).not.toBe(row.known_bad_32bit_counter);
    expect(toHex(aesCtr(crypto.aes128, key, counter, fromHex(row.ciphertext)))).toBe(row.plaintext);
  });

  test("CTR leaves key, counter and data as they were", () => {
    const key = new Uint8Array(16).fill(1);
    const counter = new Uint8Array(16).fill(255);
    const data = new Uint8Array(40).fill(3);
    aesCtr(crypto.aes128, key, counter, data);
    expect([key, counter, data]).toEqual([new Uint8Array(16).fill(1), new Uint8Array(16).fill(255), new Uint8Array(40).fill(3)]);
  });

  test("random bytes are as many as asked for and never the same", () => {
    expect(crypto.randomBytes(16)).toHaveLength(16);
    expect(toHex(crypto.randomBytes(16))).not.toBe(toHex(crypto.randomBytes(16)));
  });
});

test("HMAC, HKDF and CTR agree with OpenSSL for any input (COM-08)", () => {
  fc.assert(
    fc.property(bytes(200), bytes(300), fc.integer({ min: 0, max: 200 }), (key, message, length) => {
      expect(toHex(hmacSha256(nodeCrypto, key, message))).toBe(createHmac("sha256", key).update(message).digest("hex"));
      expect(toHex(hkdf(nodeCrypto, message, key, key, length))).toBe(Buffer.from(hkdfSync("sha256", message, key, key, length)).toString("hex"));
    }),
  );
  fc.assert(
    fc.property(bytes(16, 16), bytes(16, 16), bytes(100), (key, counter, data) => {
      expect(toHex(aesCtr(nodeCrypto.aes128, key, counter, data))).toBe(createCipheriv("aes-128-ctr", key, counter).update(data).toString("hex"));
    }),
  );
});

test.each(vectors.aes_ecb)("AES of $name, both ways and of either length (COM-08)", ({ key, plaintext, ciphertext }) => {
  expect(toHex(aesEncrypt(fromHex(key), fromHex(plaintext)))).toBe(ciphertext);
  expect(toHex(aesDecrypt(fromHex(key), fromHex(ciphertext)))).toBe(plaintext);
});

describe("CBC with padding (COM-08)", () => {
  test.each(vectors.aes_cbc_pkcs7)("of $name, both ways", ({ key, iv, plaintext, ciphertext }) => {
    expect(toHex(aesCbc(aesEncrypt, fromHex(key), fromHex(iv), fromHex(plaintext)))).toBe(ciphertext);
    expect(toHex(aesCbcOpen(aesDecrypt, fromHex(key), fromHex(iv), fromHex(ciphertext))!)).toBe(plaintext);
  });

  test.each(vectors.pkcs7_bad)("refuses $name", ({ key, iv, ciphertext }) => {
    expect(aesCbcOpen(aesDecrypt, fromHex(key), fromHex(iv), fromHex(ciphertext))).toBeUndefined();
  });

  test("of no block, and of parts of one, is nothing", () => {
    for (const length of [0, 1, 15, 17])
      expect(aesCbcOpen(aesDecrypt, new Uint8Array(16), new Uint8Array(16), new Uint8Array(length))).toBeUndefined();
  });
});

test("the hub's AES refuses a key or a message of a wrong length", () => {
  expect(() => nodeCrypto.aes128(new Uint8Array(15), new Uint8Array(16))).toThrow("AES key: 16 bytes, got 15");
  expect(() => nodeCrypto.aes128(new Uint8Array(16), new Uint8Array(17))).toThrow("AES blocks: a multiple of 16 bytes, got 17");
  for (const aes of [aesEncrypt, aesDecrypt]) expect(() => aes(new Uint8Array(24), new Uint8Array(16))).toThrow("AES key: 16 or 32 bytes, got 24");
});
