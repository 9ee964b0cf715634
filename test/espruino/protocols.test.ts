import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pixljs } from "../../boards/pixljs.ts";
import { buildFirmware } from "../../host-tools/generator/bundle.ts";
import { checkProtocols } from "../support/protocol-checks.ts";
import { NO_INTERPRETER } from "./abilities.ts";
import { writeFile } from "./firmware-run.ts";
import { type Interpreter, startInterpreter } from "./interpreter.ts";
import { literal, run } from "./machine.ts";

const ENTRY = fileURLToPath(new URL("./protocols-entry.ts", import.meta.url));

describe.skipIf(NO_INTERPRETER)("protocol functions above the port, run by the interpreter", () => {
  let interpreter: Interpreter;

  beforeAll(async () => {
    const { code } = await buildFirmware({ board: pixljs, role: "wearable", protocols: ["gaen"], entry: ENTRY });
    interpreter = await startInterpreter();
    for (const line of writeFile("vectors", code)) expect(await run(interpreter, line)).toBe("");
    expect(await run(interpreter, 'eval(require("Storage").read("vectors"))')).toBe("");
  });
  afterAll(() => interpreter?.close());

  checkProtocols(test, async (name, ...values) => {
    const line = `print(JSON.stringify(vectors.${name}(${values.map((value) => (typeof value === "string" ? literal(value) : value)).join()})))`;
    const answer = await run(interpreter, line);
    try {
      return JSON.parse(answer);
    } catch {
      throw new Error(`${name}: ${answer}`);
    }
  });
});
