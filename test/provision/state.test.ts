import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ProvisionState } from "../../host-tools/provision/state.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-state-"));
  file = join(folder, "deep", "state.jsonl");
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = () => ProvisionState.open(file, () => 1_790_000_000);

function filled(): ProvisionState {
  const state = open();
  state.add({ event: "begun", name: "p1", chip: "c1", board: "puckjs", port: "A" });
  state.add({ event: "done", name: "p1", step: "flash", plan: "x", seconds: 3, result: { logId: "0011" } });
  state.add({ event: "failed", name: "p1", step: "clock", code: "timeout", message: "no answer" });
  return state;
}

test("what was done, whose chip it is and what failed are there the next time", () => {
  filled();
  const state = open();
  expect(state.nameOf("c1")).toBe("p1");
  expect(state.result("p1", "flash", "x")).toEqual({ logId: "0011" });
  expect(state.board("p1")).toMatchObject({ port: "A", failed: { step: "clock", code: "timeout" } });
  state.add({ event: "finished", name: "p1", plan: "x" });
  expect(open().isFinished("p1", "x")).toBe(true);
  expect(open().board("p1")!.failed).toBeUndefined();
});

test("a step counts for the plan it was done for alone", () => {
  const state = filled();
  state.add({ event: "finished", name: "p1", plan: "x" });
  expect(state.result("p1", "flash", "y")).toBeUndefined();
  expect(state.isFinished("p1", "y")).toBe(false);
});

test("a name that was released, or given to another chip, has nothing done", () => {
  const state = filled();
  state.add({ event: "begun", name: "p1", chip: "c2", board: "puckjs", port: "B" });
  expect(state.result("p1", "flash", "x")).toBeUndefined();
  expect(state.nameOf("c1")).toBeUndefined();
  state.add({ event: "released", name: "p1" });
  expect(open().board("p1")).toBeUndefined();
});

test("cut at any byte, the state is that of the lines before, and goes on from there", () => {
  filled();
  const whole = readFileSync(file, "utf8");
  const ends = [...whole].map((letter, i) => (letter === "\n" ? i + 1 : 0)).filter(Boolean);
  for (let length = 0; length <= whole.length; length++) {
    writeFileSync(file, whole);
    truncateSync(file, length);
    const state = open();
    const lines = ends.filter((end) => end <= length).length;
    expect(state.nameOf("c1"), `cut at ${length}`).toBe(lines > 0 ? "p1" : undefined);
    expect(state.result("p1", "flash", "x") !== undefined).toBe(lines > 1);
    expect(state.board("p1")?.failed !== undefined).toBe(lines > 2);
    state.add({ event: "begun", name: "p9", chip: "c9", board: "puckjs", port: "A" });
    expect(open().nameOf("c9")).toBe("p9");
  }
});

test("a damaged line is told by its number", () => {
  filled();
  appendFileSync(file, '{"event":"dance"}\n');
  expect(open).toThrow(/state\.jsonl, line 4: /);
});
