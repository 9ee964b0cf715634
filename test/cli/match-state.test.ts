import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readState, writeState } from "../../host-tools/cli/match-state.ts";
import { nothingYet } from "../../host-tools/matching/looked-for.ts";

const folder = mkdtempSync(join(tmpdir(), "match-state-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "state.json");
const known = { exports: new Set(["ab", "cd"]), encounters: new Set(["x"]), candidates: new Set<string>() };

describe("the file of tracelet match --state", () => {
  test("gives back what was written, for its owner alone", () => {
    writeState(path, known);
    expect(readState(path)).toEqual({ lookedFor: known });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("that isn't there remembers nothing", () => {
    expect(readState(join(folder, "none.json"))).toEqual({ lookedFor: nothingYet() });
  });

  test("counts for nothing where any byte of it was changed or cut off: it might hide an exposure", () => {
    writeState(path, known);
    const whole = readFileSync(path);
    const problems = new Set<string | undefined>();
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at] ^= 1;
      for (const bytes of [changed, whole.subarray(0, at)]) {
        writeFileSync(path, bytes);
        const { lookedFor, problem } = readState(path);
        expect(lookedFor).toEqual(nothingYet());
        problems.add(problem);
      }
    }
    expect([...problems].sort()).toEqual(["it is no state of this version of tracelet match", "its digest is wrong, so it was damaged"]);
  });

  test("that can't be written is told with its name", () => {
    expect(() => writeState(join(folder, "no", "state.json"), known)).toThrow(/state\.json: can't be written .*check the folder/);
  });
});
