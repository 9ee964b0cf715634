import { createCipheriv, createDecipheriv, createPublicKey, verify } from "node:crypto";
import { describe, expect, test } from "vitest";
import { fromHex, loadVectors, type Row } from "../support/vectors.ts";

// What the hub takes from node:crypto as it is. If a release of Node or OpenSSL decides otherwise, this is where it shows.
const vectors = loadVectors("primitives.json");
const aes = (row: Row, mode: string) => `aes-${row.key.length * 4}-${mode}`;

describe("node:crypto keeps to the published primitives (COM-08)", () => {
  test.each(vectors.aes_ecb)("ECB of $name", (row) => {
    const cipher = createCipheriv(aes(row, "ecb"), fromHex(row.key), null).setAutoPadding(false);
    expect(cipher.update(row.plaintext, "hex", "hex") + cipher.final("hex")).toBe(row.ciphertext);
  });

  test.each(vectors.aes_ctr)("CTR of $name", (row) => {
    const ciphertext = createCipheriv(aes(row, "ctr"), fromHex(row.key), fromHex(row.counter)).update(row.plaintext, "hex", "hex");
    expect(ciphertext).toBe(row.ciphertext);
    expect(ciphertext).not.toBe(row.known_bad_32bit_counter);
  });

  test.each(vectors.aes_cbc_nopad)("CBC without padding, $name", (row) => {
    const cipher = createCipheriv(aes(row, "cbc"), fromHex(row.key), fromHex(row.iv)).setAutoPadding(false);
    expect(cipher.update(row.plaintext, "hex", "hex") + cipher.final("hex")).toBe(row.ciphertext);
  });

  test.each(vectors.aes_cbc_pkcs7)("CBC with padding, $name, both ways", (row) => {
    const cipher = createCipheriv(aes(row, "cbc"), fromHex(row.key), fromHex(row.iv));
    expect(cipher.update(row.plaintext, "hex", "hex") + cipher.final("hex")).toBe(row.ciphertext);
    const decipher = createDecipheriv(aes(row, "cbc"), fromHex(row.key), fromHex(row.iv));
    expect(decipher.update(row.ciphertext, "hex", "hex") + decipher.final("hex")).toBe(row.plaintext);
  });

  test.each(vectors.pkcs7_bad)("a bad padding is refused: $name", (row) => {
    const decipher = createDecipheriv(aes(row, "cbc"), fromHex(row.key), fromHex(row.iv));
    decipher.update(row.ciphertext, "hex");
    expect(() => decipher.final()).toThrow();
  });

  test.each(vectors.aes256_gcm)("GCM, $name", (row) => {
    const cipher = createCipheriv("aes-256-gcm", fromHex(row.key), fromHex(row.iv)).setAAD(fromHex(row.aad));
    expect(cipher.update(row.plaintext, "hex", "hex") + cipher.final("hex")).toBe(row.ciphertext);
    expect(cipher.getAuthTag().toString("hex")).toBe(row.tag);
    const decipher = createDecipheriv("aes-256-gcm", fromHex(row.key), fromHex(row.iv), { authTagLength: 16 }).setAAD(fromHex(row.aad));
    decipher.setAuthTag(fromHex(row.tag));
    expect(decipher.update(row.ciphertext, "hex", "hex") + decipher.final("hex")).toBe(row.plaintext);
  });

  const ecdsa = vectors.ecdsa_p256_sha256;
  const publicKey = createPublicKey({ key: Buffer.from(ecdsa.public_spki_b64, "base64"), format: "der", type: "spki" });
  const signatures: Row[] = ecdsa.cases;
  test.each(signatures.map((row, i): Row => ({ ...row, label: row.name ?? `case ${i}` })))("ECDSA P-256, $label: verifies is $verify", (row) => {
    expect(verify("sha256", fromHex(row.message), { key: publicKey, dsaEncoding: "der" }, fromHex(row.der))).toBe(row.verify);
  });

  test.each(vectors.base64)("base64 of '$bytes'", (row) => {
    expect(Buffer.from(row.bytes, "hex").toString("base64")).toBe(row.b64);
    expect(Buffer.from(row.bytes, "hex").toString("base64url")).toBe(row.b64url.replace(/=+$/, ""));
    expect(Buffer.from(row.b64url, "base64url").toString("hex")).toBe(row.bytes);
  });
});
