import { describe, expect, test } from "vitest";
import type { BoardFacts } from "../../boards/board-facts.ts";
import { featureRefusal, PROTOCOLS, ROLES, refusal } from "../../boards/capabilities.ts";
import { BOARDS, findBoard } from "../../boards/index.ts";

const GAEN = ["gaen"];

/** Reason expected for each board and role; undefined: it can. */
const EXPECTED: { [id: string]: { [role: string]: RegExp | undefined } } = {
  puckjs: { wearable: undefined, beacon: undefined, scanner: undefined },
  // what their interpreters lack of crypto the firmware brings
  mdbt42q: { wearable: undefined, beacon: undefined, scanner: undefined },
  pixljs: { wearable: undefined, beacon: undefined, scanner: undefined },
  nrf52840dk: { wearable: undefined, beacon: undefined, scanner: undefined },
  microbit2: { wearable: undefined, beacon: undefined, scanner: undefined },
  bangle2: { wearable: undefined, beacon: undefined, scanner: undefined },
};

describe.each(BOARDS.map((facts) => [facts.name, facts] as const))("%s", (_, facts) => {
  test.each(["wearable", "beacon", "scanner"])("as a %s for GAEN is refused with the reason, or isn't", (role) => {
    const expected = EXPECTED[facts.id][role];
    const sentence = refusal(facts, role, GAEN) ?? "";
    if (expected === undefined) {
      expect(sentence).toBe("");
    } else {
      expect(sentence).toMatch(expected);
      expect(sentence.startsWith(`${facts.name} can't be a ${role}: `)).toBe(true);
      // one sentence
      const withoutNames = sentence.replaceAll(".js", "");
      expect(withoutNames.indexOf(".")).toBe(withoutNames.length - 1);
    }
  });
});

test("a board whose Storage has no room for a log beside the code is refused, with those that would do", () => {
  const small = {
    ...(findBoard("puckjs") as BoardFacts),
    id: "small",
    name: "Small.js",
    storage: { address: 0, pages: 3, pageBytes: 4096, internal: true },
  };
  expect(refusal(small, "beacon", GAEN)).toMatch(
    /^Small\.js can't be a beacon: beside the code its Storage has no room .*; for a beacon take Puck\.js or .* or Bangle\.js 2\.$/,
  );
});

test("the lock is for boards whose Storage nobody reads but through the interpreter", () => {
  for (const facts of BOARDS) {
    const sentence = featureRefusal(facts, "lock");
    if (facts.storage.internal) expect(sentence).toBeUndefined();
    else expect(sentence).toMatch(/^Bangle\.js 2 can't have the lock: /);
    expect(featureRefusal(facts, "proof")).toBeUndefined();
  }
});

test("a refusal never advises the refused board for the refused role", () => {
  for (const facts of BOARDS) {
    for (const role of Object.keys(ROLES)) {
      const take = /take (.*)\.$/.exec(refusal(facts, role, GAEN) ?? "");
      if (take) expect(take[1].split(" or ")).not.toContain(facts.name);
    }
  }
});

test("unknown roles and protocols are answered with the known ones", () => {
  const puck = findBoard("puckjs") as BoardFacts;
  expect(refusal(puck, "router", GAEN)).toBe("No role is called router; known: wearable, beacon, scanner, smartbeacon, collector, token.");
  expect(refusal(puck, "beacon", ["gaen", "morse"])).toBe(`No protocol is called morse; known: ${Object.keys(PROTOCOLS).join(", ")}.`);
  expect(refusal(puck, "beacon", [])).toMatch(/^No protocol is named/);
});

test("a Storage too small for code and log is refused", () => {
  const puck = findBoard("puckjs") as BoardFacts;
  const small: BoardFacts = { ...puck, id: "small", name: "Small", storage: { ...puck.storage, pages: 3 } };
  expect(refusal(small, "scanner", GAEN)).toMatch(
    /^Small can't be a scanner: beside the code its Storage has no room for a log of 3 pages; for a scanner take Puck\.js/,
  );
});

test("role and protocol names of every object's prototype are unknown too", () => {
  const puck = findBoard("puckjs") as BoardFacts;
  expect(refusal(puck, "toString", GAEN)).toMatch(/^No role/);
  expect(refusal(puck, "beacon", ["constructor"])).toMatch(/^No protocol/);
});

test("SmartBeacon has roles of its own, and a wearable or a scanner beside others collects its messages", () => {
  const puck = findBoard("puckjs") as BoardFacts;
  for (const role of ["smartbeacon", "collector"]) {
    expect(refusal(puck, role, ["smartbeacon"])).toBeUndefined();
    for (const others of [GAEN, ["gaen", "smartbeacon"]]) expect(refusal(puck, role, others)).toMatch(/speaks smartbeacon and nothing else/);
  }
  expect(refusal(puck, "beacon", ["smartbeacon"])).toMatch(/take the role smartbeacon/);
  expect(refusal(puck, "wearable", ["smartbeacon"])).toMatch(/nothing to send; take the role collector or smartbeacon/);
  expect(refusal(puck, "wearable", ["gaen", "dp3t", "smartbeacon"])).toBeUndefined();
  expect(refusal(puck, "scanner", ["smartbeacon"])).toBeUndefined();
  expect(refusal(puck, "wearable", ["dp3t", "dp3t-unlinkable"])).toMatch(/don't go together/);
});

test("BlueTrace has a role of its own, which goes with no other protocol and needs a console beside Bluetooth (MUX-04)", () => {
  for (const facts of BOARDS) {
    const sentence = refusal(facts, "token", ["bluetrace"]);
    if (facts.console.device !== "Terminal") expect(sentence).toBeUndefined();
    else expect(sentence).toMatch(/its only console is Bluetooth; for a token take Puck\.js/);
  }
  const puck = findBoard("puckjs") as BoardFacts;
  for (const protocols of [GAEN, ["gaen", "bluetrace"], ["smartbeacon"]])
    expect(refusal(puck, "token", protocols)).toMatch(/speaks bluetrace and nothing else/);
  for (const role of Object.keys(ROLES).filter((name) => name !== "token"))
    expect(refusal(puck, role, ["gaen", "bluetrace"])).toMatch(/which stop the scan of all protocols; take the role token\.$/);
});

test("who offers identifiers to strangers needs a console beside Bluetooth; who only reads them does not (BLE-08)", () => {
  for (const facts of BOARDS) {
    const isOnlyConsole = facts.console.device === "Terminal";
    for (const role of ["wearable", "beacon"]) {
      const sentences = [refusal(facts, role, ["gaen", "opencovidtrace"]), featureRefusal(facts, "gatt", role, ["dp3t"])];
      for (const sentence of sentences)
        if (isOnlyConsole) expect(sentence).toMatch(/strangers connect to who does, and its only console is Bluetooth; as a \w+ take Puck\.js/);
        else expect(sentence).toBeUndefined();
    }
    expect(refusal(facts, "scanner", ["opencovidtrace"])).toBeUndefined();
    expect(featureRefusal(facts, "gatt", "scanner", ["dp3t-unlinkable"])).toBeUndefined();
    expect(featureRefusal(facts, "gatt", "scanner", GAEN)).toMatch(/is for dp3t and dp3t-unlinkable/);
  }
});
