import { describe, expect, test } from "vitest";
import { aesEncrypt, nodeCrypto } from "../../../host-tools/node-crypto.ts";
import { AppBackend, SETUP_SECONDS } from "../../../host-tools/servers/quarantine/app-backend.ts";
import { readControls, saveControls } from "../../../host-tools/servers/quarantine/saved-controls.ts";
import { type ControlSettings, PRESETS } from "../../../host-tools/servers/quarantine/settings.ts";
import { readUpload } from "../../../host-tools/smartbeacon/tuples.ts";
import { ascii } from "../../../protocols/bytes.ts";
import { fernetText, sealFernet } from "../../../protocols/fernet/token.ts";
import { COMPACT_TOKEN } from "../../../protocols/smartbeacon/advertisement.ts";
import { CLOCK_UNSET, SEAL_OPENED, sealToken, tokenKeys } from "../../../protocols/smartbeacon/compact-token.ts";
import { sealMessageC } from "../../../protocols/smartbeacon/message-c.ts";
import { messageKeys } from "../../../protocols/smartbeacon/open-message.ts";
import { phoneRef } from "../../../protocols/smartbeacon/phone-ref.ts";
import { formatTimestamp, formatUtc } from "../../../protocols/smartbeacon/timestamp.ts";
import { toBase64, toHex } from "../../support/vectors.ts";

const T0 = 1_800_000_000;
const PAST = T0 - (T0 % 86400);
const BEACON = { id: new Uint8Array(16).fill(1), sk: new Uint8Array(32).fill(2), mode: "split" as const };
const ID = toHex(BEACON.id);
const phoneKey = (n: number) => new Uint8Array(32).fill(n);
const refOf = (n: number) => toHex(phoneRef(nodeCrypto, phoneKey(n), PAST));

let boot = 0;
const token = (unix: number, status = 0) => ({
  type: COMPACT_TOKEN,
  bytes: sealToken(nodeCrypto, tokenKeys(nodeCrypto, BEACON.sk), BEACON.id, { status, unix, boot: boot++ % 65536 }),
});

/** A server that controls these phones, all of one home, since T0. */
function controlling(phones: number[], settings: ControlSettings = PRESETS.standard): AppBackend {
  const server = new AppBackend(settings);
  for (const n of phones) server.setup({ pastKey: phoneKey(n), pastTime: PAST, beacon: BEACON }, T0);
  server.enable(ID, T0);
  return server;
}

