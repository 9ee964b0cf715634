import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// Debian's assembler for ARM (binutils-arm-none-eabi) and its emulator of ARM processors (python3-unicorn). Where they are not installed, what needs them is skipped, aloud.

const UNICORN = fileURLToPath(new URL("./unicorn-calls.py", import.meta.url));

function works(command: string, args: string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

export const HAS_ASSEMBLER = works("arm-none-eabi-as", ["--version"]) && works("arm-none-eabi-objdump", ["--version"]);
if (!HAS_ASSEMBLER) console.log("machine code is not assembled and disassembled anew: install Debian's binutils-arm-none-eabi");

/** The Python for which Debian's package is: the first in the path may be another. */
const PYTHON = ["python3", "/usr/bin/python3"].find((python) => works(python, ["-c", "import unicorn"]));
export const HAS_UNICORN = PYTHON !== undefined;
if (!HAS_UNICORN) console.log("machine code is run in one emulator only: install Debian's python3-unicorn");

function run(command: string, args: string[], input?: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { input, encoding: "utf8", maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? stderr}`);
  return stdout;
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "tracelet-arm-"));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The bytes of a source, and how many places in them a linker would have to fill in. */
export function assemble(source: string): { code: Uint8Array; relocations: number } {
  return inFolder((folder) => {
    const [object, binary] = [join(folder, "a.o"), join(folder, "a.bin")];
    run("arm-none-eabi-as", ["-o", object, source]);
    run("arm-none-eabi-objcopy", ["-O", "binary", "-j", ".text", object, binary]);
    const relocations = run("arm-none-eabi-objdump", ["-r", object])
      .split("\n")
      .filter((line) => /R_ARM_/.test(line)).length;
    return { code: new Uint8Array(readFileSync(binary)), relocations };
  });
}

/** Thumb code in words, one line an instruction. */
export function disassemble(code: Uint8Array): string[] {
  return inFolder((folder) => {
    const binary = join(folder, "a.bin");
    writeFileSync(binary, code);
    const text = run("arm-none-eabi-objdump", ["-D", "-b", "binary", "-m", "arm", "-M", "force-thumb", binary]);
    return [...text.matchAll(/^\s*[0-9a-f]+:\t[0-9a-f ]+\t(.*)$/gm)].map((line) => line[1].split(/\s*@/)[0].replace(/\s+/g, " ").trim());
  });
}

export interface UnicornCall {
  code: Uint8Array;
  /** Where the code lies. */
  at: number;
  offset: number;
  args: number[];
  memory: { base: number; bytes: Uint8Array }[];
  /** What supervisor calls answer one after the other, and what they write from 32 bytes behind their argument on. */
  services?: { answer: number; write?: Uint8Array }[];
}

export interface UnicornRun {
  error?: string;
  returned: boolean;
  answer: number;
  instructions: number;
  stackUsed: number;
  /** r4 to r11 and the stack pointer as before. */
  kept: boolean;
  services: { exception: number; instruction: number; argument: number }[];
  memory: Uint8Array[];
}

/** Runs machine code in Unicorn, all calls in one process. */
export function runInUnicorn(calls: UnicornCall[]): UnicornRun[] {
  const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("hex");
  const input = calls.map((call) => ({
    ...call,
    code: hex(call.code),
    memory: call.memory.map(({ base, bytes }) => ({ base, bytes: hex(bytes) })),
    services: call.services?.map(({ answer, write }) => ({ answer, write: hex(write) })),
  }));
  const runs = JSON.parse(run(PYTHON!, [UNICORN], JSON.stringify(input))) as (Omit<UnicornRun, "memory"> & { memory: string[] })[];
  return runs.map((one) => ({ ...one, memory: one.memory.map((text) => new Uint8Array(Buffer.from(text, "hex"))) }));
}
