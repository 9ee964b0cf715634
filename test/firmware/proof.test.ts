import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { tagOf } from "../../host-tools/device/proof.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { NEVER_PROVEN } from "../../protocols/device-link.ts";
import { decodeAdvertisement } from "../../protocols/gaen/advertisement.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { lifetimesIn } from "../support/observer.ts";
import { toHex } from "../support/vectors.ts";
import { command, expectQuietConsoles, radioOf, status, WornWorld } from "../support/worn-boards.ts";

afterEach(expectQuietConsoles);

const CHALLENGE = Uint8Array.from({ length: 16 }, (_, i) => 17 * i);
const words = (challenge: Uint8Array) => [0, 4, 8, 12].map((at) => Buffer.from(challenge).readUInt32LE(at)).join();
const ask = (board: VirtualBoard, listening: 0 | 1, challenge = CHALLENGE) => command(board, `p(${words(challenge)},${listening})`);
/** The tag that a board answers of its own identifier; undefined where nothing is on the air. */
const tagFrom = (board: VirtualBoard, challenge = CHALLENGE) => {
  const answer = ask(board, 0, challenge);
  expect(answer).toHaveLength(9);
  return answer[0] ? answer.subarray(1, 9) : undefined;
};
const firstWord = (tag: Uint8Array) => Buffer.from(tag).readUInt32LE(0);
const refusal = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  return "none";
};

/** RPI that a board sends now. */
function onAir(world: WornWorld, board: VirtualBoard): Uint8Array {
  return decodeAdvertisement(Uint8Array.from(world.sentBy(board).at(-1)!.packets[0]))!.rpi;
}

/** Entries of an answer: tag, dBm, age. */
function entries(answer: Uint8Array): [string, number, number][] {
  const found: [string, number, number][] = [];
  for (let at = 9; at < answer.length; at += 11)
    found.push([toHex(answer.subarray(at, at + 8)), -answer[at + 8], answer[at + 9] | (answer[at + 10] << 8)]);
  return found;
}

describe("under a challenge", () => {
  test("a board answers with 8 bytes of AES of what is on the air, and changes them with its identifier", async () => {
    const world = new WornWorld(601);
    const board = await world.wear({ x: 0, y: 0 });
    world.pass(30);
    const first = tagFrom(board)!;
    expect(toHex(first)).toBe(toHex(tagOf(CHALLENGE, onAir(world, board))));
    expect(tagFrom(board)).toEqual(first);
    world.pass(1300);
    const second = tagFrom(board)!;
    expect(toHex(second)).not.toBe(toHex(first));
    expect(toHex(second)).toBe(toHex(tagOf(CHALLENGE, onAir(world, board))));
  });

  test.each([
    "puckjs",
    "mdbt42q",
    "pixljs",
  ])("a scanner on a %s answers with the tags of all it has heard, their strength and their age", async (id) => {
    const world = new WornWorld(602);
    const scanner = await world.wear({ x: 0, y: 0 }, { role: "scanner", board: id });
    const beacons = [await world.wear({ x: 1, y: 0 }, { role: "beacon" }), await world.wear({ x: 0, y: 2 })];
    world.pass(310);
    const answer = ask(scanner, 1);
    expect(toHex(answer.subarray(0, 9))).toBe("0".repeat(18));
    const found = entries(answer);
    for (const beacon of beacons) {
      const [, rssi, age] = found.find(([tag]) => tag === toHex(tagOf(CHALLENGE, onAir(world, beacon))))!;
      const strongest = Math.max(...world.heardBy(scanner).map((report) => report.rssi));
      expect(rssi).toBeLessThanOrEqual(strongest);
      expect(rssi).toBeGreaterThan(-90);
      expect(age).toBeLessThan(15);
    }
    expect(found).toHaveLength(status(scanner).op);
    expect(tagFrom(scanner)).toBeUndefined();
  });

  test("a wearable answers with both in one, a beacon with its own alone", async () => {
    const world = new WornWorld(603);
    const [wearable, beacon] = [await world.wear({ x: 0, y: 0 }), await world.wear({ x: 1, y: 0 }, { role: "beacon" })];
    world.pass(310);
    const [one, other] = [ask(wearable, 1), ask(beacon, 1)];
    expect(other).toHaveLength(9);
    expect(entries(one).map(([tag]) => tag)).toContain(toHex(other.subarray(1)));
    expect(toHex(one.subarray(1, 9))).toBe(toHex(tagOf(CHALLENGE, onAir(world, wearable))));
  });

  test("a board that sends nothing has no tag: without a clock, and while its console is open by Bluetooth", async () => {
    const world = new WornWorld(604);
    const board = await world.wear({ x: 0, y: 0 }, { clockSet: false });
    expect(tagFrom(board)).toBeUndefined();
    const other = await world.wear({ x: 0, y: 0 });
    world.pass(30);
    expect(tagFrom(other)).toBeDefined();
    other.pressButton(2500);
    world.pass(5);
    expect(tagFrom(other)).toBeUndefined();
  });

  test("no memory is kept of it", async () => {
    const world = new WornWorld(605);
    const board = await world.wear({ x: 0, y: 0 });
    await world.wear({ x: 1, y: 0 });
    world.pass(310);
    const before = board.memory().usage;
    for (let i = 0; i < 5; i++) ask(board, 1);
    expect(board.memory().usage).toBe(before);
  });
});

