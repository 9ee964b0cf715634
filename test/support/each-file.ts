import { afterAll, expect, vi } from "vitest";
import { wornWorlds } from "./worlds.ts";

// Runs before each test file. A worker runs many of them, one after the other, with the modules loaded once: what one file leaves behind would be
// there for the next, so it is cleared here, or it fails the file that left it.

wornWorlds.length = 0;
const environment = { ...process.env };
const folder = process.cwd();
const { exitCode } = process;

afterAll(() => {
  // names only: values are nobody's business
  const names = Object.keys({ ...environment, ...process.env }).filter((name) => process.env[name] !== environment[name]);
  expect(names, "environment variables as they were").toEqual([]);
  expect([process.cwd(), process.exitCode], "folder and exit code as they were").toEqual([folder, exitCode]);
  expect(vi.isFakeTimers(), "fake timers left behind").toBe(false);
});
