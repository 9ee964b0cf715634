import { expect, test } from "vitest";
import { loadVectors, type Row } from "./vectors.ts";

// What every implementation of the port has to answer, whatever it runs on (COM-08). Functions of test/espruino/vectors-entry.ts by name; hex in, hex out.

export type Call = (name: string, ...values: (string | number)[]) => unknown;

const gaen = loadVectors("gaen_v12.json");
const primitives = loadVectors("primitives.json");
/** Some of the protocols' keys are no affair of the board: it has AES-128 only. */
const isAes128 = (row: Row) => row.key.length === 32;

export function checkCrypto(call: Call): void {
  test("SHA-256, HMAC and HKDF of their standards", () => {
    for (const row of primitives.sha256) expect(call("sha256", row.message)).toBe(row.digest);
    for (const row of primitives.hmac_sha256) expect((call("hmac", row.key, row.message) as string).slice(0, row.mac.length)).toBe(row.mac);
    for (const row of primitives.hkdf_sha256) expect(call("hkdf", row.ikm, row.salt, row.info, row.length)).toBe(row.okm);
  });

  test("AES-128 and its counter mode", () => {
    for (const row of primitives.aes_ecb.filter(isAes128)) expect(call("ecb", row.key, row.plaintext)).toBe(row.ciphertext);
    for (const row of primitives.aes_ctr.filter(isAes128)) expect(call("ctr", row.key, row.counter, row.plaintext)).toBe(row.ciphertext);
  });

  test("all rows of the official key, the seed example and the other keys (GAEN-02)", () => {
    expect(gaen.official.rows).toHaveLength(144);
    for (const set of [gaen.official, gaen.seed_example, ...gaen.tek_sets]) {
      expect(call("rpik", set.tek)).toBe(set.rpik);
      expect(call("aemk", set.tek)).toBe(set.aemk);
      for (const row of set.rows ?? [set]) {
        expect(call("rpi", set.rpik, row.enin)).toBe(row.rpi);
        expect(call("aem", set.aemk, row.rpi, set.metadata)).toBe(row.aem);
      }
    }
  });

  test("many blocks in one call are the blocks one by one", () => {
    const { rpik, rows, rolling_start } = gaen.official;
    expect(call("series", rpik, rolling_start, 144)).toBe(rows.map((row: Row) => row.rpi).join(""));
  });
}
