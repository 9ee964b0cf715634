import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createProgram } from "../../host-tools/cli/program.ts";
import { openingFailed } from "../../host-tools/device/serial.ts";
import { parseTcpName } from "../../host-tools/device/tcp.ts";
import { tracelet } from "../support/command-line.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-cli-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("tracelet on the command line", () => {
  test("help shows every command, examples and the exit codes", async () => {
    const { exit, out } = await tracelet("--help");
    expect(exit).toBe(0);
    for (const words of ["ports", "flash", "time", "status", "config", "pull", "Examples:", "Exit codes:", "3 no board"])
      expect(out).toContain(words);
  });

  test("every command has a description and answers --help", async () => {
    for (const command of createProgram().commands) {
      expect(command.description(), command.name()).not.toBe("");
      if (command.name() === "help") continue;
      expect((await tracelet(command.name(), "--help")).exit, command.name()).toBe(0);
    }
  });

  test("the version is that of the package", async () => {
    expect((await tracelet("--version")).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each([
    [["nonsense"], "unknown command 'nonsense'"],
    [["status"], "--port"],
    [["status", "--port", "x", "--fnord"], "--fnord"],
    [["status", "--port", "x", "--baud", "fast"], "300 to 1000000"],
    [["config", "--port", "x", "--set", "scanTime=3"], "multiple of 2"],
    [["flash", "--port", "x"], "--board and --role"],
    [["flash", "--port", "x", "--bundle", "a.js", "--role", "beacon"], "one or the other"],
    [["flash", "--port", "x", "--bundle", "/nowhere/a.js"], "tracelet build"],
  ])("%j is wrong usage: exit code 2 and one line that says what is right", async (argv, words) => {
    const { exit, out, err } = await tracelet(...argv);
    expect(exit).toBe(2);
    expect(out).toBe("");
    expect(err).toMatch(/^tracelet: [^\n]*\n$/);
    expect(err).toContain(words);
  });

  test.each([
    [["status", "--port", "/dev/ttyNOWHERE"], "no_port", "/dev/ttyNOWHERE"],
    [["status", "--port", "/dev/null"], "no_port", "/dev/null"],
    [["status", "--port", "tcp://localhost"], "no_port", "tcp://host:port"],
  ])("%j finds no board: exit code 3; with --json one JSON line on stderr", async (argv, code, words) => {
    const plain = await tracelet(...argv);
    expect(plain.exit).toBe(3);
    expect(plain.err).toContain(words);
    const json = await tracelet(...argv, "--json");
    expect([json.exit, json.out]).toEqual([3, ""]);
    expect(JSON.parse(json.err).error).toMatchObject({ code, message: expect.stringContaining(words) });
  });

  test("a port that nobody listens at, and one that closes at once", async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const closing = await tracelet("status", "--port", `tcp://127.0.0.1:${port}`);
    expect([closing.exit, closing.err]).toEqual([3, expect.stringContaining("closed the link")]);
    await new Promise((resolve) => server.close(resolve));
    const refused = await tracelet("status", "--port", `tcp://127.0.0.1:${port}`);
    expect([refused.exit, refused.err]).toEqual([3, expect.stringContaining("nobody listens")]);
  });

  test("a bundle that its manifest doesn't describe is not flashed", async () => {
    const file = join(folder, "puckjs-wearable.js");
    writeFileSync(file, "print(1)");
    const manifest = {
      format: 1,
      board: "puckjs",
      role: "wearable",
      version: "1",
      bytes: 8,
      sha256: "00",
      flash: { ringPages: 5 },
      log: { format: 1 },
    };
    writeFileSync(join(folder, "puckjs-wearable.manifest.json"), JSON.stringify(manifest));
    const { exit, err } = await tracelet("flash", "--port", "/dev/ttyNOWHERE", "--bundle", file, "--json");
    expect([exit, JSON.parse(err).error.code]).toEqual([1, "bad_manifest"]);
  });

  test("keys that could not be taken leave no file behind", async () => {
    const out = join(folder, "teks.json");
    expect((await tracelet("keys", "pull", "--port", "/dev/ttyNOWHERE", "--out", out)).exit).toBe(3);
    expect(readdirSync(folder)).not.toContain("teks.json");
    writeFileSync(out, "[]");
    const { exit, err } = await tracelet("keys", "pull", "--port", "/dev/ttyNOWHERE", "--out", out);
    expect([exit, err]).toEqual([2, expect.stringContaining("not overwritten")]);
  });
});

describe("why a serial port doesn't open", () => {
  test.each([
    ["/dev/ttyNOWHERE", "Error: No such file or directory, cannot open /dev/ttyNOWHERE", "no_port", "tracelet ports"],
    ["/dev/null", "Error: Permission denied, cannot open /dev/null", "no_port", "dialout"],
    ["/dev/null", "Error: Resource temporarily unavailable Cannot lock port", "port_busy", "another program"],
    ["/dev/null", "Error: Inappropriate ioctl for device setting custom baud rate of 9600", "no_port", "Inappropriate ioctl"],
  ])("%s: %s", (path, said, code, words) => {
    const error = openingFailed(path, new Error(said));
    expect([error.code, error.exitCode]).toEqual([code, 3]);
    expect(error.message).toContain(path);
    expect(error.message).toContain(words);
  });
});

test("a TCP name is host and port, IPv6 in brackets", () => {
  expect(parseTcpName("tcp://localhost:9601")).toEqual({ host: "localhost", port: 9601 });
  expect(parseTcpName("tcp://[::1]:23")).toEqual({ host: "::1", port: 23 });
  for (const wrong of ["tcp://:1", "tcp://a:0", "tcp://a:70000", "tcp://a:b", "tcp:a:1"])
    expect(() => parseTcpName(wrong)).toThrow("tcp://host:port");
});
