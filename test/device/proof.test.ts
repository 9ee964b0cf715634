import { afterEach, describe, expect, test, vi } from "vitest";
import { meet, type OpenedBoard, proveOpened } from "../../host-tools/cli/prove.ts";
import type { Board } from "../../host-tools/device/board.ts";
import { hostClockOn } from "../../host-tools/device/host-clock.ts";
import { openMemory } from "../../host-tools/device/memory.ts";
import { openBoard } from "../../host-tools/device/open-board.ts";
import { type AdvertisementProver, type AdvertisementWitness, proveBeaconing, tagOf, type WitnessedTag } from "../../host-tools/device/proof.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";
import { NEVER_PROVEN } from "../../protocols/device-link.ts";
import { expectQuietConsoles, setClock, status, type WearOptions, WornWorld } from "../support/worn-boards.ts";

afterEach(expectQuietConsoles);
afterEach(() => vi.restoreAllMocks());

/** Boards on one table, each on its own port: `a`, `b`, `c` … */
async function table(seed: number, ...boards: WearOptions[]) {
  const world = new WornWorld(seed);
  const worn: VirtualBoard[] = [];
  for (const [i, options] of boards.entries()) worn.push(await world.wear({ x: 0.3 * i, y: 0 }, options));
  const letter = (i: number) => String.fromCharCode(97 + i);
  return {
    world,
    worn,
    /** Opens the ports and proves, all on the virtual clock. */
    prove(ports: string[], peers: string[], wait?: number) {
      vi.spyOn(process.stderr, "write").mockReturnValue(true);
      const transports = worn.map((board, i) => openMemory(board, letter(i)));
      const work = async () => {
        const opened: OpenedBoard[] = [];
        for (const [i, transport] of transports.entries()) {
          if (![...ports, ...peers].includes(letter(i))) continue;
          opened.push(await meet(letter(i), await openBoard(transport, { clock: hostClockOn(world.clock) })));
        }
        return proveOpened(opened, ports, peers, wait);
      };
      return world.clock.drive(
        work().finally(async () => {
          for (const transport of transports) await transport.close();
        }),
      );
    },
  };
}

describe("tracelet prove", () => {
  test("A --peer B: waits for B's next scan, says how strong it was, and the board knows since when it is proven", async () => {
    // its clock is set when the scanner's first scan is over
    const { world, worn, prove } = await table(701, { role: "beacon", clockSet: false }, { role: "scanner" });
    world.pass(10);
    setClock(worn[0], world.clock.now);
    world.pass(1);
    const { value, text, failure } = await prove(["a"], ["b"]);
    expect(failure).toBeUndefined();
    expect(value.seconds).toBeGreaterThan(200);
    expect(value.seconds).toBeLessThan(320);
    expect(value.boards).toEqual([{ name: "a", onAir: true, by: [{ witness: "b", rssi: expect.any(Number), heardAgo: expect.any(Number) }] }]);
    expect(text).toMatch(/^a is heard by b, at -\d\d dBm, \d s ago$/);
    const { pf } = status(worn[0]);
    expect(pf).toBeLessThan(NEVER_PROVEN);
    expect(pf).toBeLessThan(20);
  });

  test("A B C: each by each, a scanner hears only and a beacon is heard only", async () => {
    const { prove, worn, world } = await table(702, {}, { role: "beacon" }, { role: "scanner", board: "pixljs" }, {});
    world.pass(10);
    const { value, failure } = await prove(["a", "b", "c", "d"], []);
    expect(failure).toBeUndefined();
    const heard = value.boards.map(
      ({ name, by }) =>
        `${name}: ${by
          .map(({ witness }) => witness)
          .sort()
          .join(" ")}`,
    );
    expect(heard).toEqual(["a: c d", "b: a c d", "d: a c"]);
    for (const i of [0, 1, 3]) expect(status(worn[i]).pf).toBeLessThan(NEVER_PROVEN);
    expect(status(worn[2]).pf).toBeUndefined();
  });

  test("says who was not heard, and what may be the reason", async () => {
    const { world, prove, worn } = await table(703, { role: "beacon", clockSet: false }, {});
    world.air.obstacle(world.air.station(worn[0].address), world.air.station(worn[1].address), 90);
    setClock(worn[0], world.clock.now);
    world.pass(1);
    const { text, failure } = await prove(["a"], ["b"], 12);
    expect(text).toBe("a is NOT heard by b within 12 s");
    expect(failure).toMatchObject({ code: "not_heard" });
    expect(failure!.message).toContain("distance");
    expect(status(worn[0]).pf).toBeGreaterThanOrEqual(NEVER_PROVEN);
  });

  test("does not take an identifier of before for the one that is on the air", async () => {
    const { world, worn, prove } = await table(704, { role: "beacon" }, { role: "scanner" });
    world.pass(310);
    world.air.silence(world.air.station(worn[0].address), true);
    world.pass(1250);
    expect((await prove(["a"], ["b"], 10)).failure).toMatchObject({ code: "not_heard" });
  });

  test("refuses what can't be proven: no clock, nobody who scans, a scanner, itself", async () => {
    const codes: string[] = [];
    const tried = async (boards: WearOptions[], ports: string[], peers: string[]) => {
      const { prove } = await table(705, ...boards);
      await prove(ports, peers).then(
        () => codes.push("proven"),
        (error: { code: string; message: string }) => codes.push(`${error.code}: ${error.message.split(";")[0]}`),
      );
    };
    await tried([{ clockSet: false }, {}], ["a"], ["b"]);
    await tried([{}, { role: "beacon" }], ["a"], ["b"]);
    await tried([{ role: "scanner" }, {}], ["a"], ["b"]);
    await tried([{}], ["a"], []);
    expect(codes).toEqual([
      "not_advertising: a: sends nothing, its clock is not set",
      "not_scanning: b: a beacon doesn't scan",
      "not_advertising: a: a scanner doesn't advertise, so there is nothing to prove",
      "not_scanning: a: nobody else is there to hear it",
    ]);
  });

  test("a board whose clock is set meanwhile is proven as soon as it sends", async () => {
    const { world, worn, prove } = await table(706, { role: "beacon", clockSet: false }, { settings: { cycleTime: 10 } }, { role: "beacon" });
    world.clock.after(30, () => worn[0].enqueue(() => void setClockLater()));
    const setClockLater = () => worn[0].evaluate(`T.t(${Math.floor(world.clock.now)},0,0)`);
    const { value, failure } = await prove(["a", "c"], ["b"], 120);
    expect(failure).toBeUndefined();
    expect(value.boards.map(({ name, onAir, by }) => [name, onAir, by.length])).toEqual([
      ["a", true, 1],
      ["c", true, 1],
    ]);
    expect(setClock(worn[0], world.clock.now)).not.toBeNull();
  });
});

