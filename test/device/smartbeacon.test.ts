import { afterEach, describe, expect, test } from "vitest";
import type { Board } from "../../host-tools/device/board.ts";
import { decodeWaiting, pullMessages } from "../../host-tools/device/messages.ts";
import { type BeaconSetup, encodeSetup, requireSmartBeacon, setUpBeacon } from "../../host-tools/device/smartbeacon.ts";
import { verifyMessages } from "../../host-tools/smartbeacon/verification.ts";
import { Store } from "../../host-tools/store/store.ts";
import { SMARTBEACON_TAG } from "../../protocols/protocol-tags.ts";
import { COMPACT_TOKEN, decodeAdvertisement, FERNET_FRAGMENT, MESSAGE_FRAGMENT } from "../../protocols/smartbeacon/advertisement.ts";
import { overLink } from "../support/virtual-link.ts";
import { command, expectQuietConsoles, status, type WearOptions, WornWorld } from "../support/worn-boards.ts";

afterEach(expectQuietConsoles);

const BEACON: WearOptions = { role: "smartbeacon", protocols: ["smartbeacon"], clockSet: false };
const COLLECTOR: WearOptions = { role: "collector", protocols: ["smartbeacon"] };
const key = (mode: "split" | "single" = "split", bytes = 32) => ({
  id: Uint8Array.from({ length: 16 }, (_, i) => 17 * i + 5),
  sk: Uint8Array.from({ length: bytes }, (_, i) => 200 - 3 * i),
  mode,
});
const setup = (carrier = "token", more: Partial<BeaconSetup> = {}): BeaconSetup => ({ ...key(), carrier, utcOffset: 0, ...more });
const hasSetup = (one: { pr?: [number, number] }) => ((one.pr?.[1] ?? 0) >> SMARTBEACON_TAG) & 1;
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => ({ code: "none", message: "" }),
    (error: { code: string; message: string }) => error,
  );

async function beaconAndCollector(seed = 1, collector = COLLECTOR) {
  const world = new WornWorld(seed);
  const beacon = await world.wear({ x: 0, y: 0 }, BEACON);
  const phone = await world.wear({ x: 4, y: 0 }, collector);
  const store = Store.open(":memory:", { now: () => Math.floor(world.clock.now) });
  const pull = (options?: { dryRun: boolean }) => world.talk(phone, (link) => pullMessages(link, store, options));
  return { world, beacon, phone, store, pull };
}

