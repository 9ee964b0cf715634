import { expect, test } from "vitest";
import { aesDecrypt, nodeCrypto } from "../../host-tools/node-crypto.ts";
import { readStructures } from "../../protocols/advertising-data.ts";
import { decodeAdvertisement } from "../../protocols/smartbeacon/advertisement.ts";
import { openToken } from "../../protocols/smartbeacon/compact-token.ts";
import { openDay } from "../../protocols/smartbeacon/day-record.ts";
import { checkForwarded } from "../../protocols/smartbeacon/forwarded.ts";
import { fragment, fragmentCount, messageId } from "../../protocols/smartbeacon/fragments.ts";
import { messageKeys, openMessageC } from "../../protocols/smartbeacon/open-message.ts";
import { ANSWERS, createReceiver, RECEIVER_LIMITS } from "../../protocols/smartbeacon/receiver.ts";
import { formatTimestamp, formatUtc, parseTimestamp, parseUtc } from "../../protocols/smartbeacon/timestamp.ts";
import { fromHex, loadVectors, toHex } from "../support/vectors.ts";
import { type Draw, ensure, fuzz } from "./fuzz.ts";

const adverts = loadVectors("ble_adverts.json");
const vectors = loadVectors("smartbeacon.json");
const octets = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const [{ sk: splitSk, message: splitMessage }] = vectors.message_c.filter((row) => row.mode === "split" && row.sk.length === 64);
const sk = fromHex(splitSk);

test("advertisements: a payload has a known type and its length (BLE-02, QB-09)", () => {
  const lengths: Record<number, [number, number]> = { 177: [5, 24], 178: [5, 24], 179: [24, 24], 181: [81, 81] };
  let accepted = 0;
  fuzz(
    [...adverts.accept, ...adverts.reject].map(({ hex }) => fromHex(hex)),
    100,
    (packet) => {
      const payload = decodeAdvertisement(packet);
      if (!payload) return;
      accepted++;
      const [least, most] = lengths[payload[0]];
      ensure(payload.length >= least && payload.length <= most, "length");
      ensure(
        readStructures(packet).some(({ type, data }) => type === 0xff && toHex(data) === `9005${toHex(payload)}`),
        "not in the packet",
      );
    },
  );
  expect(accepted).toBeGreaterThan(0);
});

test("MESSAGE C: only what the beacon sealed is opened (QB-06)", () => {
  const keys = messageKeys(nodeCrypto, sk, "split");
  const own = vectors.message_c.filter((row) => row.mode === "split" && row.sk === splitSk);
  const sealed = new Map<string, number>(own.map(({ message, unix }) => [message, unix]));
  // a flipped bit may be flipped back, and a byte too many cut off: then it is a sealed message, but none of these
  const bad = vectors.message_c_bad.filter(({ name }) => !/bit flipped|bytes/.test(name));
  let opened = 0;
  fuzz(
    [...vectors.message_c, ...bad].map(({ message }) => fromHex(message)),
    100,
    (input) => {
      const unix = openMessageC(nodeCrypto, aesDecrypt, keys, input);
      if (typeof unix !== "number") return;
      opened++;
      ensure(sealed.get(toHex(input)) === unix, "opened what was never sealed");
    },
  );
  expect(opened).toBeGreaterThan(0);
});

test("compact tokens: only what the beacon sealed is opened (QB-11)", () => {
  const [{ id_beacon }] = vectors.compact;
  const beaconId = fromHex(id_beacon);
  const sealed = new Set(vectors.compact.map(({ payload }) => payload));
  let opened = 0;
  fuzz(
    [...vectors.compact, ...vectors.compact_bad].map(({ payload }) => fromHex(payload)),
    32,
    (input) => {
      if (typeof openToken(nodeCrypto, sk, beaconId, input) === "string") return;
      opened++;
      ensure(sealed.has(toHex(input)), "opened what was never sealed");
    },
    // six hashes of hashes for each
  );
  expect(opened).toBeGreaterThan(0);
});

