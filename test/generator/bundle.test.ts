import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { parse } from "acorn";
import { afterEach, describe, expect, test } from "vitest";
import type { BoardFacts } from "../../boards/board-facts.ts";
import { findBoard } from "../../boards/index.ts";
import { type ConfigError, type FormatError, ToolError } from "../../host-tools/errors.ts";
import { buildFirmware, type Firmware, type FirmwareRequest, standardBundles } from "../../host-tools/generator/bundle.ts";
import { readTokens } from "../../host-tools/generator/tokens.ts";
import { projectRoot } from "../../host-tools/project.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { type Sources, writeSources } from "./sources.ts";

const puckjs = findBoard("puckjs") as BoardFacts;
let sources: Sources | undefined;
afterEach(() => {
  sources?.remove();
  sources = undefined;
});

function build(files: { [name: string]: string }, request: Partial<FirmwareRequest> = {}): Promise<Firmware> {
  sources = writeSources(files);
  return buildFirmware({ board: puckjs, role: "wearable", protocols: ["gaen"], entry: sources.entry, ...request });
}

async function failure(promise: Promise<unknown>): Promise<ToolError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ToolError);
  return error as ToolError;
}

/** Runs a bundle with `print` as its only global; answers what it printed. */
function run(code: string): unknown[] {
  const printed: unknown[] = [];
  new Function("print", "global", code)((...values: unknown[]) => printed.push(...values), {});
  return printed;
}

