import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runDemo } from "../../host-tools/demo/demo.ts";

test("the demonstration finds who met the one who is ill, and writes a report for people", async () => {
  const out = mkdtempSync(join(tmpdir(), "tracelet-demo-"));
  const said: string[] = [];
  try {
    const silent = () => ({ advance() {}, end() {} });
    const { files, exposures } = await runDemo({ out, say: (text) => said.push(text), progress: silent });
    expect(exposures.length).toBeGreaterThan(10);
    const page = readFileSync(join(out, "report.html"), "utf8");
    for (const words of ["A day with three Pucks", "Puck 1", "Puck 2", "Canteen", "Bus 12", "What really happened"]) expect(page).toContain(words);
    // four meetings with the third, one of them of both
    expect(page.match(/<article /g)).toHaveLength(5);
    expect(files).toContain(join(out, "report.html"));
    expect(said.join("\n")).toMatch(/Puck 1: about 2026-03-02 07:5\d to 08:4\d UTC, 45 min, \d\d dB/);
    expect(said.join("\n")).toContain(join(out, "report.html"));
  } finally {
    rmSync(out, { recursive: true });
  }
});
