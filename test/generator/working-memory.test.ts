import { expect, test } from "vitest";
import { BOARDS, findBoard } from "../../boards/index.ts";
import { puckjs } from "../../boards/puckjs.ts";
import { buildFirmware } from "../../host-tools/generator/bundle.ts";
import { checkMemory, guestsOf, memoryNeed } from "../../host-tools/generator/working-memory.ts";

/** Role, protocols, variables as the generator estimates them once loaded, and as the real interpreter had them in use after a day among 50 neighbours (docs/performance.md). */
const MEASURED: [string, string[], number, number][] = [
  ["wearable", ["gaen"], 636, 1031],
  ["beacon", ["gaen"], 427, 513],
  ["scanner", ["gaen"], 528, 890],
  ["wearable", ["gaen", "dp3t"], 852, 1303],
  ["wearable", ["gaen", "dp3t", "smartbeacon"], 1152, 1624],
  ["wearable", ["gaen", "dp3t", "ct10", "smartbeacon"], 1245, 1701],
  ["scanner", ["gaen", "dp3t", "ct10", "smartbeacon"], 879, 1289],
  ["smartbeacon", ["smartbeacon"], 634, 674],
  // while a link is up, without the radio's stand-in
  ["wearable", ["gaen", "dp3t", "opencovidtrace"], 1094, 1667],
];

test.each(MEASURED)("what a %s of %j needs is what was measured, or up to a tenth more", (role, protocols, loaded, measured) => {
  const { inUse } = memoryNeed(loaded, role, protocols, ["proof"]);
  expect(loaded + inUse).toBeGreaterThanOrEqual(measured);
  expect(loaded + inUse).toBeLessThan(1.1 * measured);
});

test("the worst moment is the greatest of a crowd, a proof and a flood, as each was measured", () => {
  const moments = (role: string, protocols: string[], features = ["proof"]) => memoryNeed(0, role, protocols, features).moments;
  // 300 identifiers in one scan: 2,311 in use with 227 guests, 1,183 with none
  expect(moments("wearable", ["gaen"])).toBeGreaterThanOrEqual((250 * (2311 - 1183)) / 227);
  // a flood of messages from 40 addresses: 1,075 of 331
  expect(moments("collector", ["smartbeacon"])).toBeGreaterThanOrEqual(1075 - 331);
  // 1,205 while the hub asks for a proof, of 1,037
  expect(moments("collector", ["smartbeacon"], [])).toBe(moments("collector", ["smartbeacon"]));
  expect(moments("beacon", ["gaen"])).toBe(0);
  expect(moments("smartbeacon", ["smartbeacon"])).toBe(0);
});

test.each([
  ["among 20 others", 791, 2180, false],
  ["that reads phones' packets, among 20 of them", 886, 2351, true],
])("a token %s has what was measured at its worst moment, or up to a tenth more", (_, loaded, measured, readsPackets) => {
  const { total } = memoryNeed(loaded, "token", ["bluetrace"], [], readsPackets);
  expect(total).toBeGreaterThanOrEqual(measured);
  expect(total).toBeLessThan(1.1 * measured);
});

test("a crowd has no more guests than a Puck.js has room for", () => {
  for (const [role, protocols, loaded] of MEASURED) {
    const { total } = memoryNeed(loaded, role, protocols, ["proof"]);
    expect(total, `${role} of ${protocols.join()}`).toBeLessThanOrEqual(puckjs.variables.count);
  }
  expect(guestsOf(["gaen"])).toBe(250);
  // with 227 of them it was out of memory
  expect(852 + 498 + 60 + 5 * guestsOf(["gaen", "dp3t"])).toBeLessThan(puckjs.variables.count);
});

test("a board with too few variables is refused, with what to leave out and who has enough", () => {
  const need = memoryNeed(1400, "wearable", ["gaen", "dp3t", "smartbeacon"], ["proof"]);
  const refused = () => checkMemory(puckjs, need, "wearable", ["gaen", "dp3t", "smartbeacon"]);
  expect(refused).toThrow(
    "needs 2708 variables at work (1400 loaded, 498 in use, 750 at the worst moment, 60 of the interpreter), and the board has 2630: " +
      "leave out smartbeacon, whose messages take most, or take MDBT42Q or Pixl.js",
  );
  for (const { id, variables } of BOARDS) {
    const check = () => checkMemory(findBoard(id)!, need, "wearable", ["gaen", "smartbeacon"]);
    if (variables.count < need.total) expect(check).toThrow("variables at work");
    else expect(check).not.toThrow();
  }
  const alone = memoryNeed(900, "wearable", ["gaen"], []);
  expect(() => checkMemory({ ...puckjs, variables: { count: 2000, bytes: 13 } }, alone, "wearable", ["gaen"])).toThrow("choose a smaller role");
});

test("a build tells what its firmware needs at work, and doesn't come about where the board has less", async () => {
  const request = { role: "beacon", protocols: ["gaen"] };
  const { manifest } = await buildFirmware({ board: puckjs, ...request });
  const { estimated, atWork, total } = manifest.variables;
  expect([atWork, total]).toEqual([estimated + 86 + 60, 2630]);
  const small = { ...puckjs, variables: { count: atWork - 1, bytes: 13 } };
  await expect(buildFirmware({ board: small, ...request })).rejects.toMatchObject({ code: "needs_memory", exitCode: 2 });
});
