import { createCipheriv } from "node:crypto";
import { RP2040 } from "rp2040js";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { disassemble, HAS_ASSEMBLER, HAS_UNICORN, runInUnicorn } from "../../support/arm-tools.ts";
import { expectQuietConsoles, setClock, WornWorld } from "../../support/worn-boards.ts";

// The four bytes that the firmware has executed for each supervisor call, in two emulators: here one of a Cortex-M0+, whose instructions the boards' Cortex-M4 has as well.

const RAM = 0x20000000;
const VECTORS = RAM;
/** Exception 11. */
const SV_CALL_VECTOR = VECTORS + 11 * 4;
const HANDLER = RAM + 0x400;
const STUB = RAM + 0x800;
const CALLER = RAM + 0xc00;
const STACK = RAM + 0x2000;
/** What the caller hands over, and what the handler answers in its place. */
const ARGUMENT = 0x20003040;
const ANSWER = 0;

/** What the firmware gives to `E.nativeCall`. */
interface Given {
  code: Uint8Array;
  offset: number;
  signature: string;
}

/** Supervisor calls of a beacon that has private addresses, from its start to its second rotation, each kind once. */
async function given(id: string): Promise<Given[]> {
  const world = new WornWorld(1);
  const board = await world.wear({ x: 0, y: 0 }, { role: "beacon", board: id, built: { privateAddress: 1 }, clockSet: false });
  board.evaluate(
    "var stubs=[],native=E.nativeCall;E.nativeCall=function(o,s,c){if(c.length<9)stubs.push([o,s,btoa(c)].join());return native(o,s,c)}",
  );
  setClock(board, world.clock.now);
  world.pass(2500);
  const stubs = (board.evaluate("stubs.join(' ')") as string).split(" ");
  return [...new Set(stubs)].map((stub) => {
    const [, offset, signature, code] = /^(\d+),(.*),([^,]*)$/.exec(stub)!;
    return { code: Uint8Array.from(Buffer.from(code, "base64")), offset: Number(offset), signature };
  });
}

/** Runs the stub as a compiler's call does, `blx` to its address with the Thumb bit, up to its return or 20 instructions. */
function call(code: Uint8Array, offset: number) {
  const chip = new RP2040();
  const { core } = chip;
  const seen: { number: number; argument: number; stacked: number }[] = [];
  for (let i = 0; i < code.length; i += 2) chip.writeUint16(STUB + i, code[i]! | (code[i + 1]! << 8));
  chip.writeUint32(SV_CALL_VECTOR, HANDLER | 1);
  // nop; movs r0, #0; str r0, [sp]: the handler's answer takes the place of the stacked r0. bx lr: back to where the call was made
  [0xbf00, 0x2000 | ANSWER, 0x9000, 0x4770].forEach((instruction, i) => {
    chip.writeUint16(HANDLER + 2 * i, instruction);
  });
  core.VTOR = VECTORS;
  core.SP = STACK;
  core.LR = CALLER | 1;
  core.registers[0] = ARGUMENT;
  const others = [1, 2, 3, 4, 5, 6, 7].map((register) => {
    core.registers[register] = 0x1000 + register;
    return core.registers[register];
  });
  core.PC = (STUB + offset) & ~1;
  for (let i = 0; i < 20 && core.PC !== CALLER; i++) {
    core.executeInstruction();
    // the entry and the nop are one step
    if ((core.PC & ~1) !== HANDLER + 2) continue;
    // as the SoftDevice finds out what is asked: the number stands in the instruction before the stacked return address
    const stacked = chip.readUint32(core.SP + 24);
    seen.push({ number: chip.readUint16(stacked - 2) & 0xff, argument: chip.readUint32(core.SP), stacked });
  }
  return { seen, returnedTo: core.PC, answer: core.registers[0], stack: core.SP, kept: others.every((value, i) => core.registers[i + 1] === value) };
}

afterEach(expectQuietConsoles);

describe.each([
  ["puckjs", [0x70, 0x71]],
  ["mdbt42q", [0x70, 0x71, 0x43]],
  ["pixljs", [0x70, 0x71, 0x43]],
  ["nrf52840dk", [0x70, 0x71, 0x46]],
])("the machine code for a %s", (id, numbers) => {
  let stubs: Given[];

  beforeAll(async () => {
    stubs = await given(id);
  });

  test("is a supervisor call and a return, called as Thumb code", () => {
    expect(new Set(stubs.map(({ code }) => code[0]))).toEqual(new Set(numbers));
    for (const { code, offset, signature } of stubs) {
      expect([...code]).toEqual([code[0], 0xdf, 0x70, 0x47]);
      expect([offset, signature]).toEqual([1, "int(int)"]);
    }
  });

  test("hands its argument to the SoftDevice and the answer back, with everything else as it was", () => {
    for (const { code, offset } of stubs) {
      const run = call(code, offset);
      expect(run.seen).toEqual([{ number: code[0], argument: ARGUMENT, stacked: STUB + 2 }]);
      expect(run).toMatchObject({ returnedTo: CALLER, answer: ANSWER, stack: STACK, kept: true });
    }
  });

  test.skipIf(!HAS_UNICORN)("does the same in Unicorn, with the SoftDevice's answers of both kinds", () => {
    const block = new Uint8Array(48).map((_, i) => (i < 32 ? i : 0));
    const cipher = createCipheriv("aes-128-ecb", block.subarray(0, 16), null).setAutoPadding(false).update(block.subarray(16, 32));
    for (const { code } of stubs) {
      const one = { code, at: STUB, offset: 0, args: [ARGUMENT], memory: [{ base: ARGUMENT, bytes: block }] };
      const [done, refused] = runInUnicorn([
        { ...one, services: [{ answer: 0, write: cipher }] },
        { ...one, services: [{ answer: 8 }] },
      ]);
      const services = [{ exception: 2, instruction: 0xdf00 | code[0], argument: ARGUMENT }];
      expect(done).toMatchObject({ returned: true, answer: 0, instructions: 2, stackUsed: 0, kept: true, services });
      expect(Buffer.from(done.memory[0]).equals(Buffer.concat([block.subarray(0, 32), cipher]))).toBe(true);
      expect(refused).toMatchObject({ returned: true, answer: 8, instructions: 2, stackUsed: 0, kept: true, services });
      expect(Buffer.from(refused.memory[0]).equals(block)).toBe(true);
    }
  });

  test.skipIf(!HAS_ASSEMBLER)("reads so when it is disassembled", () => {
    for (const { code } of stubs) expect(disassemble(code)).toEqual([`svc ${code[0]}`, "bx lr"]);
  });
});
