import { RP2040 } from "rp2040js";
import { describe, expect, test } from "vitest";
import { firmwareFor } from "../../support/built-firmware.ts";
import { virtualBoard } from "../../support/virtual-link.ts";

// The four bytes that the firmware has executed, in an emulator of an ARM core. It is a Cortex-M0+, whose instructions the boards' Cortex-M4 has as well.

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

/** The machine code that the firmware gives to `E.nativeCall`, with the offset and the signature. */
async function given(id: string): Promise<{ code: Uint8Array; offset: number; signature: string }> {
  const { code } = await firmwareFor("beacon", id);
  const { board } = virtualBoard(id);
  board.evaluate("var NRF={sleep:function(){},getBattery:function(){return 3}},given;E.nativeCall=function(o,s,c){given=[o,s,c]};");
  board.evaluate(code);
  const [offset, signature] = [board.evaluate("given[0]"), board.evaluate("given[1]")] as [number, string];
  return { code: Uint8Array.from(Buffer.from(board.evaluate("given[2]") as string, "latin1")), offset, signature };
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

describe.each([
  ["pixljs", 0x43],
  ["nrf52840dk", 0x46],
])("the machine code for a %s", (id, number) => {
  test(`is a supervisor call of number ${number} and a return, called as Thumb code`, async () => {
    const { code, offset, signature } = await given(id);
    expect([...code]).toEqual([number, 0xdf, 0x70, 0x47]);
    expect([offset, signature]).toEqual([1, "int(int)"]);
  });

  test("hands its argument to the SoftDevice and the answer back, with everything else as it was", async () => {
    const { code, offset } = await given(id);
    const run = call(code, offset);
    expect(run.seen).toEqual([{ number, argument: ARGUMENT, stacked: STUB + 2 }]);
    expect(run).toMatchObject({ returnedTo: CALLER, answer: ANSWER, stack: STACK, kept: true });
  });
});