describe("whose control is on", () => {
  test("QB-21: a phone is known by phone_ref; by its key only where that is configured, and otherwise the key is not kept", () => {
    const upload = (phone: string) => ({ phone, messages: [token(T0)] });
    const verdict = (server: AppBackend, phone: string) => server.batch(upload(phone), T0).verdicts[0].verdict;
    const byRef = controlling([7]);
    expect(verdict(byRef, toHex(phoneKey(7)))).toBe("unknown-phone");
    expect(verdict(byRef, refOf(7))).toBe("ok");
    expect(saveControls(byRef.state)).not.toContain(toHex(phoneKey(7)));
    const byKey = controlling([7], { ...PRESETS.standard, rawKeys: true });
    expect(verdict(byKey, toHex(phoneKey(7)))).toBe("ok");
    expect(verdict(byKey, refOf(7))).toBe("ok");
  });

  test("QB-21: where keys are no longer taken a restart forgets them, and a phone is one phone whichever way its name was kept", () => {
    const withKeys = { ...PRESETS.standard, rawKeys: true };
    const restarted = (server: AppBackend, settings: ControlSettings) => new AppBackend(settings, readControls(saveControls(server.state)));
    const byRef = restarted(controlling([7], withKeys), PRESETS.standard);
    expect(saveControls(byRef.state)).not.toContain(toHex(phoneKey(7)));
    expect(byRef.batch({ phone: toHex(phoneKey(7)), messages: [token(T0)] }, T0).verdicts).toEqual([{ verdict: "unknown-phone" }]);
    expect(byRef.batch({ phone: refOf(7), messages: [token(T0)] }, T0).verdicts[0].verdict).toBe("ok");
    const byKey = restarted(byRef, withKeys);
    byKey.setup({ pastKey: phoneKey(7), pastTime: PAST, beacon: BEACON }, T0);
    expect(byKey.state).toHaveLength(1);
  });

  test("QB-01: of a phone nothing is kept but names of it and of its beacon, the key, times, and short digests of messages", () => {
    const server = controlling([7]);
    server.batch({ phone: refOf(7), messages: [token(T0), token(T0 - 900)] }, T0);
    const [kept] = JSON.parse(saveControls(server.state)).phones;
    const { beacon, strays, counted, ...rest } = kept;
    expect(rest).toEqual({ phone: refOf(7), ref: refOf(7), setUpAt: T0, enabledAt: T0, newest: T0, violated: false, faulty: false });
    expect(beacon).toEqual({ id: ID, sk: toHex(BEACON.sk), mode: "split" });
    expect(strays).toEqual([]);
    expect(counted).toEqual([[expect.stringMatching(/^[0-9a-f]{32}$/), T0]]);
  });

  test("QB-04: a second ENABLE neither restarts the silence nor moves the beginning", () => {
    const server = controlling([7]);
    expect(server.enable(ID, T0 + 480)).toBe(1);
    expect(server.tick(T0 + 481)).toEqual([{ at: T0 + 481, kind: "VIOLATION", id_beacon: ID, silent_s: 481 }]);
  });

  test("QB-04: a new setup of a phone replaces the old one and waits for its own ENABLE; the other phone of the home stays under control", () => {
    const server = controlling([7, 8]);
    server.setup({ pastKey: phoneKey(7), pastTime: PAST, beacon: BEACON }, T0 + 100);
    expect(server.batch({ phone: refOf(7), messages: [token(T0 + 100)] }, T0 + 100).verdicts).toEqual([{ verdict: "not-enabled" }]);
    expect(server.tick(T0 + 481)).toHaveLength(1);
    expect(server.enable(ID, T0 + 500)).toBe(2);
    expect(server.tick(T0 + 981)).toHaveLength(2);
  });

  test("QB-20: a setup vanishes after 14 days, to the second, and with it its control", () => {
    const server = controlling([7]);
    expect(server.tick(T0 + SETUP_SECONDS - 1)).toHaveLength(1);
    expect(server.tick(T0 + SETUP_SECONDS)).toEqual([]);
    expect(server.state).toEqual([]);
    expect(server.enable(ID, T0 + SETUP_SECONDS)).toBe(0);
    expect(server.batch({ phone: refOf(7), messages: [token(T0)] }, T0 + SETUP_SECONDS).verdicts).toEqual([{ verdict: "unknown-phone" }]);
  });

  test("QB-20: a beacon that is taken down takes its phones with it, and its key is wiped", () => {
    const server = controlling([7, 8]);
    const [{ beacon }] = server.state;
    expect(server.removePhone(refOf(9))).toBe(false);
    expect(server.removePhone(refOf(7))).toBe(true);
    expect(toHex(beacon.sk)).toMatch(/^0{64}$/);
    expect(server.removeBeacon("00".repeat(16))).toBe(0);
    expect(server.removeBeacon(ID)).toBe(1);
    expect(server.tick(T0 + 481)).toEqual([]);
    expect(BEACON.sk[0]).toBe(2);
  });
});

