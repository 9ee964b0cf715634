import { fileURLToPath } from "node:url";
import { describe, test } from "vitest";
import { puckjs } from "../../boards/puckjs.ts";
import { buildFirmware } from "../../host-tools/generator/bundle.ts";
import { checkProtocols } from "../support/protocol-checks.ts";
import { virtualBoard } from "../support/virtual-link.ts";

const ENTRY = fileURLToPath(new URL("../espruino/protocols-entry.ts", import.meta.url));

describe("the protocol functions, bundled for a Puck.js", async () => {
  const { code } = await buildFirmware({ board: puckjs, role: "wearable", protocols: ["gaen"], entry: ENTRY });
  const { board } = virtualBoard("puckjs");
  board.evaluate(code);
  checkProtocols(test, (name, ...values) =>
    JSON.parse(board.evaluate(`JSON.stringify(vectors.${name}(${values.map((value) => JSON.stringify(value)).join()}))`) as string),
  );
});
