import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigError } from "./errors.ts";

let found: string | undefined;

/** Folder of the project: the nearest one above this file whose package.json is called tracelet, whether this file runs as source or compiled in dist/. */
export function projectRoot(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); !found; folder = dirname(folder)) {
    const file = join(folder, "package.json");
    if (existsSync(file) && (JSON.parse(readFileSync(file, "utf8")) as { name?: string }).name === "tracelet") found = folder;
    else if (dirname(folder) === folder) {
      throw new ConfigError(
        "no_source",
        "The sources of the firmware are not here: no package.json called tracelet above " + fileURLToPath(import.meta.url),
      );
    }
  }
  return found;
}

/** Version of the project, as in package.json. */
export function projectVersion(): string {
  return (JSON.parse(readFileSync(join(projectRoot(), "package.json"), "utf8")) as { version: string }).version;
}