describe("a bundle", () => {
  test("has its modules in the order of their imports, without import and export", async () => {
    const { text } = await build({
      "main.ts": 'import { twice } from "./lib/twice.ts";\nexport const answer = twice(21);\nprint(answer);',
      "lib/twice.ts": "export function twice(n: number): number { for (let i = 0; i < 1; i++) n *= 2; return n; }",
    });
    expect(run(text)).toEqual([42]);
    expect(text).not.toMatch(/import|export/);
  });

  test("is flat: its functions are no closures, which saves a variable each", async () => {
    const { text } = await build({ "main.ts": "let n = 0;\nfunction count() { n++; setTimeout(count, n); }\ncount();\ncount();" });
    expect(parse(text, { ecmaVersion: 2015 }).body.map((node) => node.type)).toEqual([
      "VariableDeclaration",
      "FunctionDeclaration",
      "ExpressionStatement",
    ]);
  });

  test("has no function that ends with a bare return, which the interpreter takes for a syntax error", async () => {
    const { text } = await build({
      "main.ts":
        "function find(list: number[], value: number): number | undefined {\n  for (let i = 0; i < list.length; i++) if (list[i] === value) return i;\n  return undefined;\n}\nprint(find([1, 2], 2), find([1, 2], 3));",
    });
    expect(run(text)).toEqual([1, undefined]);
    expect(text).not.toMatch(/return;?}/);
  });

  test("holds only what its role needs", async () => {
    const files = {
      "main.ts":
        'import { ADVERTISE, SCAN, ROLE, BOARD_ID, LIGHTS, BUTTON, STORAGE, DEFAULTS } from "tracelet:build";\nif (ADVERTISE) print("sends");\nif (SCAN) print("hears");\nprint(ROLE, BOARD_ID, LIGHTS, BUTTON, STORAGE, DEFAULTS.join());',
    };
    const scanner = await build(files, { role: "scanner", settings: { scanTime: 4 } });
    expect(scanner.text).not.toContain("sends");
    expect(run(scanner.text)).toEqual(["hears", "scanner", "puckjs", 3, true, 0x6c000, "300,4,250,0,0,-127,0,14,2,0,2200,0,0"]);
    sources?.remove();
    const beacon = await build(files, { role: "beacon" });
    expect(run(beacon.text).slice(0, 2)).toEqual(["sends", "beacon"]);
    sources?.remove();
    const pixl = await build(files, { role: "scanner", board: findBoard("pixljs") });
    expect(run(pixl.text).slice(2, 4)).toEqual(["pixljs", 0]);
  });

  test("is the same, byte for byte, when it is built again", async () => {
    const files = { "main.ts": 'import { VERSION } from "tracelet:build";\nfunction f(n: number) { return n + 1; }\nprint(f(1), f(2), VERSION);' };
    const first = await build(files);
    sources?.remove();
    const second = await build(files);
    expect(second.code).toBe(first.code);
    expect(second.manifest).toEqual(first.manifest);
  });

  test("tells a version that changes with its code, in at most 15 characters", async () => {
    const source = (text: string) => ({ "main.ts": `import { VERSION } from "tracelet:build";\nprint(VERSION, "${text}");` });
    const one = await build(source("one"));
    sources?.remove();
    const two = await build(source("two"));
    expect(run(one.text)[0]).toBe(one.manifest.version);
    expect(one.manifest.version).toMatch(/^\d+\.\d+\.\d+-[0-9a-f]{4,8}$/);
    expect(one.manifest.version.length).toBeLessThanOrEqual(15);
    expect(two.manifest.version).not.toBe(one.manifest.version);
  });

  test("is one line of printable ASCII: what is none is written as an escape", async () => {
    const { text } = await build({ "main.ts": 'print("\u00e9", "\\0\\x03\\x10\\x7f\\xff", "line\\nline", "\u00fc" + 2); // \u20ac' });
    expect(text).toMatch(/^[\x20-\x7e]+$/);
    expect(run(text)).toEqual(["\u00e9", "\0\x03\x10\x7f\xff", "line\nline", "\u00fc2"]);
  });

  test("leads back to its sources by its map", async () => {
    const { text, map } = await build({
      "main.ts": 'import { fail } from "./fail.ts";\n\nfail("x");',
      "fail.ts": '\n\nexport function fail(what: string): void {\n  throw new Error("failed: " + what);\n}',
    });
    const place = originalPositionFor(new TraceMap(map as never), { line: 1, column: text.indexOf("throw") });
    expect([place.source?.split("/").pop(), place.line]).toEqual(["fail.ts", 4]);
  });

  test("keeps a developer's scopes and functions: nothing is pasted into its caller", async () => {
    const { text } = await build({
      "main.ts": `
        function rare(n: number) { for (let i = 0; i < n; i++) print(i); }
        export const heard = (function (best: number[]) { return function (n: number) { if (n > 5) rare(n); best[0] = n; }; })([0]);
        global.T = heard;
        declare const global: { T: unknown };`,
    });
    const functions = parse(text, { ecmaVersion: 2015 }).body.filter((node) => node.type === "FunctionDeclaration");
    expect(functions).toHaveLength(1);
    expect(text).toMatch(/=\((\w)=>\w=>\{/);
  });

  test("keeps inner functions above the statements that call them, also behind an early return", async () => {
    const { text } = await build({
      "main.ts": `
        function outer(n: number) {
          if (n > 3) { print("many"); return; }
          let k = n * 2;
          if (!k) return;
          function inner(j: number) { for (let i = 0; i < j; i++) print(i); }
          inner(1);
          while (--k) inner(k);
        }
        outer(0); outer(1); outer(4);`,
    });
    expect(run(text)).toEqual([0, 0, "many"]);
  });

  test("sets class fields in the constructor, so that instances don't share them", async () => {
    const { text } = await build({
      "main.ts":
        "class Box { items: number[] = []; add(n: number) { this.items.push(n); } }\nconst a = new Box(), b = new Box();\na.add(1);\nprint(a.items.length, b.items.length);",
    });
    expect(run(text)).toEqual([1, 0]);
  });

  test("takes no name of the interpreter", async () => {
    const names = Array.from({ length: 1900 }, (_, i) => `v${i}`);
    // more than a Puck.js would have room for
    const board = { ...puckjs, variables: { count: 10_000, bytes: 13 } };
    const { text } = await build(
      { "main.ts": `let ${names.map((name) => `${name} = print()`).join(", ")};\nglobal.T = [${names.join()}];` },
      { board },
    );
    const given = [...text.matchAll(/([\w$]+)=print\(/g)].map((match) => match[1]);
    expect(given).toHaveLength(1900);
    expect(given.filter((name) => /^([A-HV]\d+|E|T|g|of)$/.test(name))).toEqual([]);
  });
});

test("properties that get short names are none of the interpreter's that a firmware uses", async () => {
  const { OWN_PROPERTIES } = (await import(pathToFileURL(join(projectRoot(), "rollup.config.mjs")).href)) as { OWN_PROPERTIES: string[] };
  const api = readFileSync(join(projectRoot(), "firmware/espruino.d.ts"), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
  // members stand before a colon, a question mark or a bracket, parameters within brackets
  const members = [...api.replace(/\([^()]*\)/g, "()").matchAll(/([\w$]+)\??[:(]/g)].map((match) => match[1]!);
  expect(members).toEqual(expect.arrayContaining(["setScan", "rssi", "flash_code_start"]));
  expect(OWN_PROPERTIES.filter((name) => members.includes(name))).toEqual([]);
});

describe("a firmware is refused", () => {
  test("where its language is more than Espruino's, with file and line", async () => {
    const error = await failure(
      build({
        "main.ts":
          'import { late } from "./late.ts";\nfor (let i = 0; i < 3; i++) {\n  setTimeout(function () { print(i); }, 10);\n}\nlate({ a: 1 });',
        "late.ts": "export function late(o: { a: number }) {\n  print(Math.trunc(1.5), Math.imul(2, 3));\n  const { a } = o;\n  print(a);\n}",
      }),
    );
    expect(error.code).toBe("dialect");
    expect(error.exitCode).toBe(1);
    expect(error.message).toMatch(/^4 places that Espruino takes otherwise:\n/);
    expect(error.message).toMatch(/late\.ts:2: absent-method: the interpreter has no Math\.trunc; use x \| 0\n/);
    expect(error.message).toMatch(/late\.ts:3: destructuring: /);
    expect(error.message).toMatch(/main\.ts:3: loop-closure: /);
  });

  test("where a function is called above its definition", async () => {
    const main = "const sum = twice(1) + twice(2);\nprint(sum, sum);\nfunction twice(n: number) { for (let i = 0; i < n; i++) n *= 2; return n; }";
    const error = await failure(build({ "main.ts": main }));
    expect(error.message).toMatch(/main\.ts:1: use-before-definition: /);
  });

  test.each([
    ["a package", 'import fs from "node:fs";\nprint(fs);', /main\.ts: "node:fs": firmware imports relative \.ts files and "tracelet:build" only/],
    ["a file that isn't there", 'import { a } from "./a.ts";\nprint(a);', /main\.ts: "\.\/a\.ts": no such file/],
    ["a file without its ending", 'import { a } from "./a";\nprint(a);', /"\.\/a": firmware imports relative/],
    [
      "a constant that isn't there",
      'import { NONSENSE } from "tracelet:build";\nprint(NONSENSE);',
      /main\.ts:1: "NONSENSE" is not exported by "tracelet:build"/,
    ],
  ])("where it imports %s", async (_, text, expected) => {
    const error = (await failure(build({ "main.ts": text }))) as FormatError;
    expect(error.code).toBe("bundle");
    expect(error.message).toMatch(expected);
  });

  test("where it is no TypeScript", async () => {
    const error = await failure(build({ "main.ts": "const a = 1;\nconst b: = 2;\nprint(a, b);" }));
    expect(error.message).toMatch(/main\.ts:2: Type expected/);
  });

  test("where modules import each other", async () => {
    const error = await failure(
      build({
        "main.ts": 'import { a } from "./a.ts";\nprint(a());\nexport const b = 1;',
        "a.ts": 'import { b } from "./main.ts";\nexport function a() { return b; }',
      }),
    );
    expect(error.message).toMatch(/Circular dependency/);
  });

  test("where its first file is missing", async () => {
    const error = await failure(buildFirmware({ board: puckjs, role: "beacon", protocols: ["gaen"], entry: "nowhere/main.ts" }));
    expect([error.code, error.exitCode, error.message]).toEqual(["no_firmware", 2, "nowhere/main.ts is not there, and every bundle begins with it"]);
  });
});

describe("a request is refused", () => {
  const main = { "main.ts": "print(1);" };

  test("where the board can't do it", async () => {
    const small = { ...puckjs, id: "small", name: "Small.js", storage: { ...puckjs.storage, pages: 3 } };
    const error = (await failure(build(main, { board: small }))) as ConfigError;
    expect([error.code, error.exitCode]).toEqual(["board_cannot", 2]);
    expect(error.message).toMatch(/^Small\.js can't be a wearable: /);
  });

  test.each([
    [{ txPower: 8 }, /^txPower: Puck\.js does -40, .*, 4 dBm, got 8$/],
    [{ advertisingInterval: 50 }, /^advertisingInterval: whole number from 100/],
    [{ scanTime: 3 }, /^scanTime: multiple of 2/],
    [{ scanTime: 600 }, /^scanTime: a scan of 600 s is longer than the cycle of 300 s/],
    [{ sound: 1 }, /^no setting is called sound; known: cycleTime, /],
    [{ toString: 1 }, /^no setting is called toString/],
    [{ retention: Number.NaN }, /^retention: /],
  ])("where a setting is not legal: %o", async (settings, expected) => {
    const error = await failure(build(main, { settings: settings as unknown as { [name: string]: number } }));
    expect([error.code, error.exitCode]).toEqual(["bad_setting", 2]);
    expect(error.message).toMatch(expected);
  });

  test("where the code leaves no room for a log", async () => {
    const text = Array.from({ length: 720 }, (_, i) => createHash("sha1").update(String(i)).digest("hex")).join("");
    const error = await failure(build({ "main.ts": `print("${text}");` }));
    expect([error.code, error.exitCode]).toEqual(["code_too_large", 2]);
    expect(error.message).toMatch(/^The bundle for Puck\.js has 288\d\d bytes; beside a log of 3 pages there is room for 28640/);
  });
});

describe("the firmware", () => {
  test.each([
    ["puckjs", "wearable", 3],
    ["puckjs", "beacon", 2],
    ["mdbt42q", "wearable", 3],
    ["pixljs", "wearable", 4],
    ["pixljs", "scanner", 3],
  ])("of a %s as %s passes the gate and fits into %d pages", async (id, role, pages) => {
    const board = findBoard(id) as BoardFacts;
    const { code, text, manifest } = await firmwareFor(role, id);
    expect(manifest.bytes).toBe(code.length);
    expect(readTokens(code).text).toBe(text);
    expect(manifest.flash.codePages).toBeLessThanOrEqual(pages);
    expect(manifest.variables.estimated).toBeLessThan(board.variables.count / 2);
    expect(manifest.sha256).toBe(createHash("sha256").update(code, "latin1").digest("hex"));
  });

  test.each([
    ["puckjs", "wearable", ["AES.encrypt", ".SHA256(", '"int(int)"']],
    ["mdbt42q", "beacon", [".SHA256(", '"int(int)"', "283*"]],
    ["nrf52840dk", "beacon", ['"int(int)"', '"int(int,int)"', "283*", ".buffer,248"]],
    ["pixljs", "scanner", ['"int(int)"', "283*"]],
    ["puckjs", "scanner", ["AES.encrypt"]],
  ])("of a %s as %s has the crypto that it needs, and no other", async (id, role, expected) => {
    const { text } = await firmwareFor(role, id);
    const signs = ["AES.encrypt", ".SHA256(", '"int(int)"', '"int(int,int)"', "283*", ".buffer,248"];
    expect(signs.filter((sign) => text.includes(sign))).toEqual(expected);
  });
});

test("a lock comes on demand, with its file for power-on and room for it", async () => {
  const plain = await firmwareFor();
  const locked = await firmwareFor("wearable", "puckjs", {}, ["lock"]);
  expect(plain.manifest.features).not.toContain("lock");
  expect(plain.manifest.recovery).toBeUndefined();
  expect(locked.manifest.features).toContain("lock");
  expect(locked.manifest.recovery?.code.length).toBeLessThan(400);
  expect(locked.code.length - plain.code.length).toBeLessThan(1300);
  const { codePages } = locked.manifest.flash;
  expect(64 + locked.code.length + locked.manifest.recovery!.code.length).toBeLessThanOrEqual(codePages * 4096);
});

test("the standard bundles are every role of every board that can fill it", async () => {
  expect((await standardBundles()).map((bundle) => bundle.fileName)).toEqual([
    "puckjs-wearable.js",
    "puckjs-beacon.js",
    "puckjs-scanner.js",
    "mdbt42q-wearable.js",
    "mdbt42q-beacon.js",
    "mdbt42q-scanner.js",
    "pixljs-wearable.js",
    "pixljs-beacon.js",
    "pixljs-scanner.js",
    "nrf52840dk-wearable.js",
    "nrf52840dk-beacon.js",
    "nrf52840dk-scanner.js",
    "microbit2-wearable.js",
    "microbit2-beacon.js",
    "microbit2-scanner.js",
    "bangle2-wearable.js",
    "bangle2-beacon.js",
    "bangle2-scanner.js",
  ]);
});