describe("who has the tags but not the identifiers", () => {
  test("finds nothing in common in those of different challenges: as many bits agree as between any two", async () => {
    const world = new WornWorld(606);
    const board = await world.wear({ x: 0, y: 0 });
    world.pass(30);
    const tags = Array.from({ length: 64 }, (_, i) =>
      ask(
        board,
        0,
        Uint8Array.from({ length: 16 }, (_, at) => (at === i >> 3 ? 1 << (i & 7) : 0)),
      ),
    );
    let differing = 0;
    let pairs = 0;
    for (const [i, one] of tags.entries())
      for (const other of tags.slice(0, i)) {
        pairs++;
        one.forEach((byte, at) => {
          for (let bits = byte ^ other[at]; bits; bits &= bits - 1) differing++;
        });
      }
    // 2,016 pairs of 64 bits: a mean of 32 give or take 0.1, even where challenges differ in one or two bits only
    expect(Math.abs(differing / pairs - 32)).toBeLessThan(0.5);
    expect(new Set(tags.map((tag) => toHex(tag))).size).toBe(64);
  });

  test("one identifier has the same tag everywhere, two have different ones, and the hub's own radio can testify as well", () => {
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(bytes, bytes, bytes, (challenge, one, other) => {
        expect(tagOf(challenge, one)).toEqual(tagOf(challenge.slice(), one.slice()));
        if (toHex(one) !== toHex(other)) expect(tagOf(challenge, one)).not.toEqual(tagOf(challenge, other));
        expect(toHex(tagOf(challenge, one))).not.toContain(toHex(one).slice(0, 8));
      }),
    );
  });
});

describe("the age of the last proof", () => {
  test("is counted from when it was heard; never before the first, and not over a restart", async () => {
    const world = new WornWorld(607);
    const board = await world.wear({ x: 0, y: 0 });
    world.pass(100);
    expect(status(board).pf).toBeGreaterThanOrEqual(NEVER_PROVEN);
    command(board, `y(${firstWord(tagFrom(board)!)},12)`);
    expect(status(board).pf).toBe(12);
    world.pass(3600);
    expect(status(board).pf! - 3612).toBeLessThan(3);
    world.restart(board);
    expect(status(board).pf).toBeGreaterThanOrEqual(NEVER_PROVEN);
  });

  test("takes the tag that was asked for last and no other, once", async () => {
    const world = new WornWorld(608);
    const board = await world.wear({ x: 0, y: 0 });
    expect(refusal(() => command(board, "y(0,0)"))).toBe("refused: tag");
    world.pass(30);
    const old = firstWord(tagFrom(board, new Uint8Array(16))!);
    const tag = firstWord(tagFrom(board)!);
    for (const wrong of [old, tag ^ 1, 0, -1]) expect(refusal(() => command(board, `y(${wrong},0)`))).toBe("refused: tag");
    for (const ago of ["-1", "undefined", "NaN"]) expect(refusal(() => command(board, `y(${tag},${ago})`))).toBe("refused: tag");
    command(board, `y(${tag},0)`);
    expect(refusal(() => command(board, `y(${tag},0)`))).toBe("refused: tag");
  });

  test("a scanner has none", async () => {
    const world = new WornWorld(609);
    const board = await world.wear({ x: 0, y: 0 }, { role: "scanner" });
    ask(board, 1);
    expect(refusal(() => command(board, "y(0,0)"))).toBe("refused: tag");
    expect(status(board).pf).toBeUndefined();
  });

  test("a test of its own: what is on the air by the virtual air is what was proven", async () => {
    const world = new WornWorld(610);
    const board = await world.wear({ x: 0, y: 0 });
    world.pass(4000);
    const lifetime = lifetimesIn(world.sentBy(board)).at(-1)!;
    expect(toHex(tagFrom(board)!)).toBe(toHex(tagOf(CHALLENGE, Buffer.from(lifetime.rpi, "hex"))));
    expect(radioOf(board).linked).toBe(false);
  });
});

test("a firmware built without it is smaller and says so", async () => {
  const { buildFirmware } = await import("../../host-tools/generator/bundle.ts");
  const { puckjs } = await import("../../boards/puckjs.ts");
  const without = await buildFirmware({ board: puckjs, role: "scanner", protocols: ["gaen"], without: ["proof"] });
  const usual = await firmwareFor("scanner");
  expect(usual.manifest.features).toContain("proof");
  expect(without.manifest.features).not.toContain("proof");
  expect(usual.manifest.bytes - without.manifest.bytes).toBeGreaterThan(200);
  expect(without.text).not.toContain("AES");
  const world = new WornWorld(611);
  const board = world.addBoard(puckjs, { x: 0, y: 0 });
  const { install } = await import("../support/worn-boards.ts");
  install(board, without);
  board.powerOn();
  world.pass(1);
  expect(refusal(() => command(board, "p(1,2,3,4,1)"))).toBe("refused: opt");
});
