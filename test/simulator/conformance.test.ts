import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { answersOf, differences, EXPECTED, type Recorded, readProbes } from "../espruino/conformance.ts";
import { KNOWN_DIFFERENCES } from "../espruino/known-differences.ts";
import { startVirtual } from "../espruino/virtual-machine.ts";

const recorded = JSON.parse(readFileSync(EXPECTED, "utf8")) as Recorded;

describe(`a virtual board answers as Espruino ${recorded.version} did`, () => {
  const probes = readProbes();

  test.for([...probes])("%s", async ([, asked]) => {
    const answers = await answersOf(
      () => startVirtual({ firmware: recorded.version }),
      asked,
      () => true,
    );
    const expected = Object.fromEntries(asked.map(({ id }) => [id, recorded.answers[id]]));
    expect(differences(expected, answers, KNOWN_DIFFERENCES)).toEqual([]);
  });

  test("every probe has a recorded answer, and every known difference is a probe", () => {
    const ids = [...probes.values()].flat().map((probe) => probe.id);
    expect(Object.keys(recorded.answers).sort()).toEqual([...ids].sort());
    expect(
      Object.values(KNOWN_DIFFERENCES)
        .flat()
        .filter((id) => !ids.includes(id)),
    ).toEqual([]);
  });
});