describe("what the hub keeps and shows", () => {
  test("neither challenge nor tag: both are wiped, and no message has one", async () => {
    const clock = new VirtualClock(1_700_000_000);
    const rpi = new Uint8Array(16).fill(7);
    const seen: Uint8Array[] = [];
    const prover: AdvertisementProver = {
      name: "board",
      async sent(challenge) {
        seen.push(challenge);
        return tagOf(challenge, rpi);
      },
      async proven(tag) {
        seen.push(tag);
      },
    };
    // as a radio of the hub's own would do: it knows identifiers
    let given: WitnessedTag[] = [];
    const ear: AdvertisementWitness = {
      name: "hub",
      async heard(challenge) {
        given = [new Uint8Array(16), rpi].map((one) => ({ tag: tagOf(challenge, one), rssi: -60, heardAgo: 2 }));
        return given;
      },
    };
    const [result] = await proveBeaconing([prover], [ear], { clock: hostClockOn(clock), wait: 0 });
    expect(result).toEqual({ name: "board", onAir: true, by: [{ witness: "hub", rssi: -60, heardAgo: 2 }] });
    expect(seen).toHaveLength(2);
    for (const bytes of [...seen, ...given.map(({ tag }) => tag)]) expect(bytes.every((byte) => byte === 0)).toBe(true);
  });

  test("each question has a challenge of its own", async () => {
    const clock = new VirtualClock(1_700_000_000);
    const challenges: string[] = [];
    const deaf: AdvertisementWitness = {
      name: "hub",
      async heard(challenge) {
        challenges.push(Buffer.from(challenge).toString("hex"));
        return [];
      },
    };
    const prover: AdvertisementProver = { name: "board", sent: async (challenge) => tagOf(challenge, new Uint8Array(16)), proven: async () => {} };
    await clock.drive(proveBeaconing([prover], [deaf], { clock: hostClockOn(clock), wait: 60 }));
    expect(challenges.length).toBeGreaterThan(10);
    expect(new Set(challenges).size).toBe(challenges.length);
  });

  test("an error about a challenge does not show it", async () => {
    const { world, worn } = await table(707, { role: "beacon" });
    const message = await world.talk(worn[0], async (board: Board) => {
      worn[0].hang();
      return board.tags(new Uint8Array(16).fill(0x5a), false).catch((error: Error) => error.message);
    });
    expect(message).toContain("T.p(…)");
    expect(message).not.toMatch(/1515870810|5a5a/i);
    world.pass(120);
  });
});
