import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { describeFirmware, register } from "../../../host-tools/cli/build.ts";
import type { Manifest } from "../../../host-tools/generator/manifest.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-build-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs `tracelet build`; what it printed on stdout. */
async function build(...args: string[]): Promise<string> {
  let printed = "";
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += text;
    return true;
  });
  try {
    const program = new Command();
    register(program);
    for (const command of [program, ...program.commands]) command.exitOverride().configureOutput({ outputError: () => {} });
    await program.parseAsync(["build", ...args], { from: "user" });
  } finally {
    spy.mockRestore();
  }
  return printed;
}

const PUCK = ["--board", "puckjs", "--role", "beacon", "--protocol", "gaen"];

describe("tracelet build", () => {
  test("writes code and manifest, and says for a person what is in them", async () => {
    const out = await build(...PUCK, "--set", "txPower=-8", "--set", "advertisingInterval=200", "--out", join(folder, "deep", "out"));
    const code = readFileSync(join(folder, "deep/out/puckjs-beacon.js"), "latin1");
    const manifest = JSON.parse(readFileSync(join(folder, "deep/out/puckjs-beacon.manifest.json"), "utf8")) as Manifest;
    expect(manifest).toMatchObject({ board: "puckjs", role: "beacon", protocols: ["gaen"], bytes: code.length });
    expect(manifest.settings).toMatchObject({ txPower: -8, advertisingInterval: 200, scanTime: 2 });
    expect(out).toBe(describeFirmware(manifest, join(folder, "deep/out/puckjs-beacon.js")) + "\n");
    expect(code).toContain(manifest.version);
  });

  test("answers a program with one JSON document", async () => {
    const answer = JSON.parse(await build(...PUCK, "--out", folder, "--json"));
    expect(answer.files).toEqual({ code: join(folder, "puckjs-beacon.js"), manifest: join(folder, "puckjs-beacon.manifest.json") });
    expect(answer.manifest).toEqual(JSON.parse(readFileSync(answer.files.manifest, "utf8")));
  });

  test("MUX-01: several protocols stand in the manifest, and what is sent may be named", async () => {
    const args = ["--board", "puckjs", "--role", "beacon", "--protocol", "gaen,dp3t", "--set", "transmit=gaen,dp3t", "--out", folder, "--json"];
    const { manifest } = JSON.parse(await build(...args)) as { manifest: Manifest };
    expect(manifest).toMatchObject({ protocols: ["gaen", "dp3t"], settings: { transmit: 5 } });
    expect(describeFirmware(manifest, "x")).toContain("Puck.js beacon, gaen, dp3t, version");
  });

  test("takes a board by the interpreter's name for it", async () => {
    await build("--board", "PUCKJS", "--role", "beacon", "--protocol", "gaen,gaen", "--out", folder);
    expect(existsSync(join(folder, "puckjs-beacon.js"))).toBe(true);
  });

  test.each([
    [
      ["--board", "puck", "--role", "beacon", "--protocol", "gaen"],
      "unknown_board",
      'no board is called "puck"; known: puckjs, mdbt42q, pixljs, nrf52840dk, microbit2, bangle2',
    ],
    [
      ["--board", "puckjs", "--role", "spy", "--protocol", "gaen"],
      "unknown_role",
      'no role is called "spy"; known: wearable, beacon, scanner, smartbeacon, collector, token',
    ],
    [
      ["--board", "puckjs", "--role", "beacon", "--protocol", "gaen,morse"],
      "unknown_protocol",
      'no protocol is called "morse"; known: gaen, dp3t, dp3t-unlinkable, smartbeacon, bluetrace, opencovidtrace, ct10',
    ],
    [[...PUCK, "--set", "txPower=8"], "bad_setting", "txPower: Puck.js does -40, -20, -16, -12, -8, -4, 0, 3, 4 dBm, got 8"],
    [
      [...PUCK, "--set", "transmit=gaen,dp3t"],
      "bad_setting",
      /^transmit: dp3t can't be sent by firmware with gaen; build it with --protocol gaen,dp3t$/,
    ],
    [["--board", "puckjs", "--role", "beacon", "--protocol", "dp3t,dp3t-unlinkable"], "board_cannot", /don't go together/],
    [[...PUCK, "--set", "txPower"], "bad_setting", "--set txPower: key=value expected, such as --set scanTime=4"],
    [
      ["--board", "bangle2", "--role", "scanner", "--protocol", "gaen", "--with", "lock"],
      "board_cannot",
      "Bangle.js 2 can't have the lock: its Storage is a chip of its own, which anybody can read.",
    ],
  ])("refuses %j as wrong usage", async (args, code, message) => {
    const error = await build(...args, "--out", folder).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code, exitCode: 2 });
    expect((error as Error).message).toEqual(typeof message === "string" ? message : expect.stringMatching(message));
    expect(existsSync(join(folder, "puckjs-beacon.js"))).toBe(false);
  });

  test("says which folder can't be written, and what to do", async () => {
    writeFileSync(join(folder, "file"), "");
    const error = await build(...PUCK, "--out", join(folder, "file")).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "unwritable_file", exitCode: 1, message: expect.stringMatching(/choose another folder with --out$/) });
  });

  test("shows boards, roles, protocols and an example with --help", async () => {
    const program = new Command();
    register(program);
    let help = "";
    const command = program.commands[0].exitOverride().configureOutput({ writeOut: (text) => (help += text) });
    expect(() => command.outputHelp()).not.toThrow();
    expect(help).toContain("Boards: puckjs, mdbt42q");
    expect(help).toContain("dp3t (DP-3T, low-cost design)");
    expect(help).toContain("tracelet build --board puckjs --role wearable --protocol gaen");
  });
});

test("a firmware is described in a few short lines", () => {
  const manifest = {
    boardName: "Puck.js",
    role: "wearable",
    protocols: ["gaen"],
    version: "0.1.0-1a2b3c4d",
    bytes: 9784,
    flash: { pages: 10, codePages: 3, guaranteedEncounters: 684, maximumEncounters: 963, guaranteedDense: 1597, maximumDense: 2249 },
    variables: { estimated: 969, atWork: 2630, total: 2630 },
    sha256: "ab".repeat(32),
  } as unknown as Manifest;
  expect(describeFirmware(manifest, "out/puckjs-wearable.js")).toBe(
    [
      "firmware  Puck.js wearable, gaen, version 0.1.0-1a2b3c4d",
      "code      9784 bytes, 3 of 10 flash pages",
      "memory    about 969 of 2630 variables once it is loaded, 2630 when it has most to do",
      "log       684 encounters at any time, 963 from empty",
      "dense     1597 encounters at any time, 2249 from empty",
      `SHA-256   ${"ab".repeat(32)}`,
      "file      out/puckjs-wearable.js",
    ].join("\n"),
  );
});
