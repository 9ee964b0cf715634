import { afterEach, describe, expect, test } from "vitest";
import { aesDecrypt, nodeCrypto } from "../../host-tools/node-crypto.ts";
import { openFernet } from "../../protocols/fernet/token.ts";
import { COMPACT_TOKEN, decodeAdvertisement, FERNET_FRAGMENT, MESSAGE_FRAGMENT } from "../../protocols/smartbeacon/advertisement.ts";
import { BATTERY_LOW, CLOCK_UNSET, openToken, type TokenBody } from "../../protocols/smartbeacon/compact-token.ts";
import { CHUNK } from "../../protocols/smartbeacon/fragments.ts";
import { messageKeys, openMessageC } from "../../protocols/smartbeacon/open-message.ts";
import { CARRIER_AT, SETUP_BYTES, SINGLE_AT, SK_LENGTH_AT } from "../../protocols/smartbeacon/setup.ts";
import { parseUtc } from "../../protocols/smartbeacon/timestamp.ts";
import { BEACON, COLLECTOR, handedOver, ID, messagesIn, type Sent, SK, setUp } from "../support/sent-messages.ts";
import { toHex } from "../support/vectors.ts";
import { command, expectQuietConsoles, MORNING, setClock, status, type WearOptions, WornWorld } from "../support/worn-boards.ts";

afterEach(expectQuietConsoles);

async function placed(options: WearOptions = BEACON, seed = 1) {
  const world = new WornWorld(seed);
  const board = await world.wear({ x: 0, y: 0 }, options);
  return { world, board, sent: () => messagesIn(world.sentBy(board)) };
}
const tokenOf = ({ message }: Sent) => openToken(nodeCrypto, SK, ID, message) as TokenBody;

