import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";

/** Runs an example; the lines it printed. */
async function run(name: string): Promise<string[]> {
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  try {
    await import(`../../examples/${name}.ts`);
    return log.mock.calls.map(([line]) => String(line));
  } finally {
    log.mockRestore();
  }
}

test("the key schedule example prints the specification's first identifier (GAEN-02)", async () => {
  expect(await run("key-schedule")).toEqual([
    "interval 2642976, key in use since interval 2642976",
    "on the air: 02011a03036ffd17166ffd8be6cd371c5c891604bfbe49df84509672033874",
    "identifier: 8be6cd371c5c891604bfbe49df845096",
    "sent with 8 dBm",
  ]);
});

test("the export example publishes two keys and reads them back (GAEN-20)", async () => {
  const lines = await run("export-file");
  expect(lines[0]).toBe("2 keys for region XX, signed by 310 v1");
  // Sorted by their random bytes, so either may come first.
  expect(lines.slice(1).sort()).toEqual([2945952, 2946096].map((start) => `look for what was sent from interval ${start} on, 144 intervals long`));
});

test.each(["key-schedule", "export-file"])("the example %s fits a page of 40 lines", (name) => {
  expect(readFileSync(new URL(`../../examples/${name}.ts`, import.meta.url), "utf8").split("\n").length).toBeLessThanOrEqual(40);
});
