import { describe, expect, test, vi } from "vitest";
import { aesDecrypt, aesEncrypt, nodeCrypto } from "../../../host-tools/node-crypto.ts";
import { ascii } from "../../../protocols/bytes.ts";
import { openToken, sealToken, tokenKeys } from "../../../protocols/smartbeacon/compact-token.ts";
import { createDays, dayRecord, markPresent, openDay, purgeDays, sealDay } from "../../../protocols/smartbeacon/day-record.ts";
import { checkForwarded } from "../../../protocols/smartbeacon/forwarded.ts";
import { derivedKey, TOKEN_ENCRYPTION, TOKEN_MAC } from "../../../protocols/smartbeacon/keys.ts";
import { sealMessageC } from "../../../protocols/smartbeacon/message-c.ts";
import { FUTURE_SECONDS, messageKeys, openMessageC, STALE_SECONDS, timeliness } from "../../../protocols/smartbeacon/open-message.ts";
import { phoneRef } from "../../../protocols/smartbeacon/phone-ref.ts";
import { parseTimestamp } from "../../../protocols/smartbeacon/timestamp.ts";
import { fromBase64, fromHex, loadVectors, toHex } from "../../support/vectors.ts";

const vectors = loadVectors("smartbeacon.json");
const open = (sk: string, mode: "split" | "single", message: string) =>
  openMessageC(nodeCrypto, aesDecrypt, messageKeys(nodeCrypto, fromHex(sk), mode), fromHex(message));

describe("MESSAGE C", () => {
  test.each(vectors.keys)("keys of $sk (QB-05, QB-11, QB-22)", ({ sk, k_enc, k_mac, k3_enc, k3_mac, k_store }) => {
    const secret = fromHex(sk);
    const { encryption, mac } = messageKeys(nodeCrypto, secret, "split");
    expect([encryption, mac].map(toHex)).toEqual([k_enc, k_mac]);
    expect([TOKEN_ENCRYPTION, TOKEN_MAC, "QB-STORE"].map((purpose) => toHex(derivedKey(nodeCrypto, secret, purpose, 32)))).toEqual([
      k3_enc,
      k3_mac,
      k_store,
    ]);
    expect(messageKeys(nodeCrypto, secret, "single")).toEqual({ encryption: secret, mac: secret });
  });

  test.each(vectors.message_c)("$mode, $text, $iv: sealed to the byte and opened again (QB-05)", (row) => {
    const { encryption, mac } = messageKeys(nodeCrypto, fromHex(row.sk), row.mode);
    const sealed = sealMessageC(nodeCrypto, aesEncrypt, encryption, mac, fromHex(row.iv), ascii(row.text));
    expect(toHex(sealed)).toBe(row.message);
    expect(fromBase64(row.message_b64)).toEqual(sealed);
    expect([toHex(sealed.subarray(16, 48)), toHex(sealed.subarray(48))]).toEqual([row.c_star, row.tag]);
    expect(open(row.sk, row.mode, row.message)).toBe(row.unix);
    expect(parseTimestamp(row.text)).toBe(row.unix);
  });

  test.each(vectors.message_c_bad)("$mode, $name: $expect (QB-06)", (row) => {
    expect(open(row.sk, row.mode, row.message)).toBe(row.expect);
  });

  test("with a wrong MAC is never decrypted (QB-06)", () => {
    const decrypt = vi.fn(aesDecrypt);
    for (const { sk, mode, message, expect: verdict } of vectors.message_c_bad) {
      decrypt.mockClear();
      openMessageC(nodeCrypto, decrypt, messageKeys(nodeCrypto, fromHex(sk), mode), fromHex(message));
      expect(decrypt).toHaveBeenCalledTimes(verdict === "bad-mac" || verdict === "malformed" ? 0 : 1);
    }
  });

  test.each([
    [-421, "stale"],
    [-420, "ok"],
    [0, "ok"],
    [60, "ok"],
    [61, "future"],
  ] as const)("%i s from now is %s", (difference, verdict) => {
    expect(timeliness(1_000_000 + difference, 1_000_000, FUTURE_SECONDS, STALE_SECONDS)).toBe(verdict);
  });
});

describe("compact token (QB-11)", () => {
  test.each(vectors.compact)("status $status, time $t, start $boot", ({ sk, id_beacon, status, t, boot, payload }) => {
    const body = { status, unix: t, boot };
    expect(toHex(sealToken(nodeCrypto, tokenKeys(nodeCrypto, fromHex(sk)), fromHex(id_beacon), body))).toBe(payload);
    expect(openToken(nodeCrypto, fromHex(sk), fromHex(id_beacon), fromHex(payload))).toEqual(body);
  });

  test.each(vectors.compact_bad)("$name: $expect", ({ sk, id_beacon, payload, expect: verdict }) => {
    expect(openToken(nodeCrypto, fromHex(sk), fromHex(id_beacon), fromHex(payload))).toBe(verdict);
  });
});

