import { RP2040 } from "rp2040js";
import type { MachineCall } from "../../host-tools/simulator/native-calls.ts";

// An emulator of an ARM core that runs the boards' machine code. It is a Cortex-M0+, whose instructions the boards' Cortex-M4 has as well.

// Behind the memory of every board's chip, where buffers lie; this one has 264 kB.
const CODE = 0x20040000;
const CALLER = 0x20041000;
const STACK = 0x20041f00;
/** Memory that no buffer lies in, so that a stray write shows. */
const FILL = 0xa5;

export interface ArmRun {
  answer: number;
  instructions: number;
  /** Bytes of stack that were written to. */
  stackUsed: number;
  /** Did it write into its own code? */
  codeChanged: boolean;
  /** r4 to r7 and the stack pointer as before, as a compiler's call expects. */
  kept: boolean;
}

/** One for all calls: to make it takes longer than most of them. A call begins with memory and registers of its own. */
const chip = new RP2040();
const ram = new Uint8Array(chip.sram.buffer, chip.sram.byteOffset, chip.sram.length);

/** Runs a function as a compiler's call does, `blx` to its address with the Thumb bit, up to its return. `at`: where the code lies. @throws where it doesn't return. */
export function runThumb({ code, offset, args, memory }: MachineCall, at = CODE): ArmRun {
  const { core } = chip;
  const place = (address: number, length: number) => ram.subarray(address - 0x20000000, address - 0x20000000 + length);
  ram.fill(FILL);
  for (const { base, bytes } of memory) place(base, bytes.length).set(bytes);
  place(at, code.length).set(code);
  args.forEach((value, i) => {
    core.registers[i] = value >>> 0;
  });
  const kept = [4, 5, 6, 7].map((register) => {
    core.registers[register] = 0x1000 + register;
    return core.registers[register];
  });
  core.SP = STACK;
  core.LR = CALLER | 1;
  core.PC = at + offset;
  let instructions = 0;
  for (; core.PC !== CALLER; instructions++) {
    if (instructions > 1e7) throw new Error(`the code has not returned after ${instructions} instructions; it is at ${core.PC.toString(16)}`);
    core.executeInstruction();
  }
  const lowest = place(CALLER, STACK - CALLER).findIndex((byte) => byte !== FILL);
  const codeChanged = Buffer.compare(place(at, code.length), code) !== 0;
  for (const { base, bytes } of memory) bytes.set(place(base, bytes.length));
  return {
    answer: core.registers[0]! | 0,
    instructions,
    stackUsed: lowest < 0 ? 0 : STACK - CALLER - lowest,
    codeChanged,
    kept: core.SP === STACK && kept.every((value, i) => core.registers[i + 4] === value),
  };
}

/** For `VirtualBoardOptions.machineCode`. */
export function armCore(call: MachineCall): number {
  return runThumb(call).answer;
}