describe("messages", () => {
  test("QB-17: each carrier counts; the score of a batch is its best message's", () => {
    const server = controlling([7]);
    const { encryption, mac } = messageKeys(nodeCrypto, BEACON.sk, "split");
    const iv = new Uint8Array(16).fill(9);
    const c = toBase64(sealMessageC(nodeCrypto, aesEncrypt, encryption, mac, iv, ascii(formatTimestamp(T0 + 60, 330))));
    const f = fernetText(sealFernet(nodeCrypto, BEACON.sk, T0 + 120, iv, ascii(formatUtc(T0 + 120, 999_999))));
    const upload = readUpload({ v: 1, phone: refOf(7), tuples: [{ c }, { f }, { q: toBase64(token(T0 + 180).bytes) }], received: [] })!;
    expect(server.batch(upload, T0 + 300)).toEqual({
      verdicts: [
        { verdict: "ok", ts: T0 + 60, score: 50 },
        { verdict: "ok", ts: T0 + 120, score: 67 },
        { verdict: "ok", ts: T0 + 180, score: 83 },
      ],
      events: [],
      score: 83,
    });
  });

  test("a tuple that is none is a malformed message, and spoils no other", () => {
    const q = toBase64(token(T0).bytes);
    const spelled = { c: "AA=" };
    const upload = readUpload({ v: 1, phone: refOf(7), tuples: [7, null, { c: 1 }, spelled, { q, f: "" }, { q: "" }, { f: "+" }, { q }] })!;
    expect(upload.messages).toHaveLength(8);
    const { verdicts } = controlling([7]).batch(upload, T0);
    expect(verdicts.map(({ verdict }) => verdict)).toEqual([...Array(7).fill("malformed"), "ok"]);
  });

  test.each([
    ["no object", 7],
    ["another version", { v: 2, phone: refOf(7), tuples: [] }],
    ["a phone in capitals", { v: 1, phone: refOf(7).toUpperCase().replace(/^./, "A"), tuples: [] }],
    ["a phone of 17 bytes", { v: 1, phone: `${refOf(7)}00`, tuples: [] }],
    ["257 tuples", { v: 1, phone: refOf(7), tuples: Array(257).fill({}) }],
  ])("an upload that is none: %s", (_, json) => {
    expect(readUpload(json)).toBeUndefined();
  });

  test("the memory for duplicates ends where a message would be stale, and has 64 places", () => {
    const server = controlling([7]);
    const early = token(T0);
    const batch = (at: number, ...messages: ReturnType<typeof token>[]) =>
      server.batch({ phone: refOf(7), messages }, at).verdicts.map(({ verdict }) => verdict);
    expect(batch(T0, early, early)).toEqual(["ok", "duplicate"]);
    expect(batch(T0 + 420, early)).toEqual(["duplicate"]);
    expect(batch(T0 + 421, early, token(T0 + 421))).toEqual(["stale", "ok"]);
    expect(server.state[0].counted.size).toBe(1);
    const many = Array.from({ length: 100 }, (_, i) => token(T0 + 430 + i));
    expect(new Set(batch(T0 + 500, ...many))).toEqual(new Set(["ok"]));
    expect(server.state[0].counted.size).toBe(64);
    expect(batch(T0 + 500, many[99], many[36])).toEqual(["duplicate", "duplicate"]);
    expect(server.state[0].newest).toBe(T0 + 529);
  });

  test("QB-14: a token without a clock is stale and says so; three of them in three batches are a fault, told once", () => {
    const server = controlling([7]);
    const batch = (at: number, unix: number) => server.batch({ phone: refOf(7), messages: [token(unix, CLOCK_UNSET | SEAL_OPENED)] }, at);
    expect(batch(T0 + 300, 200)).toEqual({ verdicts: [{ verdict: "stale", ts: 200, status: CLOCK_UNSET | SEAL_OPENED }], events: [] });
    expect(batch(T0 + 600, 500).events).toEqual([]);
    expect(batch(T0 + 900, 800).events).toEqual([{ at: T0 + 900, kind: "BEACON_FAULT", id_beacon: ID, offset_s: T0 + 100 }]);
    expect(batch(T0 + 1200, 1100).events).toEqual([]);
    server.batch({ phone: refOf(7), messages: [token(T0 + 1300)] }, T0 + 1300);
    expect([1600, 1900, 2200].flatMap((s) => batch(T0 + s, s - 100).events)).toHaveLength(1);
  });
});

