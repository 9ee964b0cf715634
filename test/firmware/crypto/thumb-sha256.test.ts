import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SHA256_CODE } from "../../../firmware/crypto/thumb/sha256.ts";
import { runThumb } from "../../support/arm-core.ts";
import { assemble, disassemble, HAS_ASSEMBLER, HAS_UNICORN, runInUnicorn } from "../../support/arm-tools.ts";
import { loadVectors, toHex } from "../../support/vectors.ts";

// The machine code of SHA-256: that it is what its source says, and that it computes what it should, in two emulators.

const SOURCE = fileURLToPath(new URL("../../../firmware/crypto/thumb/sha256.s", import.meta.url));
const MODULE = fileURLToPath(new URL("../../../firmware/crypto/thumb/sha256.ts", import.meta.url));
const CODE = new Uint8Array(Buffer.from(SHA256_CODE, "base64"));
/** Behind the instructions: 8 words to begin with, 64 constants. */
const TABLE_BYTES = 72 * 4;
/** Where the interpreter might put code and buffer. */
const AT = 0x20018004;
const BUFFER = 0x20003040;
const STACK_BYTES = 580;
const vectors = loadVectors("primitives.json").sha256;

const digest = (message: Uint8Array) => createHash("sha256").update(message).digest("hex");

/** What the code is handed: room for the digest, and the message in whole blocks (FIPS 180-4, 5.1.1). */
function padded(message: Uint8Array): Uint8Array {
  const buffer = new Uint8Array(32 + (Math.floor((message.length + 8) / 64) + 1) * 64).fill(0x5a, 0, 32);
  buffer.set(message, 32);
  buffer[32 + message.length] = 128;
  new DataView(buffer.buffer).setUint32(buffer.length - 4, message.length * 8);
  return buffer;
}

const callOf = (message: Uint8Array, at = AT, base = BUFFER) => {
  const buffer = padded(message);
  return { code: CODE, at, offset: 0, args: [base, (buffer.length - 32) / 64], memory: [{ base, bytes: buffer }] };
};
const random = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 167 + length * 31 + ((i * i) >> 3)) & 255);

describe("the machine code of SHA-256 in an emulator of a Cortex-M0+", () => {
  /** Runs it and looks at everything but the digest as well. */
  function hash(message: Uint8Array, at = AT): string {
    const call = callOf(message, at);
    const buffer = call.memory[0].bytes;
    const before = toHex(buffer.subarray(32));
    const { stackUsed, ...rest } = runThumb(call, at);
    expect(rest).toMatchObject({ kept: true, codeChanged: false });
    // a word of the message lies deepest, and may look like what the stack was filled with
    expect(stackUsed).toBeLessThanOrEqual(STACK_BYTES);
    expect(stackUsed).toBeGreaterThan(STACK_BYTES - 5);
    expect(toHex(buffer.subarray(32))).toBe(before);
    return toHex(buffer.subarray(0, 32));
  }

  test("answers the published vectors", () => {
    expect(vectors.length).toBeGreaterThan(2);
    for (const { message, digest } of vectors) expect(hash(Buffer.from(message, "hex"))).toBe(digest);
  });

  test("agrees with another implementation, whatever the message, and changes nothing but the digest's place", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (message) => {
        expect(hash(message)).toBe(digest(message));
      }),
      { numRuns: 40 },
    );
  });

  test("works at any word's address, and takes 4,504 instructions for a block", () => {
    const message = random(100);
    for (const at of [0x20010000, 0x20010004, 0x20010008, 0x2001000c]) expect(hash(message, at)).toBe(digest(message));
    const instructions = (blocks: number) => runThumb(callOf(random(64 * blocks - 9)), AT).instructions;
    expect(instructions(2) - instructions(1)).toBe(4504);
  });
});

describe.skipIf(!HAS_UNICORN)("the machine code of SHA-256 in Unicorn, a Cortex-M4 whose code can't be written to", () => {
  test("answers the published vectors and the lengths around the ends of blocks", () => {
    const lengths = [0, 1, 54, 55, 56, 63, 64, 65, 118, 119, 120, 128, 183, 184, 200];
    const messages = [...vectors.map(({ message }) => new Uint8Array(Buffer.from(message, "hex"))), ...lengths.map(random)];
    const runs = runInUnicorn(messages.map((message) => callOf(message)));
    for (const [i, run] of runs.entries()) {
      expect(run).toMatchObject({ returned: true, kept: true, stackUsed: STACK_BYTES, services: [] });
      expect(run.error).toBeUndefined();
      expect(toHex(run.memory[0].subarray(0, 32)), `${messages[i].length} bytes`).toBe(digest(messages[i]));
      expect(toHex(run.memory[0].subarray(32))).toBe(toHex(padded(messages[i]).subarray(32)));
    }
  });

  test("touches nothing outside: where its buffer ends with the memory, and where it begins there", () => {
    const message = random(40);
    const [first, last] = runInUnicorn([callOf(message, AT, 0x20005000), callOf(message, AT, 0x20006000 - 96)]);
    for (const run of [first, last]) expect([run.error, toHex(run.memory[0].subarray(0, 32))]).toEqual([undefined, digest(message)]);
    // that the emulator would notice
    const beyond = callOf(message, AT, 0x20006000 - 96);
    const [caught] = runInUnicorn([{ ...beyond, args: [0x20006000 - 96, 2] }]);
    expect(caught.error).toMatch(/unmapped/i);
  });
});

describe.skipIf(!HAS_ASSEMBLER)("the machine code of SHA-256 and its source", () => {
  test("are the same: assembling gives the bytes that are checked in, and nothing is left for a linker", () => {
    const { code, relocations } = assemble(SOURCE);
    const text = Buffer.from(code).toString("base64");
    if (process.env.THUMB_RECORD) {
      const before = readFileSync(MODULE, "utf8");
      writeFileSync(MODULE, before.replace(/\d+ bytes, base64/, `${code.length} bytes, base64`).replace(/"[^"]*"/, `"${text}"`));
    } else expect(text).toBe(SHA256_CODE);
    expect(relocations).toBe(0);
    expect(readFileSync(MODULE, "utf8")).toContain(`${code.length} bytes, base64`);
  });

  test("no instruction leaves it but the last, none asks the SoftDevice, and no jump is out of its bounds", () => {
    const lines = disassemble(CODE.subarray(0, CODE.length - TABLE_BYTES));
    const kinds = new Set(lines.map((line) => line.split(" ")[0]));
    const harmless = "push pop movs mov add adds sub subs adr ldmia stmia ldr str rev rors eors ands lsrs lsls cmp bne.n".split(" ");
    expect([...kinds].filter((kind) => !harmless.includes(kind))).toEqual([]);
    expect(lines.filter((line) => /pc|lr/.test(line))).toEqual([
      "push {r4, r5, r6, r7, lr}",
      expect.stringMatching(/^add r3, pc, #/),
      "pop {r4, r5, r6, r7, pc}",
    ]);
    expect(lines.at(-1)).toBe("pop {r4, r5, r6, r7, pc}");
    for (const line of lines.filter((one) => one.startsWith("bne"))) expect(Number(line.split(" ")[1])).toBeLessThan(CODE.length - TABLE_BYTES);
  });
});
