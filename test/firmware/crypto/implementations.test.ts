import { createCipheriv, createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findBoard } from "../../../boards/index.ts";
import { softwareAes, softwareSha256 } from "../../../firmware/crypto/software.ts";
import { buildFirmware, type Firmware } from "../../../host-tools/generator/bundle.ts";
import type { VirtualBoardOptions } from "../../../host-tools/simulator/virtual-board.ts";
import { armCore } from "../../support/arm-core.ts";
import { checkCrypto } from "../../support/crypto-checks.ts";
import { toHex } from "../../support/vectors.ts";
import { virtualBoard } from "../../support/virtual-link.ts";

const ENTRY = fileURLToPath(new URL("../../espruino/vectors-entry.ts", import.meta.url));

const built = new Map<string, Promise<Firmware>>();

/** A virtual board that runs the bundle of the protocol functions; `before`: what its console is told first. */
async function loaded(id: string, before = "", options: Partial<VirtualBoardOptions> = {}) {
  const making = built.get(id) ?? buildFirmware({ board: findBoard(id)!, role: "wearable", protocols: ["gaen"], entry: ENTRY });
  built.set(id, making);
  const { code } = await making;
  const { board } = virtualBoard(id, options);
  board.evaluate(before);
  board.evaluate(code);
  expect(board.errors).toEqual([]);
  return board;
}

const NO_CODE = "E.nativeCall=function(){throw new Error('no')};";

describe.each([
  ["Puck.js: all from the interpreter", "puckjs", "", "in", "in", false],
  ["MDBT42Q: AES by the SoftDevice, SHA-256 from the interpreter", "mdbt42q", "", "sd", "in", false],
  ["Pixl.js: AES by the SoftDevice S132, SHA-256 by machine code", "pixljs", "", "sd", "th", true],
  ["nRF52840DK: AES by the SoftDevice S140, SHA-256 by machine code", "nrf52840dk", "", "sd", "th", true],
  ["Pixl.js that runs no code of ours: SHA-256 in software", "pixljs", "", "sd", "js", false],
  ["Pixl.js without machine code: all in software", "pixljs", NO_CODE, "js", "js", false],
])("%s", async (_, id, before, aes, sha, processor) => {
  const board = await loaded(id, before, processor ? { machineCode: armCore } : {});
  checkCrypto(test, (name, ...values) =>
    JSON.parse(board.evaluate(`JSON.stringify(vectors.${name}(${values.map((value) => JSON.stringify(value)).join()}))`) as string),
  );

  test("is what it says", () => {
    expect([board.evaluate("vectors.aes()"), board.evaluate("vectors.sha()")]).toEqual([aes, sha]);
    expect(board.errors).toEqual([]);
  });
});

describe("in software", () => {
  const bytes = (options: fc.IntArrayConstraints) => fc.uint8Array(options);

  test("AES-128 agrees with another implementation, whatever key and blocks, and leaves them as they are", () => {
    fc.assert(
      fc.property(bytes({ minLength: 16, maxLength: 16 }), bytes({ maxLength: 80 }), (key, long) => {
        const blocks = long.subarray(0, long.length & ~15);
        const before = toHex(key) + toHex(blocks);
        const other = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
        expect(toHex(softwareAes(key, blocks))).toBe(other.update(blocks, undefined, "hex"));
        expect(toHex(key) + toHex(blocks)).toBe(before);
      }),
    );
  });

  test("SHA-256 agrees with another implementation at every length of two blocks and at long ones", () => {
    const message = Uint8Array.from({ length: 70_000 }, (_, i) => i * 7 + (i >> 8));
    for (const length of [...Array(130).keys(), 8191, 8192, 8193, 65_535, 70_000]) {
      const part = message.subarray(0, length);
      expect(toHex(softwareSha256(part)), `${length} bytes`).toBe(createHash("sha256").update(part).digest("hex"));
    }
  });
});

