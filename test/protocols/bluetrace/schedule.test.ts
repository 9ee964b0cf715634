import { expect, test } from "vitest";
import { addressKey, BLACKLIST_ENTRIES, blacklisted, isBlacklisted, tempIdKey } from "../../../protocols/bluetrace/blacklist.ts";
import { ANDROID, nextPeer, pauseAfterScan } from "../../../protocols/bluetrace/duty-cycle.ts";
import { loadVectors } from "../../support/vectors.ts";

const { blacklist } = loadVectors("bluetrace.json");
const { android } = loadVectors("parameters.json").bluetrace;

test("a peer is skipped until its time has passed (BT-09)", () => {
  let list = "";
  const verdicts = blacklist.events.map(({ t, device }: { t: number; device: string }) => {
    if (isBlacklisted(list, tempIdKey(device), t, blacklist.ttl_s)) return "skip";
    list = blacklisted(list, tempIdKey(device), t);
    return "connect";
  });
  expect(verdicts).toEqual(blacklist.expect);
  expect(ANDROID.blacklistSeconds).toBe(blacklist.ttl_s);
});

test("64 peers are remembered, the oldest goes first, and a peer met again has one entry (BT-09)", () => {
  let list = "";
  const met = (i: number) => tempIdKey(`peer${i}`);
  for (let i = 0; i < BLACKLIST_ENTRIES; i++) list = blacklisted(list, met(i), 1000);
  expect(list).toHaveLength(768);
  list = blacklisted(list, met(0), 1001);
  expect(list).toHaveLength(768);
  list = blacklisted(list, met(64), 1002);
  expect(list).toHaveLength(768);
  expect([0, 1, 2, 63, 64].map((i) => isBlacklisted(list, met(i), 1003, 100))).toEqual([true, false, true, true, true]);
});

test("an address and a TempID are different keys, and a key is found only where an entry begins (BT-09)", () => {
  expect(addressKey("c0:01:02:03:04:ff")).toBe("\xc0\x01\x02\x03\x04\xff\0\0");
  expect(tempIdKey("abc")).toBe("abc     ");
  // the time of the second entry with its key's first half reads like a key, and what stands before like its time
  const list = blacklisted(blacklisted("", "AAAABBBB", 0x42424242), "CCCCDDDD", 0x42424242);
  expect(isBlacklisted(list, "BBBBCCCC", 0x42424242, 100)).toBe(false);
  expect(isBlacklisted(list, "CCCCDDDD", 0x42424242, 100)).toBe(true);
});

test("the blacklist counts right up to 2^32 - 1, and a clock that was set back frees everybody (BT-09)", () => {
  const list = blacklisted("", "AAAAAAAA", 4294967200);
  expect(isBlacklisted(list, "AAAAAAAA", 4294967299, 100)).toBe(true);
  expect(isBlacklisted(list, "AAAAAAAA", 4294967300, 100)).toBe(false);
  expect(isBlacklisted(list, "AAAAAAAA", 4294967199, 100)).toBe(false);
});

test("the timers are Android's, and each pause lies in its range, both ends included (BT-08)", () => {
  expect(ANDROID).toEqual({
    scanMs: android.scan_s * 1000,
    pauseMs: android.scan_gap_s.min * 1000,
    pauseRandomMs: (android.scan_gap_s.max - android.scan_gap_s.min) * 1000,
    advertiseMs: android.advertise_s * 1000,
    advertiseGapMs: android.advertise_gap_s * 1000,
    queueMs: android.queue_ttl_s * 1000,
    connectTimeoutMs: android.connect_timeout_s * 1000,
    blacklistSeconds: android.blacklist_s,
  });
  const pauses = Array.from({ length: 256 }, (_, random) => pauseAfterScan(ANDROID, random));
  expect([Math.min(...pauses), Math.max(...pauses)]).toEqual([36000, 43000]);
  expect(new Set(pauses).size).toBe(256);
  // one part central, four peripheral
  for (const pause of pauses) expect(pause / ANDROID.scanMs).toBeGreaterThan(4);
});

test("the strongest peer of the last seven seconds is next (BT-08)", () => {
  const queue = [
    { address: "a", rssi: -40, heardAt: 0 },
    { address: "b", rssi: -70, heardAt: 1000 },
    { address: "c", rssi: -60, heardAt: 1000 },
  ];
  expect(nextPeer(queue, ANDROID.queueMs, 7000)).toBe(0);
  expect(nextPeer(queue, ANDROID.queueMs, 7001)).toBe(2);
  expect(nextPeer(queue, ANDROID.queueMs, 8001)).toBe(-1);
  expect(nextPeer([], ANDROID.queueMs, 0)).toBe(-1);
});
