import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { type Build, build, NO_INTERPRETER } from "./abilities.ts";
import { type Answers, answersOf, differences, EXPECTED, NO_ANSWER, type Recorded, readProbes } from "./conformance.ts";
import { startInterpreter } from "./interpreter.ts";
import { KNOWN_DIFFERENCES } from "./known-differences.ts";
import { startVirtual } from "./virtual-machine.ts";

/** Rewrites conformance.expected.json with what this interpreter answers. */
const RECORDING = process.env.CONFORMANCE_RECORD === "1";

const TRIES = 3;

describe.skipIf(NO_INTERPRETER)("the real interpreter and the virtual board answer alike", () => {
  let interpreter: Build;
  const answers: Answers = {};

  beforeAll(async () => {
    interpreter = await build();
  });

  test.for([...readProbes()])("%s", async ([, probes]) => {
    const { abilities, version } = interpreter;
    const virtualTime = abilities.has("virtual time") ? 0 : undefined;
    const ask = (patience: number) =>
      answersOf(
        () => startInterpreter({ virtualTime, patience }),
        probes,
        (ability) => abilities.has(ability),
      );
    const virtual = await answersOf(
      () => startVirtual({ firmware: version }),
      probes,
      () => true,
    );
    const real = await ask(1);
    // a busy machine may have cut an answer short, a Linux build may have lost a character: then again, with more time
    for (let tries = 1; tries < TRIES && differences(real, virtual, KNOWN_DIFFERENCES).length > 0; tries++) {
      const again = await ask(10);
      for (const id of Object.keys(real)) if (real[id] !== virtual[id]) real[id] = again[id];
    }
    Object.assign(answers, real);
    expect(differences(real, virtual, KNOWN_DIFFERENCES)).toEqual([]);
  });

  test("its answers are those that were recorded", () => {
    const { version } = interpreter;
    expect(Object.keys(answers).filter((id) => answers[id] === NO_ANSWER)).toEqual([]);
    if (RECORDING) writeFileSync(EXPECTED, `${JSON.stringify({ version, answers } satisfies Recorded, null, 2)}\n`);
    const recorded = JSON.parse(readFileSync(EXPECTED, "utf8")) as Recorded;
    const asked = Object.fromEntries(Object.keys(answers).map((id) => [id, recorded.answers[id]]));
    if (recorded.version === version) expect(answers).toEqual(asked);
    else console.log(`the recorded answers are those of ${recorded.version}, this is ${version}: not compared`);
  });
});
