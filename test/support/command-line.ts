import { vi } from "vitest";
import { run } from "../../host-tools/cli/program.ts";

/** One command line in this process: exit code and what it wrote. */
export async function tracelet(...argv: string[]): Promise<{ exit: number; out: string; err: string }> {
  const written = { out: "", err: "" };
  const catchInto = (where: "out" | "err") => (chunk: string | Uint8Array) => {
    written[where] += String(chunk);
    return true;
  };
  const out = vi.spyOn(process.stdout, "write").mockImplementation(catchInto("out"));
  const err = vi.spyOn(process.stderr, "write").mockImplementation(catchInto("err"));
  try {
    return { exit: await run(argv), ...written };
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
}
