import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodeCrypto } from "../../../host-tools/node-crypto.ts";
import { wholeMessage } from "../../../protocols/smartbeacon/advertisement.ts";
import { fragment, fragmentCount, messageId } from "../../../protocols/smartbeacon/fragments.ts";
import { ANSWERS, createReceiver, RECEIVER_LIMITS } from "../../../protocols/smartbeacon/receiver.ts";
import { fromHex, loadVectors, type Row, toHex } from "../../support/vectors.ts";

const { reassembly } = loadVectors("smartbeacon.json");
const MINUTE = 60_000;

/** Message number `n`: 80 bytes that no other number has. */
function message(n: number, length = 80): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 32) bytes.set(nodeCrypto.sha256(Uint8Array.of(n >> 8, n, at)).subarray(0, length - at), at);
  return bytes;
}

function payloads(bytes: Uint8Array, type = 0xb1): Uint8Array[] {
  const id = messageId(nodeCrypto, bytes);
  return Array.from({ length: fragmentCount(bytes.length) }, (_, i) => fragment(type, id, bytes, i));
}

function receiver(changes: Partial<typeof RECEIVER_LIMITS> = {}) {
  const made = createReceiver(nodeCrypto, { ...RECEIVER_LIMITS, ...changes });
  const receive = (at: number, address: string, payload: Uint8Array) => ANSWERS[made.receive(at, address, payload)]!;
  /** Answers to all fragments of a message. */
  const hear = (at: number, address: string, bytes: Uint8Array, type?: number) =>
    payloads(bytes, type).map((payload, i) => receive(at + i, address, payload));
  return { waiting: made.waiting, receive, hear };
}