describe("faults and violations", () => {
  test("a wrong clock is found although five messages come at a time: the newest of each batch counts", () => {
    const server = controlling([7]);
    const events = [300, 600, 900].flatMap((s) => {
      const messages = [240, 180, 120, 60, 0].map((age) => token(T0 + s - age + 3600));
      return server.batch({ phone: refOf(7), messages }, T0 + s).events;
    });
    expect(events).toEqual([{ at: T0 + 900, kind: "BEACON_FAULT", id_beacon: ID, offset_s: -3600 }]);
  });

  test("messages that waited are no fault: their offsets differ; neither is one message sent thrice", () => {
    const server = controlling([7]);
    const batch = (at: number, unix: number) => server.batch({ phone: refOf(7), messages: [token(unix)] }, at).events;
    expect([1000, 1060, 1120].flatMap((s) => batch(T0 + s, T0 + s / 10))).toEqual([]);
    const same = token(T0 + 500);
    expect([0, 1, 2].flatMap((s) => server.batch({ phone: refOf(7), messages: [same] }, T0 + 2000 + s).events)).toEqual([]);
  });

  test("a recording that begins again is found at its next three", () => {
    const server = controlling([7]);
    const batch = (at: number, unix: number) => server.batch({ phone: refOf(7), messages: [token(unix)] }, at).events;
    expect(batch(T0 + 5000, T0 + 4000)).toEqual([]);
    expect(batch(T0 + 5060, T0 + 4060)).toEqual([]);
    expect(batch(T0 + 5120, T0 + 1000)).toEqual([]);
    expect(batch(T0 + 5180, T0 + 1060)).toEqual([]);
    expect(batch(T0 + 5240, T0 + 1120)).toMatchObject([{ kind: "BEACON_FAULT", offset_s: 4120 }]);
  });

  test("QB-18: a tick tells of each phone once, in the order of their names, however often it is asked", () => {
    const server = controlling([8, 7, 9], { ...PRESETS.standard, rawKeys: true });
    server.batch({ phone: toHex(phoneKey(8)), messages: [token(T0 + 400)] }, T0 + 400);
    server.batch({ phone: toHex(phoneKey(7)), messages: [token(T0 + 10)] }, T0 + 10);
    const events = server.tick(T0 + 500);
    expect(events.map((event) => "silent_s" in event && event.silent_s)).toEqual([490, 500]);
    expect(server.tick(T0 + 500)).toEqual([]);
    expect(server.tick(T0 + 560)).toHaveLength(2);
  });

  test("QB-24, QB-02: no event and no saved event names a phone", () => {
    const server = controlling([7]);
    const told = JSON.stringify(server.tick(T0 + 500));
    expect(told).toContain(ID);
    expect(told).not.toContain(refOf(7));
  });

  test("hoarding gains nothing: a message that comes late counts from when it was made, in the preset `paper` from when it came", () => {
    for (const [preset, silent] of [
      ["standard", 500],
      ["paper", 361],
    ] as const) {
      const server = controlling([7], PRESETS[preset]);
      const came = T0 + 300;
      server.batch({ phone: refOf(7), messages: [token(came - 200)] }, came);
      const told = preset === "standard" ? T0 + 100 + 500 : came + 361;
      expect(server.tick(told - 60)).toEqual([]);
      expect(server.tick(told)).toMatchObject([{ silent_s: silent }]);
    }
  });
});

test("a state that is none is refused without a word of what it says", () => {
  const secret = saveControls(controlling([7]).state).replace('"v":1', '"v":2');
  expect(() => readControls(secret)).toThrow(expect.objectContaining({ code: "bad_state", message: expect.not.stringContaining("0202") }));
  expect(() => readControls("{")).toThrow(expect.objectContaining({ code: "bad_state" }));
});