describe("AES by the SoftDevice", () => {
  const ANSWER = "69c4e0d86a7b0430d8cdb78070b4c55a";
  const ASK = 'vectors.ecb("000102030405060708090a0b0c0d0e0f","00112233445566778899aabbccddeeff")';

  test("asks the SoftDevice that the interpreter tells, or where it doesn't tell the one of the board's facts", async () => {
    const record = "var asked=[],native=E.nativeCall;E.nativeCall=function(o,s,c){asked.push(o,s,c.charCodeAt(0));return native(o,s,c)};";
    const older = await loaded("pixljs", record, { firmware: "2v27" });
    expect(older.evaluate("process.env.SOFTDEVICE")).toBeUndefined();
    expect(older.evaluate("asked.slice(0,3).join()")).toBe("1,int(int),67");
    expect(older.evaluate("vectors.aes()")).toBe("sd");
    const large = await loaded("nrf52840dk", record);
    expect(large.evaluate("asked.slice(0,3).join()")).toBe("1,int(int),70");
  });

  test("is left alone where the SoftDevice is one that nobody knows", async () => {
    const pixljs = findBoard("pixljs")!;
    const facts = { ...pixljs, softDevice: { name: "S132", version: "7.2.0", firmwareId: 0x101 } };
    const board = await loaded("pixljs", "var calls='';E.nativeCall=function(o,s){calls+=s};", { facts });
    expect(board.evaluate("process.env.SOFTDEVICE")).toBe(0x101);
    // that is SHA-256, which asks nobody
    expect(board.evaluate("calls")).toBe("int(int,int)");
    expect([board.evaluate("vectors.aes()"), board.evaluate(ASK)]).toEqual(["js", ANSWER]);
  });

  test.each([
    ["refuses", "E.nativeCall=function(){return function(){return 1}};"],
    ["answers something else", "E.nativeCall=function(){return function(){return 0}};"],
    ["can't be called, because there is no piece of memory for its code", "E.nativeCall=function(){};"],
    ["has nothing to read from, because the block has no address", "E.getAddressOf=function(){return 0};"],
    ["is on a processor whose memory lies elsewhere", "E.getAddressOf=function(){return 0x0804a000};"],
    ["would get an address that is none of a word", "var address=E.getAddressOf;E.getAddressOf=function(a,b){return address(a,b)+1};"],
  ])("is not used where at start it %s", async (_, before) => {
    const board = await loaded("pixljs", before);
    expect([board.evaluate("vectors.aes()"), board.evaluate(ASK), board.evaluate("vectors.aes()")]).toEqual(["js", ANSWER, "js"]);
  });

  test("that refuses later is stood in for, for as long as it does, and the block's address is asked for each time", async () => {
    const before = "var off=0,asked=0,native=E.nativeCall,address=E.getAddressOf;E.getAddressOf=function(a,b){asked++;return address(a,b)};";
    const board = await loaded("pixljs", `${before}E.nativeCall=function(o,s,c){var f=native(o,s,c);return function(a){return off||f(a)}};`);
    expect([board.evaluate(ASK), board.evaluate("vectors.aes()")]).toEqual([ANSWER, "sd"]);
    board.evaluate("off=2;asked=0");
    expect([board.evaluate(ASK), board.evaluate("vectors.aes()")]).toEqual([ANSWER, "js"]);
    board.evaluate("off=0");
    expect([board.evaluate(ASK), board.evaluate("vectors.aes()"), board.evaluate("asked")]).toEqual([ANSWER, "sd", 2]);
  });
});

describe("SHA-256 by machine code", () => {
  const ANSWER = createHash("sha256").update("abc").digest("hex");
  const ASK = 'vectors.hash("616263")';

  test.each([
    ["answers something else", "E.nativeCall=function(){return function(){return 0}};"],
    ["can't be called, because there is no piece of memory for it", "E.nativeCall=function(){};"],
    ["is on a processor whose memory lies elsewhere", "E.getAddressOf=function(){return 0x0804a000};"],
    ["would get an address that is none of a word", "var address=E.getAddressOf;E.getAddressOf=function(a,b){return address(a,b)+1};"],
  ])("is not used where at start it %s", async (_, before) => {
    const board = await loaded("pixljs", before, { machineCode: armCore });
    expect([board.evaluate("vectors.sha()"), board.evaluate(ASK), board.evaluate("vectors.sha()")]).toEqual(["js", ANSWER, "js"]);
  });

  test("is stood in for while no piece of memory can be had", async () => {
    const before = "var off=0,address=E.getAddressOf;E.getAddressOf=function(a,b){return off?0:address(a,b)};";
    const board = await loaded("pixljs", before, { machineCode: armCore });
    expect([board.evaluate(ASK), board.evaluate("vectors.sha()")]).toEqual([ANSWER, "th"]);
    board.evaluate("off=1");
    expect([board.evaluate(ASK), board.evaluate("vectors.sha()")]).toEqual([ANSWER, "js"]);
    board.evaluate("off=0");
    expect([board.evaluate(ASK), board.evaluate("vectors.sha()")]).toEqual([ANSWER, "th"]);
  });

  test("agrees with another implementation at every length up to three blocks", async () => {
    const board = await loaded("nrf52840dk", "", { machineCode: armCore });
    for (let length = 0; length <= 192; length += 7) {
      const message = Buffer.from(Uint8Array.from({ length }, (_, i) => i * 11));
      expect(board.evaluate(`vectors.hash("${message.toString("hex")}")`)).toBe(createHash("sha256").update(message).digest("hex"));
    }
    expect(board.evaluate("vectors.sha()")).toBe("th");
  });
});
