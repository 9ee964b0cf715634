import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pixljs } from "../../boards/pixljs.ts";
import { puckjs } from "../../boards/puckjs.ts";
import { buildFirmware } from "../../host-tools/generator/bundle.ts";
import { FLAGS } from "../../protocols/gaen/advertisement.ts";
import { checkCrypto } from "../support/crypto-checks.ts";
import { loadVectors } from "../support/vectors.ts";
import { build, NO_INTERPRETER } from "./abilities.ts";
import { writeFile } from "./firmware-run.ts";
import { type Interpreter, startInterpreter } from "./interpreter.ts";
import { literal, run } from "./machine.ts";

const gaen = loadVectors("gaen_v12.json");
const adverts = loadVectors("ble_adverts.json");
const ENTRY = fileURLToPath(new URL("./vectors-entry.ts", import.meta.url));

describe.skipIf(NO_INTERPRETER).each([
  ["with its own AES and SHA-256", puckjs, "in"],
  ["with what the firmware brings in their place", pixljs, "js"],
])("published vectors, computed by the interpreter %s", (_, board, aes) => {
  let interpreter: Interpreter | undefined;

  beforeAll(async () => {
    const { abilities } = await build();
    if (aes === "in" && !abilities.has("aes")) return;
    const { code } = await buildFirmware({ board, role: "wearable", protocols: ["gaen"], entry: ENTRY });
    interpreter = await startInterpreter();
    for (const line of writeFile("vectors", code)) expect(await run(interpreter, line)).toBe("");
    expect(await run(interpreter, 'eval(require("Storage").read("vectors"))')).toBe("");
    // no code of the boards' chip runs on this machine's processor: the bundle sees that by itself
    expect([await call("aes"), await call("sha")]).toEqual([aes, aes]);
  });
  afterAll(() => interpreter?.close());

  /** Calls a function of vectors-entry.ts on the interpreter. */
  async function call(name: string, ...values: (string | number)[]): Promise<unknown> {
    const line = `print(JSON.stringify(vectors.${name}(${values.map((value) => (typeof value === "string" ? literal(value) : value)).join()})))`;
    const answer = await run(interpreter!, line);
    try {
      return JSON.parse(answer);
    } catch {
      throw new Error(`${name}: ${answer}`);
    }
  }
  /** A test that needs the interpreter's crypto. */
  function check(name: string, body: () => Promise<void>): void {
    test(name, (context) => (interpreter ? body() : context.skip()));
  }

  checkCrypto(check, call);

  check("metadata of every version, encrypted and read (GAEN-09, GAEN-25)", async () => {
    for (const row of gaen.aem_variants) expect(await call("aem", (await call("aemk", row.tek)) as string, row.rpi, row.metadata)).toBe(row.aem);
    for (const row of gaen.metadata) {
      const read = (await call("decodeMetadata", row.metadata)) as number[];
      expect(read).toEqual([row.major, row.minor, row.minor === 0 ? read[2] : row.calibration_confidence, row.tx_power]);
    }
    expect(await call("encodeMetadata", -12)).toBe("40f40000");
    expect(await call("encodeMetadata", 12, 3)).toBe("5c0c0000");
  });
  check("interval numbers up to the last second of 32 bits (GAEN-04)", async () => {
    for (const row of gaen.intervals) expect(await call("enin", row.unix)).toEqual([row.enin, row.rolling_start]);
  });
  check("advertising data is made as specified, and whatever is GAEN's is found (BLE-03, BLE-04)", async () => {
    const { rpi, aem } = adverts.accept[0].inputs;
    expect(await call("advertisement", rpi, aem, FLAGS)).toBe(adverts.accept[0].hex);
    expect(await call("advertisement", rpi, aem)).toBe(adverts.accept[1].hex);
    for (const row of [...adverts.accept, ...adverts.reject]) {
      const { expect: told } = row;
      const heard = await call("heard", row.hex);
      if (told.protocol !== "gaen") expect(heard, row.name).toBe(0);
      else expect((heard as unknown[]).slice(0, 3), row.name).toEqual([told.rpi, told.aem, told.uuid_list_exact]);
    }
  });
  check("every packet is claimed by its own protocol or by none (BLE-02)", async () => {
    for (const row of [...adverts.accept, ...adverts.reject]) expect(await call("claims", row.hex), row.name).toBe(row.expect.protocol);
  });
});
