import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { addonPath, nativeFolder, openAddon } from "./sieve-native.ts";

/**
 * Compiles the addon with the machine's C compiler (`CC`, or cc). Answers why not, where it can't be had: everything works without, only slower.
 * `path`: where to put it.
 */
export function buildAddon(path = addonPath()): string | undefined {
  if (process.platform === "win32") return "no C compiler is looked for on Windows";
  const compiler = process.env.CC || "cc";
  const { include_dir: headers } = createRequire(import.meta.url)("node-api-headers") as { include_dir: string };
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true });
  const unfinished = join(folder, `unfinished-${process.pid}.node`);
  const sources = ["addon.c", "engine.c"].map((name) => join(nativeFolder(), name));
  const linking = process.platform === "darwin" ? ["-undefined", "dynamic_lookup"] : [];
  const { status, stderr, error } = spawnSync(compiler, ["-O3", "-shared", "-fPIC", ...linking, `-I${headers}`, "-o", unfinished, ...sources], {
    encoding: "utf8",
  });
  if (error) return `no C compiler: ${compiler} can't be run (${error.message})`;
  if (status !== 0) {
    rmSync(unfinished, { force: true });
    return `${compiler} failed: ${stderr.split("\n").find((line) => line.includes("error")) ?? `exit code ${status}`}`;
  }
  renameSync(unfinished, path);
  return openAddon(path) ? undefined : "it was compiled, but can't be loaded";
}

/** Takes away those that were built from other sources. */
function removeOlder(path: string): void {
  for (const name of readdirSync(dirname(path)))
    if (name.startsWith("engine-") && join(dirname(path), name) !== path) rmSync(join(dirname(path), name));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const reason = buildAddon();
  if (reason === undefined) removeOlder(addonPath());
  console.log(reason === undefined ? "matching: native engine built" : `matching: no native engine, WebAssembly instead: ${reason}`);
}
