import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { puckjs } from "../../boards/puckjs.ts";
import { LiveBoard } from "../../host-tools/simulator/serve.ts";
import { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";

const COMMAND_LINE = join(dirname(createRequire(import.meta.url).resolve("espruino/package.json")), "bin", "espruino-cli.js");
/** The published tool never ends after sending less than a block of 512 characters. */
const BLOCK = 600;
const CODE = `var answer = 6 * 7;
function greet(name) {
  return "hello " + name;
}
${Array.from({ length: 12 }, (_unused, i) => `var pad${i} = "${"x".repeat(40)}";`).join("\n")}
print(greet(answer));
`;

const folder = mkdtempSync(join(tmpdir(), "tracelet-espruino-"));
const board = new VirtualBoard({ facts: puckjs, clock: new VirtualClock(1_790_000_000) });
const live = new LiveBoard(board, { speed: 50 });
let port = 0;

beforeAll(async () => {
  port = await live.listenTcp(0);
  live.start();
  writeFileSync(join(folder, "code.js"), CODE);
});

afterAll(async () => {
  await live.stop();
  rmSync(folder, { recursive: true });
});

/** Runs Espruino's own command line against the board and answers what it printed. */
function espruino(...options: string[]): Promise<string> {
  // Without an address for board files it asks nobody on the net.
  const fixed = [COMMAND_LINE, "--no-ble", "-p", `tcp://127.0.0.1:${port}`, "--config", "BOARD_JSON_URL="];
  return new Promise((resolve, reject) => {
    const child = execFile(process.execPath, [...fixed, ...options], { cwd: folder, timeout: 15_000 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`espruino ${options.join(" ")}: ${error.message}\n${stdout}${stderr}`));
      else resolve(stdout);
    });
    child.stdin?.end();
  });
}

test("Espruino's own command line evaluates an expression on a virtual board", async () => {
  expect(await espruino("-e", `print("result",6*7,"${"x".repeat(BLOCK)}".length)`)).toContain(`result 42 ${BLOCK}`);
});

test("Espruino's own command line resets a virtual board and uploads code to RAM", async () => {
  const printed = await espruino("code.js");
  expect(printed).toContain("2v29 (c) 2026 G.Williams");
  expect(printed).toContain("hello 42");
  expect(board.storage.find(".bootcde")).toBeUndefined();
  expect(board.evaluate("answer")).toBe(42);
});

test("Espruino's own command line saves code to flash, and the board runs it after a power cut", async () => {
  expect(await espruino("--config", "SAVE_ON_SEND=1", "code.js")).toContain("hello 42");
  expect(Buffer.from(board.storage.read(".bootcde")!).toString("latin1")).toContain("var answer = 6 * 7;");
  board.powerOff();
  board.powerOn();
  expect(board.evaluate("greet(answer)")).toBe("hello 42");
});

test("Espruino's own command line reads a file of Storage", async () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_unused, i) => 32 + (i % 90));
  board.storage.write("data", bytes);
  await espruino("--download", "data", "-e", `"${"x".repeat(BLOCK)}"`);
  expect(new Uint8Array(readFileSync(join(folder, "data")))).toEqual(bytes);
});