test("timestamps: what is read is in the grammar, in the calendar and in 32 bits (QB-07)", () => {
  const grammar = /^\d{4}-\d\d-\d\d\/\d\d:\d\d:\d\d\/UTC[+-](\d|1[0-4])(:[0-5]\d)?$/;
  let read = 0;
  fuzz(
    vectors.timestamps.map(({ text }) => octets(text)),
    40,
    (input) => {
      const text = Buffer.from(input).toString("latin1");
      const unix = parseTimestamp(text);
      if (unix === undefined) return;
      read++;
      ensure(grammar.test(text) && unix >= 0 && unix <= 0xffffffff, "grammar or range");
      const [, sign, hours, minutes = "0"] = /UTC([+-])(\d+):?(\d+)?$/.exec(text)!;
      const offset = (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
      ensure(Date.parse(`${text.slice(0, 10)}T${text.slice(11, 19)}Z`) / 1000 - offset * 60 === unix, "another instant");
      ensure(parseTimestamp(formatTimestamp(unix, offset)) === unix, "another text");
    },
  );
  expect(read).toBeGreaterThan(0);
});

test("timestamps of the Fernet variant: the same (QB-09)", () => {
  let read = 0;
  fuzz(
    [0, 1591354799, 4291747199].map((unix) => octets(formatUtc(unix, 123456))),
    30,
    (input) => {
      const text = Buffer.from(input).toString("latin1");
      const unix = parseUtc(text);
      if (unix === undefined) return;
      read++;
      ensure(formatUtc(unix, Number(text.slice(20))) === text, "another text");
    },
  );
  expect(read).toBeGreaterThan(0);
});

test("days of the store, and what phones write: only what the beacon sealed counts (QB-22)", () => {
  const [{ sk: storeSk, id_beacon, record }] = vectors.store;
  const [{ phone_ref }] = vectors.phone_ref;
  const keys = messageKeys(nodeCrypto, fromHex(storeSk), "split");
  const days = new Set([record]);
  const tokens = vectors.compact.map(({ payload }) => payload);
  const messages = vectors.message_c.filter((row) => row.mode === "split" && row.sk === storeSk).map(({ message }) => message);
  const seen = { days: 0, written: 0 };
  fuzz([record, ...[...tokens, ...messages, splitMessage].map((one) => phone_ref + one)].map(fromHex), 110, (input) => {
    const text = toHex(input);
    if (typeof openDay(nodeCrypto, fromHex(storeSk), fromHex(id_beacon), input) !== "string") {
      seen.days++;
      ensure(days.has(text), "a day that was never sealed");
    }
    if (checkForwarded(nodeCrypto, aesDecrypt, keys, fromHex(storeSk), fromHex(id_beacon), input, 1591354799) === "ok") {
      seen.written++;
      ensure([...tokens, ...messages].includes(text.slice(32)), "a message that was never sealed");
    }
  });
  expect(Math.min(seen.days, seen.written)).toBeGreaterThan(0);
});

/** Messages that beacons send, and all their payloads. */
const sent = Array.from({ length: 12 }, (_, n) => {
  const [type, length] = n % 3 === 2 ? [0xb2, 89] : [0xb1, 80];
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 32) bytes.set(nodeCrypto.sha256(Uint8Array.of(n, at)).subarray(0, length - at), at);
  const id = messageId(nodeCrypto, bytes);
  return Array.from({ length: fragmentCount(length) }, (_, i) => fragment(type, id, bytes, i));
});
const tokens = vectors.compact.map(({ payload }) => fromHex(payload));

/** Time to the next packet, ms: mostly a moment, sometimes a lifetime, a penalty or a day. */
function pause(draw: Draw): number {
  const kind = draw(100);
  if (kind < 90) return draw(300);
  return [1000, 11_000, 31_000, 61_000, 301_000, 601_000, 86_400_000][draw(7)];
}

test("the receiver: whatever is heard, from whom, in what order and how late, its rules hold and its memory is bounded (QB-10)", () => {
  const ADDRESSES = 6;
  let at = 0;
  let receiver = createReceiver(nodeCrypto, RECEIVER_LIMITS);
  let accepted: { at: number; address: string; digest: string }[] = [];
  let heard: { at: number; address: string; payload: string }[] = [];
  let packets = 0;
  let total = 0;
  const answers = new Set<string>();
  fuzz([...sent.flat(), ...tokens], 30, (input, draw) => {
    if (++packets % 5000 === 0) {
      receiver = createReceiver(nodeCrypto, RECEIVER_LIMITS);
      accepted = [];
      heard = [];
    }
    at += pause(draw);
    const address = `address ${draw(ADDRESSES)}`;
    // Half of the time the next fragments of a true message, so that some are complete at last.
    const burst = draw(2) ? [input] : sent[draw(sent.length)].slice(draw(3), 3 + draw(3));
    for (const payload of burst) {
      heard.push({ at, address, payload: toHex(payload) });
      if (heard.length > 400) heard.shift();
      const before = receiver.waiting.length;
      const answer = ANSWERS[receiver.receive(at, address, payload)]!;
      answers.add(answer);
      ensure(
        receiver.waiting.length <= 16 && (answer === "message" ? receiver.waiting.length >= before : receiver.waiting.length === before),
        "waiting",
      );
      if (answer !== "message") continue;
      total++;
      const { bytes, type, address: from } = receiver.waiting[receiver.waiting.length - 1];
      const digest = toHex(nodeCrypto.sha256(bytes));
      ensure(from === address && bytes.length === (type === 0xb1 ? 80 : type === 0xb3 ? 24 : bytes.length), "length");
      // all of it was heard from this address within ten seconds
      for (let chunk = 0; type !== 0xb3 && chunk < bytes.length; chunk += 20) {
        const text = toHex(bytes.subarray(chunk, chunk + 20));
        const from10s = heard.filter((one) => one.address === address && at - one.at <= 10_000);
        ensure(
          from10s.some((one) => one.payload.slice(8) === text && one.payload.startsWith(digest.slice(0, 4), 2)),
          "a chunk that was not heard",
        );
      }
      ensure(!accepted.slice(-64).some((one) => one.digest === digest), "a replay");
      ensure(!accepted.some((one) => one.address === address && at - one.at < 30_000), "too fast");
      ensure(accepted.filter((one) => at - one.at < 10_000).length < 8, "a flood");
      accepted.push({ at, address, digest });
    }
  });
  expect(total).toBeGreaterThan(0);
  for (const answer of [
    "malformed",
    "bad-index",
    "bad-count",
    "bad-chunk",
    "penalty",
    "repeat",
    "rate",
    "conflict",
    "duplicate-fragment",
    "partial",
    "replay",
  ])
    expect(answers).toContain(answer);
});