describe("a SmartBeacon", () => {
  test("says nothing before it is set up, and nothing of time before its clock is (QB-13, QB-14)", async () => {
    const { world, board, sent } = await placed({ ...BEACON, clockSet: false });
    world.pass(600);
    expect(sent()).toEqual([]);
    setUp(board, MESSAGE_FRAGMENT);
    world.pass(600);
    expect(sent()).toEqual([]);
    expect(status(board)).toMatchObject({ ad: 0 });
    setClock(board, world.clock.now);
    world.pass(120);
    expect(sent().length).toBeGreaterThan(1);
  });

  test.each([
    ["in split mode", {}],
    ["in single mode, 32 bytes", { single: true }],
    ["in single mode, 16 bytes, an hour and a half ahead", { single: true, keyBytes: 16, offset: 90 }],
  ])("sends a new MESSAGE C each minute, in four fragments, that its key opens (QB-05, QB-08, QB-09): %s", async (_, how) => {
    const { world, board, sent } = await placed();
    setUp(board, MESSAGE_FRAGMENT, how);
    world.pass(3600);
    const messages = sent();
    expect(messages.length).toBeGreaterThan(58);
    expect(messages.length).toBeLessThan(62);
    expect(new Set(messages.map(({ message }) => toHex(message.subarray(0, 16)))).size).toBe(messages.length);
    const sk = SK.subarray(0, "keyBytes" in how ? how.keyBytes : 32);
    for (const { from, type, message } of messages) {
      expect([type, message.length]).toEqual([MESSAGE_FRAGMENT, 80]);
      const opened = openMessageC(nodeCrypto, aesDecrypt, messageKeys(nodeCrypto, sk, "single" in how ? "single" : "split"), message);
      expect(Math.abs((opened as number) - from)).toBeLessThan(3);
    }
    for (const { packets, connectable, scannable } of world.sentBy(board).filter(({ packets }) => decodeAdvertisement(packets[0]))) {
      expect([connectable, scannable]).toEqual([false, false]);
      for (const packet of packets) expect(packet.length).toBeLessThanOrEqual(31);
    }
  });

  test("the Fernet variant in five fragments (FER-01, QB-09)", async () => {
    const { world, board, sent } = await placed();
    setUp(board, FERNET_FRAGMENT);
    world.pass(600);
    expect(sent().length).toBeGreaterThan(8);
    for (const { from, message } of sent()) {
      expect(message).toHaveLength(4 * CHUNK + 9);
      const text = openFernet(nodeCrypto, aesDecrypt, SK, message, Math.floor(from) + 1, 60);
      expect(Math.abs(parseUtc(Buffer.from(text as Uint8Array).toString("latin1"))! - from)).toBeLessThan(2);
    }
  });

  test("compact tokens: start and time never come together twice, through restarts and a clock that is set back (QB-11)", async () => {
    const { world, board, sent } = await placed();
    setUp(board, COMPACT_TOKEN);
    world.pass(1800);
    world.restart(board);
    world.pass(900);
    setClock(board, world.clock.now - 30);
    world.pass(900);
    setClock(board, world.clock.now - 3600);
    world.pass(1800);
    const tokens = sent().map(tokenOf);
    expect(tokens.length).toBeGreaterThan(80);
    expect(tokens.filter((token) => typeof token !== "object")).toEqual([]);
    expect(new Set(tokens.map(({ unix, boot }) => `${boot} ${unix}`)).size).toBe(tokens.length);
    expect(new Set(tokens.map(({ boot }) => boot)).size).toBe(3);
    expect(new Set(tokens.map(({ status }) => status))).toEqual(new Set([0]));
  });

  test("a token tells that its clock is not set, with the seconds since the start, and that its battery is low (QB-14)", async () => {
    const { world, board, sent } = await placed({ ...BEACON, clockSet: false, settings: { lowBattery: 3600 } });
    setUp(board, COMPACT_TOKEN);
    world.pass(300);
    const tokens = sent().map(tokenOf);
    expect(tokens.length).toBeGreaterThan(3);
    for (const { status, unix } of tokens) {
      expect(status).toBe(CLOCK_UNSET | BATTERY_LOW);
      expect(unix).toBeLessThan(400);
    }
    setClock(board, world.clock.now);
    world.pass(120);
    expect(tokenOf(sent().at(-1)!).status).toBe(BATTERY_LOW);
    expect(tokenOf(sent().at(-1)!).unix).toBeGreaterThan(MORNING);
  });

  test("has another address after 15 messages at most, never in the middle of one", async () => {
    const { world, board, sent } = await placed();
    setUp(board, MESSAGE_FRAGMENT);
    world.pass(2 * 3600);
    const runs = new Map<string, number>();
    for (const { address } of sent()) runs.set(address, (runs.get(address) ?? 0) + 1);
    expect(runs.size).toBeGreaterThan(6);
    expect(Math.max(...runs.values())).toBeLessThanOrEqual(15);
    const addressesOf = new Map<string, Set<string>>();
    for (const { packets, address } of world.sentBy(board)) {
      const payload = decodeAdvertisement(packets[0]);
      if (!payload) continue;
      const id = toHex(payload);
      addressesOf.set(id, (addressesOf.get(id) ?? new Set()).add(address));
    }
    expect([...addressesOf.values()].every((addresses) => addresses.size === 1)).toBe(true);
  });

  test("its key is kept over restarts and power cuts, replaced by another, and nothing that the console answers has it (QB-13)", async () => {
    const { world, board, sent } = await placed();
    setUp(board, COMPACT_TOKEN);
    world.pass(120);
    world.powerCycle(board);
    setClock(board, world.clock.now);
    world.pass(300);
    expect(typeof tokenOf(sent().at(-1)!)).toBe("object");
    const answers = ["s()", "k(0)", "k(1)", "r(0,500)", "r(0,1000)"].map((call) => toHex(command(board, call))).join();
    for (let at = 0; at + 8 <= SK.length; at += 8) expect(answers).not.toContain(toHex(SK.subarray(at, at + 8)));
    expect(answers).not.toContain(toHex(ID.subarray(0, 8)));
    setUp(board, MESSAGE_FRAGMENT);
    world.pass(120);
    expect(sent().at(-1)!.type).toBe(MESSAGE_FRAGMENT);
  });

  test("refuses a setup of another length or of an unknown carrier", async () => {
    const { board } = await placed();
    expect(() => command(board, `b("${Buffer.alloc(63).toString("base64")}")`)).toThrow("refused: arg");
    expect(() => command(board, `b("${Buffer.alloc(64).toString("base64")}")`)).toThrow("refused: arg");
    expect(() => command(board, 'b("")')).toThrow("refused: arg");
  });
});