describe("a receiver of SmartBeacon messages", () => {
  test("has the stated limits", () => {
    const { t_msg_ms, ttl_ms, new_ids, bucket } = reassembly.defaults;
    expect(RECEIVER_LIMITS).toEqual({ messageMs: t_msg_ms, contextMs: ttl_ms, newIds: new_ids, bucket });
  });

  test.each(reassembly.sequences as Row[])("$name (QB-10)", ({ config, events, expect: answers }) => {
    const { receive, waiting } = receiver({
      ...(config.t_msg_ms && { messageMs: config.t_msg_ms }),
      ...(config.ttl_ms && { contextMs: config.ttl_ms }),
      ...(config.new_ids && { newIds: config.new_ids }),
      ...(config.bucket && { bucket: config.bucket }),
    });
    const given = events.map(({ t_ms, addr, payload }: Row) => {
      const answer = receive(t_ms, addr, fromHex(payload));
      return answer === "message" ? `message:${toHex(waiting.at(-1)!.bytes)}` : answer;
    });
    expect(given).toEqual(answers);
  });

  test("keeps 16 messages and drops the oldest of the loudest address, never the newest (QB-15)", () => {
    const { hear, waiting } = receiver();
    const at = (n: number) => n * MINUTE;
    hear(at(0), "quiet", message(0));
    for (let n = 1; n <= 15; n++) expect(hear(at(n), "loud", message(n)).at(-1)).toBe("message");
    expect(hear(at(16), "quiet", message(16)).at(-1)).toBe("message");
    expect(waiting.map(({ at: time }) => Math.floor(time / MINUTE))).toEqual([0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    waiting.splice(0, 16);
    hear(at(17), "loud", message(17));
    expect(waiting).toHaveLength(1);
  });

  test("messages of several beacons are all forwarded (QB-25)", () => {
    const { hear, waiting } = receiver();
    for (const beacon of [1, 2, 3, 4, 5]) hear(100 * beacon, `beacon ${beacon}`, message(beacon));
    expect(waiting.map(({ address }) => address)).toEqual([1, 2, 3, 4, 5].map((beacon) => `beacon ${beacon}`));
  });

  test("a message that came too fast is taken when its time has come, for the beacon repeats it", () => {
    const { hear } = receiver();
    expect(hear(0, "a", message(1)).at(-1)).toBe("message");
    expect(hear(20_000, "a", message(2)).at(-1)).toBe("too-fast");
    expect(hear(29_000, "a", message(2)).at(-1)).toBe("too-fast");
    expect(hear(31_000, "a", message(2)).at(-1)).toBe("message");
    expect(hear(31_400, "a", message(2))).toEqual(Array(4).fill("repeat"));
  });

  test("a finished id is forgotten after 10 minutes; then the ring knows the message", () => {
    const { hear } = receiver();
    hear(0, "a", message(1));
    expect(hear(10 * MINUTE - 3, "a", message(1))).toEqual(Array(4).fill("repeat"));
    expect(hear(10 * MINUTE + 1, "a", message(1)).at(-1)).toBe("replay");
  });

  test("a replay a day later is one as long as fewer than 64 messages came between", () => {
    for (const [between, answer] of [
      [63, "replay"],
      [64, "message"],
    ] as const) {
      const { hear } = receiver();
      for (let n = 0; n <= between; n++) expect(hear(n * 20 * MINUTE, "a", message(n)).at(-1)).toBe("message");
      expect(hear(1440 * MINUTE, "a", message(0)).at(-1)).toBe(answer);
    }
  });

  test("compact tokens and whole messages need no fragments, but keep to the same rates (QB-10)", () => {
    const { receive, waiting } = receiver();
    const token = (n: number) => Uint8Array.of(0xb3, ...message(n, 23));
    expect(receive(0, "a", token(1))).toBe("message");
    expect(receive(100, "a", token(1))).toBe("replay");
    expect(receive(200, "a", token(2))).toBe("too-fast");
    expect(receive(300, "b", wholeMessage(message(3)))).toBe("message");
    for (const n of [4, 5, 6, 7]) expect(receive(400, `c${n}`, token(n))).toBe("message");
    expect(receive(500, "d", token(8))).toBe("global-rate");
    expect(waiting.map(({ type, bytes }) => [type, bytes.length])).toEqual([[0xb3, 24], [0xb1, 80], ...Array(4).fill([0xb3, 24])]);
    for (const wrong of [message(1, 23), message(1, 25), message(1, 82)]) {
      wrong[0] = 0xb3;
      expect(receive(600, "e", wrong)).toBe("malformed");
    }
  });

  test("Fernet tokens of other lengths than 57 + 16 k are refused when they are complete (QB-10)", () => {
    for (const length of [73, 89, 153]) expect(receiver().hear(0, "a", message(1, length), 0xb2).at(-1)).toBe("message");
    for (const length of [72, 74, 80, 152]) expect(receiver().hear(0, "a", message(1, length), 0xb2).at(-1)).toBe("bad-length");
  });

  test("32 addresses are remembered, the one heard least recently goes", () => {
    const { receive, hear } = receiver();
    let at = 1000;
    const hearOthers = (name: string, count: number) => {
      for (let n = 0; n < count; n++) receive(at++, `${name} ${n}`, payloads(message(0))[0]);
    };
    const penalised = (address: string) => receive(at++, address, payloads(message(9))[0]) === "penalty";
    for (const n of [1, 2, 3]) receive(n, "loud", payloads(message(n))[0]);
    hearOthers("other", 31);
    expect(penalised("loud")).toBe(true);
    hearOthers("another", 31);
    expect(penalised("loud")).toBe(true);
    hearOthers("one more", 32);
    expect(penalised("loud")).toBe(false);
    expect(hear(20_000, "loud", message(1)).at(-1)).toBe("message");
  });

  test("nothing of the address whose place it takes is left with another", () => {
    const { hear } = receiver({ bucket: 99 });
    hear(0, "first", message(1));
    for (let n = 0; n < 32; n++) hear(1000 + 10 * n, `other ${n}`, message(100 + n));
    // in the first one's place: its id is not finished here, its message was not too soon before
    expect(hear(2000, "other 31", message(1))[0]).toBe("partial");
    expect(hear(3000, "new", message(2)).at(-1)).toBe("message");
  });

  test("neither is a penalty: it goes with the address that earned it", () => {
    const { receive } = receiver();
    for (const n of [1, 2, 3]) receive(n, "loud", payloads(message(n))[0]);
    for (let n = 0; n < 32; n++) expect(receive(100 + n, `other ${n}`, payloads(message(50))[0])).toBe("partial");
  });

  test("an id that begins again after 30 s counts again", () => {
    const { receive } = receiver();
    const begin = (at: number, n: number) => receive(at, "a", payloads(message(n))[0]);
    expect([begin(0, 1), begin(31_000, 1), begin(31_001, 2), begin(31_002, 3)]).toEqual(["partial", "partial", "partial", "rate"]);
  });

  test("64 ids are remembered, those of all addresses together; the ring still knows the message", () => {
    const { hear } = receiver({ messageMs: 3000, newIds: 30, bucket: 99 });
    for (let n = 0; n <= 64; n++) expect(hear(n * 3000, "a", message(n)).at(-1)).toBe("message");
    expect(hear(65 * 3000, "a", message(1))[0]).toBe("repeat");
    expect(hear(65 * 3000, "a", message(0))[0]).toBe("partial");
    expect(hear(65 * 3000, "a", message(63))[0]).toBe("repeat");
  });

  test("a forger who completes an id first doesn't keep the true message out", () => {
    const { receive, hear } = receiver();
    const forged = payloads(message(1)).map((payload) => payload.slice());
    forged[3][10] ^= 1;
    expect(forged.map((payload, i) => receive(i, "a", payload)).at(-1)).toBe("bad-digest");
    expect(hear(1000, "a", message(1)).at(-1)).toBe("message");
  });

  test("both bytes of the id are those of the digest (QB-10)", () => {
    const bytes = message(1);
    const [first, second] = messageId(nodeCrypto, bytes);
    for (const id of [Uint8Array.of(first, second ^ 1), Uint8Array.of(first ^ 1, second)]) {
      const { receive } = receiver();
      expect([0, 1, 2, 3].map((i) => receive(i, "a", fragment(0xb1, id, bytes, i))).at(-1)).toBe("bad-digest");
    }
  });

  test("a last chunk of another length is another chunk", () => {
    const { receive } = receiver();
    const [, , , , last] = payloads(message(1, 89), 0xb2);
    expect(receive(0, "a", last)).toBe("partial");
    expect(receive(1, "a", last.slice(0, 12))).toBe("conflict");
  });

  test("in any order, with repeats, of as many beacons as it takes, a message comes out once and whole", () => {
    const order = fc.array(fc.record({ beacon: fc.nat(3), index: fc.nat(3) }), { minLength: 40, maxLength: 120 });
    fc.assert(
      fc.property(order, (heard) => {
        const { receive, waiting } = receiver();
        heard.forEach(({ beacon, index }, i) => {
          receive(i * 10, `b${beacon}`, payloads(message(beacon))[index]);
        });
        const complete = [0, 1, 2, 3].filter((beacon) => new Set(heard.filter((one) => one.beacon === beacon).map(({ index }) => index)).size === 4);
        expect(waiting.map(({ address }) => address).sort()).toEqual(complete.map((beacon) => `b${beacon}`));
        for (const { address, bytes } of waiting) expect(bytes).toEqual(message(Number(address[1])));
      }),
    );
  });
});
