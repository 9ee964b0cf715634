import { expect } from "vitest";
import { loadVectors, type Row } from "./vectors.ts";

// What every implementation of the port has to answer, whatever it runs on (COM-08). Functions of test/espruino/vectors-entry.ts by name; hex in, hex out.

export type Call = (name: string, ...values: (string | number)[]) => unknown;
export type Check = (name: string, body: () => Promise<void>) => void;

const gaen = loadVectors("gaen_v12.json");
const primitives = loadVectors("primitives.json");
const v1 = loadVectors("ct_v10.json");
const dp3t = loadVectors("dp3t.json");
const smartbeacon = loadVectors("smartbeacon.json");
const ofLength = (bits: number) => (row: Row) => row.key.length === bits / 4;

/** `check`: `test`, or what leaves one out where it can't run. */
export function checkCrypto(check: Check, call: Call): void {
  check("SHA-256, HMAC and HKDF of their standards", async () => {
    for (const row of primitives.sha256) expect(await call("hash", row.message)).toBe(row.digest);
    for (const row of primitives.hmac_sha256) expect(((await call("hmac", row.key, row.message)) as string).slice(0, row.mac.length)).toBe(row.mac);
    for (const row of primitives.hkdf_sha256) {
      expect(await call("hmac", row.salt, row.ikm)).toBe(row.prk);
      expect(await call("hkdf", row.ikm, row.salt, row.info, row.length)).toBe(row.okm);
    }
  });

  check("AES-128 and its counter mode, with a counter of 128 bits", async () => {
    for (const row of primitives.aes_ecb.filter(ofLength(128))) expect(await call("ecb", row.key, row.plaintext)).toBe(row.ciphertext);
    for (const row of primitives.aes_ctr.filter(ofLength(128))) {
      expect(await call("ctr", row.key, row.counter, row.plaintext)).toBe(row.ciphertext);
      expect(await call("ctr", row.key, row.counter, row.ciphertext)).toBe(row.plaintext);
    }
  });

  check("AES-256", async () => {
    const rows = primitives.aes_ecb.filter(ofLength(256));
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(await call("ecb256", row.key, row.plaintext)).toBe(row.ciphertext);
  });

  check("Contact Tracing v1.0: day, daily key and identifiers (CT-01, CT-02, CT-03)", async () => {
    for (const { unix, day, tin } of v1.day_numbers) expect(await call("v1Day", unix)).toEqual([day, tin]);
    for (const { tk, day, dtk, rpis } of v1.cases) {
      expect(await call("v1DailyKey", tk, day)).toBe(dtk);
      for (const { tin, rpi } of rpis) expect(await call("v1Rpi", dtk, tin)).toBe(rpi);
    }
    const { tk, day, tin, correct_dtk, correct_rpi, wrong } = v1.known_bad;
    const own = [await call("v1DailyKey", tk, day), await call("v1Rpi", correct_dtk, tin)];
    expect(own).toEqual([correct_dtk, correct_rpi]);
    for (const { dtk, rpi } of wrong) for (const bad of [dtk, rpi]) expect(own).not.toContain(bad);
    for (const { dtk, rpi, tin: at } of v1.match) {
      const found: number[] = [];
      // the whole day is searched by the matcher's own test: an emulated processor would take half a minute
      for (const interval of [0, 99, 100, 101, 143]) if ((await call("v1Rpi", dtk, interval)) === rpi) found.push(interval);
      expect(found).toEqual(at === null ? [] : [at]);
    }
  });

  check("DP-3T low-cost: EphIDs of a day, the key of the next, and an order for each day (DP-01, DP-02)", async () => {
    for (const { sk, ephids, next_sk } of dp3t.lowcost) {
      const stream = (await call("dpEphIds", sk, 96)) as string;
      for (const { i, ephid } of ephids) expect(stream.slice(32 * i, 32 * i + 32)).toBe(ephid);
      expect(await call("dpNext", sk)).toBe(next_sk);
    }
    for (const { ephid0 } of dp3t.known_bad.wrong) expect(await call("dpEphIds", dp3t.known_bad.sk, 1)).not.toBe(ephid0);
    const [one, other] = [await call("dpShuffled"), await call("dpShuffled")].map((order) =>
      (order as string).match(/../g)!.map((digits) => Number.parseInt(digits, 16)),
    );
    expect(one).not.toEqual(other);
    for (const order of [one, other]) expect(order.toSorted((a, b) => a - b)).toEqual([...Array(96).keys()]);
  });

  check("DP-3T unlinkable and hybrid (DP-05, DP-06)", async () => {
    for (const { seed, time, ephid, epoch, hash } of dp3t.unlinkable) expect(await call("dpUnlinkable", seed, time)).toEqual([ephid, epoch, hash]);
    for (const { seed, n, ephids } of dp3t.hybrid) expect(await call("dpWindow", seed, n)).toBe(ephids.join(""));
  });

  check("SmartBeacon: keys, MESSAGE C in both key modes, tokens (QB-05, QB-07, QB-11)", async () => {
    for (const { sk, k_enc, k_mac, k3_enc, k3_mac } of smartbeacon.keys) {
      expect(await call("qbKeys", sk)).toEqual([k_enc, k_mac, k3_enc, k3_mac]);
    }
    for (const { unix, offset_min, text } of smartbeacon.format) expect(await call("qbTime", unix, offset_min)).toBe(text);
    for (const { mode, sk, iv, text, message } of smartbeacon.message_c) {
      const [encryptionKey, macKey] = mode === "split" ? ((await call("qbKeys", sk)) as string[]) : [sk, sk];
      expect(await call("qbMessage", encryptionKey, macKey, iv, text)).toBe(message);
    }
    for (const { sk, id_beacon, status, t, boot, payload } of smartbeacon.compact) {
      expect(await call("qbToken", sk, id_beacon, status, t, boot)).toBe(payload);
      expect(await call("qbOpen", sk, id_beacon, payload)).toEqual({ status, unix: t, boot });
    }
    for (const { sk, id_beacon, payload, expect: verdict } of smartbeacon.compact_bad)
      expect(await call("qbOpen", sk, id_beacon, payload)).toBe(verdict);
  });

  check("all rows of the official key, the seed example and the other keys (GAEN-02)", async () => {
    expect(gaen.official.rows).toHaveLength(144);
    for (const set of [gaen.official, gaen.seed_example, ...gaen.tek_sets]) {
      expect(await call("rpik", set.tek)).toBe(set.rpik);
      expect(await call("aemk", set.tek)).toBe(set.aemk);
      for (const row of set.rows ?? [set]) {
        expect(await call("rpi", set.rpik, row.enin)).toBe(row.rpi);
        expect(await call("aem", set.aemk, row.rpi, set.metadata)).toBe(row.aem);
      }
    }
  });

  check("many blocks in one call are the blocks one by one", async () => {
    const { rpik, rows, rolling_start } = gaen.official;
    // a day's at once needs more memory in one piece than the tests before may have left
    let made = "";
    for (const from of [0, 48, 96]) made += await call("series", rpik, rolling_start + from, 48);
    expect(made).toBe(rows.map((row: Row) => row.rpi).join(""));
  });
}
