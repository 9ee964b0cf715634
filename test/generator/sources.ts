import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A small firmware in a folder of its own. */
export interface Sources {
  entry: string;
  remove(): void;
}

/** Writes files of a made-up firmware, which begins with main.ts. */
export function writeSources(files: { [name: string]: string }): Sources {
  const folder = mkdtempSync(join(tmpdir(), "tracelet-sources-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return { entry: join(folder, "main.ts"), remove: () => rmSync(folder, { recursive: true }) };
}