test.each(vectors.phone_ref)("phone reference $phone_ref (QB-21)", ({ sk_past, t_past, phone_ref }) => {
  expect(toHex(phoneRef(nodeCrypto, fromHex(sk_past), t_past))).toBe(phone_ref);
});

describe("store and forward (QB-22)", () => {
  const [row] = vectors.store;
  const sk = fromHex(row.sk);
  const beaconId = fromHex(row.id_beacon);
  const midnight = row.day * 86400;

  test("a day's record is that of the vectors, slot by slot", () => {
    const days = createDays();
    for (const slot of row.slots) markPresent(days, midnight + slot * 300 + 299);
    const sealed = sealDay(nodeCrypto, sk, beaconId, dayRecord(days, row.day)!);
    expect(toHex(sealed)).toBe(row.record);
    expect(openDay(nodeCrypto, sk, beaconId, sealed)).toEqual({ day: row.day, slots: row.slots });
  });

  test("14 days are kept, a new one takes the place of the oldest, and none is read as another", () => {
    const days = createDays();
    expect(days).toHaveLength(532);
    for (let day = 0; day < 20; day++) markPresent(days, midnight + day * 86400);
    for (let day = -5; day < 40; day++) expect(dayRecord(days, row.day + day) !== undefined, `day ${day}`).toBe(day >= 6 && day < 20);
    expect(dayRecord(createDays(), 0)).toBeUndefined();
    expect(dayRecord(createDays(), 14)).toBeUndefined();
  });

  test("nothing of the day whose place it takes is left in a record", () => {
    const days = createDays();
    markPresent(days, midnight + 5 * 300);
    markPresent(days, midnight + 14 * 86400 + 7 * 300);
    expect(openDay(nodeCrypto, sk, beaconId, sealDay(nodeCrypto, sk, beaconId, dayRecord(days, row.day + 14)!))).toEqual({
      day: row.day + 14,
      slots: [7],
    });
  });

  test("what is older than 14 days is deleted (COM-05)", () => {
    const days = createDays();
    for (let day = 0; day < 14; day++) markPresent(days, midnight + day * 86400);
    purgeDays(days, midnight + 16 * 86400 + 5000);
    expect([...Array(14).keys()].filter((day) => dayRecord(days, row.day + day))).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    purgeDays(days, midnight + 40 * 86400);
    expect(days).toEqual(createDays());
  });

  test("a record of another beacon, another length, or with a changed bit is refused", () => {
    const sealed = fromHex(row.record);
    expect(openDay(nodeCrypto, sk, new Uint8Array(16), sealed)).toBe("bad-mac");
    for (let at = 0; at < sealed.length; at++) expect(openDay(nodeCrypto, sk, beaconId, sealed.with(at, sealed[at] ^ 1))).toBe("bad-mac");
    for (const length of [0, 38, 53]) expect(openDay(nodeCrypto, sk, beaconId, sealed.subarray(0, length))).toBe("malformed");
  });

  test("only authentic and timely messages count", () => {
    const keys = messageKeys(nodeCrypto, sk, "split");
    const now = 1591354799;
    const written = (message: Uint8Array) => Uint8Array.of(...fromHex(vectors.phone_ref[0].phone_ref), ...message);
    const check = (message: Uint8Array, at = now) => checkForwarded(nodeCrypto, aesDecrypt, keys, sk, beaconId, written(message), at);
    const message = fromHex(vectors.message_c.find(({ mode, sk: key, unix }) => mode === "split" && key === row.sk && unix === now)!.message);
    expect(check(message)).toBe("ok");
    expect(check(message, now + 421)).toBe("stale");
    expect(check(message, now - 61)).toBe("future");
    expect(check(message.with(20, 0))).toBe("bad-mac");
    expect(check(message.subarray(0, 79))).toBe("malformed");
    const token = (status: number, unix: number) => sealToken(nodeCrypto, tokenKeys(nodeCrypto, sk), beaconId, { status, unix, boot: 1 });
    expect(check(token(5, now))).toBe("ok");
    expect(check(token(0, now - 421))).toBe("stale");
    expect(check(token(2, now))).toBe("stale");
    expect(check(token(0, now + 61))).toBe("future");
    expect(check(token(8, now))).toBe("bad-format");
    for (const { sk: key, message: bad, mode, expect: verdict } of vectors.message_c_bad)
      if (mode === "split" && key === row.sk) expect(check(fromHex(bad)), verdict).toBe(verdict);
    expect(checkForwarded(nodeCrypto, aesDecrypt, keys, sk, beaconId, new Uint8Array(3), now)).toBe("malformed");
  });
});
