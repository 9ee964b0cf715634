import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { projectRoot } from "../../project.ts";
import { nativeFolder, sourcesDigest } from "./sieve-native.ts";

const FLAGS =
  "--target=wasm32 -O3 -msimd128 -mbulk-memory -ffreestanding -nostdlib -Wl,--no-entry -Wl,--export=engine_start -Wl,--export=find_candidates -Wl,--export=__heap_base -Wl,--strip-all -Wl,-z,stack-size=65536";

/** sieve-wasm-code.ts, from the C sources. Needs clang and lld; those of Debian 12, version 14, make the bytes that are there. */
function compileWasm(): string {
  const folder = mkdtempSync(join(tmpdir(), "engine-"));
  try {
    const { status, stderr, error } = spawnSync("clang", [...FLAGS.split(" "), "-o", join(folder, "engine.wasm"), "engine.c"], {
      cwd: nativeFolder(),
      encoding: "utf8",
    });
    if (error || status !== 0) throw new Error(`clang failed: ${error?.message ?? stderr}; it and lld are needed (apt-get install clang lld)`);
    const code = readFileSync(join(folder, "engine.wasm")).toString("base64");
    const lines = code.match(/.{1,140}/g)!.map((line) => `  "${line}`);
    return [
      "// Made of native/*.c by `npm run build:wasm`, clang 14; don't edit.",
      "",
      "/** The sources it was made of: sourcesDigest(). */",
      `export const WASM_SOURCES = "${sourcesDigest()}";`,
      "/** The engine as a WebAssembly module, base64. */",
      "export const WASM_BASE64 =",
      `${lines.join('" +\n')}";`,
      "",
    ].join("\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(join(projectRoot(), "host-tools/matching/engine/sieve-wasm-code.ts"), compileWasm());
