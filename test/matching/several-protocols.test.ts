import { afterEach, describe, expect, test } from "vitest";
import { matchStoredOthers } from "../../host-tools/cli/match-others.ts";
import { pullLog } from "../../host-tools/device/pull.ts";
import { nodeCrypto } from "../../host-tools/node-crypto.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { decodeKeysOfOthers } from "../../host-tools/store/keys-of-others.ts";
import { Store } from "../../host-tools/store/store.ts";
import { encodeExposedList } from "../../protocols/dp3t/exposed-list.ts";
import { encodeHashList } from "../../protocols/dp3t/hash-list.ts";
import { ephId, epochSeed, observationHash } from "../../protocols/dp3t/unlinkable.ts";
import { CT10_TAG } from "../../protocols/protocol-tags.ts";
import { command, DAY, expectQuietConsoles, MORNING, WornWorld } from "../support/worn-boards.ts";

// From board to exposure, through the firmware that is flashed, the wire and the database.

afterEach(expectQuietConsoles);

const keysOf = (board: VirtualBoard) => decodeKeysOfOthers(command(board, "k(1)")).keys;
const storeIn = (world: WornWorld) => Store.open(":memory:", { now: () => Math.floor(world.clock.now) });
const file = (bytes: Uint8Array) => [{ path: "published", bytes }];
/** Unix seconds at the next full two hours. */
const release = (now: number) => Math.ceil(now / 7200) * 7200;

describe("boards of several protocols, pulled and matched", () => {
  test.each([
    ["in full", 0],
    ["dense", 1],
  ])("MUX-03, CT-05: who met a wearer of DP-3T and one of v1.0 is found by their keys, each under its own protocol, %s", async (_form, recordForm) => {
    const world = new WornWorld(21 + recordForm);
    const listener = await world.wear({ x: 0, y: 0 }, { protocols: ["gaen", "dp3t", "ct10"], settings: { recordForm } });
    const dp3t = await world.wear({ x: 0, y: 2 }, { protocols: ["dp3t"], role: "beacon", settings: { txPower: -4 } });
    const old = await world.wear({ x: 2, y: 0 }, { protocols: ["ct10"], role: "beacon", settings: { transmit: 1 << CT10_TAG } });
    world.pass(2 * 3600);
    const store = storeIn(world);
    const { encounters, damaged } = await world.talk(listener, (link) => pullLog(link, store));
    expect([encounters > 10, damaged]).toEqual([true, 0]);
    expect(await store.encounters()).toEqual([]);

    const [{ key, startDay, ended }] = keysOf(dp3t);
    expect([startDay, ended]).toEqual([Math.floor(MORNING / DAY), true]);
    const exposed = encodeExposedList({ batchReleaseMs: release(world.clock.now) * 1000, exposed: [{ key, keyDateMs: startDay * DAY * 1000 }] });
    const met = await matchStoredOthers(store, "dp3t", file(exposed));
    expect(met.exposures).toHaveLength(met.encounters);
    expect(met.encounters).toBeGreaterThan(6);
    for (const one of met.exposures) {
      expect([one.txPower, one.txPowerAssumed, one.attenuation, one.form]).toEqual([-4, false, -4 - one.maxRssi, recordForm ? "dense" : "full"]);
      expect(one.firstSeen).toBeGreaterThanOrEqual(MORNING - 8);
    }

    const daily = keysOf(old).map(({ key, startDay: day }) => ({ day, dtk: Buffer.from(key).toString("base64") }));
    const metOld = await matchStoredOthers(store, "ct10", file(Buffer.from(JSON.stringify(daily))));
    expect(metOld.exposures).toHaveLength(metOld.encounters);
    expect(metOld.encounters).toBeGreaterThan(6);
    // nobody else's keys find anything
    const stranger = await world.wear({ x: 900, y: 0 }, { protocols: ["ct10"], role: "beacon", settings: { transmit: 1 << CT10_TAG } });
    world.pass(10);
    const strange = keysOf(stranger).map(({ key, startDay: day }) => ({ day, dtk: Buffer.from(key).toString("base64") }));
    expect(strange).not.toEqual([]);
    expect((await matchStoredOthers(store, "ct10", file(Buffer.from(JSON.stringify(strange))))).exposures).toEqual([]);
    await store.close();
  });

  test("DP-05: the unlinkable design is found by the hashes of the epochs that its wearer chooses, and by no others", async () => {
    const world = new WornWorld(23);
    const wearer = { protocols: ["dp3t-unlinkable"] };
    const listener = await world.wear({ x: 0, y: 0 }, wearer);
    const other = await world.wear({ x: 0, y: 2 }, { ...wearer, role: "beacon" });
    world.pass(2 * 3600);
    const store = storeIn(world);
    await world.talk(listener, (link) => pullLog(link, store));
    const [{ key, startDay }] = keysOf(other);
    const hashOf = (epoch: number) => observationHash(nodeCrypto, ephId(nodeCrypto, epochSeed(nodeCrypto, key, epoch)), epoch);
    const epochs = Array.from({ length: 96 }, (_, i) => startDay * 96 + i);
    const all = await matchStoredOthers(store, "dp3t-unlinkable", file(encodeHashList(epochs.map(hashOf))));
    expect(all.exposures.length).toBeGreaterThan(5);
    // what began an epoch late is heard in the next one, under a hash that its sender didn't publish
    expect(all.exposures.length).toBeGreaterThan(all.encounters * 0.8);
    const second = Math.floor(MORNING / 900) + 1;
    const some = await matchStoredOthers(store, "dp3t-unlinkable", file(encodeHashList([hashOf(second)])));
    expect(new Set(some.exposures.map(({ firstSeen }) => Math.floor(firstSeen / 900)))).toEqual(new Set([second]));
    await store.close();
  });
});