test("a power cut while one key takes the place of another leaves the one or the other, whole (QB-13)", async () => {
  const other = Buffer.alloc(SETUP_BYTES, 9);
  other.fill(0, SINGLE_AT);
  other[CARRIER_AT] = COMPACT_TOKEN;
  other[SK_LENGTH_AT] = 32;
  for (let bytes = 0; bytes < 240; bytes += 23) {
    const { world, board, sent } = await placed();
    setUp(board, COMPACT_TOKEN);
    world.pass(90);
    board.flash.cutAfter(bytes);
    try {
      command(board, `b("${other.toString("base64")}")`);
    } catch {
      // the power went before the answer
    }
    board.flash.keepPower();
    if (board.powered) board.powerOff();
    board.powerOn();
    world.pass(1);
    setClock(board, world.clock.now);
    world.pass(90);
    const { message } = sent().at(-1)!;
    const opened = [openToken(nodeCrypto, SK, ID, message), openToken(nodeCrypto, other.subarray(0, 32), other.subarray(32, 48), message)];
    expect(
      opened.filter((one) => typeof one === "object"),
      `cut after ${bytes} bytes`,
    ).toHaveLength(1);
    expect((opened.find((one) => typeof one === "object") as TokenBody).boot, `cut after ${bytes} bytes`).toBe(2);
  }
});

describe("a collector", () => {
  test("that hears nothing but SmartBeacons is not deaf: its radio is not restarted", async () => {
    const world = new WornWorld(5);
    const beacon = await world.wear({ x: 0, y: 0 }, BEACON);
    const phone = await world.wear({ x: 5, y: 0 }, COLLECTOR);
    setUp(beacon, COMPACT_TOKEN);
    world.pass(3 * 3600);
    expect(status(phone).wd).toEqual([0, 0]);
    beacon.powerOff();
    world.pass(2 * 3600);
    expect(status(phone).wd![1]).toBeGreaterThan(0);
  });

  test("keeps the last messages of a beacon near it, each once, until the hub says that it has them (QB-10, QB-15)", async () => {
    const world = new WornWorld(3);
    const beacon = await world.wear({ x: 0, y: 0 }, BEACON);
    const phone = await world.wear({ x: 5, y: 0 }, COLLECTOR);
    setUp(beacon, MESSAGE_FRAGMENT);
    world.pass(1800);
    const sent = messagesIn(world.sentBy(beacon)).map(({ message }) => toHex(message));
    const first = handedOver(phone, -1);
    expect(first).toHaveLength(16);
    for (const { type, bytes } of first) {
      expect(type).toBe(MESSAGE_FRAGMENT);
      expect(sent).toContain(toHex(bytes));
    }
    expect(new Set(first.map(({ bytes }) => toHex(bytes))).size).toBe(16);
    // the same again, until they are acknowledged; in the meantime one may have come, in the place of an older one
    const again = handedOver(phone, -1);
    const last = again.at(-1)!.at;
    expect(first.filter((one) => !again.some(({ at }) => at === one.at)).length).toBeLessThan(2);
    expect(handedOver(phone, last).length).toBeLessThan(2);
    world.pass(300);
    const later = handedOver(phone, last);
    expect(later.length).toBeGreaterThan(2);
    expect(status(phone)).toMatchObject({ co: [expect.any(Number), expect.any(Number)] });
  });

  test("beside GAEN and DP-3T on one wearable, whose log knows nothing of it (MUX-03)", async () => {
    const world = new WornWorld(4);
    const beacon = await world.wear({ x: 0, y: 0 }, BEACON);
    setUp(beacon, COMPACT_TOKEN);
    const worn = await world.wear({ x: 3, y: 0 }, { protocols: ["gaen", "dp3t", "smartbeacon"], built: { cycleTime: 30, scanTime: 4 } });
    const other = await world.wear({ x: 3, y: 2 }, { protocols: ["dp3t"], role: "beacon" });
    world.pass(1800);
    const tokens = handedOver(worn, -1);
    expect(tokens.length).toBeGreaterThan(10);
    for (const { type, bytes } of tokens) {
      expect(type).toBe(COMPACT_TOKEN);
      expect(typeof openToken(nodeCrypto, SK, ID, bytes)).toBe("object");
    }
    expect(status(worn)).toMatchObject({ op: 1, ad: 1, er: [0, 0, 0] });
    expect(status(other).ad).toBe(1);
  });
});