describe("setting up a SmartBeacon over the wire", () => {
  test.each([
    ["token", setup("token"), COMPACT_TOKEN],
    ["message, single, 16 bytes, behind UTC", setup("message", { ...key("single", 16), utcOffset: -90 }), MESSAGE_FRAGMENT],
    ["fernet", setup("fernet"), FERNET_FRAGMENT],
  ])("the clock is set, a message is on the air, and what a collector hears of it opens with the key (QB-05, QB-13): %s", async (_, wanted, type) => {
    const { world, beacon, store, pull } = await beaconAndCollector();
    const { status: after, clock } = await world.talk(beacon, (link) => setUpBeacon(link, wanted));
    expect(after.ad).toBe(1);
    expect(clock.before.boardMs).toBeUndefined();
    expect(Math.abs(after.u / 1000 - world.clock.now)).toBeLessThan(2);
    const payload = world
      .sentBy(beacon)
      .flatMap(({ packets }) => decodeAdvertisement(packets[0]) ?? [])
      .at(-1)!;
    expect(payload[0]).toBe(type);
    world.pass(600);
    expect((await pull())!.added).toBeGreaterThan(3);
    const verified = verifyMessages(wanted, await store.messages());
    expect(verified).toMatchObject({ verdicts: { ok: verified.messages }, ok: { score: 100 } });
    expect(verified.ok!.delay.least).toBeGreaterThanOrEqual(-2);
    expect(verified.ok!.delay.most).toBeLessThan(62);
  });

  test("again with another key and carrier: the last one counts, and 'it sends' is of the new message", async () => {
    const { world, beacon, store, pull } = await beaconAndCollector();
    await world.talk(beacon, (link) => setUpBeacon(link, setup("token")));
    world.pass(120);
    const other = setup("message", { sk: new Uint8Array(32).fill(7) });
    const before = status(beacon).ro;
    const { status: after } = await world.talk(beacon, (link) => setUpBeacon(link, other));
    expect(after.ro).toBeGreaterThan(before);
    await pull();
    world.pass(300);
    await pull();
    const { verdicts } = verifyMessages(other, await store.messages());
    expect(verdicts.ok).toBeGreaterThan(1);
    expect(verdicts["bad-mac"]).toBeGreaterThan(0);
  });

  test.each([
    ["wearable", { role: "wearable" }],
    ["collector", COLLECTOR],
  ])("a board of another role is refused before it gets anything: %s", async (role, options) => {
    const world = new WornWorld(2);
    const board = await world.wear({ x: 0, y: 0 }, options);
    const { code, message } = await failureOf(world.talk(board, (link) => setUpBeacon(link, setup())));
    expect(code).toBe("wrong_role");
    expect(message).toContain(`its role is ${role}`);
    expect(message).toContain("--role smartbeacon");
  });

  test("a bare board is refused, and one whose console is Bluetooth (QB-13)", async () => {
    const world = new WornWorld(3);
    const board = await world.wear({ x: 0, y: 0 }, BEACON);
    const console = async (answer: unknown) => {
      const repl = { evaluate: async () => answer };
      const link = { name: "x", requireFirmware: async () => {}, anyStatus: async () => ({ r: "smartbeacon" }), repl };
      return (await failureOf(requireSmartBeacon(link as unknown as Board))).code;
    };
    expect(await console("Bluetooth")).toBe("not_by_wire");
    expect(await console("Serial1")).toBe("none");
    expect(await world.talk(board, (link) => link.repl.evaluate("E.getConsole()"))).toBe("Serial1");
    board.storage.erase(".bootcde");
    world.restart(board);
    expect((await failureOf(world.talk(board, (link) => setUpBeacon(link, setup())))).code).toBe("no_firmware");
  });

  test.each([
    ["sends nothing", { ad: 0 }, "not_advertising", 30],
    ["still sends what it sent before", { ad: 1, ro: 7 }, "not_advertising", 30],
    ["did not keep the key", { pr: [32, 0] as [number, number] }, "not_kept", 0],
  ])("a board that has taken the key but %s is told as that", async (_, lie, code, seconds) => {
    const world = new WornWorld(11);
    const board = await world.wear({ x: 0, y: 0 }, BEACON);
    let begun = 0;
    const work = world.talk(board, (link) => {
      const ask = link.status.bind(link);
      link.status = async () => {
        begun ||= world.clock.now;
        return { ...(await ask()), ...lie };
      };
      return setUpBeacon(link, setup());
    });
    expect((await failureOf(work)).code).toBe(code);
    expect(world.clock.now - begun).toBeGreaterThanOrEqual(seconds);
    expect(world.clock.now - begun).toBeLessThan(seconds + 5);
  });

  test("carrier fernet needs 32 bytes of key", async () => {
    const world = new WornWorld(4);
    const board = await world.wear({ x: 0, y: 0 }, BEACON);
    const short = setup("fernet", key("single", 16));
    expect((await failureOf(world.talk(board, (link) => setUpBeacon(link, short)))).code).toBe("short_key");
  });

  test("the link is cut before each of its messages: the beacon is set up or it is silent, and running it again always ends well", async () => {
    const outcomes = { before: 0, after: 0 };
    for (let cutBefore = 2; ; cutBefore++) {
      const world = new WornWorld(5);
      const beacon = await world.wear({ x: 0, y: 0 }, BEACON);
      const ended = await overLink(world.clock, beacon, (link) => setUpBeacon(link, setup()), cutBefore).then(
        () => "done",
        (error: { code: string; message: string }) => {
          for (const secret of [Buffer.from(key().sk), Buffer.from(encodeSetup(setup()))]) {
            expect(error.message).not.toContain(secret.toString("hex").slice(0, 16));
            expect(error.message).not.toContain(secret.toString("base64").slice(0, 12));
          }
          return error.code;
        },
      );
      if (ended === "done") break;
      expect(ended).toBe("disconnected");
      world.pass(60);
      const now = status(beacon);
      outcomes[hasSetup(now) ? "after" : "before"]++;
      expect(now.ad).toBe(hasSetup(now));
      expect((await overLink(world.clock, beacon, (link) => setUpBeacon(link, setup()))).status.ad).toBe(1);
    }
    expect(outcomes.before).toBeGreaterThan(3);
    expect(outcomes.after).toBeGreaterThan(0);
  });

  test("the power goes between the setup and its answer: the key is there or it isn't, and running it again ends well", async () => {
    const kept = new Set<number>();
    for (const ms of [0, 20, 40, 60, 80, 100, 120, 140, 160]) {
      const world = new WornWorld(6);
      const beacon = await world.wear({ x: 0, y: 0 }, BEACON);
      const cut = world.talk(beacon, async (link) => {
        const send = link.repl.send.bind(link.repl);
        link.repl.send = (line) => {
          if (line.startsWith("T.b(")) world.clock.at(world.clock.now + ms / 1000, () => beacon.powerOff());
          return send(line);
        };
        return setUpBeacon(link, setup());
      });
      const { code, message } = await failureOf(cut);
      expect(code).toMatch(/^(timeout|disconnected|damaged)$/);
      expect(message).not.toContain(Buffer.from(encodeSetup(setup())).toString("base64").slice(0, 12));
      beacon.powerOn();
      world.pass(2);
      kept.add(hasSetup(status(beacon)));
      const { status: after } = await world.talk(beacon, (link) => setUpBeacon(link, setup()));
      expect([after.ad, hasSetup(after)]).toEqual([1, 1]);
    }
    expect(kept).toEqual(new Set([0, 1]));
  });
});

