import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findBoard } from "../../boards/index.ts";
import type { Firmware } from "../../host-tools/generator/bundle.ts";
import { projectRoot } from "../../host-tools/project.ts";

// A bundle takes a second to make, the first one of a process five, and tests run in several processes: what one has built the others find on disk, under
// a hash of all that goes into it.

const SOURCES = ["firmware", "protocols", "boards", "host-tools/generator"];
const FILES = ["rollup.config.mjs", "package-lock.json", "package.json", "tsconfig.base.json"];

const built = new Map<string, Promise<Firmware>>();
let sources: string | undefined;

/** The bundle as `tracelet build` makes it. */
export function firmwareFor(
  role = "wearable",
  board = "puckjs",
  settings: Record<string, number> = {},
  extra: string[] = [],
  protocols = ["gaen"],
): Promise<Firmware> {
  const key = JSON.stringify([role, board, settings, extra, protocols]);
  const found = built.get(key) ?? load(role, board, settings, extra, protocols, key);
  built.set(key, found);
  return found;
}

async function load(
  role: string,
  board: string,
  settings: Record<string, number>,
  extra: string[],
  protocols: string[],
  key: string,
): Promise<Firmware> {
  sources ??= hashOfSources();
  const folder = join(projectRoot(), "node_modules/.cache/tracelet-bundles");
  const file = join(
    folder,
    `${createHash("sha256")
      .update(sources + key)
      .digest("hex")
      .slice(0, 24)}.json`,
  );
  try {
    return frozen(JSON.parse(readFileSync(file, "utf8")) as Firmware);
  } catch {
    // loaded when needed: the compiler alone takes a second
    const { buildFirmware } = await import("../../host-tools/generator/bundle.ts");
    const firmware = await buildFirmware({ board: findBoard(board)!, role, protocols, settings, with: extra });
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${file}.${process.pid}`, JSON.stringify(firmware));
    renameSync(`${file}.${process.pid}`, file);
    return frozen(firmware);
  }
}

/** Unalterable, since other tests get the very same objects. */
function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) for (const one of Object.values(Object.freeze(value))) frozen(one);
  return value;
}

function hashOfSources(): string {
  const hash = createHash("sha256").update(process.version);
  const listed = SOURCES.flatMap((folder) =>
    readdirSync(join(projectRoot(), folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(ts|json)$/.test(name))
      .map((name) => join(folder, name)),
  );
  for (const name of [...FILES, ...listed.sort()]) hash.update(name).update(readFileSync(join(projectRoot(), name)));
  return hash.digest("hex");
}
