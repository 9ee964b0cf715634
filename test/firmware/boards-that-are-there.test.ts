import { describe, expect, test } from "vitest";
import { ROLES, refusal } from "../../boards/capabilities.ts";
import { BOARDS } from "../../boards/index.ts";
import { mdbt42q } from "../../boards/mdbt42q.ts";
import { buildFirmware } from "../../host-tools/generator/bundle.ts";
import { findScopes } from "../../host-tools/generator/dialect/scopes.ts";
import { isTypeof, parseProgram, propertyName, walk } from "../../host-tools/generator/dialect/syntax-tree.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { status, WornWorld } from "../support/worn-boards.ts";

// Names by which a script reaches hardware or a library, for each board. Written from Espruino's own board files (2v29, boards/*.py: devices, USART count,
// libraries) and scripts/common.py, which makes LED and BTN; not from boards/, whose facts decide what goes into a bundle.

const EVERY_BOARD = ["NRF", "Bluetooth", "Serial1", "E", "BTN", "BTN1", "LED", "LED1"];
const OWN: { [board: string]: string[] } = {
  puckjs: ["Puck", "LED2", "LED3", "AES", "crypto"],
  pixljs: ["Pixl", "g", "Terminal", "BTN2", "BTN3", "BTN4", "crypto"],
  mdbt42q: ["LED2", "crypto"],
  nrf52840dk: ["LED2", "LED3", "LED4", "BTN2", "BTN3", "BTN4", "USB", "Serial2"],
  microbit2: ["BTN2"],
  bangle2: ["Bangle", "g", "Terminal", "LED2", "LED3", "Serial2", "crypto"],
};
const NOT_EVERYWHERE = new Set([...Object.values(OWN).flat(), ...EVERY_BOARD]);
const PIN = /^[ADHV]\d+$/;
/** SHA-256 and AES are compiled in for these alone. */
const SHA256 = ["puckjs", "mdbt42q", "bangle2"];

const combinations = BOARDS.flatMap((facts) =>
  Object.keys(ROLES)
    .filter((role) => refusal(facts, role, ["gaen"]) === undefined)
    .map((role) => [facts.id, role] as const),
);

/** Globals, members of the global object and libraries that a bundle reaches for; `typeof X` asks whether it is there, and is no reaching. */
function reachedFor(code: string): { names: Set<string>; members: Set<string> } {
  const tree = parseProgram(code);
  if ("message" in tree) throw new Error(tree.message);
  const scopes = findScopes(tree);
  const names = new Set<string>();
  const members = new Set<string>();
  for (const { node, binding } of scopes.uses.values()) if (!binding && !isTypeof(tree, node)) names.add(node.name);
  walk(tree.program, (node) => {
    if (
      node.type === "CallExpression" &&
      node.callee.type === "Identifier" &&
      node.callee.name === "require" &&
      node.arguments[0]?.type === "Literal"
    )
      names.add(String(node.arguments[0].value));
    if (node.type !== "MemberExpression") return;
    members.add(propertyName(node) ?? "");
    if (node.object.type === "Identifier" && node.object.name === "global") names.add(propertyName(node) ?? "");
  });
  return { names, members };
}

describe.each(combinations)("the bundle for a %s as %s", (board, role) => {
  test("names no light, button, port, screen or library that this board lacks", async () => {
    const { names, members } = reachedFor((await firmwareFor(role, board)).text);
    const there = new Set([...EVERY_BOARD, ...OWN[board]]);
    expect([...names].filter((name) => NOT_EVERYWHERE.has(name) && !there.has(name))).toEqual([]);
    expect([...names].filter((name) => PIN.test(name))).toEqual([]);
    if (!SHA256.includes(board)) expect([...members]).not.toContain("SHA256");
    // what is looked for is found where it is there
    expect([...names]).toContain("NRF");
  });
});

test.each(
  BOARDS.filter((facts) => refusal(facts, "wearable", ["gaen"]) === undefined).map(({ id, buttons }) => [id, buttons] as const),
)("a %s is worn, pressed on each of its buttons and read out without an error", async (id, buttons) => {
  const world = new WornWorld(71);
  const board = await world.wear({ x: 0, y: 0 }, { board: id });
  for (const button of buttons) {
    for (const ms of [200, 2500]) {
      board.pressButton(ms, button);
      world.pass(70);
    }
  }
  world.pass(1800);
  expect(board.errors).toEqual([]);
  expect(status(board)).toMatchObject({ b: id, er: [0, 0, 0], ad: 1 });
});

test("a board without lights and buttons gets a bundle that names none", async () => {
  const bare = { ...mdbt42q, lights: [], buttons: [] };
  const { names } = reachedFor((await buildFirmware({ board: bare, role: "wearable", protocols: ["gaen"] })).text);
  expect([...names].filter((name) => /^(LED|BTN)/.test(name))).toEqual([]);
}, 90_000);