describe("pulling what a collector has", () => {
  test("each message once, with the time at which it came, and the board forgets what is stored (QB-15)", async () => {
    const { world, beacon, phone, store, pull } = await beaconAndCollector(7);
    await world.talk(beacon, (link) => setUpBeacon(link, setup()));
    world.pass(600);
    expect((await pull({ dryRun: true }))!.added).toBe(0);
    expect(await store.messages()).toEqual([]);
    const first = (await pull())!;
    expect(first.added).toBe(first.waiting);
    expect(first.added).toBeGreaterThan(4);
    expect(decodeWaiting(command(phone, "q(-1)"))!.length).toBeLessThan(2);
    world.pass(600);
    await pull();
    await pull();
    const all = await store.messages();
    expect(all).toHaveLength(status(phone).co![0]);
    expect(new Set(all.map(({ bytes }) => Buffer.from(bytes).toString("hex"))).size).toBe(all.length);
    expect(all.map(({ receivedAt }) => receivedAt)).toEqual(all.map(({ receivedAt }) => receivedAt).sort((a, b) => a - b));
  });

  test("its times are ours where the board's clock was never set, or is wrong", async () => {
    const { world, beacon, store, pull } = await beaconAndCollector(8, { ...COLLECTOR, clockSet: false });
    await world.talk(beacon, (link) => setUpBeacon(link, setup()));
    world.pass(400);
    expect((await pull())!.added).toBeGreaterThan(2);
    expect(verifyMessages(setup(), await store.messages()).verdicts).toEqual({ ok: (await store.messages()).length });
  });

  test("a message that came in the second of the last one, after we had asked, is not forgotten unseen", async () => {
    const forgotten: number[] = [];
    const waiting = [{ tick: 101, type: COMPACT_TOKEN, bytes: new Uint8Array(24) }];
    const answers = { co: [1, 0], id: "00112233aabbccdd", e: 1, u: 0, v: "", b: "", r: "" };
    const pullAt = async (t: number, eraAfter = 1) => {
      const link = {
        name: "x",
        identity: { serial: "" },
        timedStatus: async () => ({ value: { ...answers, t }, sentAt: 1000 + t, begunAt: 1000 + t }),
        status: async () => ({ ...answers, t, e: eraAfter }),
        waitingMessages: async (taken: number) => {
          forgotten.push(taken);
          return waiting;
        },
      };
      const store = Store.open(":memory:");
      await pullMessages(link as unknown as Board, store);
      return (await store.messages())[0].receivedAt;
    };
    expect(await pullAt(100.4)).toBe(1101);
    expect(await pullAt(101.2)).toBe(1101);
    expect(forgotten).toEqual([-1, 100, -1, 101]);
    expect((await failureOf(pullAt(101.2, 2))).code).toBe("restarted");
    expect(forgotten.at(-1)).toBe(-1);
  });

  test("cut before each of its messages: nothing is lost, nothing is there twice", async () => {
    const { world, beacon, phone, store } = await beaconAndCollector(9);
    await world.talk(beacon, (link) => setUpBeacon(link, setup()));
    for (let cutBefore = 2; ; cutBefore++) {
      // short enough for what waits to find its room
      world.pass(100);
      const done = await overLink(world.clock, phone, (link) => pullMessages(link, store), cutBefore).then(
        () => true,
        () => false,
      );
      if (done) break;
    }
    await world.talk(phone, (link) => pullMessages(link, store));
    expect(await store.messages()).toHaveLength(status(phone).co![0]);
  });

  test("beside the log of a wearable with several protocols; of boards that collect none there is nothing to say", async () => {
    const { world, beacon, pull } = await beaconAndCollector(10, { protocols: ["gaen", "smartbeacon"], built: { cycleTime: 30, scanTime: 4 } });
    await world.talk(beacon, (link) => setUpBeacon(link, setup()));
    world.pass(600);
    expect((await pull())!.added).toBeGreaterThan(3);
    const worn = await world.wear({ x: 1, y: 1 });
    expect(await world.talk(worn, (link) => pullMessages(link, Store.open(":memory:")))).toBeUndefined();
  });

  test("an answer that is none is known by its lengths", () => {
    const one = (type: number, length: number) => Buffer.concat([Uint8Array.of(1, 0, 0, 0, type, length), Buffer.alloc(length)]);
    expect(decodeWaiting(new Uint8Array(0))).toEqual([]);
    expect(decodeWaiting(Buffer.concat([one(0xb1, 80), one(0xb3, 24), one(0xb2, 89)]))).toHaveLength(3);
    for (const bad of [one(0xb1, 79), one(0xb3, 23), one(0xb4, 24), one(0xb2, 154), one(0xb1, 80).subarray(1), one(0xb1, 80).subarray(0, 85)])
      expect(decodeWaiting(bad)).toBeUndefined();
    expect(decodeWaiting(Buffer.from("{}"))).toBeUndefined();
  });
});
