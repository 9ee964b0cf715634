import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { aesEncrypt, nodeCrypto } from "../../../host-tools/node-crypto.ts";
import { score, verifyMessage, verifyMessages } from "../../../host-tools/smartbeacon/verification.ts";
import { ascii } from "../../../protocols/bytes.ts";
import { sealFernet } from "../../../protocols/fernet/token.ts";
import { COMPACT_TOKEN, FERNET_FRAGMENT, MESSAGE_FRAGMENT } from "../../../protocols/smartbeacon/advertisement.ts";
import { BATTERY_LOW, CLOCK_UNSET, sealToken, tokenKeys } from "../../../protocols/smartbeacon/compact-token.ts";
import { sealMessageC } from "../../../protocols/smartbeacon/message-c.ts";
import { messageKeys } from "../../../protocols/smartbeacon/open-message.ts";
import { formatTimestamp, formatUtc } from "../../../protocols/smartbeacon/timestamp.ts";

const NOW = 1_800_000_000;
const KEY = { id: new Uint8Array(16).fill(1), sk: new Uint8Array(32).fill(2), mode: "split" as const };
const OTHER = { ...KEY, id: new Uint8Array(16).fill(3) };
const IV = new Uint8Array(16).fill(9);

const token = (unix: number, status = 0, key = KEY) => ({
  type: COMPACT_TOKEN,
  bytes: sealToken(nodeCrypto, tokenKeys(nodeCrypto, key.sk), key.id, { status, unix, boot: 4 }),
  receivedAt: NOW,
});
const messageC = (text: string) => {
  const { encryption, mac } = messageKeys(nodeCrypto, KEY.sk, "split");
  return { type: MESSAGE_FRAGMENT, bytes: sealMessageC(nodeCrypto, aesEncrypt, encryption, mac, IV, ascii(text)), receivedAt: NOW };
};
const fernet = (unix: number, text = formatUtc(unix, 5)) => ({
  type: FERNET_FRAGMENT,
  bytes: sealFernet(nodeCrypto, KEY.sk, unix, IV, ascii(text)),
  receivedAt: NOW,
});

test("QB-17: the score is the one of the published cases", () => {
  const { score: published } = JSON.parse(readFileSync(new URL("../../vectors/smartbeacon.json", import.meta.url), "utf8")) as {
    score: { rows: { delay_s: number; score: number }[] };
  };
  expect(published.rows.length).toBeGreaterThan(3);
  for (const row of published.rows) expect(score(row.delay_s), `${row.delay_s} s`).toBe(row.score);
});

test.each([
  ["token", token],
  ["MESSAGE C", (unix: number) => messageC(formatTimestamp(unix, 330))],
  ["Fernet token", fernet],
])("delays and scores of a %s, and those too early or too late", (_, made) => {
  expect(verifyMessage(KEY, made(NOW))).toEqual({ verdict: "ok", delay: 0, score: 100, notes: [] });
  expect(verifyMessage(KEY, made(NOW - 240))).toMatchObject({ verdict: "ok", delay: 240, score: 50 });
  expect(verifyMessage(KEY, made(NOW - 421))).toEqual({ verdict: "stale", delay: 421, notes: [] });
  expect(verifyMessage(KEY, made(NOW + 61))).toEqual({ verdict: "future", delay: -61, notes: [] });
  const changed = made(NOW);
  changed.bytes[changed.bytes.length - 1] ^= 1;
  expect(verifyMessage(KEY, changed).verdict).toBe("bad-mac");
  expect(verifyMessage(KEY, { ...changed, bytes: changed.bytes.subarray(1) }).verdict).toMatch(/^(malformed|bad-version|bad-mac)$/);
});

test("a token says what is the matter with its beacon; one without a clock is stale (QB-14)", () => {
  expect(verifyMessage(KEY, token(NOW, BATTERY_LOW))).toMatchObject({ verdict: "ok", notes: ["battery low"] });
  expect(verifyMessage(KEY, token(300, CLOCK_UNSET))).toEqual({ verdict: "stale", notes: ["clock not set"] });
});

test("text that is no time is bad-format, in either form; a short key opens no Fernet token", () => {
  expect(verifyMessage(KEY, messageC("a text of 16 chs")).verdict).toBe("bad-format");
  expect(verifyMessage(KEY, fernet(NOW, "a text of 16 chs")).verdict).toBe("bad-format");
  expect(verifyMessage({ ...KEY, sk: KEY.sk.subarray(16), mode: "single" }, fernet(NOW)).verdict).toBe("bad-mac");
});

test("all together: each message once, as it came first; others' beside them do no harm", () => {
  const received = [token(NOW - 100), { ...token(NOW - 100), receivedAt: NOW - 90 }, token(NOW - 30), token(NOW - 1000), token(NOW, 0, OTHER)];
  expect(verifyMessages(KEY, received)).toEqual({
    messages: 4,
    verdicts: { ok: 2, stale: 1, "bad-mac": 1 },
    ok: { count: 2, delay: { least: 10, median: 30, most: 30 }, score: 100, firstAt: NOW - 90, lastAt: NOW },
    notes: {},
  });
  expect(verifyMessages(OTHER, received.slice(0, 4)).ok).toBeUndefined();
});
