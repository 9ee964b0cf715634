import { expect } from "vitest";
import { aesDecrypt, aesEncrypt, nodeCrypto } from "../../host-tools/node-crypto.ts";
import { currentEphId, ephIds } from "../../protocols/dp3t/low-cost.ts";
import { seededBytes, shuffledOrder } from "../../protocols/dp3t/shuffle.ts";
import { messageKeys } from "../../protocols/smartbeacon/open-message.ts";
import type { Call, Check } from "./crypto-checks.ts";
import { fromHex, loadVectors, toHex } from "./vectors.ts";

// What protocol functions above the port have to answer on every interpreter; crypto-checks.ts has the port. Functions of test/espruino/protocols-entry.ts by name; hex in, hex out.

const adverts = loadVectors("ble_adverts.json");
const dp3t = loadVectors("dp3t.json");
const smartbeacon = loadVectors("smartbeacon.json");

/** `check`: `test`, or what leaves one out where it can't run. */
export function checkProtocols(check: Check, call: Call): void {
  check("advertisements of Contact Tracing v1.0, DP-3T and SmartBeacon are made and found (BLE-01, BLE-02, QB-09)", async () => {
    for (const { inputs, hex } of adverts.accept.filter((row) => row.inputs && !row.inputs.aem)) {
      if (inputs.rpi) expect(await call("v1Advertisement", inputs.rpi)).toBe(hex);
      if (inputs.ephid) expect(await call("dpAdvertisement", inputs.ephid, inputs.tx_power)).toBe(hex);
    }
    for (const { hex, expect: told } of [...adverts.accept, ...adverts.reject]) {
      expect(await call("offsets", hex)).toEqual([told.protocol === "ct10" ? 11 : -1, told.protocol === "dp3t" ? 14 : -1]);
      expect(await call("qbHeard", hex)).toBe(told.payload ?? (told.message ? `b5${told.message}` : 0));
    }
    for (const { message, adverts: made } of smartbeacon.fragments)
      for (const [i, advert] of made.entries()) expect(await call("qbSend", 0xb1, message, i)).toBe(advert);
  });

  check("DP-3T: an order from a seed lasts, and tells the identifier of a time (DP-02)", async () => {
    const [{ sk }] = dp3t.lowcost;
    const seed = "07".repeat(16);
    const order = shuffledOrder(seededBytes(nodeCrypto.aes128, fromHex(seed)), 96);
    expect(await call("dpOrder", seed)).toBe(toHex(order));
    const ids = ephIds(nodeCrypto, aesEncrypt, fromHex(sk), 96);
    for (const unix of [0, 899, 900, 1591574400 + 86399]) expect(await call("dpCurrent", sk, seed, unix)).toBe(toHex(currentEphId(ids, order, unix)));
  });

  check("SmartBeacon: timestamps are read, messages opened, and nothing is decrypted whose tag is wrong (QB-06, QB-07)", async () => {
    for (const { text, unix } of smartbeacon.timestamps) expect(await call("qbUnix", text), text).toBe(unix);
    for (const { mode, sk, message, unix, expect: verdict } of [...smartbeacon.message_c, ...smartbeacon.message_c_bad]) {
      const { encryption } = messageKeys(nodeCrypto, fromHex(sk), mode);
      const blocks = fromHex(message).subarray(16, 48);
      const decrypted = blocks.length === 32 ? toHex(aesDecrypt(encryption, blocks)) : "";
      expect(await call("qbOpenMessage", sk, mode, message, decrypted)).toBe(verdict ?? unix);
    }
  });

  check("SmartBeacon: store and forward, phone references (QB-21, QB-22)", async () => {
    for (const { sk, id_beacon, day, slots, record } of smartbeacon.store)
      expect(await call("qbDay", sk, id_beacon, day, slots.join(" "))).toEqual([record, { day, slots }]);
    for (const { sk_past, t_past, phone_ref } of smartbeacon.phone_ref) expect(await call("qbPhone", sk_past, t_past)).toBe(phone_ref);
    const [{ sk, id_beacon, t, payload }] = smartbeacon.compact;
    const written = "00".repeat(16) + payload;
    expect([await call("qbForwarded", sk, id_beacon, written, t), await call("qbForwarded", sk, id_beacon, written, t + 421)]).toEqual([
      "ok",
      "stale",
    ]);
  });

  check("SmartBeacon: a receiver answers as it must (QB-10)", async () => {
    for (const { config, events, expect: answers, name } of smartbeacon.reassembly.sequences) {
      const { t_msg_ms, ttl_ms, new_ids, bucket } = { ...smartbeacon.reassembly.defaults, ...config };
      await call("qbListen", t_msg_ms, ttl_ms, new_ids, bucket);
      for (const [i, { t_ms, addr, payload }] of events.entries())
        expect(await call("qbReceive", t_ms, addr, payload), `${name}, ${i}`).toBe(answers[i]);
    }
  });
}
